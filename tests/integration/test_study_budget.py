"""What a study will take: estimated from its own first runs, agreed to before the others begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import NotAgreedError
from ecosystemiser.jobs.events import RunCompleted, RunStarted, RunSubmitted, StudyCancelled, StudyEstimated
from ecosystemiser.services import budget as budget_module
from ecosystemiser.services.budget import Budget, Trial
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import Order, Outcome
from ecosystemiser.services.study_service import StudyService
from ecosystemiser.store.states import RunStatus
from ecosystemiser.study import points as points_module

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

    def make(points: int, **fields: Any) -> StudyConfig:
        base = SimulationConfig(system=path, solver_type=fields.pop("solver_type", "rule_based"))
        values = {"battery.capacity_kwh": [float(at) for at in range(points)]}
        return StudyConfig(**{"study_id": "s", "base_config": base, "parameters": values, "workers": 1, **fields})

    return make


# The sums, by hand.


def orders(count: int, *, keeps_hours: bool = True) -> list[Order]:
    config = SimulationConfig(solver_type="rule_based")
    return [Order(f"r-{at}", config, "results", keeps_hours) for at in range(count)]


def took(*seconds: float, **columns: object) -> list[Outcome]:
    rows = [{"wall_seconds": each, **columns} for each in seconds]
    return [Outcome(f"r-{at}", RunStatus.COMPLETED, row) for at, row in enumerate(rows)]


def test_the_second_run_tells_the_pace_of_those_that_are_made_one_by_one(
    study: Callable[..., StudyConfig], folder: Path
) -> None:
    """100 runs, 98 left, 1 s each on 2 workers, of which the other prepares for 9 s, too; hours of 5 kB each."""
    (folder / "hours").write_bytes(bytes(4_000))
    (folder / "components").write_bytes(bytes(1_000))
    files = {"flows_path": str(folder / "hours"), "components_path": str(folder / "components")}
    budget = Trial(study(100), 100, 2).hear(orders(2), took(10.0, 1.0, **files), 99.0)
    assert budget == Budget(98, 98 / 2 + 9, 98 * (budget_module.ROW_BYTES + 5_000), 2)
    assert not budget.is_large


def test_the_best_runs_are_made_once_more_for_their_hours(study: Callable[..., StudyConfig]) -> None:
    """100 runs, 98 left, 1 s each; then the best ten again."""
    best = study(100, timeseries="best", solver_type="milp")
    budget = Trial(best, 100, 1).hear(orders(2), took(1.0, 1.0), 2.0)
    assert budget is not None
    assert budget.seconds == 98 + 10


def test_a_run_that_did_not_say_how_long_it_took_is_timed_from_outside(study: Callable[..., StudyConfig]) -> None:
    crashed = [Outcome("r-0", RunStatus.FAILED)]
    budget = Trial(study(9), 9, 1).hear(orders(1), crashed, 7.0)
    assert budget is not None
    assert (budget.runs, budget.seconds) == (8, 56.0)


def test_batches_are_timed_with_their_rows_by_the_second_since_the_first_prepares(
    study: Callable[..., StudyConfig],
) -> None:
    """100,000 runs in chunks of 250: the first takes 10 s, which would be more than an hour; the second 0.25 s."""
    trial = Trial(study(2), 100_000, 1, lambda _: True)
    chunk = orders(250, keeps_hours=False)
    assert trial.hear(chunk, took(*[0.001] * 250), 10.0) is None
    assert trial.holds
    budget = trial.hear(chunk, took(*[0.001] * 250), 0.25)
    assert budget is not None
    assert (budget.runs, budget.timed) == (99_500, 500)
    assert budget.seconds == pytest.approx(99.5)
    assert not trial.holds


def test_a_search_takes_no_longer_than_its_limit(study: Callable[..., StudyConfig]) -> None:
    own = {"objectives": {"total_cost": "minimise"}, "time_limit_s": 20.0, "population_size": 10}
    searching = study(
        2,
        study_type="genetic_algorithm",
        genetic_algorithm=own,
        parameters={"battery.capacity_kwh": {"from": 0, "to": 9}},
    )
    budget = Trial(searching, 1_000, 1).hear(orders(2), took(1.0, 1.0), 2.0)
    assert budget is not None
    assert budget.seconds == 20.0


@pytest.mark.parametrize(
    ("seconds", "disk_bytes", "is_large"),
    [(600.0, 5e9, False), (600.1, 0.0, True), (0.0, 5.1e9, True)],
)
def test_what_is_large(seconds: float, disk_bytes: float, is_large: bool) -> None:
    assert Budget(1, seconds, disk_bytes, 1).is_large is is_large


# In a study.


def test_an_estimate_is_told_once_and_nobody_is_asked_of_what_is_small(
    service: StudyService, study: Callable[..., StudyConfig]
) -> None:
    asked: list[Budget] = []
    with service.bus.record() as seen:
        result = service.run_study(study(24), agree=lambda budget: bool(asked.append(budget)))
    (told,) = [event for event in seen if isinstance(event, StudyEstimated)]
    assert (asked, told.runs, told.timed) == ([], 22, 2)
    assert told.seconds > 0
    assert told.disk_bytes > 22 * 2_000  # rows and hours
    assert result.by_status() == {"completed": 24}
    assert len(service.database_service.query_simulation_runs()) == 24


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_begins_until_somebody_agrees(
    service: StudyService, study: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """When it is asked, exactly the timed runs stand in the log, completed; then all others follow."""
    monkeypatch.setattr(budget_module, "LARGE_S", 0.0)
    standing: list[dict[str, int]] = []

    def agree(budget: Budget) -> bool:
        assert budget.is_large
        standing.append(service.database_service.get_study_summary("s")["by_status"])
        return True

    result = service.run_study(study(24, workers=workers), agree=agree)
    assert standing == [{"completed": 2}]
    assert result.by_status() == {"completed": 24}


def test_what_nobody_agrees_to_is_kept_so_far_and_goes_on_later(
    service: StudyService, study: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_module, "LARGE_BYTES", 0.0)
    with service.bus.record() as seen, pytest.raises(NotAgreedError, match="22 more runs"):
        service.run_study(study(24), agree=lambda _: False)
    assert isinstance(seen[-1], StudyCancelled)
    log = service.database_service
    summary = log.get_study_summary("s")
    assert (summary["study"]["status"], summary["by_status"]) == ("cancelled", {"completed": 2})
    assert sum(isinstance(event, RunSubmitted) for event in seen) == 2
    with service.bus.record() as seen:
        assert service.resume_study("s").by_status() == {"completed": 24}
    assert sum(isinstance(event, RunCompleted) for event in seen) == 22
    assert len(log.query_simulation_runs()) == 24


def test_a_batch_study_is_asked_about_after_two_chunks(
    service: StudyService, study: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_module, "LARGE_S", 0.0)
    standing: list[dict[str, int]] = []

    def agree(_: Budget) -> bool:
        standing.append(service.database_service.get_study_summary("s")["by_status"])
        return True

    monkeypatch.setattr(points_module, "LARGEST_CHUNK", 10)
    service.run_study(study(80, timeseries="none"), agree=agree)
    assert standing == [{"completed": 20}]


def test_asked_or_not_the_same_runs_are_made_one_after_the_other(
    service: StudyService, study: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks do not depend on whether somebody is asked: an LP starts from the same neighbour's answer."""
    monkeypatch.setattr(budget_module, "LARGE_S", 0.0)
    chunks: list[list[list[int]]] = []
    for agree in (None, lambda _: True):
        name = f"s-{agree is None}"
        with service.bus.record() as seen:
            service.run_study(study(24, study_id=name, solver_type="milp", timeseries="none"), agree=agree)
        points = {row["run_id"]: row["point"] for row in service.database_service.query_study_runs(name)}
        by_job: dict[str | None, list[int]] = {}
        for event in seen:
            if isinstance(event, RunStarted) and event.run_id is not None:
                by_job.setdefault(event.job_id, []).append(points[event.run_id])
        chunks.append(list(by_job.values()))
    assert chunks[0] == chunks[1]
    assert [len(chunk) for chunk in chunks[0]] == [2, 1, *[3] * 7]


def test_no_more_runs_than_workers_wait_for_nothing(
    service: StudyService, study: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_module, "LARGE_S", 0.0)
    result = service.run_study(study(2, workers=2), agree=lambda _: pytest.fail("asked"))
    assert result.by_status() == {"completed": 2}
