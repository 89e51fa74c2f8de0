"""What a person asks for: closed, frozen models. Names a system, knows none."""

from ecosystemiser.config.simulation_config import DEFAULT_SYSTEM, SimulationConfig
from ecosystemiser.config.solver_options import SOLVER_TYPES, SolverOptions, SolverType
from ecosystemiser.config.study_config import StudyConfig, ValueRange

__all__ = [
    "DEFAULT_SYSTEM",
    "SOLVER_TYPES",
    "SimulationConfig",
    "SolverOptions",
    "SolverType",
    "StudyConfig",
    "ValueRange",
]
