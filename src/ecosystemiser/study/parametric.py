"""Parametric studies: all points are known before the first is solved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecosystemiser.study.points import Point, grid_points, near_neighbour_order, zipped_points
from ecosystemiser.study.sampling import Method, uniform_points
from ecosystemiser.study.space import Space
from ecosystemiser.study.strategy import Kpis, Step, Strategy

__all__ = ["Parametric", "Strategy"]


class Parametric:
    """Every combination of given values, the values taken side by side, or points spread over a space."""

    def __init__(self, parameters: Mapping[str, Sequence[Any]], *, is_zipped: bool = False) -> None:
        self.points = zipped_points(parameters) if is_zipped else grid_points(parameters)
        self._reason: str | None = None

    @classmethod
    def sampled(cls, space: Space, method: Method, samples: int, seed: int) -> Parametric:
        """Return a strategy of points spread over a space by chance, evenly in each field."""
        made = cls({})
        designs = space.designs_at(uniform_points(method, samples, len(space.dimensions), seed))
        made.points = [Point(number, design) for number, design in enumerate(designs)]
        return made

    @property
    def size(self) -> int:
        """Number of points in all."""
        return len(self.points)

    @property
    def steps(self) -> Sequence[Step]:
        """Nothing: there is one batch, and nothing follows from it."""
        return ()

    @property
    def stopped_because(self) -> str | None:
        """Why it was stopped, if it was."""
        return self._reason

    def ask(self) -> Iterator[list[Point]]:
        """Yield all points at once, near neighbour after near neighbour."""
        if self._reason is None:
            yield near_neighbour_order(self.points)

    def tell(self, point: Point, kpis: Kpis | None) -> None:
        """Hear the KPIs of a point; nothing follows from them here."""

    def stop(self, reason: str) -> None:
        """Ask for no more."""
        self._reason = reason
