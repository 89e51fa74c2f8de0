"""Parametric studies: every combination of given values, or the values taken side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from ecosystemiser.study.points import Point, grid_points, near_neighbour_order, zipped_points

__all__ = ["Parametric", "Strategy"]


class Strategy(Protocol):
    """Says which points to solve next and hears how they ended.

    Promises: what it asks for depends on its settings, its seed and what it was told in ask order, never on time.
    """

    @property
    def size(self) -> int | None:
        """Number of points in all, where it is known."""

    def ask(self) -> Iterator[list[Point]]:
        """Yield the points that may be solved now, in the order that suits warm solves; go on once they were told."""

    def tell(self, point: Point, kpis: Mapping[str, float | None] | None) -> None:
        """Hear the KPIs of a point; None where it failed."""


class Parametric:
    """All points are known before the first is solved."""

    def __init__(self, parameters: Mapping[str, Sequence[Any]], *, is_zipped: bool = False) -> None:
        self.points = zipped_points(parameters) if is_zipped else grid_points(parameters)

    @property
    def size(self) -> int:
        """Number of points in all."""
        return len(self.points)

    def ask(self) -> Iterator[list[Point]]:
        """Yield all points at once, near neighbour after near neighbour."""
        yield near_neighbour_order(self.points)

    def tell(self, point: Point, kpis: Mapping[str, float | None] | None) -> None:
        """Hear the KPIs of a point; nothing follows from them here."""
