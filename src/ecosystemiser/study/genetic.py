"""Genetic studies: designs bred from the better ones before them, generation after generation."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from ecosystemiser.config.genetic_settings import GeneticSettings
from ecosystemiser.study.breeding import Breeder
from ecosystemiser.study.convergence import Convergence
from ecosystemiser.study.objectives import Goals, Score
from ecosystemiser.study.points import Point, near_neighbour_order
from ecosystemiser.study.space import Space, design_key
from ecosystemiser.study.strategy import FrontPoint, Kpis, Step

__all__ = ["GeneticAlgorithm"]


class GeneticAlgorithm:
    """Searches a space for the best design, or for the front of designs that no other beats in every objective.

    A design is asked for once; bred again, it takes the known result. A failed run counts as worse than any other.
    """

    def __init__(self, space: Space, settings: GeneticSettings) -> None:
        self._space, self._settings = space, settings
        self._goals = Goals(settings.objectives, settings.limits)
        self._breeder = Breeder(space, settings, len(settings.limits))
        self._convergence = Convergence(space, self._goals, settings)
        self._numbers: dict[str, int] = {}
        self._scores: dict[int, Score | None] = {}
        self._steps: list[Step] = []
        self._reason: str | None = None

    @property
    def size(self) -> int | None:
        """Not known: it depends on what is found."""
        return None

    @property
    def steps(self) -> Sequence[Step]:
        """Numbers and front of each generation that was told."""
        return self._steps

    @property
    def stopped_because(self) -> str | None:
        """Why it ended; None while it has not."""
        return self._reason

    @property
    def front(self) -> tuple[FrontPoint, ...]:
        """The points that no other of all so far beats; of one objective the best."""
        return self._convergence.front()

    def ask(self) -> Iterator[list[Point]]:
        """Yield the designs of a generation that are not known yet; go on once they were told."""
        while self._reason is None:
            designs = self._breeder.ask()
            if not designs:
                self._reason = "no design can be bred that is not known"
                return
            begin = time.perf_counter()
            points = self._new_points(designs)
            if points:
                yield near_neighbour_order(points)
            if self._reason is None:
                self._end_generation(designs, points, begin)

    def tell(self, point: Point, kpis: Kpis | None) -> None:
        """Hear the KPIs of a point; None where it failed."""
        self._scores[point.number] = self._goals.score(kpis)

    def stop(self, reason: str) -> None:
        """Breed no more; the front of all that was told stays."""
        self._reason = reason

    def _new_points(self, designs: Sequence[dict[str, Any]]) -> list[Point]:
        """Number the designs that are not known, as many as may still be solved."""
        points = []
        for design in designs:
            key, number = design_key(design), len(self._numbers)
            if key not in self._numbers and number < (self._settings.max_evaluations or number + 1):
                self._numbers[key] = number
                points.append(Point(number, design, len(self._steps)))
        return points

    def _end_generation(self, designs: Sequence[dict[str, Any]], points: Sequence[Point], begin: float) -> None:
        untold = [point.number for point in points if point.number not in self._scores]
        if untold:
            raise ValueError(f"points {untold[:5]} were asked and not told; tell every point before going on")
        numbers = [self._numbers.get(design_key(design)) for design in designs]
        heard = {at: self._scores[number] for at, number in enumerate(numbers) if number is not None}
        new = {point.number: self._scores[point.number] for point in points}
        seconds = time.perf_counter() - begin
        self._breeder.tell(heard)
        self._convergence.hear(new)
        population = self._breeder.population
        lived = [self._numbers[design_key(design)] for design in population]
        metrics = {
            "evaluations": len(self._scores),
            "new_evaluations": len(new),
            "known_designs": len(heard) - len(new),
            "failed": sum(score is None for score in new.values()),
            "infeasible": sum(score is not None and not score.is_feasible for score in new.values()),
            **self._convergence.metrics(population, [self._scores[number] for number in lived]),
        }
        front = self._convergence.front(among=frozenset(lived))
        self._steps.append(Step(len(self._steps), len(self._scores), seconds, metrics, front))
        self._reason = self._why_to_end()

    def _why_to_end(self) -> str | None:
        settings = self._settings
        if settings.max_evaluations is not None and len(self._scores) >= settings.max_evaluations:
            return f"{len(self._scores):,} runs were made (max_evaluations)"
        if len(self._scores) == self._space.size:
            return "all designs of the space were solved"
        if len(self._steps) >= settings.max_generations:
            return f"{len(self._steps):,} generations were bred (max_generations)"
        if self._convergence.stands_still():
            return f"nothing better was found in {settings.patience} generations (patience)"
        return None
