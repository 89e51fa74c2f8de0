"""What a genetic study wants: from KPIs to numbers that are to be small."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecosystemiser.config.kpi_words import Direction, KpiLimit
from ecosystemiser.study.sampling import Floats
from ecosystemiser.study.strategy import Kpis

__all__ = ["Goals", "Score", "violation"]


@dataclass(frozen=True)
class Score:
    """How good a design is: amounts to be small, and by how much it misses each limit."""

    amounts: tuple[float, ...]
    """Objectives, those to be large with their sign turned."""
    violations: tuple[float, ...]
    """How far each limit is missed, 0 where it is kept."""

    @property
    def is_feasible(self) -> bool:
        """Whether it keeps all limits."""
        return not any(self.violations)


@dataclass(frozen=True)
class Goals:
    """Objectives and limits of a genetic study."""

    objectives: Mapping[str, Direction]
    limits: Sequence[KpiLimit] = ()

    @property
    def signs(self) -> Floats:
        """1 for each objective to be minimised, -1 for one to be maximised."""
        return np.array([1.0 if direction == "minimise" else -1.0 for direction in self.objectives.values()])

    def score(self, kpis: Kpis | None) -> Score | None:
        """Return the score of a run; None where it failed or a KPI that counts is not defined."""
        if kpis is None:
            return None
        values = [kpis.get(name) for name in (*self.objectives, *(limit.kpi for limit in self.limits))]
        if any(value is None or not math.isfinite(value) for value in values):
            return None
        amounts = np.array(values[: len(self.objectives)], dtype=float) * self.signs
        return Score(tuple(amounts.tolist()), tuple(violation(limit, kpis) or 0.0 for limit in self.limits))


def violation(limit: KpiLimit, kpis: Kpis) -> float | None:
    """Return by how much a run misses a limit: as a share of the limit, of one of 0 the amount; None: not defined."""
    value = kpis.get(limit.kpi)
    if value is None:
        return None
    missed = limit.limit - value if limit.relation == ">=" else value - limit.limit
    return max(0.0, missed) / (abs(limit.limit) or 1.0)
