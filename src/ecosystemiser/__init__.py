"""EcoSystemiser: simulate, optimise and compare local energy and water systems; every run is logged.

The names below load what they need at first use, so importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecosystemiser.analyser.kpi_calculator import KPICalculator
    from ecosystemiser.config.simulation_config import SimulationConfig
    from ecosystemiser.config.solver_options import SolverOptions
    from ecosystemiser.config.study_config import StudyConfig
    from ecosystemiser.errors import EcoSystemiserError, FailureCause, Finding, InputError, SolveError, StoreError
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
    from ecosystemiser.services.simulation_service import SimulationResult, SimulationService, load, simulate
    from ecosystemiser.services.study_service import StudyResult, StudyService

__all__ = [
    "DatabaseMetadataService",
    "EcoSystemiserError",
    "FailureCause",
    "Finding",
    "InputError",
    "KPICalculator",
    "SimulationConfig",
    "SimulationResult",
    "SimulationService",
    "SolveError",
    "SolverOptions",
    "StoreError",
    "StudyConfig",
    "StudyResult",
    "StudyService",
    "__version__",
    "load",
    "simulate",
]

__version__ = "0.1.0"

_HOMES = {
    "DatabaseMetadataService": "services.database_metadata_service",
    "EcoSystemiserError": "errors",
    "FailureCause": "errors",
    "Finding": "errors",
    "InputError": "errors",
    "KPICalculator": "analyser.kpi_calculator",
    "SimulationConfig": "config.simulation_config",
    "SimulationResult": "services.simulation_service",
    "SimulationService": "services.simulation_service",
    "SolveError": "errors",
    "SolverOptions": "config.solver_options",
    "StoreError": "errors",
    "StudyConfig": "config.study_config",
    "StudyResult": "services.study_service",
    "StudyService": "services.study_service",
    "load": "services.simulation_service",
    "simulate": "services.simulation_service",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
