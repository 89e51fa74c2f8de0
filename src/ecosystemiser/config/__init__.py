"""What a person asks for: closed, frozen models. Names a system, knows none."""

from ecosystemiser.config.distributions import (
    Discrete,
    Distribution,
    Empirical,
    LogNormal,
    Normal,
    Triangular,
    Uniform,
)
from ecosystemiser.config.genetic_settings import GeneticSettings
from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.config.simulation_config import DEFAULT_SYSTEM, SimulationConfig
from ecosystemiser.config.solver_options import SOLVER_TYPES, SolverOptions, SolverType
from ecosystemiser.config.study_config import STUDY_TYPES, StudyConfig, StudyType
from ecosystemiser.config.value_range import ValueRange

__all__ = [
    "DEFAULT_SYSTEM",
    "SOLVER_TYPES",
    "STUDY_TYPES",
    "Discrete",
    "Distribution",
    "Empirical",
    "GeneticSettings",
    "LogNormal",
    "MonteCarloSettings",
    "Normal",
    "SimulationConfig",
    "SolverOptions",
    "SolverType",
    "StudyConfig",
    "StudyType",
    "Triangular",
    "Uniform",
    "ValueRange",
]
