"""How a genetic search comes on: the best of all so far, numbers of each generation, whether it stands still."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from ecosystemiser.config.genetic_settings import GeneticSettings
from ecosystemiser.study.fronts import crowding_distances, hypervolume, non_dominated
from ecosystemiser.study.objectives import Goals, Score
from ecosystemiser.study.sampling import Floats
from ecosystemiser.study.space import Space
from ecosystemiser.study.strategy import FrontPoint

__all__ = ["Convergence"]

MARGIN = 0.1
"""The reference point lies beyond the worst values by this share of their range, so that ends of a front count."""


class Convergence:
    """Keeps the front of all designs so far and the numbers of each generation."""

    def __init__(self, space: Space, goals: Goals, settings: GeneticSettings) -> None:
        self._space, self._goals, self._settings = space, goals, settings
        self._numbers: list[int] = []
        self._amounts: Floats = np.zeros((0, len(goals.objectives)))
        self._fronts: list[Floats] = []
        self._reference: Floats | None = None
        self._box = 1.0
        if settings.reference_point is not None:
            given = [settings.reference_point[name] for name in goals.objectives]
            self._reference = np.array(given) * goals.signs

    def front(self, among: Container[int] | None = None) -> tuple[FrontPoint, ...]:
        """Return the points, of those `among` if given, that no other of all so far beats, limits kept.

        The best of the first objective comes first.
        """
        places = [at for at, number in enumerate(self._numbers) if among is None or number in among]
        amounts = self._amounts[places]
        rows, objectives = (amounts * self._goals.signs).tolist(), self._goals.objectives
        distances = crowding_distances(amounts)
        return tuple(
            FrontPoint(self._numbers[places[at]], dict(zip(objectives, rows[at], strict=True)), distances[at])
            for at in np.argsort(amounts[:, 0], kind="stable").tolist()
        )

    def hear(self, scores: Mapping[int, Score | None]) -> None:
        """Take the scores of the new points of a generation, by their numbers; None: the run failed."""
        known = {number: score for number, score in scores.items() if score is not None}
        feasible = {number: score.amounts for number, score in known.items() if score.is_feasible}
        if feasible:
            self._set_reference(np.array(list(feasible.values())))
            numbers = [*self._numbers, *feasible]
            amounts = np.vstack([self._amounts, list(feasible.values())])
            kept = non_dominated(amounts)
            self._numbers, self._amounts = [numbers[at] for at in kept], amounts[kept]
        self._fronts.append(self._amounts)

    def metrics(self, population: Sequence[Mapping[str, Any]], scores: Sequence[Score | None]) -> dict[str, float]:
        """Return the numbers of a generation: of its population, with the scores, and of the front of all so far."""
        found: dict[str, float] = {"front_size": len(self._numbers)}
        if self._reference is not None:
            found["hypervolume"] = hypervolume(self._amounts, self._reference) / self._box
        if len(population) > 1:
            distances = self._space.distances(population)
            found["diversity"] = float(distances.sum() / (len(population) * (len(population) - 1)))
        feasible = [score.amounts for score in scores if score is not None and score.is_feasible]
        if feasible:
            for name, column, sign in zip(
                self._goals.objectives, np.array(feasible).T, self._goals.signs.tolist(), strict=True
            ):
                found[f"{name}.best"] = float(column.min() * sign)
                found[f"{name}.mean"] = float(column.mean() * sign)
                found[f"{name}.worst"] = float(column.max() * sign)
                found[f"{name}.spread"] = float(column.std())
        return found

    def stands_still(self) -> bool:
        """Whether the front grew by less than the tolerance over as many generations as there is patience for."""
        patience = self._settings.patience
        if patience is None or len(self._fronts) <= patience:
            return False
        before, now = self._fronts[-1 - patience], self._fronts[-1]
        if not len(before):
            return False
        if before is now:
            return True
        if len(self._goals.objectives) == 1:
            gained, size = before.min() - now.min(), abs(now.min())
        else:
            reference = _beyond(np.vstack([before, now]))
            size = hypervolume(now, reference)
            gained = size - hypervolume(before, reference)
        return bool(gained <= self._settings.tolerance * size)

    def _set_reference(self, amounts: Floats) -> None:
        """Let the first designs that keep all limits say where the hypervolume is measured from, and in what."""
        if self._reference is None:
            self._reference = _beyond(amounts)
            self._box = float(np.prod(self._reference - amounts.min(axis=0)))


def _beyond(amounts: Floats) -> Floats:
    """Return the corner a little beyond the worst of points."""
    worst, best = amounts.max(axis=0), amounts.min(axis=0)
    extent = np.where(worst > best, worst - best, np.where(worst != 0.0, np.abs(worst), 1.0))
    return np.asarray(worst + MARGIN * extent)
