"""Designs bred from the better ones of those before, by pymoo."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecosystemiser.config.genetic_settings import GeneticSettings
from ecosystemiser.study.objectives import Score
from ecosystemiser.study.sampling import Floats, uniform_points
from ecosystemiser.study.space import Choice, Continuous, Dimension, Space, design_key

__all__ = ["Breeder"]

FAILED = 1e12
"""Violation of a design whose run failed: worse than any limit that is missed."""
FILLING_ROUNDS = 20
"""How often a first generation of small spaces is drawn anew to fill up what came twice."""
MATING_ROUNDS = 20
"""How often a generation is bred on where designs came twice; of small spaces it may stay incomplete."""

Design = dict[str, Any]


class Breeder:
    """Bundles an algorithm of pymoo: gives designs generation by generation and hears how good they are.

    All chance comes from the settings' seed. Designs of one generation differ from each other and from the population.
    """

    def __init__(self, space: Space, settings: GeneticSettings, limits: int) -> None:
        self._space, self._settings = space, settings
        self._varied = [dimension for dimension in space.dimensions if dimension.size != 1]
        self._limits, self._worst = limits, np.zeros(len(settings.objectives))
        self._has_heard = False
        self._asked: Any = None
        self._algorithm: Any = None

    @property
    def population(self) -> list[Design]:
        """The designs that live on."""
        return [] if self._algorithm is None else [self._design(each.X) for each in self._algorithm.pop]

    def ask(self) -> list[Design]:
        """Return the designs of the next generation; none where none can be bred that is new."""
        if self._algorithm is None:
            self._algorithm = self._made(self._first_generation())
        self._asked = self._algorithm.ask()
        return [] if self._asked is None else [self._design(each.X) for each in self._asked]

    def tell(self, scores: Mapping[int, Score | None]) -> None:
        """Hear how good designs of the last generation are, by their place in it; None: the run failed.

        Those that are not named are forgotten.
        """
        heard = [score for score in scores.values() if score is not None]
        if heard:
            worst = np.max([score.amounts for score in heard], axis=0)
            self._worst = np.maximum(self._worst, worst) if self._has_heard else worst
            self._has_heard = True
        infills = self._asked[list(scores)]
        infills.set("F", np.array([self._amounts(score) for score in scores.values()]))
        infills.set("G", np.array([self._violations(score) for score in scores.values()]))
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # NSGA-III sets a filter and leaves it set
            self._algorithm.tell(infills=infills)

    def _amounts(self, score: Score | None) -> Floats:
        return self._worst if score is None else np.array(score.amounts)

    def _violations(self, score: Score | None) -> list[float]:
        return [0.0] * self._limits + [FAILED] if score is None else [*score.violations, 0.0]

    def _first_generation(self) -> list[Design]:
        """Return the given designs, filled up with a Latin hypercube; all designs where there are no more."""
        size, wanted = self._space.size, self._settings.population_size
        found = {design_key(design): dict(design) for design in self._settings.initial_designs}
        for at in range(FILLING_ROUNDS):
            if len(found) >= min(wanted, size or wanted):
                break
            shares = uniform_points("lhs", wanted, len(self._space.dimensions), self._settings.seed + at)
            for design in self._space.designs_at(shares):
                if len(found) < wanted:
                    found.setdefault(design_key(design), design)
        return list(found.values())

    def _made(self, designs: Sequence[Design]) -> Any:
        from pymoo.core.mixed import MixedVariableMating
        from pymoo.core.population import Population
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination
        from pymoo.operators.selection.tournament import TournamentSelection

        kind, compare, own = _algorithm_of(self._settings)
        unique = _elimination()
        algorithm = kind(
            pop_size=self._settings.population_size,
            sampling=Population.new(X=[self._genes(design) for design in designs]),
            mating=MixedVariableMating(
                selection=TournamentSelection(func_comp=compare),
                mutation=_mutations(),
                eliminate_duplicates=unique,
                n_max_iterations=MATING_ROUNDS,
            ),
            eliminate_duplicates=unique,
            seed=self._settings.seed,
            **own,
        )
        variables = {dimension.name: _variable(dimension) for dimension in self._varied}
        problem = Problem(vars=variables, n_obj=len(self._settings.objectives), n_ieq_constr=self._limits + 1)
        algorithm.setup(problem, termination=NoTermination())
        return algorithm

    def _genes(self, design: Mapping[str, Any]) -> dict[str, float | int]:
        return {dimension.name: _gene(dimension, design[dimension.name]) for dimension in self._varied}

    def _design(self, genes: Mapping[str, Any]) -> Design:
        return {dimension.name: _value(dimension, genes) for dimension in self._space.dimensions}


def _gene(dimension: Dimension, value: Any) -> float | int:
    return float(value) if isinstance(dimension, Continuous) else dimension.values.index(value)


def _value(dimension: Dimension, genes: Mapping[str, Any]) -> Any:
    if isinstance(dimension, Continuous):
        return min(max(float(genes[dimension.name]), dimension.low), dimension.high)
    return dimension.values[0 if dimension.size == 1 else int(genes[dimension.name])]


def _variable(dimension: Dimension) -> Any:
    from pymoo.core import variable

    if isinstance(dimension, Continuous):
        return variable.Real(bounds=(dimension.low, dimension.high))
    if isinstance(dimension, Choice):
        return variable.Choice(options=list(range(dimension.size)))
    return variable.Integer(bounds=(0, dimension.size - 1))


def _elimination() -> Any:
    """Return what leaves out designs that are there already; pymoo's own compares each with each."""
    from pymoo.core.duplicate import DuplicateElimination

    class ByGenes(DuplicateElimination):  # type: ignore[misc]
        def _do(self, pop: Any, other: Any, is_duplicate: Any) -> Any:
            seen = set() if other is None else {_in_order(each.X) for each in other}
            for at, each in enumerate(pop):
                genes = _in_order(each.X)
                is_duplicate[at] = genes in seen
                seen.add(genes)
            return is_duplicate

    return ByGenes()


def _in_order(genes: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(genes[name] for name in sorted(genes))


def _mutations() -> dict[Any, Any]:
    """Return how each kind of gene changes by chance: pymoo's ways, but wider steps along lists.

    With its narrow ones 4 of 20 searches ended at the wrong end of a list of nine.
    """
    from pymoo.core import variable
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.mutation.rm import ChoiceRandomMutation
    from pymoo.operators.repair.rounding import RoundingRepair

    return {
        variable.Real: PM(),
        variable.Integer: PM(eta=3, vtype=float, repair=RoundingRepair()),
        variable.Choice: ChoiceRandomMutation(),
    }


def _algorithm_of(settings: GeneticSettings) -> tuple[Any, Any, dict[str, Any]]:
    """Return the algorithm's class, who wins a tournament, and the arguments that only this algorithm has."""
    from pymoo.algorithms.base.genetic import GeneticAlgorithm
    from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.algorithms.soo.nonconvex.ga import FitnessSurvival, comp_by_cv_and_fitness

    if settings.chosen_algorithm == "ga":
        return GeneticAlgorithm, comp_by_cv_and_fitness, {"survival": FitnessSurvival()}
    if settings.chosen_algorithm == "nsga2":
        return NSGA2, binary_tournament, {}
    return NSGA3, _less_violating, {"ref_dirs": _directions(len(settings.objectives), settings.population_size)}


def _less_violating(pop: Any, P: Any, random_state: Any, **_: object) -> Any:  # noqa: N803 - pymoo passes P by name
    """Return who wins each tournament of NSGA-III: who violates less, else chance.

    pymoo's own draws lots of equal violations, as failed runs have, from a generator that no seed sets.
    """
    violations = pop.get("CV")[:, 0][P]
    drawn = random_state.integers(0, 2, size=len(P))
    place = np.where(violations[:, 0] == violations[:, 1], drawn, np.argmin(violations, axis=1))
    return P[np.arange(len(P)), place][:, None]


def _directions(objectives: int, most: int) -> Any:
    """Return evenly spread directions (Das and Dennis 1998), as many as a population can follow."""
    from pymoo.util.ref_dirs import get_reference_directions

    partitions = 1
    while math.comb(partitions + objectives, objectives - 1) <= most:
        partitions += 1
    return get_reference_directions("das-dennis", objectives, n_partitions=partitions)
