"""KPIs of many points, held as columns."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.study.sampling import Floats
from ecosystemiser.study.strategy import Kpis

__all__ = ["KpiTable"]


class KpiTable:
    """Holds the KPIs of points by their numbers; NaN: not heard, failed, or not defined."""

    def __init__(self, size: int) -> None:
        self._columns: dict[str, Floats] = {}
        self._is_told = np.zeros(size, dtype=bool)
        self._has_failed = np.zeros(size, dtype=bool)

    @property
    def told(self) -> int:
        """How many points were told."""
        return int(self._is_told.sum())

    @property
    def names(self) -> list[str]:
        """KPIs that a point had, in the order of all KPIs; those from outside come last."""
        known = [name for name in KPI_NAMES if name in self._columns]
        return known + sorted(self._columns.keys() - set(known))

    def tell(self, number: int, kpis: Kpis | None) -> None:
        """Take the KPIs of a point; None where it failed. Told again, it has the later ones."""
        self._is_told[number], self._has_failed[number] = True, kpis is None
        for name, value in (kpis or {}).items():
            if value is None:
                continue
            if name not in self._columns:
                self._columns[name] = np.full(len(self._is_told), np.nan)
            self._columns[name][number] = value

    def untold(self, numbers: Iterable[int]) -> list[int]:
        """Return those of the points that were not told."""
        return [number for number in numbers if not self._is_told[number]]

    def values(self, name: str, numbers: slice) -> Floats:
        """Return a KPI of points; NaN where one has none."""
        return self._columns[name][numbers]

    def matrix(self, names: Iterable[str], numbers: slice) -> Floats:
        """Return KPIs of points. (points, KPIs)"""
        return np.column_stack([self.values(name, numbers) for name in names])

    def failed(self, numbers: slice) -> NDArray[np.bool_]:
        """Return for each point whether it failed."""
        return self._has_failed[numbers]
