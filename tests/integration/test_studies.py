"""Parametric studies from end to end: points, workers, batches, events, limits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecosystemiser import DatabaseMetadataService, SimulationConfig, SolverOptions, StudyConfig, StudyService
from ecosystemiser.errors import FailureCause, InputError
from ecosystemiser.jobs.events import (
    Event,
    JobEvent,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunStarted,
    RunSubmitted,
    StudyCompleted,
    StudyEvent,
    StudyProgress,
    StudyStarted,
    StudySubmitted,
)
from ecosystemiser.jobs.executors import Patience, ProcessExecutor
from ecosystemiser.services import study_work as study_module
from ecosystemiser.services import worker as worker_module
from ecosystemiser.services.job_facade import JobFacade
from ecosystemiser.services.simulation_service import SimulationService
from ecosystemiser.services.study_service import StudyResult

TASKS = Path(__file__).parents[1] / "unit" / "study"

HEAD = "system_id: NAME\ntime: {start: 2018-01-31, steps: 96}\n"
HOUSE = """
economics: {co2_price_per_kg: 0.05}
components:
  grid:
    type: grid
    import_price_per_kwh: {default: 0.28, periods: [{price: 0.18, hours: "22-06"}, {price: 0.38, hours: "17-21"}]}
    import_limit_kw: 20
    export_price_per_kwh: 0.08
    export_limit_kw: 3
    co2_kg_per_kwh: 0.381
    renewable_share: 0.5
  pv: {type: pv, capacity_kw: 8, count: 2, profile: SUN, capex_per_kw: 900}
  battery: {type: battery, capacity_kwh: 10, power_kw: 4, loss_per_hour: 0.001, embodied_co2_kg_per_kwh: 70}
  houses: {type: electricity_demand, profile: LOAD}
  rooms: {type: heat_demand, profile: HEAT}
  pump: {type: heat_pump, power_kw: 1.5, cop: 3.0}
  buffer: {type: heat_storage, capacity_kwh: 12}
  gas: {type: gas_supply, price_per_kwh: 0.11, co2_kg_per_kwh: 0.2}
  boiler: {type: gas_boiler, power_kw: 12}
"""
CIRCLE = """
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  pv: {type: pv, capacity_kw: 9, profile: SUN}
  houses: {type: electricity_demand, profile: LOAD}
  pump: {type: heat_pump, power_kw: 4, cop: 3.0}
  engine: {type: converter, input: heat, output: electricity, ratio: 0.1, power_kw: 3}
  tank: {type: heat_storage, capacity_kwh: 20}
  rooms: {type: heat_demand, profile: HEAT}
"""
SHORT = """
components:
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 2}
  pv: {type: pv, capacity_kw: 3, profile: SUN}
  battery: {type: battery, capacity_kwh: 3, power_kw: 3}
  houses: {type: electricity_demand, profile: LOAD, unmet_cost_per_kwh: 1.5}
"""
MUST = SHORT.replace(", unmet_cost_per_kwh: 1.5", "").replace("capacity_kwh: 3,", "capacity_kwh: 30,")
TARIFFS = [
    {"default": 0.25, "periods": [{"price": 0.1, "hours": "22-06"}]},
    {"default": 0.01, "periods": [{"price": 0.09, "hours": "8-16"}, {"price": 0.2, "hours": "17-21"}]},
]
WATER = """
components:
  mains: {type: water_grid, import_price_per_m3: 2.1}
  taps: {type: water_demand, profile: LOAD}
  roof: {type: rainwater, bus: service_water, area_m2: 600, profile: SUN}
  tank: {type: water_tank, bus: service_water, capacity_m3: 4}
  topup: {type: converter, input: water, output: service_water}
  flushing: {type: water_demand, bus: service_water, profile: LOAD}
"""


def text_of(name: str) -> str:
    """Return a system of four days, with sun, load and heat by the hour."""
    hours = np.arange(96)
    profiles = {
        "SUN": np.maximum(0.0, np.sin((hours - 6) / 12 * np.pi)) * np.where(hours % 48 < 24, 1.0, 0.4),
        "LOAD": 1.5 + np.cos((hours - 19) / 12 * np.pi) + 0.5 * (hours % 3),
        "HEAT": 4 + 3 * np.cos(hours / 12 * np.pi),
    }
    text = (HEAD + globals()[name]).replace("NAME", name.lower())
    for word, values in profiles.items():
        text = re.sub(rf"\b{word}\b", str(values.round(4).tolist()), text)
    return text


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
def service(log: DatabaseMetadataService) -> StudyService:
    return StudyService(log)


@pytest.fixture
def study_of(system_file: Callable[..., Path]) -> Callable[..., StudyConfig]:
    def make(name: str, values: dict[str, Any], study_id: str = "s", **fields: Any) -> StudyConfig:
        solver = fields.pop("solver_type", "rule_based")
        options = fields.pop("solver", SolverOptions())
        base = SimulationConfig(
            system=system_file(text_of(name)),
            solver_type=solver,
            solver=options,
            parameters=fields.pop("parameters_of_base", {}),
        )
        return StudyConfig(**{"study_id": study_id, "base_config": base, "parameters": values, "workers": 1} | fields)

    return make


def costs(result: StudyResult) -> list[float | None]:
    return [run.kpis.get("total_cost") for run in result.runs]


# Points.


def defined(kpis: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in kpis.items() if value is not None}


def test_a_grid_over_numbers_a_choice_and_a_tariff(
    service: StudyService, study_of: Callable[..., StudyConfig], log: DatabaseMetadataService
) -> None:
    """Every combination once, each the same as a simulation of its own."""
    values: dict[str, Any] = {
        "battery.capacity_kwh": [0, 10],
        "houses.profile": ["bdew-h25", "bdew-g25"],
        "grid.import_price_per_kwh.default": {"from": 0.2, "to": 0.4, "count": 3},
    }
    base = {
        "houses.profile": "bdew-h25",
        "houses.annual_kwh": 9000,
        "grid.import_price_per_kwh.periods": [],
    }
    study = study_of("HOUSE", values, parameters_of_base=base)
    result = service.run_study(study)
    assert result.by_status() == {"completed": 12}
    combinations = [
        tuple(run.parameters[name] for name in values)  # the last field changes fastest
        for run in result.runs
    ]
    assert combinations == [
        (size, profile, price)
        for size in (0, 10)
        for profile in ("bdew-h25", "bdew-g25")
        for price in (0.2, pytest.approx(0.3), 0.4)
    ]
    assert len(set(costs(result))) == 12
    for at in (0, 4, 11):
        config = study.base_config.model_copy(update={"parameters": dict(result.runs[at].parameters)})
        alone = SimulationService(log).run_simulation(config)
        assert defined(alone.kpis) == result.runs[at].kpis
    dearer = [result.runs[at].kpis["total_cost"] for at in (0, 1, 2)]
    assert dearer == sorted(dearer)  # type: ignore[type-var]


def test_zipped_values_go_side_by_side(service: StudyService, study_of: Callable[..., StudyConfig]) -> None:
    values = {
        "battery.capacity_kwh": [0, 10, 20],
        "pump.cop": [2.5, 3.0, 3.5],
        "grid.import_price_per_kwh": [0.3, {"default": 0.2, "periods": [{"price": 0.5, "hours": "17-21"}]}, 0.1],
    }
    result = service.run_study(study_of("HOUSE", values, combine="zipped"))
    assert result.by_status() == {"completed": 3}
    assert [dict(run.parameters) for run in result.runs] == [
        {name: listed[at] for name, listed in values.items()} for at in range(3)
    ]
    assert len(set(costs(result))) == 3


# Workers.


@pytest.mark.parametrize("solver", ["milp", "hybrid", "rule_based"])
def test_two_workers_find_what_one_finds(log: DatabaseMetadataService, solver: str) -> None:
    """A week of the packaged system, bit by bit in every KPI: pieces are the same and start from the same basis."""
    base = SimulationConfig(timesteps=168, solver_type=solver)
    sizes = {"battery.capacity_kwh": [0, 20, 40, 80, 160], "roof_pv.capacity_kw": [30, 60]}
    one, two = (
        StudyService(log).run_study(
            StudyConfig(study_id=f"w{workers}", base_config=base, parameters=sizes, workers=workers)
        )
        for workers in (1, 2)
    )
    assert one.by_status() == two.by_status() == {"completed": 10}
    assert [run.parameters for run in one.runs] == [run.parameters for run in two.runs]
    assert [run.kpis for run in two.runs] == [run.kpis for run in one.runs]
    assert len(set(costs(one))) == 10  # negative control: the points differ


# Batches.


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        (  # structures: without battery, without pump, without both, and with
            "HOUSE",
            {"battery.capacity_kwh": [0, 10, 4], "pump.power_kw": [0, 1.5], "pv.count": [1, 2]},
            {"completed": 12},
        ),
        (  # merit order: gas is cheaper than the pump's electricity, then dearer
            "HOUSE",
            {"gas.price_per_kwh": [0.01, 0.11, 0.6], "grid.import_price_per_kwh": [0.05, 0.2, 0.9]},
            {"completed": 9},
        ),
        ("HOUSE", {"grid.import_price_per_kwh.default": [0.1, 0.3], "economics.co2_price_per_kg": [0, 2.0]}, None),
        (  # prices of other shapes side by side: numbers, tables, values
            "HOUSE",
            {
                "grid.import_price_per_kwh": [0.3, *TARIFFS, list(np.linspace(0.1, 0.5, 96))],
                "grid.export_price_per_kwh": [0.02, TARIFFS[1]],
                "gas.price_per_kwh": [0.11, TARIFFS[0]],
            },
            {"completed": 16},
        ),
        ("CIRCLE", {"pv.capacity_kw": [0, 5, 9], "engine.power_kw": [0, 3]}, {"completed": 6}),
        ("SHORT", {"battery.capacity_kwh": [0, 3, 9], "pv.capacity_kw": [0, 3]}, {"completed": 6}),
        ("MUST", {"battery.capacity_kwh": [40, 100, 30], "grid.import_limit_kw": [2, 5]}, None),
        ("WATER", {"tank.capacity_m3": [0, 2, 8], "roof.area_m2": [100, 900]}, {"completed": 6}),
    ],
    ids=["structure", "merit-order", "tariff", "tariffs", "circle", "unmet-paid", "unmet-failed", "water"],
)
def test_a_batch_finds_what_single_runs_find(
    service: StudyService,
    study_of: Callable[..., StudyConfig],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    values: dict[str, Any],
    expected: dict[str, int] | None,
) -> None:
    """Every KPI to 1e-9, the same states and causes."""
    single = service.run_study(study_of(name, values, "single"))
    batches: list[object] = []
    real = worker_module.Workbench.make_batch
    monkeypatch.setattr(worker_module.Workbench, "make_batch", lambda *given: batches.append(given) or real(*given))
    batched = service.run_study(study_of(name, values, "batched", timeseries="none"))
    assert len(batches) >= 1
    assert [(run.status, run.cause) for run in batched.runs] == [(run.status, run.cause) for run in single.runs]
    assert expected in (None, batched.by_status())
    for one, other in zip(single.runs, batched.runs, strict=True):
        assert set(one.kpis) == set(other.kpis)
        assert [kpi for kpi, value in one.kpis.items() if value is None] == [
            kpi for kpi, value in other.kpis.items() if value is None
        ]
        for kpi, value in one.kpis.items():
            if value is not None:
                assert other.kpis[kpi] == pytest.approx(value, rel=1e-9, abs=1e-9), (kpi, other.parameters)
    assert len({cost for cost in costs(single) if cost is not None}) > 1  # negative control: the points differ


def test_the_failing_system_fails_and_completes(service: StudyService, study_of: Callable[..., StudyConfig]) -> None:
    """Negative control: `unmet-failed` above holds runs of both ends."""
    values = {"battery.capacity_kwh": [40, 100, 30], "grid.import_limit_kw": [2, 5]}
    result = service.run_study(study_of("MUST", values, timeseries="none"))
    assert result.by_cause().keys() == {"unmet"}
    assert 0 < len(result.completed) < 6


def test_rows_of_a_batch_name_no_hours(
    service: StudyService, study_of: Callable[..., StudyConfig], log: DatabaseMetadataService, folder: Path
) -> None:
    service.run_study(study_of("SHORT", {"pv.capacity_kw": [1, 2, 3]}, timeseries="none"))
    rows = log.query_study_runs("s")
    assert [row["simulation_status"] for row in rows] == ["completed"] * 3
    assert all(row["flows_path"] is row["components_path"] is row["hourly_sha256"] is None for row in rows)
    assert all(row["wall_seconds"] > 0 and row["balance_residual"] <= 1e-9 for row in rows)
    assert not (folder / "data" / "results").exists()


# Events.


@pytest.mark.parametrize("timeseries", ["all", "none"])  # one by one, and side by side
def test_events_come_in_their_order(
    service: StudyService, study_of: Callable[..., StudyConfig], timeseries: str
) -> None:
    values = {"battery.capacity_kwh": [10, -1, 5, 0, 7, 3, 8, 9, 11, 12, 13, 14]}
    with service.bus.record() as seen:
        result = service.run_study(study_of("HOUSE", values, timeseries=timeseries))
    ids = {event.study_id for event in seen}
    assert ids == {"s"}
    of_study = [event for event in seen if isinstance(event, StudyEvent)]
    assert [type(event) for event in of_study[:2]] == [StudySubmitted, StudyStarted]
    assert isinstance(of_study[1], StudyStarted)
    assert of_study[1].total == 12
    assert isinstance(seen[-1], StudyCompleted)
    assert seen.index(of_study[1]) < min(at for at, event in enumerate(seen) if isinstance(event, RunEvent | JobEvent))
    for run in result.runs:
        told = [type(event) for event in seen if isinstance(event, RunEvent) and event.run_id == run.run_id]
        assert told == [RunSubmitted, RunStarted, RunFailed if run.cause else RunCompleted]
    kpis = {event.run_id: defined(event.kpis) for event in seen if isinstance(event, RunCompleted)}
    assert kpis == {run.run_id: run.kpis for run in result.completed}
    progress = [event for event in seen if isinstance(event, StudyProgress)]
    _check_progress(progress, 12)
    best = result.best()
    assert best is not None
    assert progress[-1].best == {"total_cost": best.kpis["total_cost"]}


def _check_progress(progress: list[StudyProgress], total: int) -> None:
    done = [event.done for event in progress]
    assert done == sorted(set(done))
    assert done[-1] == total
    assert {event.total for event in progress} == {total}
    assert progress[-1].seconds_left == 0
    bests = [event.best["total_cost"] for event in progress if event.best]
    assert bests == sorted(bests, reverse=True)


def test_progress_is_told_often_enough(
    service: StudyService, study_of: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_module, "PROGRESS_EVERY_S", 0.0)
    with service.bus.record() as seen:
        service.run_study(study_of("HOUSE", {"battery.capacity_kwh": [10, 5, 0, -1]}))
    progress = [event for event in seen if isinstance(event, StudyProgress)]
    assert [event.done for event in progress] == [1, 2, 3, 4]
    _check_progress(progress, 4)


def test_a_subscriber_that_raises_harms_nothing(
    service: StudyService, study_of: Callable[..., StudyConfig], log: DatabaseMetadataService
) -> None:
    def refuse(event: Event) -> None:
        raise RuntimeError(f"no {type(event).__name__}")

    service.bus.subscribe(Event, refuse)
    with service.bus.record() as seen:
        result = service.run_study(study_of("SHORT", {"battery.capacity_kwh": [1, 2, 3]}))
    assert result.by_status() == {"completed": 3}
    assert log.get_study_summary("s")["by_status"] == {"completed": 3}
    assert isinstance(seen[-1], StudyCompleted)
    assert len(service.bus.failures) == len(seen)


# Results.


def test_a_result_says_what_the_log_says(
    service: StudyService, study_of: Callable[..., StudyConfig], log: DatabaseMetadataService
) -> None:
    result = service.run_study(study_of("HOUSE", {"battery.capacity_kwh": [10, -1, 0, 5]}))
    logged = log.get_study_summary("s")
    best = result.best()
    assert best is not None
    assert (best.run_id, best.kpis["total_cost"]) == (logged["best_run_id"], logged["best_total_cost"])
    assert result.by_status() == logged["by_status"] == {"completed": 3, "failed": 1}
    assert result.by_cause() == {"data": 1}
    summary = result.summary()
    assert summary["best_run_id"] == best.run_id
    assert summary["best_parameters"] == dict(best.parameters)
    assert summary["lowest_cost"] == best.kpis["total_cost"] == min(run.kpis["total_cost"] for run in result.completed)  # type: ignore[type-var]
    greenest = result.best("renewable_fraction", lowest=False)
    assert greenest is not None
    assert greenest.kpis["renewable_fraction"] == max(run.kpis["renewable_fraction"] for run in result.completed)  # type: ignore[type-var]


def test_a_completed_study_is_not_run_again(
    service: StudyService, study_of: Callable[..., StudyConfig], log: DatabaseMetadataService
) -> None:
    service.run_study(study_of("SHORT", {"battery.capacity_kwh": [1, 2]}))
    with pytest.raises(InputError, match="names a study that is completed; give the new study another study_id"):
        service.run_study(study_of("SHORT", {"battery.capacity_kwh": [1, 2]}))
    assert log.get_statistics()["runs"] == 2


def test_an_unknown_field_is_refused_before_anything_is_logged(
    service: StudyService, study_of: Callable[..., StudyConfig], folder: Path
) -> None:
    for path in ("battery.capacity_kwhh", "batery.capacity_kwh", "battery.capacity_kwh.x", "nothing"):
        with pytest.raises(InputError):
            service.run_study(study_of("SHORT", {path: [1, 2]}))
    assert not (folder / "data").exists()


def test_a_series_that_changed_between_two_studies_is_read_again(
    service: StudyService, system_file: Callable[..., Path]
) -> None:
    """The second study in one process must not be solved with the demand of the first."""
    text = HEAD.replace("NAME", "file") + SHORT.replace("LOAD", "{file: load.csv, column: kw}").replace("SUN", str([0]))
    text = text.replace("capacity_kw: 3, profile: [0]", "capacity_kw: 3, profile: pv-potsdam-south-30")
    found = []
    path = system_file(text, {"load.csv": "kw\n" + "1.0\n" * 8760})
    for number, load in enumerate((1.0, 1.5)):
        path.with_name("load.csv").write_text("kw\n" + f"{load}\n" * 8760)
        study = StudyConfig(
            study_id=f"s{number}", base_config=SimulationConfig(system=path, solver_type="rule_based"), workers=1
        )
        found.append(service.run_study(study).runs[0].kpis["total_demand_kwh"])
    assert found == [pytest.approx(96), pytest.approx(144)]


# Limits.


def test_a_run_that_hangs_is_ended_and_the_others_go_on(
    study_of: Callable[..., StudyConfig], log: DatabaseMetadataService, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """By the solver's limit, the grace of a study and that of its executor, all made short here."""
    monkeypatch.syspath_prepend(str(TASKS))
    monkeypatch.setattr(study_module, "make_runs", "study_tasks:make_runs_or_hang")
    patience = Patience(limit_factor=1.0, limit_slack_s=0.1)
    study = study_of(
        "SHORT",
        {"battery.capacity_kwh": [12, 13, 14, 15]},
        solver=SolverOptions(time_limit_s=8.0),
        workers=2,
    )
    (folder / "meeting").mkdir()
    with JobFacade(ProcessExecutor(2, patience=patience)) as facade:
        list(facade.wait([facade.submit_job("study_tasks:meet", str(folder / "meeting")) for _ in range(2)]))
        begun: list[str | None] = []
        facade.bus.subscribe(RunStarted, lambda event: begun.append(event.run_id))
        result = StudyService(log, facade).run_study(study)
    assert result.by_status() == {"completed": 3, "failed": 1}
    bad = result.runs[1]
    assert bad.cause is FailureCause.TIMEOUT
    assert begun.count(bad.run_id) == 1  # its limit is long enough to wait for once
    row = log.get_simulation_run(bad.run_id)
    assert row is not None
    assert (row["simulation_status"], row["failure_cause"]) == ("failed", "timeout")
    assert "did not stop at its time limit of 8 s" in (bad.error or "")


def test_a_job_that_hears_is_asked_to_stop_at_its_limit(
    service: StudyService, study_of: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in this process. What it had done stands; the rest is tried run by run, each with its own limit."""
    monkeypatch.syspath_prepend(str(TASKS))
    monkeypatch.setattr(study_module, "make_runs", "study_tasks:make_runs_until_told")
    study = study_of("SHORT", {"battery.capacity_kwh": list(range(9))}, solver=SolverOptions(time_limit_s=0.3))
    result = service.run_study(study)
    assert result.by_status() == {"completed": 9}


def test_a_study_is_stopped_in_five_seconds_though_a_worker_hears_nothing(
    service: StudyService,
    study_of: Callable[..., StudyConfig],
    log: DatabaseMetadataService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the others had done is kept."""
    monkeypatch.syspath_prepend(str(TASKS))
    monkeypatch.setattr(study_module, "make_runs", "study_tasks:make_runs_or_hang")
    asked_at: list[float] = []

    def stop(event: RunCompleted) -> None:
        asked_at.append(time.monotonic())
        raise KeyboardInterrupt

    service.bus.subscribe(RunCompleted, stop)
    with pytest.raises(KeyboardInterrupt):
        service.run_study(study_of("SHORT", {"battery.capacity_kwh": [13, 14]}, workers=2))
    assert time.monotonic() - asked_at[0] < 5
    assert log.get_study_summary("s")["study"]["status"] == "cancelled"
    assert [row["simulation_status"] for row in log.query_study_runs("s")] == ["cancelled", "completed"]
