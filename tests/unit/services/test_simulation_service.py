"""One simulation and its row, whatever happens to it."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError, SolveError, StoreError
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services import worker as worker_module
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import Order
from ecosystemiser.services.run_rows import RunRows
from ecosystemiser.services.simulation_service import SimulationService, simulate
from ecosystemiser.store import files as store_files
from ecosystemiser.store.states import RunStatus

HOUSE = """
system_id: house
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}
  battery: {type: battery, capacity_kwh: 6, power_kw: 2}
  house: {type: electricity_demand, profile: LOAD}
""".replace("LOAD", str([0.5] * 18 + [1.5] * 2 + [0.5] * 4))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return tmp_path


@pytest.fixture
def log() -> Iterator[DatabaseMetadataService]:
    with DatabaseMetadataService() as opened:
        yield opened


@pytest.fixture
def service(log: DatabaseMetadataService) -> SimulationService:
    return SimulationService(log)


@pytest.fixture
def config(system_file: Callable[..., Path]) -> Callable[..., SimulationConfig]:
    path = system_file(HOUSE)

    def make(**fields: Any) -> SimulationConfig:
        return SimulationConfig(**{"system": path, "run_id": "r1"} | fields)

    return make


def row_of(log: DatabaseMetadataService, run_id: str = "r1") -> dict[str, Any]:
    row = log.get_simulation_run(run_id)
    assert row is not None
    return row


# The row before.


@pytest.fixture
def before(log: DatabaseMetadataService) -> Callable[..., dict[str, Any]]:
    """Return a function from the fields of a config to the row that stands before its work."""

    def make(**fields: Any) -> dict[str, Any]:
        asked = SimulationConfig(**fields)
        return RunRows(log).before(Order("r1", asked, "results", point=7))

    return make


def test_the_row_before_says_what_was_asked(before: Callable[..., dict[str, Any]], system_file: Any) -> None:
    began = datetime.now(UTC)
    row = before(
        system=system_file(HOUSE), study_id="s1", solver_type="hybrid", timesteps=3,
        parameters={"house.profile": [0.5, 0.5, 0.5], "battery.capacity_kwh": 2},
    )  # fmt: skip
    assert began <= datetime.fromisoformat(str(row.pop("timestamp"))) <= began + timedelta(seconds=10)
    assert len(str(row.pop("config_hash"))) == 64
    documents = {row.pop(f"{kind}_document") for kind in ("system", "files", "config", "environment")}
    assert len(documents) == 4
    assert row == {
        "run_id": "r1",
        "study_id": "s1",
        "point": 7,
        "generation": None,
        "system_id": "house",
        "timesteps": 3,
        "solver_type": "hybrid",
        "currency": "EUR",
        "simulation_status": "running",
        "results_path": "results/r1",
        "parameters_json": '{"house.profile":[0.5,0.5,0.5],"battery.capacity_kwh":2}',
        "retry_of": None,
    }


def test_the_name_in_the_config_stands_before_that_of_the_file(
    before: Callable[..., dict[str, Any]], system_file: Any
) -> None:
    assert before(system=system_file(HOUSE), system_id="other")["system_id"] == "other"


def test_the_hash_tells_what_is_solved_and_not_under_which_name(
    before: Callable[..., dict[str, Any]], system_file: Any
) -> None:
    def hashed(**fields: Any) -> object:
        return before(**{"system": path, "timesteps": 4} | fields)["config_hash"]

    path = system_file(HOUSE)
    assert hashed() == hashed(run_id="r2", study_id="s2", output_directory="elsewhere")
    others = [
        hashed(),
        hashed(timesteps=5),
        hashed(solver_type="hybrid"),
        hashed(parameters={"battery.capacity_kwh": 3}),
        hashed(solver=SolverOptions(gap=0.1)),
        hashed(system="greensboro-house"),
    ]
    assert len(set(others)) == len(others)


def test_the_row_stands_as_running_while_the_work_is_done(
    service: SimulationService, config: Callable[..., SimulationConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from another connection."""
    seen: list[dict[str, Any]] = []
    real = worker_module.audit

    def looking(solved: Any) -> Any:
        with DatabaseMetadataService() as other:
            seen.append(row_of(other))
        return real(solved)

    monkeypatch.setattr(worker_module, "audit", looking)
    service.run_simulation(config())
    (row,) = seen
    assert (row["simulation_status"], row["total_cost"], row["flows_path"]) == ("running", None, None)


# Runs that complete.


def test_a_completed_run_has_kpis_hours_and_times(
    service: SimulationService, log: DatabaseMetadataService, config: Callable[..., SimulationConfig], folder: Path
) -> None:
    result = service.run_simulation(config())
    row = row_of(log)
    assert result.has_completed
    assert row["simulation_status"] == "completed"
    assert {name: row[name] for name in KPI_NAMES} == {name: result.kpis.get(name) for name in KPI_NAMES}
    assert row["total_cost"] == pytest.approx(0.3 * 14, rel=0.2)
    assert result.results_path == folder.resolve() / "data" / "results" / "r1"
    assert Path(row["flows_path"]).parent == Path(row["results_path"]) == result.results_path
    assert (row["timesteps"], row["solver_type"], row["system_id"]) == (24, "milp", "house")
    assert row["bound"] <= row["objective"] * (1 + 1e-9)
    assert 0 < row["wall_seconds"] <= result.wall_seconds
    assert row["failure_cause"] is None


def test_a_run_without_an_id_gets_one(
    service: SimulationService, log: DatabaseMetadataService, config: Callable[..., SimulationConfig]
) -> None:
    ids = [service.run_simulation(config(run_id=None)).run_id for _ in range(3)]
    assert len(set(ids)) == 3
    assert {row["run_id"] for row in log.query_simulation_runs()} == set(ids)


def test_simulate_closes_its_log(config: Callable[..., SimulationConfig], log: DatabaseMetadataService) -> None:
    assert simulate(config(timesteps=3)).has_completed
    assert row_of(log)["timesteps"] == 3


# Refused before anything is logged.


def test_a_run_id_that_is_taken_is_refused(
    service: SimulationService, log: DatabaseMetadataService, config: Callable[..., SimulationConfig]
) -> None:
    """Whatever became of the first."""
    service.run_simulation(config())
    first = row_of(log)
    with pytest.raises(InputError, match="names a run that is already in the log"):
        service.run_simulation(config(parameters={"battery.capacity_kwh": 5}))
    assert row_of(log) == first


@pytest.mark.parametrize(
    "fields",
    [
        {"parameters": {"battery.capacity_kwh": -1}},
        {"parameters": {"battery.capacity_kwhh": 1}},
        {"parameters": {"tank.capacity_m3": 1}},
        {"parameters": {"house.profile": "no-such-profile"}},
        {"system": "no-such-system"},
        {"solver_type": "rule_based", "solver": SolverOptions(end="cyclic")},
        {"output_directory": "a\0b"},
    ],
)
def test_a_wrong_request_leaves_no_trace(
    service: SimulationService, config: Callable[..., SimulationConfig], folder: Path, fields: dict[str, Any]
) -> None:
    """No row, no database, no folder."""
    with pytest.raises(InputError):
        service.run_simulation(config(**fields))
    assert [path.name for path in folder.iterdir()] == ["system.yaml"]


# Runs that fail.


@pytest.mark.parametrize(
    ("solver", "cause", "stage"), [("milp", "infeasible", "solve"), ("rule_based", "unmet", "audit")]
)
def test_a_failing_solve_is_a_failed_row(
    service: SimulationService,
    log: DatabaseMetadataService,
    config: Callable[..., SimulationConfig],
    solver: str,
    cause: str,
    stage: str,
) -> None:
    """A battery that could give enough, but does not hold enough."""
    result = service.run_simulation(config(solver_type=solver, parameters={"battery.capacity_kwh": 0.6}))
    row = row_of(log)
    assert (result.status, result.cause) == (RunStatus.FAILED, cause)
    assert (row["simulation_status"], row["failure_cause"], row["failure_stage"]) == ("failed", cause, stage)
    assert json.loads(row["metadata_json"])["error"] == result.error
    assert row["wall_seconds"] > 0
    assert (row["total_cost"] is not None) == (row["flows_path"] is not None) == (solver == "rule_based")


def test_the_next_run_completes(service: SimulationService, config: Callable[..., SimulationConfig]) -> None:
    bad = {"battery.capacity_kwh": 0.6}
    assert not service.run_simulation(config(run_id="bad", parameters=bad)).has_completed
    assert service.run_simulation(config(run_id="good")).has_completed


def test_a_crash_in_a_solver_is_a_failed_row_with_its_traceback(
    service: SimulationService,
    log: DatabaseMetadataService,
    config: Callable[..., SimulationConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def solve(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("ecosystemiser.solver.milp.solver.MilpSolver.solve", solve)
    result = service.run_simulation(config())
    row = row_of(log)
    assert (result.cause, result.error) == (FailureCause.CRASH, "ZeroDivisionError: a defect")
    assert (row["simulation_status"], row["failure_cause"], row["failure_stage"]) == ("failed", "crash", "solve")
    told = json.loads(row["metadata_json"])
    assert told["error"] == "ZeroDivisionError: a defect"
    assert "Traceback (most recent call last)" in told["traceback"]
    assert "in solve" in told["traceback"]


def test_a_full_disk_for_the_hours_is_a_failed_row_and_an_error(
    service: SimulationService,
    log: DatabaseMetadataService,
    config: Callable[..., SimulationConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database has room, the results folder has not; nothing half is left, and later there is room again."""

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store_files, "_replace", full)
        with pytest.raises(StoreError, match="the disk is full"):
            service.run_simulation(config())
    row = row_of(log)
    assert (row["simulation_status"], row["failure_cause"], row["failure_stage"]) == ("failed", "storage", "store")
    assert "the disk is full" in json.loads(row["metadata_json"])["error"]
    assert row["flows_path"] is row["hourly_sha256"] is None
    assert list(Path(row["results_path"]).glob("*")) == []
    assert service.run_simulation(config(run_id="r2")).has_completed


def test_a_log_that_cannot_be_written_stops_before_the_work(
    config: Callable[..., SimulationConfig], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "log.sqlite").write_text("not a database")
    with DatabaseMetadataService(folder / "log.sqlite") as broken, pytest.raises(StoreError, match="not a SQLite"):
        SimulationService(broken).run_simulation(config(run_id=None))
    assert not (folder / "data").exists()


# Runs that are stopped.


def test_ctrl_c_is_a_cancelled_row(
    service: SimulationService,
    log: DatabaseMetadataService,
    config: Callable[..., SimulationConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(solved: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(worker_module, "audit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        service.run_simulation(config())
    row = row_of(log)
    assert (row["simulation_status"], row["failure_cause"], row["total_cost"]) == ("cancelled", None, None)


def test_a_run_that_is_asked_to_stop_is_cancelled(
    service: SimulationService, log: DatabaseMetadataService, config: Callable[..., SimulationConfig]
) -> None:
    for number, solver in enumerate(("rule_based", "milp")):
        with pytest.raises(KeyboardInterrupt):
            service.run_simulation(config(run_id=f"r{number}", solver_type=solver), should_stop=lambda: True)
        assert row_of(log, f"r{number}")["simulation_status"] == "cancelled"


def test_ctrl_c_after_the_end_changes_nothing(
    service: SimulationService,
    log: DatabaseMetadataService,
    config: Callable[..., SimulationConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It comes when the row is written, and before anybody knows."""
    real = log.log_simulation_runs

    def late(rows: Any) -> None:
        real(rows)
        if rows[0].get("simulation_status") == "completed":
            raise KeyboardInterrupt

    monkeypatch.setattr(log, "log_simulation_runs", late)
    with pytest.raises(KeyboardInterrupt):
        service.run_simulation(config())
    assert row_of(log)["simulation_status"] == "completed"


def test_a_solver_error_keeps_its_own_words(
    service: SimulationService,
    log: DatabaseMetadataService,
    config: Callable[..., SimulationConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def solve(*_: object, **__: object) -> None:
        raise SolveError(FailureCause.TIMEOUT, 'no plan within 1 s: "äöü"\n')

    monkeypatch.setattr("ecosystemiser.solver.milp.solver.MilpSolver.solve", solve)
    assert service.run_simulation(config()).cause is FailureCause.TIMEOUT
    assert json.loads(row_of(log)["metadata_json"]) == {"error": 'no plan within 1 s: "äöü"\n'}
