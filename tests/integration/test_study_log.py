"""What the log is good for in studies: results taken over, hours of the best, a stop that anyone may ask for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import InputError
from ecosystemiser.jobs.events import RunCompleted, RunStarted
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.simulation_service import SimulationService
from ecosystemiser.services.study_service import StudyService
from ecosystemiser.store.hourly import read_hourly

HOUSE = """
system_id: house
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: {default: 0.4, periods: [{price: 0.1, hours: "00-12"}]}}
  battery: {type: battery, capacity_kwh: 6, power_kw: 2, capex_per_kwh: 200}
  house: {type: electricity_demand, profile: LOAD}
""".replace("LOAD", str([0.5] * 18 + [1.5] * 2 + [0.5] * 4))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return tmp_path


@pytest.fixture
def service() -> Iterator[StudyService]:
    with DatabaseMetadataService() as log:
        yield StudyService(log)


@pytest.fixture
def study(system_file: Callable[..., Path]) -> Callable[..., StudyConfig]:
    path = system_file(HOUSE)

    def make(study_id: str, points: int, *, reuse: bool = False, **fields: Any) -> StudyConfig:
        base = SimulationConfig(system=path, solver_type=fields.pop("solver_type", "rule_based"), reuse=reuse)
        values = {"battery.capacity_kwh": [float(at) for at in range(points)]}
        return StudyConfig(study_id=study_id, base_config=base, parameters=values, workers=1, **fields)

    return make


def known(kpis: Mapping[str, float | None]) -> dict[str, float]:
    """Return the KPIs that have a value."""
    return {name: value for name, value in kpis.items() if value is not None}


# Results taken over.


def test_an_equal_study_takes_the_stored_results_over(service: StudyService, study: Callable[..., StudyConfig]) -> None:
    first = service.run_study(study("first", 5))
    with service.bus.record() as seen:
        again = service.run_study(study("again", 6, reuse=True))
    assert [known(run.kpis) for run in again.runs[:5]] == [known(run.kpis) for run in first.runs]
    rows = service.database_service.query_study_runs("again")
    assert [row["reused_from"] for row in rows] == [*(run.run_id for run in first.runs), None]
    assert {row["simulation_status"] for row in rows} == {"completed"}
    assert [event.run_id for event in seen if isinstance(event, RunStarted)] == [again.runs[5].run_id]


def test_nothing_is_taken_over_unasked_or_from_what_differs(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    service.run_study(study("first", 2))
    service.run_study(study("unasked", 2))
    service.run_study(study("other-solver", 2, reuse=True, solver_type="milp"))
    for study_id in ("unasked", "other-solver"):
        assert [row["reused_from"] for row in service.database_service.query_study_runs(study_id)] == [None, None]


def test_a_changed_system_file_is_another_system(
    service: StudyService, study: Callable[..., StudyConfig], system_file: Callable[..., Path]
) -> None:
    service.run_study(study("first", 2))
    system_file(HOUSE.replace("price_per_kwh: {default: 0.4", "price_per_kwh: {default: 0.5"))
    config = study("first", 2)
    system_file(HOUSE.replace("price_per_kwh: {default: 0.4", "price_per_kwh: {default: 0.5"))
    service.run_study(config.model_copy(update={"study_id": "dearer", "base_config": _reusing(config)}))
    assert [row["reused_from"] for row in service.database_service.query_study_runs("dearer")] == [None, None]


def _reusing(config: StudyConfig) -> SimulationConfig:
    return config.base_config.model_copy(update={"reuse": True})


def test_a_single_run_takes_a_studys_result_over_and_finds_its_hours(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    from ecosystemiser.services.run_history import RunHistory

    made = service.run_study(study("first", 3))
    base = study("first", 3).base_config
    single = SimulationService(service.database_service).run_simulation(
        base.model_copy(update={"reuse": True, "parameters": {"battery.capacity_kwh": 2}})
    )
    assert known(single.kpis) == known(made.runs[2].kpis)
    hours = RunHistory(service.database_service).hourly(single.run_id)
    assert hours.metadata["run_id"] == made.runs[2].run_id


# Hours of the best.


def test_the_ten_best_keep_their_hours(service: StudyService, study: Callable[..., StudyConfig]) -> None:
    result = service.run_study(study("s", 15, timeseries="best"))
    best = sorted(result.runs, key=lambda run: run.kpis["total_cost"] or 0.0)[:10]
    rows = {row["run_id"]: row for row in service.database_service.query_study_runs("s")}
    kept = {run_id for run_id, row in rows.items() if row["flows_path"] is not None}
    assert kept == {run.run_id for run in best}
    for run in best:
        row = rows[run.run_id]
        hours = read_hourly(Path(row["flows_path"]), row["hourly_sha256"])
        assert len(hours.time) == 24
        assert row["total_cost"] == pytest.approx(run.kpis["total_cost"], rel=1e-12)
        assert row["simulation_status"] == "completed"


def test_large_studies_keep_the_hours_of_the_best_unless_told_otherwise(study: Callable[..., StudyConfig]) -> None:
    assert study("s", 1000).kept_hours == "all"
    assert study("s", 1001).kept_hours == "best"
    assert study("s", 1001, timeseries="none").kept_hours == "none"


# A stop that anyone may ask for.


def test_a_study_stops_when_somebody_else_asks_for_it(
    service: StudyService, study: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecosystemiser.services.cancelling.ASK_LOG_EVERY_S", 0.0)
    with DatabaseMetadataService() as other:

        def ask(_: RunCompleted) -> None:
            other.request_cancel(study_id="s")

        service.bus.subscribe(RunCompleted, ask)
        with pytest.raises(KeyboardInterrupt):
            service.run_study(study("s", 200))
        summary = other.get_study_summary("s")
    assert summary["study"]["status"] == "cancelled"
    assert 0 < summary["by_status"]["completed"] < 200
    assert "running" not in summary["by_status"]


def test_a_study_that_is_running_is_not_begun_a_second_time(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    with DatabaseMetadataService() as other:
        other.log_study({"study_id": "s"})
        with pytest.raises(InputError, match="names a study that is running"):
            service.run_study(study("s", 2))


# Going on.


def stopped_after(service: StudyService, config: StudyConfig, runs: int) -> None:
    """Run a study and stop it once so many runs are in the log."""
    with service.bus.record() as seen, pytest.raises(KeyboardInterrupt):
        service.run_study(config, should_stop=lambda: sum(isinstance(each, RunCompleted) for each in seen) >= runs)


@pytest.mark.parametrize("solver_type", ["rule_based", "milp"])
def test_a_resumed_study_ends_as_one_that_was_never_stopped(
    service: StudyService, study: Callable[..., StudyConfig], solver_type: str
) -> None:
    whole = service.run_study(study("whole", 40, solver_type=solver_type))
    stopped_after(service, study("stopped", 40, solver_type=solver_type), 10)
    log = service.database_service
    before = {row["run_id"]: row for row in log.query_study_runs("stopped") if row["simulation_status"] == "completed"}
    assert 10 <= len(before) < 40
    resumed = service.resume_study("stopped")
    assert log.get_study_summary("stopped")["study"]["status"] == "completed"
    rows = log.query_study_runs("stopped")
    assert {row["run_id"]: row for row in rows if row["run_id"] in before} == before  # none was done twice
    assert [run.point for run in resumed.runs] == list(range(40))
    for run, other in zip(resumed.runs, whole.runs, strict=True):
        assert known(run.kpis) == known(other.kpis)
    cut_short = {row["point"]: row["run_id"] for row in rows if row["simulation_status"] == "cancelled"}
    again = {row["point"]: row["retry_of"] for row in rows if row["retry_of"] is not None}
    assert again == cut_short


def test_a_study_of_a_dead_process_goes_on(
    service: StudyService, study: Callable[..., StudyConfig], tmp_path: Path
) -> None:
    study("dead", 400)  # writes the system file
    child = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "system.yaml")], check=False)
    assert child.returncode == 9
    assert len(service.resume_study("dead").completed) == 400
    points = [row["point"] for row in service.database_service.query_study_runs("dead") if row["retry_of"] is None]
    assert sorted(points) == list(range(400))


DIES = """
import os, sys
from ecosystemiser import SimulationConfig, StudyConfig, StudyService
from ecosystemiser.jobs.events import RunCompleted
service = StudyService()
done = []
def count(_):
    done.append(1)
    if len(done) == 50:
        os._exit(9)
service.bus.subscribe(RunCompleted, count)
base = SimulationConfig(system=sys.argv[1], solver_type="rule_based")
values = {"battery.capacity_kwh": [float(at) for at in range(400)]}
service.run_study(StudyConfig(study_id="dead", base_config=base, parameters=values, workers=1))
"""


def test_a_study_does_not_go_on_with_another_system(
    service: StudyService, study: Callable[..., StudyConfig], system_file: Callable[..., Path]
) -> None:
    stopped_after(service, study("s", 40), 5)
    system_file(HOUSE.replace("capacity_kwh: 6", "capacity_kwh: 7"))
    with pytest.raises(InputError, match="changed since"):
        service.resume_study("s")


@pytest.mark.parametrize(("study_id", "words"), [("nobody", "is no study"), ("done", "is completed")])
def test_what_cannot_go_on_is_refused(
    service: StudyService, study: Callable[..., StudyConfig], study_id: str, words: str
) -> None:
    service.run_study(study("done", 2))
    with pytest.raises(InputError, match=words):
        service.resume_study(study_id)
