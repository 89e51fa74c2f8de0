"""The public names, pinned."""

from __future__ import annotations

import subprocess
import sys

import ecosystemiser

PUBLIC = [
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


def test_the_public_names_are_these_and_each_can_be_had() -> None:
    """`__all__` is the list above; every name loads from its home."""
    assert sorted(ecosystemiser.__all__) == PUBLIC
    assert all(getattr(ecosystemiser, name) is not None for name in PUBLIC)


def test_importing_the_package_loads_none_of_its_tools() -> None:
    """The front door is lazy: no solver, database or data library comes with `import ecosystemiser`."""
    heavy = ("numpy", "pydantic", "sqlalchemy", "highspy", "numba", "pyarrow", "pandas", "pvlib")
    code = f"import sys, ecosystemiser; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_customers_homes_hold_the_names() -> None:
    """SimulationConfig is importable from the front door, `config` and `services.simulation_service`."""
    from ecosystemiser import SimulationConfig, config
    from ecosystemiser.services import simulation_service

    assert SimulationConfig is config.SimulationConfig is simulation_service.SimulationConfig
