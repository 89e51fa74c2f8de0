"""Every simulation is in the log: the two tests of the customer's plan, and what may happen to runs on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser import DatabaseMetadataService, SimulationConfig, SimulationService, StudyConfig, StudyService
from ecosystemiser.errors import FailureCause, InputError
from ecosystemiser.jobs.events import RunCompleted, RunFailed, RunStarted, RunSubmitted
from ecosystemiser.jobs.executors import Patience, ProcessExecutor
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services import study_work as study_module
from ecosystemiser.services.job_facade import JobFacade
from ecosystemiser.store.hourly import read_hourly

TASKS = Path(__file__).parents[1] / "unit" / "study"

WATER = """
system_id: waterworks
time: {start: 2018-03-01, steps: 72}
components:
  mains: {type: water_grid, import_price_per_m3: 2.1}
  taps: {type: water_demand, profile: district, annual_m3: 700}
  roof: {type: rainwater, bus: service_water, area_m2: 600, runoff: 0.85, profile: RAIN}
  tank: {type: water_tank, bus: service_water, capacity_m3: 4}
  topup: {type: converter, input: water, output: service_water}
  flushing: {type: water_demand, bus: service_water, profile: district, annual_m3: 500}
"""
SHORT = """
system_id: short
time: {start: 2018-01-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}
  battery: {type: battery, capacity_kwh: 8, power_kw: 2}
  house: {type: electricity_demand, profile: LOAD}
""".replace("LOAD", str([1.5] * 3 + [0.5] * 21))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, and no database but the one in it."""
    place = tmp_path / "empty"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return place


@pytest.fixture
def log() -> Iterator[DatabaseMetadataService]:
    with DatabaseMetadataService() as opened:
        yield opened


# The customer's two tests.


def test_simulation_logged_to_database():
    """Test that simulations are automatically logged to database."""

    # Create study service
    study_service = StudyService()

    # Run simple simulation
    config = StudyConfig(
        study_id="test_db_logging", study_type="parametric", base_config=SimulationConfig(timesteps=168)
    )

    result = study_service.run_study(config)

    # Query database
    db_service = DatabaseMetadataService()
    runs = db_service.query_simulation_runs(study_id="test_db_logging")

    # Assertions
    assert len(runs) > 0, "Should have logged at least one run"
    assert runs[0]["simulation_status"] == "completed"
    assert runs[0]["total_cost"] is not None, "Should have KPIs"
    assert runs[0]["solver_type"] is not None
    assert result.runs[0].run_id == runs[0]["run_id"]


def test_hybrid_solver_logged():
    """Test that Hybrid Solver runs are logged correctly."""

    config = SimulationConfig(
        solver_type="hybrid",
        timesteps=168,  # 1 week
    )

    SimulationService().run_simulation(config)
    db_service = DatabaseMetadataService()

    # Verify database has solver_type="hybrid"
    runs = db_service.query_simulation_runs(solver_type="hybrid")
    assert len(runs) > 0


# What a row holds.


def test_the_base_simulation_alone_is_one_run(log: DatabaseMetadataService, folder: Path) -> None:
    """In the default place, with its hours, its system and its study."""
    result = StudyService(log).run_study(
        StudyConfig(study_id="one", base_config=SimulationConfig(timesteps=24), workers=1)
    )
    (row,) = log.query_simulation_runs()
    assert log.db_path == folder.resolve() / "data" / "simulation_index.sqlite"
    assert (row["study_id"], row["system_id"], row["timesteps"]) == ("one", "riverside-community", 24)
    assert (row["solver_type"], row["simulation_status"]) == ("milp", "completed")
    assert row["results_path"] == str(folder.resolve() / "data" / "results" / row["run_id"])
    assert set(read_hourly(Path(row["flows_path"]), row["hourly_sha256"]).columns)
    assert {name: row[name] for name in KPI_NAMES} == {name: result.runs[0].kpis.get(name) for name in KPI_NAMES}
    assert json.loads(row["parameters_json"]) == {}
    assert log.get_study_summary("one")["study"]["status"] == "completed"


def test_a_mixed_system_has_kpis_of_energy_and_water(log: DatabaseMetadataService) -> None:
    StudyService(log).run_study(StudyConfig(study_id="mixed", base_config=SimulationConfig(timesteps=24), workers=1))
    (row,) = log.query_simulation_runs(study_id="mixed")
    for name in ("total_cost", "total_co2", "renewable_fraction", "total_demand_kwh", "water_self_sufficiency"):
        assert row[name] is not None
    assert 0 <= row["renewable_fraction"] <= 1
    assert 0 <= row["water_self_sufficiency"] <= 1


@pytest.mark.parametrize("solver", ["rule_based", "milp"])
def test_a_system_of_water_alone_has_no_kpis_of_energy(
    log: DatabaseMetadataService, system_file: Callable[..., Path], solver: str
) -> None:
    path = system_file(WATER.replace("RAIN", str([0.0, 2.0, 0.5] * 24)))
    base = SimulationConfig(system=path, solver_type=solver)
    StudyService(log).run_study(StudyConfig(study_id="water", base_config=base, workers=1))
    (row,) = log.query_simulation_runs(study_id="water")
    assert (row["simulation_status"], row["system_id"]) == ("completed", "waterworks")
    assert row["total_cost"] > 0
    assert row["rain_harvested_m3"] > 0
    assert 0 < row["water_self_sufficiency"] < 1
    for name in ("renewable_fraction", "self_consumption_rate", "self_sufficiency_rate"):
        assert row[name] is None  # 0/0
    assert row["total_demand_kwh"] in (0, None)


def test_a_row_is_running_and_committed_when_its_run_is_told_of(
    log: DatabaseMetadataService, system_file: Callable[..., Path]
) -> None:
    """Seen through another connection, before the work starts: no job has begun it, no file is there."""
    service = StudyService(log)
    started: list[str | None] = []
    seen: list[tuple[str | None, str, bool, bool]] = []

    def look(event: RunSubmitted) -> None:
        with DatabaseMetadataService() as other:
            row = other.get_simulation_run(event.run_id or "")
        assert row is not None
        folder_is_there = Path(row["results_path"]).exists()
        seen.append((event.run_id, row["simulation_status"], folder_is_there, event.run_id in started))

    service.bus.subscribe(RunStarted, lambda event: started.append(event.run_id))
    service.bus.subscribe(RunSubmitted, look)
    base = SimulationConfig(system=system_file(SHORT), solver_type="rule_based")
    service.run_study(StudyConfig(study_id="s", base_config=base, parameters=_sizes(8, 9, 10), workers=1))
    assert list(service.bus.failures) == []
    assert [row[1:] for row in seen] == [("running", False, False)] * 3
    assert sorted(started) == sorted(row[0] for row in seen)  # type: ignore[type-var]


# Runs are found.


def test_runs_are_found_by_study_solver_cost_and_renewable_fraction(log: DatabaseMetadataService) -> None:
    for solver in ("rule_based", "hybrid"):
        base = SimulationConfig(solver_type=solver, timesteps=48)
        sizes = {"roof_pv.capacity_kw": [0, 30, 60, 120]}
        StudyService(log).run_study(StudyConfig(study_id=f"pv-{solver}", base_config=base, parameters=sizes, workers=1))
    rows = log.query_simulation_runs()
    assert len(rows) == 8
    find = log.query_simulation_runs

    def ids(found: list[dict[str, Any]]) -> set[str]:
        return {row["run_id"] for row in found}

    assert ids(find(study_id="pv-hybrid")) == {row["run_id"] for row in rows if row["study_id"] == "pv-hybrid"}
    assert len(find("pv-hybrid", "hybrid")) == 4
    assert find("pv-hybrid", "rule_based") == []
    costs = sorted(row["total_cost"] for row in rows)
    low, high = costs[2], costs[5]
    expected = {row["run_id"] for row in rows if low <= row["total_cost"] <= high}
    assert ids(find(min_cost=low, max_cost=high)) == expected
    assert 2 <= len(expected) <= 7  # negative control: some are out of the range
    shares = sorted(row["renewable_fraction"] for row in rows)
    assert shares[0] < shares[-1]
    expected = {row["run_id"] for row in rows if shares[2] <= row["renewable_fraction"] <= shares[5]}
    found = find(min_renewable_fraction=shares[2], max_renewable_fraction=shares[5])
    assert ids(found) == expected
    assert len(expected) < 8
    assert find(study_id="pv-hybrid", min_renewable_fraction=1.1) == []
    ordered = find(study_id="pv-hybrid", order_by="total_cost")
    assert [row["total_cost"] for row in ordered] == sorted(row["total_cost"] for row in ordered)


# Runs that fail among others.


def _sizes(*sizes: float) -> dict[str, list[Any]]:
    return {"battery.capacity_kwh": list(sizes)}


@pytest.mark.parametrize("timeseries", ["all", "none"])
@pytest.mark.parametrize(
    ("solver", "cause", "stage"), [("milp", "infeasible", "solve"), ("rule_based", "unmet", "audit")]
)
def test_failing_variations_do_not_stop_the_others(
    log: DatabaseMetadataService,
    system_file: Callable[..., Path],
    solver: str,
    cause: str,
    stage: str,
    timeseries: str,
) -> None:
    """A negative size, and a battery that holds too little: no plan in milp, unmet by the rule."""
    base = SimulationConfig(system=system_file(SHORT), solver_type=solver)
    study = StudyConfig(
        study_id="s", base_config=base, parameters=_sizes(8, -1, 1, 16), workers=1, timeseries=timeseries
    )
    service = StudyService(log)
    with service.bus.record() as seen:
        result = service.run_study(study)
    rows = log.query_study_runs("s")
    assert [row["simulation_status"] for row in rows] == ["completed", "failed", "failed", "completed"]
    assert [row["failure_cause"] for row in rows] == [None, "data", cause, None]
    assert [row["failure_stage"] for row in rows] == [None, "prepare", stage, None]
    assert "battery.capacity_kwh: -1 is negative" in json.loads(rows[1]["metadata_json"])["error"]
    assert json.loads(rows[2]["metadata_json"])["error"] == result.runs[2].error
    assert [row["total_cost"] is not None for row in rows] == [True, False, solver == "rule_based", True]
    assert [row["flows_path"] is not None for row in rows] == [
        timeseries == "all" and row["total_cost"] is not None for row in rows
    ]
    assert result.by_status() == {"completed": 2, "failed": 2}
    assert result.by_cause() == {"data": 1, cause: 1}
    best = result.best()
    assert best is not None
    assert best.point in (0, 3)
    told = {event.run_id: event.cause for event in seen if isinstance(event, RunFailed)}
    assert told == {rows[1]["run_id"]: "data", rows[2]["run_id"]: cause}
    assert log.get_study_summary("s")["study"]["status"] == "completed"


def test_a_wrong_request_is_refused_and_not_logged(log: DatabaseMetadataService, folder: Path) -> None:
    study = StudyConfig(study_id="s", base_config=SimulationConfig(timesteps=24), parameters={"batery.power_kw": [1]})
    with pytest.raises(InputError, match="did you mean 'battery'"):
        StudyService(log).run_study(study)
    assert list(folder.iterdir()) == []


# Workers that die.


@pytest.fixture
def with_tasks(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that has studies run another task in the place of `make_runs`."""
    monkeypatch.syspath_prepend(str(TASKS))
    return lambda name: monkeypatch.setattr(study_module, "make_runs", f"study_tasks:{name}")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(parent: int) -> list[int]:
    found = []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdigit() and int((place / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(place.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_a_killed_worker_costs_no_run(
    log: DatabaseMetadataService, system_file: Callable[..., Path], with_tasks: Callable[[str], None]
) -> None:
    """kill -9 of one worker while it works: every run completes, and stands in the log once."""
    with_tasks("make_runs_slowly")
    service = StudyService(log)
    started: list[str | None] = []
    killed: list[int] = []
    others = set(children(os.getpid()))  # what other tests have running here

    def kill_one(event: RunStarted) -> None:
        """Kill when two jobs have begun, and one of them its second run."""
        started.append(event.run_id)
        if len(started) == 3:
            killed.append(min(set(children(os.getpid())) - others))
            os.kill(killed[0], signal.SIGKILL)

    service.bus.subscribe(RunStarted, kill_one)
    base = SimulationConfig(system=system_file(SHORT), solver_type="rule_based")
    sizes = _sizes(*range(8, 24))
    with service.bus.record() as seen:
        result = service.run_study(StudyConfig(study_id="s", base_config=base, parameters=sizes, workers=2))
    assert killed
    assert not is_alive(killed[0])
    assert result.by_status() == {"completed": 16}
    rows = log.query_study_runs("s")
    assert [row["point"] for row in rows] == list(range(16))
    assert {row["simulation_status"] for row in rows} == {"completed"}
    assert len({row["run_id"] for row in rows}) == log.get_statistics()["runs"] == 16
    ends = [event.run_id for event in seen if isinstance(event, RunCompleted | RunFailed)]
    assert len(ends) == len(set(ends)) == 16
    for row in rows:
        read_hourly(Path(row["flows_path"]), row["hourly_sha256"])  # also what was written twice is whole


def test_a_run_that_kills_its_worker_fails_alone(
    log: DatabaseMetadataService, system_file: Callable[..., Path], with_tasks: Callable[[str], None]
) -> None:
    """With the cause crash; all others complete."""
    with_tasks("make_runs_or_die")
    base = SimulationConfig(system=system_file(SHORT), solver_type="rule_based")
    with JobFacade(ProcessExecutor(2, patience=Patience(deaths_alone=1))) as facade:
        result = StudyService(log, facade).run_study(
            StudyConfig(study_id="s", base_config=base, parameters=_sizes(*range(10, 16)), workers=2)
        )
    assert result.by_status() == {"completed": 5, "failed": 1}
    (bad,) = [run for run in result.runs if run.cause is not None]
    assert (bad.parameters["battery.capacity_kwh"], bad.cause) == (13, FailureCause.CRASH)
    row = log.get_simulation_run(bad.run_id)
    assert row is not None
    assert (row["simulation_status"], row["failure_cause"], row["failure_stage"]) == ("failed", "crash", "solve")
    assert "was killed by SIGKILL" in json.loads(row["metadata_json"])["error"]
    assert log.get_statistics()["runs"] == 6


# Ctrl-C.

PROGRAM = """
import sys
from ecosystemiser import SimulationConfig, StudyConfig, StudyService
sizes = {"battery.capacity_kwh": [10 * (1 + at) for at in range(48)]}
base = SimulationConfig(timesteps=500)
StudyService().run_study(StudyConfig(study_id="s", base_config=base, parameters=sizes, workers=int(sys.argv[1])))
"""


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_ctrl_c_cancels_what_is_left_and_keeps_what_was_done(log: DatabaseMetadataService, workers: int) -> None:
    """Within five seconds nothing runs: no row, no study, no process."""
    command = [sys.executable, "-c", PROGRAM, str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _wait_until(lambda: log.get_study_summary("s")["by_status"].get("completed", 0) >= 3, process)
        pids = children(process.pid)
        assert len(pids) == (workers if workers > 1 else 0)  # negative control: this is how workers are seen
        begin = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        seconds = time.monotonic() - begin
    finally:
        process.kill()
        process.wait()
    assert seconds < 5
    assert process.returncode == -signal.SIGINT
    assert errors.count("KeyboardInterrupt") >= 1
    assert not any(is_alive(pid) for pid in pids)
    summary = log.get_study_summary("s")
    assert summary["study"]["status"] == "cancelled"
    assert summary["by_status"]["completed"] >= 3
    assert summary["by_status"]["cancelled"] >= 1
    assert set(summary["by_status"]) == {"completed", "cancelled"}
    for row in log.query_simulation_runs(study_id="s", status="completed"):
        read_hourly(Path(row["flows_path"]), row["hourly_sha256"])
    assert all(row["flows_path"] is None for row in log.query_simulation_runs(status="cancelled"))


def _wait_until(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
