"""What all strategies promise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ecosystemiser.study.points import Point

__all__ = ["FrontPoint", "Kpis", "Step", "Strategy"]

Kpis = Mapping[str, float | None]
"""The KPIs of a completed run; None: not defined (0/0)."""


@dataclass(frozen=True)
class FrontPoint:
    """A point that no other beats in every objective."""

    number: int
    """Of its point."""
    objectives: Mapping[str, float]
    crowding_distance: float | None
    """Mean distance of its neighbours on the front, as a share of the front's extent; None at an end of the front."""


@dataclass(frozen=True)
class Step:
    """What is known after a batch of points (of a genetic study: a generation) was told."""

    number: int
    """Counted from 0."""
    evaluations: int
    """Points told so far."""
    seconds: float
    """From asking the batch to having heard of all of it; no point depends on it. [s]"""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Numbers by name, as `hypervolume`, `total_cost.best`; what has no value is left out."""
    front: tuple[FrontPoint, ...] = ()
    """Points of the population that no other of all so far beats; empty where a strategy has no objectives."""


class Strategy(Protocol):
    """Says which points to solve next and hears how they ended.

    Promises: what it asks for depends on its settings, its seed and what it was told, never on time, on the order
    within a batch or on who solves. So a strategy made anew of the same settings and told the same asks for the same
    points, bit by bit. Values of points are plain Python data. No point is asked twice.
    """

    @property
    def size(self) -> int | None:
        """Number of points in all, where it is known."""

    @property
    def steps(self) -> Sequence[Step]:
        """What is known after each batch that was told; complete when `ask` goes on or ends."""

    @property
    def stopped_because(self) -> str | None:
        """Why it asks for no more, though there could be more points; None where that is not so."""

    def ask(self) -> Iterator[list[Point]]:
        """Yield the points that may be solved now, in the order that suits warm solves; go on once they were told."""

    def tell(self, point: Point, kpis: Kpis | None) -> None:
        """Hear the KPIs of a point; None where it failed."""

    def stop(self, reason: str) -> None:
        """Ask for no more; what is known so far stays."""
