"""Genetic and Monte Carlo studies: every evaluation a run in the log, the answer in its tables, stopped or not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.genetic_settings import GeneticSettings
from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import InputError
from ecosystemiser.jobs.events import GenerationCompleted, RunCompleted
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.study_service import StudyService

HOUSE = """
system_id: house
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: {default: 0.4, periods: [{price: 0.1, hours: "00-12"}]}, co2_kg_per_kwh: 0.4}
  pv: {type: source, bus: electricity, profile: SUN, power_kw: 1, capex_per_kw: 12000, renewable_share: 1}
  battery: {type: battery, capacity_kwh: 6, power_kw: 2, capex_per_kwh: 200}
  house: {type: electricity_demand, profile: LOAD}
""".replace("LOAD", str([0.5] * 18 + [1.5] * 2 + [0.5] * 4)).replace(
    "SUN", str([0] * 6 + [0.2, 0.5, 0.8, 1, 1, 1, 1, 0.8, 0.5, 0.2] + [0] * 8)
)


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

    def make(study_id: str, **fields: Any) -> StudyConfig:
        base = SimulationConfig(system=path, solver_type=fields.pop("solver_type", "rule_based"))
        return StudyConfig(study_id=study_id, base_config=base, **fields)

    return make


def genetic(**settings: Any) -> dict[str, Any]:
    wanted = {"objectives": {"total_cost": "minimise", "total_co2": "minimise"}, "population_size": 8}
    return {
        "study_type": "genetic_algorithm",
        "parameters": {"battery.capacity_kwh": {"from": 0, "to": 20}, "pv.power_kw": {"from": 0, "to": 5}},
        "genetic_algorithm": GeneticSettings(**{**wanted, "max_generations": 5, "seed": 3, **settings}),
    }


def monte_carlo(**settings: Any) -> dict[str, Any]:
    uncertain = {"pv.power_kw": {"distribution": "uniform", "minimum": 1, "maximum": 3}}
    wanted = {"distributions": uncertain, "n_samples": 32, "seed": 5}
    return {"study_type": "monte_carlo", "monte_carlo": MonteCarloSettings(**{**wanted, **settings})}


def test_every_evaluation_of_a_genetic_study_is_a_run_with_its_generation(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    with service.bus.record() as seen:
        result = service.run_study(study("ga", **genetic()))
    rows = service.database_service.query_study_runs("ga")
    assert [row["point"] for row in rows] == list(range(len(result.runs)))
    assert {row["generation"] for row in rows} == set(range(5))
    assert {row["simulation_status"] for row in rows} == {"completed"}
    designs = [row["parameters_json"] for row in rows]
    assert len(set(designs)) == len(designs)  # none was solved twice
    generations = [event for event in seen if isinstance(event, GenerationCompleted)]
    assert [event.number for event in generations] == list(range(5))
    assert generations[-1].evaluations == len(rows)


def test_how_a_genetic_study_came_on_and_its_fronts_are_logged(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    service.run_study(study("ga", **genetic()))
    log = service.database_service
    metrics = log.query_analysis("convergence_metrics", "ga")
    hypervolumes = [row["value"] for row in metrics if row["metric"] == "hypervolume"]
    assert len(hypervolumes) == 5
    assert hypervolumes == sorted(hypervolumes)  # a front is never lost again
    fronts = log.query_analysis("pareto_fronts", "ga")
    assert {row["generation"] for row in fronts} == set(range(6))
    last = [row for row in fronts if row["generation"] == 5]
    runs = {row["run_id"]: row for row in log.query_study_runs("ga")}
    pairs = [(runs[row["run_id"]]["total_cost"], runs[row["run_id"]]["total_co2"]) for row in last]
    for row, (cost, co2) in zip(last, pairs, strict=True):
        told = json.loads(row["objectives_json"])
        assert told == pytest.approx({"total_cost": cost, "total_co2": co2}, rel=1e-12)
    assert len(set(pairs)) > 3
    for run in runs.values():
        own = (run["total_cost"], run["total_co2"])
        is_beaten = any(pair != own and pair[0] <= own[0] and pair[1] <= own[1] for pair in pairs)
        assert is_beaten != (own in pairs)


@pytest.mark.parametrize("kind", [genetic(), monte_carlo(sensitivity=True, n_samples=16)], ids=["ga", "mc"])
def test_a_study_that_was_stopped_ends_as_one_that_was_not(
    service: StudyService, study: Callable[..., StudyConfig], kind: dict[str, Any]
) -> None:
    service.run_study(study("whole", **kind))
    with service.bus.record() as seen, pytest.raises(KeyboardInterrupt):
        service.run_study(
            study("stopped", **kind),
            should_stop=lambda: sum(isinstance(each, RunCompleted) for each in seen) >= 12,
        )
    service.resume_study("stopped")
    log = service.database_service
    answers = [
        {
            row["point"]: (row["parameters_json"], row["total_cost"], row["total_co2"])
            for row in log.query_study_runs(study_id)
            if row["simulation_status"] == "completed"
        }
        for study_id in ("whole", "stopped")
    ]
    assert answers[0] == answers[1]
    for name in ("uncertainty_analysis", "sensitivity_analysis"):
        assert log.query_analysis(name, "whole") == log.query_analysis(name, "stopped")
    metrics = [
        [row for row in log.query_analysis("convergence_metrics", study_id) if row["metric"] != "seconds"]
        for study_id in ("whole", "stopped")
    ]
    assert metrics[0] == metrics[1]


def test_a_search_whose_time_was_spent_before_it_stopped_keeps_its_front(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    """Two of its generations are in the log; nothing more is run, and what they found is the answer."""
    log = service.database_service
    with service.bus.record() as seen, pytest.raises(KeyboardInterrupt):
        service.run_study(
            study("late", workers=1, timeseries="all", **genetic(time_limit_s=3600.0)),
            should_stop=lambda: sum(isinstance(each, RunCompleted) for each in seen) >= 18,
        )
    log.log_analysis("convergence_metrics", "late", [{"metric": "seconds", "value": 4000.0}], generation=0)
    before = [row["run_id"] for row in log.query_study_runs("late") if row["simulation_status"] == "completed"]
    result = service.resume_study("late")
    assert [run.run_id for run in result.runs] == before
    final = max(row["generation"] for row in log.query_analysis("pareto_fronts", "late"))
    front = [row["run_id"] for row in log.query_analysis("pareto_fronts", "late") if row["generation"] == final]
    assert front
    assert set(front) <= set(before)


def test_workers_do_not_change_the_answer(service: StudyService, study: Callable[..., StudyConfig]) -> None:
    results = [
        service.run_study(study(f"ga-{workers}", workers=workers, timeseries="none", **genetic(max_generations=3)))
        for workers in (1, 2)
    ]
    assert [run.parameters for run in results[0].runs] == [run.parameters for run in results[1].runs]
    assert [run.kpis for run in results[0].runs] == [run.kpis for run in results[1].runs]


def test_a_genetic_study_may_start_from_the_best_of_another(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    first = service.run_study(study("first", **genetic()))
    best = first.best()
    assert best is not None
    second = service.run_study(study("second", **genetic(start_from="first", max_generations=1, seed=9)))
    assert dict(best.parameters) in [dict(run.parameters) for run in second.runs]
    with pytest.raises(InputError, match="start_from"):
        service.run_study(study("third", **genetic(start_from="nobody")))


def test_a_genetic_study_keeps_its_constraints(service: StudyService, study: Callable[..., StudyConfig]) -> None:
    settings = {"objectives": {"total_cost": "minimise"}, "constraints": ["self_sufficiency_rate >= 0.3"]}
    service.run_study(study("ga", **genetic(**settings, max_generations=8)))
    log = service.database_service
    (last,) = [row for row in log.query_analysis("pareto_fronts", "ga") if row["generation"] == 8]
    run = log.get_simulation_run(last["run_id"])
    assert run is not None
    assert run["self_sufficiency_rate"] >= 0.3
    allowed = log.query_simulation_runs("ga", min_self_sufficiency_rate=0.3, order_by="total_cost", limit=1)
    assert run["total_cost"] == allowed[0]["total_cost"]


def test_a_monte_carlo_study_leaves_distributions_and_what_they_depend_on(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    result = service.run_study(study("mc", **monte_carlo(probabilities=["total_cost <= 1000"])))
    log = service.database_service
    costs = sorted(run.kpis["total_cost"] or 0.0 for run in result.runs)
    (row,) = [row for row in log.query_analysis("uncertainty_analysis", "mc") if row["kpi"] == "total_cost"]
    assert (row["samples"], row["failed"]) == (32, 0)
    assert row["mean"] == pytest.approx(sum(costs) / 32)
    assert (row["minimum"], row["maximum"]) == (costs[0], costs[-1])
    assert costs[0] <= row["p10"] <= row["p50"] <= row["p90"] <= costs[-1]
    (only,) = [row for row in log.query_analysis("sensitivity_analysis", "mc") if row["kpi"] == "total_cost"]
    assert abs(only["rank_correlation"]) == pytest.approx(1.0)  # one field decides all
    answer = json.loads(log.get_study_summary("mc")["study"]["answer_json"])
    assert answer["samples"] == 32
    assert answer["probabilities"][0]["probability"] == sum(cost <= 1000 for cost in costs) / 32


def test_designs_meet_the_same_samples(service: StudyService, study: Callable[..., StudyConfig]) -> None:
    result = service.run_study(study("mc", parameters={"battery.capacity_kwh": [0.0, 10.0]}, **monte_carlo()))
    drawn: dict[object, list[object]] = {}
    for run in result.runs:
        drawn.setdefault(run.parameters["battery.capacity_kwh"], []).append(run.parameters["pv.power_kw"])
    assert sorted(drawn[0.0]) == sorted(drawn[10.0])  # type: ignore[type-var]
    answer = json.loads(service.database_service.get_study_summary("mc")["study"]["answer_json"])
    assert {each["design"] for each in answer["differences"]} == {1}


def test_the_hours_of_the_best_designs_are_kept(service: StudyService, study: Callable[..., StudyConfig]) -> None:
    result = service.run_study(study("ga", **genetic(objectives={"self_sufficiency_rate": "maximise"})))
    best = sorted(result.runs, key=lambda run: (-(run.kpis["self_sufficiency_rate"] or 0.0), run.point))[:10]
    rows = service.database_service.query_study_runs("ga")
    assert {row["run_id"] for row in rows if row["flows_path"]} == {run.run_id for run in best}
