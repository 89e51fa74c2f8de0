"""What can be ranked, what runs now, what a study found."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser import DatabaseMetadataService
from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import InputError
from ecosystemiser.services.exploring import (
    best_of,
    points_of_study,
    rankable_groups,
    running_now,
    sample_numbers,
)
from ecosystemiser.services.run_filters import asked_of, asking_for
from ecosystemiser.study.sample_plan import SamplePlan


@pytest.fixture
def log(tmp_path: Path) -> DatabaseMetadataService:
    return DatabaseMetadataService(tmp_path / "runs.sqlite")


def run(name: str, **values: Any) -> dict[str, Any]:
    alike = {"system_id": "house", "timesteps": 24, "currency": "EUR", "total_demand_kwh": 100.0}
    return {"run_id": name, "simulation_status": "completed", "total_cost": 1.0, **alike, **values}


def test_only_runs_of_one_system_period_currency_and_demand_are_ranked(log: DatabaseMetadataService) -> None:
    others = {"system_id": "farm", "timesteps": 48, "currency": "USD", "total_demand_kwh": 99.0}
    rows = [run("a", total_cost=2.0), run("b", total_cost=1.0, total_demand_kwh=100.0 * (1 + 1e-12))]
    log.log_simulation_runs([*rows, *(run(f"other-{name}", **{name: value}) for name, value in others.items())])
    groups = rankable_groups(log)
    assert len(groups) == 5
    ours = next(each for each in groups if each.runs == 2)
    assert [row["run_id"] for row in best_of(log, ours, "total_cost", 10)] == ["b", "a"]


def test_more_is_better_where_the_kpi_says_so(log: DatabaseMetadataService) -> None:
    log.log_simulation_runs([run("low", renewable_fraction=0.1), run("high", renewable_fraction=0.9), run("none")])
    rows = best_of(log, rankable_groups(log)[0], "renewable_fraction", 10)
    assert [row["run_id"] for row in rows] == ["high", "low"]


def test_what_runs_now_is_told_apart_from_the_runs_of_studies(log: DatabaseMetadataService) -> None:
    log.log_study({"study_id": "busy"})
    log.log_simulation_runs([{"run_id": "of-study", "study_id": "busy"}, {"run_id": "alone"}, run("done")])
    now = running_now(log)
    assert [study["study_id"] for study in now.studies] == ["busy"]
    assert [row["run_id"] for row in now.runs] == ["alone"]
    assert now.gone == frozenset()


def test_of_a_large_study_evenly_spread_points_are_read(log: DatabaseMetadataService) -> None:
    log.log_study({"study_id": "many"})
    log.log_simulation_runs([run(f"r{at:04}", study_id="many", point=at) for at in range(1_000)])
    found = points_of_study(log, "many", ["total_cost"], most=100)
    points = [row["point"] for row in found.rows]
    assert found.one_of == 10
    assert 90 <= len(points) <= 110
    assert max(b - a for a, b in pairwise(points)) <= 20
    for period in (2, 5, 10):  # as the designs of a Monte Carlo study follow each other
        assert {point % period for point in points} == set(range(period))
    assert points_of_study(log, "many", ["total_cost"]).one_of == 1


def test_of_each_point_the_newest_run_counts(log: DatabaseMetadataService) -> None:
    log.log_study({"study_id": "again"})
    log.log_simulation_runs([run("first", study_id="again", point=0), run("second", study_id="again", point=0)])
    assert [row["run_id"] for row in points_of_study(log, "again", ()).rows] == ["second"]


@pytest.mark.parametrize("sensitivity", [False, True])
def test_samples_of_a_monte_carlo_study_are_told_from_its_other_points(sensitivity: bool) -> None:
    fields = {name: {"distribution": "uniform", "minimum": 0, "maximum": 1} for name in ("a.x", "a.y")}
    settings = {"distributions": fields, "n_samples": 8, "sensitivity": sensitivity}
    asked = StudyConfig.model_validate(
        {"study_id": "s", "study_type": "monte_carlo", "monte_carlo": settings, "parameters": {"b.x": [1, 2, 3]}}
    )
    plan = SamplePlan(MonteCarloSettings.model_validate(settings), [{}, {}, {}])
    is_sample = sample_numbers(asked.model_dump(mode="json", by_alias=True))
    every = plan.per_sample
    expected: set[int] = set()
    for design in range(3):
        own = list(range(plan.size))[plan.sample_numbers(design, 8)]
        expected |= {number for at, number in enumerate(own) if not sensitivity or at % every < 2}
    assert {number for number in range(plan.size) if is_sample(number)} == expected


def test_a_page_of_studies_is_read_alone(log: DatabaseMetadataService) -> None:
    for at in range(5):
        log.log_study({"study_id": f"s{at}"})
        log.log_simulation_runs([run(f"r{at}", study_id=f"s{at}", total_cost=float(at))])
    log.log_study({"study_id": "s4", "status": "completed"})
    rows = log.query_studies(limit=2, offset=1)
    assert [(row["study_id"], row["runs"], row["best_total_cost"]) for row in rows] == [("s3", 1, 3.0), ("s2", 1, 2.0)]
    assert [row["study_id"] for row in log.query_studies(status="completed")] == ["s4"]


CHIPS = ("simulation_status = 'failed'", "simulation_status = 'completed'")


@pytest.mark.parametrize(
    ("where", "chosen", "expected"),
    [
        ("", CHIPS[0], CHIPS[0]),
        ("status = 'failed'", None, ""),
        ("status = 'failed' and cost < 3", CHIPS[1], f"total_cost < 3 and {CHIPS[1]}"),
        ("cost < 3 or status = 'failed'", CHIPS[0], f"(total_cost < 3 or {CHIPS[0]}) and {CHIPS[0]}"),
    ],
)
def test_a_condition_takes_the_place_of_its_likes(where: str, chosen: str | None, expected: str) -> None:
    text = asking_for(where, CHIPS, chosen)
    assert text == expected
    assert asked_of(text, CHIPS) == chosen


def test_a_condition_within_an_either_is_not_asked_for() -> None:
    assert asked_of("cost < 3 or status = 'failed'", CHIPS) is None


def test_what_is_no_filter_is_refused() -> None:
    with pytest.raises(InputError):
        asking_for("cost <", CHIPS, None)
