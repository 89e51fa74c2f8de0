"""From what a person asks for to the strategy that does it."""

from __future__ import annotations

from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.study.genetic import GeneticAlgorithm
from ecosystemiser.study.monte_carlo import MonteCarlo
from ecosystemiser.study.parametric import Parametric
from ecosystemiser.study.points import grid_points, zipped_points
from ecosystemiser.study.sampling import Method
from ecosystemiser.study.space import Space

__all__ = ["strategy_of"]


def strategy_of(study: StudyConfig) -> Parametric | GeneticAlgorithm | MonteCarlo:
    """Return a new strategy of a study; all that it will ask for depends on `study` and on what it is told.

    Time limits and results that are known already are put around it: see `resuming`.
    """
    is_zipped = study.combine == "zipped"
    if study.genetic_algorithm is not None:
        return GeneticAlgorithm(Space.of(study.parameters), study.genetic_algorithm)
    if study.monte_carlo is not None:
        listed = study.compared_values()
        designs = zipped_points(listed) if is_zipped else grid_points(listed)
        return MonteCarlo(study.monte_carlo, [design.values for design in designs])
    if study.is_sampled:
        method: Method = "lhs" if study.combine == "latin_hypercube" else "sobol"
        return Parametric.sampled(Space.of(study.parameters), method, study.n_samples or 1, study.seed or 0)
    return Parametric(study.values(), is_zipped=is_zipped)
