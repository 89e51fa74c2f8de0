"""A house, and a log of runs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.run_history import RunHistory
from ecosystemiser.services.simulation_service import SimulationService

HOUSE = """\
system_id: house
time: {start: 2018-06-01, steps: 24}
economics: {currency: EUR}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, import_limit_kw: 3}
  pv: {type: pv, capacity_kw: 3, profile: pv-potsdam-south-30, capex_per_kw: 1000}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2}
  load: {type: electricity_demand, profile: {file: loads.csv, column: house}}
"""
LOADS = "house\n" + "0.5\n0.25\n" * 4380


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, a terminal of 80 columns, no database named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return tmp_path


@pytest.fixture
def log() -> Iterator[DatabaseMetadataService]:
    with DatabaseMetadataService() as opened:
        yield opened


@pytest.fixture
def history(log: DatabaseMetadataService) -> RunHistory:
    return RunHistory(log)


@pytest.fixture
def house(system_file: Callable[..., Path]) -> Path:
    """The system file of the house, its loads beside it."""
    return system_file(HOUSE, {"loads.csv": LOADS})


@pytest.fixture
def solved(log: DatabaseMetadataService, house: Path) -> Callable[..., str]:
    """Return a function that solves the house and returns the run's id."""

    def solve(**fields: Any) -> str:
        config = SimulationConfig(**{"system": house, "solver_type": "rule_based"} | fields)
        return SimulationService(log).run_simulation(config).run_id

    return solve


@pytest.fixture
def describe_otherwise(log: DatabaseMetadataService) -> Callable[..., None]:
    """Return a function that puts other documents (`environment="..."`) into the row of a run."""

    def write(run_id: str, **texts: str) -> None:
        log.log_simulation_run({"run_id": run_id, **log.store_documents(texts)})

    return write


@pytest.fixture
def row_of(log: DatabaseMetadataService) -> Callable[[str], dict[str, Any]]:
    """Return a function from a run's id to its row."""

    def get(run_id: str) -> dict[str, Any]:
        row = log.get_simulation_run(run_id)
        assert row is not None
        return row

    return get
