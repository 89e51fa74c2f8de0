"""Studies in this process: what is refused, what is told, what is left when something breaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import FailureCause, InputError, StoreError
from ecosystemiser.jobs.events import (
    Event,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
    RunSubmitted,
    StudyCancelled,
    StudyCompleted,
    StudyFailed,
    StudyStarted,
)
from ecosystemiser.jobs.executors import Context
from ecosystemiser.services import study_work as work_module
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.job_facade import JobFacade
from ecosystemiser.services.study_service import StudyResult, StudyRun, StudyService
from ecosystemiser.services.worker import Workbench
from ecosystemiser.store.states import RunStatus

TASKS = Path(__file__).parents[1] / "study"

HOUSE = """
system_id: house
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.05}
  pv: {type: pv, capacity_kw: 2, profile: pv-potsdam-south-30}
  battery: {type: battery, capacity_kwh: 2, power_kw: 1}
  house: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
"""
SIZES = [4, 1, 3, 0, 2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    monkeypatch.syspath_prepend(str(TASKS))
    return tmp_path


@pytest.fixture
def service() -> Iterator[StudyService]:
    made = StudyService()
    yield made
    made.database_service.close()


@pytest.fixture
def study_of(system_file: Callable[..., Path]) -> Callable[..., StudyConfig]:
    path = system_file(HOUSE)

    def make(values: dict[str, Any] | None = None, base: dict[str, Any] | None = None, **fields: Any) -> StudyConfig:
        config = SimulationConfig(**{"system": path, "solver_type": "rule_based"} | (base or {}))
        varied = {"battery.capacity_kwh": SIZES} if values is None else values
        return StudyConfig(**{"study_id": "s", "base_config": config, "parameters": varied, "workers": 1} | fields)

    return make


def states(service: StudyService, study_id: str = "s") -> tuple[str | None, dict[str, int]]:
    """Return the state of a study and how many of its runs stand in each."""
    summary = service.database_service.get_study_summary(study_id)
    return summary["study"] and summary["study"]["status"], summary["by_status"]


def interrupting(service: StudyService, kind: type[Event], at: int, error: BaseException) -> None:
    """Have a subscriber raise `error` at the event number `at` of a kind, as a signal handler would."""
    seen: list[Event] = []

    def hear(event: Event) -> None:
        seen.append(event)
        if len(seen) == at:
            raise error

    service.bus.subscribe(kind, hear)


# What a study is.


def test_runs_stand_in_the_order_of_their_points(service: StudyService, study_of: Callable[..., StudyConfig]) -> None:
    result = service.run_study(study_of())
    assert [run.point for run in result.runs] == list(range(5))
    assert [run.parameters["battery.capacity_kwh"] for run in result.runs] == SIZES
    rows = service.database_service.query_study_runs("s")
    assert [row["run_id"] for row in rows] == [run.run_id for run in result.runs]
    assert [json.loads(row["parameters_json"]) for row in rows] == [dict(run.parameters) for run in result.runs]
    assert [row["total_cost"] for row in rows] == [run.kpis["total_cost"] for run in result.runs]
    assert states(service) == ("completed", {"completed": 5})
    assert result.wall_seconds > 0


def test_parameters_of_the_base_hold_where_they_are_not_varied(
    service: StudyService, study_of: Callable[..., StudyConfig]
) -> None:
    base = {"parameters": {"pv.capacity_kw": 0, "battery.capacity_kwh": 9}}
    result = service.run_study(study_of({"battery.capacity_kwh": [0, 1]}, base))
    assert [dict(run.parameters) for run in result.runs] == [
        {"pv.capacity_kw": 0, "battery.capacity_kwh": 0},
        {"pv.capacity_kw": 0, "battery.capacity_kwh": 1},
    ]
    assert all(run.kpis["total_generation_kwh"] in (0, None) for run in result.runs)


def test_the_settings_of_a_study_are_kept(service: StudyService, study_of: Callable[..., StudyConfig]) -> None:
    study = study_of({"battery.capacity_kwh": list(np.arange(3)), "pv.capacity_kw": [np.float32(0.5)]})
    service.run_study(study)
    (row,) = service.database_service.query_studies()
    kept = StudyConfig.model_validate_json(row["settings_json"])
    assert kept.model_dump(mode="json") == study.model_dump(mode="json") | {"timeseries": "all"}
    assert row["points"] == 3
    assert (row["system_id"], row["study_type"]) == ("house", "parametric")
    assert row["finished_at"] is not None


def test_run_simulations_takes_any_configs(service: StudyService, study_of: Callable[..., StudyConfig]) -> None:
    """As the customer's plan calls it: configs and the study, points counted from 0."""
    study = study_of()
    configs = [study.base_config.model_copy(update={"solver_type": solver}) for solver in ("milp", "rule_based")]
    service.database_service.log_study({"study_id": "s"})
    runs = service._run_simulations(configs, study)
    assert [(run.point, run.status.value) for run in runs] == [(0, "completed"), (1, "completed")]
    rows = service.database_service.query_simulation_runs(study_id="s", order_by="solver_type")
    assert [row["solver_type"] for row in rows] == ["milp", "rule_based"]
    assert service._run_simulations([], study) == []


def test_a_base_simulation_keeps_its_run_id(service: StudyService, study_of: Callable[..., StudyConfig]) -> None:
    (run,) = service.run_study(study_of({}, {"run_id": "mine"})).runs
    assert run.run_id == "mine"
    with pytest.raises(InputError, match="names a run that is already in the log"):
        service.run_study(study_of({}, {"run_id": "mine"}, study_id="t"))
    assert states(service, "t") == (None, {})


@pytest.mark.parametrize("timeseries", ["all", "none"])
def test_rows_say_how_many_steps_were_solved(
    service: StudyService, study_of: Callable[..., StudyConfig], timeseries: str
) -> None:
    """Also where the variations themselves say it."""
    service.run_study(study_of({"time.steps": [12, 36]}, timeseries=timeseries))
    assert [row["timesteps"] for row in service.database_service.query_study_runs("s")] == [12, 36]


# Results.


def run(point: int, status: str = "completed", cause: FailureCause | None = None, **kpis: float | None) -> StudyRun:
    return StudyRun(point, {"p": point}, f"r{point}", RunStatus(status), kpis, cause)


def test_the_best_run_is_the_lowest_or_the_highest_completed_one() -> None:
    result = StudyResult(
        "s",
        (
            run(0, total_cost=5, renewable_fraction=0.1),
            run(1, "failed", FailureCause.UNMET, total_cost=1, renewable_fraction=1.0),
            run(2, total_cost=3, renewable_fraction=None),
            run(3, total_cost=3, renewable_fraction=0.4),
            run(4, "cancelled"),
        ),
    )
    assert result.best() is result.runs[2]  # of equals the first point
    assert result.best("renewable_fraction", lowest=False) is result.runs[3]
    assert result.best("renewable_fraction") is result.runs[0]
    assert result.best("total_co2") is None
    assert StudyResult("s", ()).best() is None
    with pytest.raises(InputError, match="is no KPI"):
        result.best("total_costs")


def test_a_summary_counts() -> None:
    runs = (run(0, total_cost=5), run(1, total_cost=3), run(2, "failed", FailureCause.DATA), run(3, "cancelled"))
    result = StudyResult("s", runs, 1.5)
    assert result.by_status() == {"completed": 2, "failed": 1, "cancelled": 1}
    assert result.by_cause() == {"data": 1}
    assert result.completed == list(runs[:2])
    assert result.summary() == {
        "study_id": "s",
        "runs": 4,
        "by_status": {"completed": 2, "failed": 1, "cancelled": 1},
        "by_cause": {"data": 1},
        "best_run_id": "r1",
        "best_parameters": {"p": 1},
        "lowest_cost": 3,
        "highest_cost": 5,
        "wall_seconds": 1.5,
    }
    empty = StudyResult("s", (runs[2],)).summary()
    assert (empty["best_run_id"], empty["best_parameters"], empty["lowest_cost"]) == (None, None, None)


# Refused before anything is logged.


@pytest.mark.parametrize(
    ("values", "base", "words"),
    [
        ({"battery.capacity_kwhh": [1, 2]}, {}, "did you mean 'capacity_kwh'"),
        ({"batery.capacity_kwh": [1, 2]}, {}, "did you mean 'battery'"),
        ({"battery.capacity_kwh.x": [1, 2]}, {}, "holds a single value"),
        ({"battery": [1, 2]}, {}, "is no field of this system"),
        ({"": [1, 2]}, {}, "is no field of this system"),
        ({"time.stepz": ["1h"]}, {}, "did you mean 'step"),
        ({"battery.capacity_kwh": [-1], "pv.capacity_kwp": [1]}, {}, "capacity_kwp"),
        ({}, {"parameters": {"pv.capacity_kw": -1}}, "is negative"),
        ({}, {"system": "no-such-system"}, "no packaged system"),
        ({}, {"solver": SolverOptions(end="cyclic")}, "cannot be promised by rule_based"),
    ],
)
def test_what_would_fail_every_run_is_refused(
    service: StudyService,
    study_of: Callable[..., StudyConfig],
    folder: Path,
    values: dict[str, Any],
    base: dict[str, Any],
    words: str,
) -> None:
    """No row, no database, no folder, no event."""
    with service.bus.record() as seen, pytest.raises(InputError, match=words):
        service.run_study(study_of(values, base))
    assert [path.name for path in folder.iterdir()] == ["system.yaml"]
    assert seen == []


def test_a_folder_that_cannot_be_is_refused(
    service: StudyService, study_of: Callable[..., StudyConfig], folder: Path
) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        service.run_study(study_of(output_directory="a\0b"))
    assert not (folder / "data").exists()


@pytest.mark.parametrize("first", [-1, "much", True, None])
def test_a_wrong_first_value_is_the_affair_of_its_run(
    service: StudyService, study_of: Callable[..., StudyConfig], first: object
) -> None:
    result = service.run_study(study_of({"battery.capacity_kwh": [first, 1]}))
    assert [run.status.value for run in result.runs] == ["failed", "completed"]
    assert result.runs[0].cause is FailureCause.DATA


def test_a_completed_study_is_refused_and_stays(service: StudyService, study_of: Callable[..., StudyConfig]) -> None:
    service.run_study(study_of())
    before = service.database_service.query_studies(), service.database_service.query_study_runs("s")
    with pytest.raises(InputError, match="names a study that is completed"):
        service.run_study(study_of({"pv.capacity_kw": [1]}))
    assert before == (service.database_service.query_studies(), service.database_service.query_study_runs("s"))


# Stopped and broken.


@pytest.mark.parametrize(
    ("kind", "at", "error"),
    [
        (RunStarted, 4, KeyboardInterrupt()),  # within the work
        (RunCompleted, 3, KeyboardInterrupt()),
        (RunCompleted, 3, SystemExit(143)),
        (RunSubmitted, 2, KeyboardInterrupt()),
        (RunSubmitted, 2, SystemExit(143)),
        (StudyStarted, 1, KeyboardInterrupt()),
    ],
)
def test_a_stopped_study_keeps_what_was_done_and_leaves_nothing_running(
    service: StudyService, study_of: Callable[..., StudyConfig], kind: type[Event], at: int, error: BaseException
) -> None:
    """Wherever the signal strikes."""
    with service.bus.record() as seen:
        interrupting(service, kind, at, error)
        with pytest.raises(type(error)):
            service.run_study(study_of())
    status, by_status = states(service)
    assert status == "cancelled"
    assert set(by_status) <= {"completed", "cancelled"}
    assert isinstance(seen[-1], StudyCancelled)
    assert sum(isinstance(event, RunCompleted) for event in seen) == by_status.get("completed", 0)
    assert sum(isinstance(event, RunCancelled) for event in seen) == by_status.get("cancelled", 0)
    if kind in (RunStarted, RunCompleted):
        assert by_status["completed"] >= 3
        done = service.database_service.query_simulation_runs(study_id="s", status="completed")
        assert all(Path(row["flows_path"]).exists() for row in done)
        assert by_status.get("cancelled", 0) >= (kind is RunStarted)


def test_outcomes_that_nobody_has_heard_yet_are_kept(
    study_of: Callable[..., StudyConfig],
) -> None:
    """With many jobs handed out at once, what the first have sent still waits when the signal comes."""
    with DatabaseMetadataService() as log, JobFacade("inline") as facade:
        service = StudyService(log, facade)
        interrupting(service, RunStarted, 4, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            service.run_study(study_of(workers=8))
        assert states(service) == ("cancelled", {"completed": 3, "cancelled": 1})


def test_a_cancelled_study_goes_on_and_is_not_begun_again(
    service: StudyService, study_of: Callable[..., StudyConfig]
) -> None:
    """Its cancelled runs stay as they are; only points without an answer are run."""
    interrupting(service, RunStarted, 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        service.run_study(study_of())
    before = states(service)[1]
    with pytest.raises(InputError, match="study resume"):
        service.run_study(study_of())
    assert service.resume_study("s").by_status() == {"completed": 5}
    assert states(service) == ("completed", before | {"completed": 5})


def test_should_stop_cancels_the_study(service: StudyService, study_of: Callable[..., StudyConfig]) -> None:
    """Asked between runs; also where a failed piece waits to be tried again."""
    with service.bus.record() as seen, pytest.raises(KeyboardInterrupt):
        service.run_study(study_of(), should_stop=lambda: any(isinstance(each, RunCompleted) for each in seen))
    status, by_status = states(service)
    assert status == "cancelled"
    assert by_status["completed"] >= 1
    assert set(by_status) <= {"completed", "cancelled"}
    assert sum(by_status.values()) < 5


def test_a_piece_that_waits_for_its_second_try_is_cancelled_too(
    service: StudyService, study_of: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its runs stand in the log; nothing may be left running."""
    stops: list[bool] = []

    def fail(*_: object) -> None:
        stops.append(True)
        raise MemoryError

    monkeypatch.setattr("ecosystemiser.services.worker.make_runs", fail)
    monkeypatch.setattr(work_module, "make_runs", "ecosystemiser.services.worker:make_runs")
    with pytest.raises(KeyboardInterrupt):
        service.run_study(study_of({"battery.capacity_kwh": list(range(16))}), should_stop=lambda: bool(stops))
    assert states(service) == ("cancelled", {"cancelled": 2})


def test_a_log_that_breaks_in_the_middle_ends_the_study(
    service: StudyService, study_of: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said as what it is; when the log works again, nothing is left running."""
    log = service.database_service
    real, calls = log.log_simulation_runs, []

    def breaking(rows: Any) -> None:
        calls.append(rows)
        if len(calls) == 6:  # each piece is logged before and after
            raise StoreError("the disk is full")
        real(rows)

    monkeypatch.setattr(log, "log_simulation_runs", breaking)
    with service.bus.record() as seen, pytest.raises(StoreError, match="the disk is full"):
        service.run_study(study_of())
    assert states(service) == ("failed", {"completed": 3})  # what was done when the log broke was written after all
    assert isinstance(seen[-1], StudyFailed)
    assert not any(isinstance(event, StudyCompleted) for event in seen)


def test_a_log_that_stays_broken_is_told_once(
    service: StudyService, study_of: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(service.database_service, "log_simulation_runs", broken)
    with monkeypatch.context() as patch:
        interrupting(service, StudyStarted, 1, ValueError("no harm"))
        real = service.database_service.log_study
        patch.setattr(
            service.database_service,
            "log_study",
            lambda row: broken(row) if row["status"] == "failed" else real(row),
        )
        with service.bus.record() as seen, pytest.raises(StoreError, match="the disk is full"):
            service.run_study(study_of())
    assert isinstance(seen[-1], StudyFailed)


def test_a_defect_of_ours_leaves_runs_interrupted(
    service: StudyService, study_of: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asked them to stop; a later study can make them again."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(work_module._Progress, "after", broken)
    with pytest.raises(ZeroDivisionError):
        service.run_study(study_of(workers=1))
    status, by_status = states(service)
    assert status == "failed"
    assert "running" not in by_status


# A facade that others use too.


def test_a_shared_facade_keeps_the_jobs_of_others(study_of: Callable[..., StudyConfig]) -> None:
    """Neither taken, nor forgotten, nor cancelled, whether the study completes or is stopped."""
    with DatabaseMetadataService() as log, JobFacade("inline") as facade:
        service = StudyService(log, facade)
        assert service.bus is facade.bus
        other = facade.submit_job("study_tasks:add_one", 4)
        service.run_study(study_of())
        interrupting(service, RunStarted, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            service.run_study(study_of(study_id="t"))
        (left,) = facade.wait([other])
        assert left.result == 5
        assert [job.job_id for job in facade.jobs() if not job.status.is_terminal] == []


def test_jobs_that_have_ended_are_forgotten(study_of: Callable[..., StudyConfig]) -> None:
    """So that a long study needs no more memory than a short one."""
    with DatabaseMetadataService() as log, JobFacade("inline") as facade:
        StudyService(log, facade).run_study(study_of())
        assert facade.jobs() == []


# Jobs that fail as a whole.


def test_a_piece_that_fails_is_made_run_by_run(
    service: StudyService, study_of: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So one that breaks its worker costs nobody else; its row tells the traceback."""
    monkeypatch.setattr("ecosystemiser.services.worker.make_runs", _break_at_thirteen)
    monkeypatch.setattr(work_module, "make_runs", "ecosystemiser.services.worker:make_runs")
    with service.bus.record() as seen:
        result = service.run_study(study_of({"battery.capacity_kwh": list(range(20))}))
    assert result.by_status() == {"completed": 19, "failed": 1}
    bad = result.runs[13]
    assert (bad.cause, bad.error) == (FailureCause.CRASH, "ZeroDivisionError: a defect")
    row = service.database_service.get_simulation_run(bad.run_id)
    assert row is not None
    assert (row["failure_cause"], row["failure_stage"]) == ("crash", "solve")
    assert "_break_at_thirteen" in json.loads(row["metadata_json"])["traceback"]
    ends = [event.run_id for event in seen if isinstance(event, RunCompleted | RunFailed)]
    assert len(ends) == len(set(ends)) == 20


def _break_at_thirteen(orders: Any, context: Context) -> None:
    if any(order.config.parameters["battery.capacity_kwh"] == 13 for order in orders):
        raise ZeroDivisionError("a defect")
    for order in orders:
        context.send([Workbench().make(order).for_sending()])
