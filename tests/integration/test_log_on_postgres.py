"""Whole studies on a PostgreSQL server, which may go away and come back in the middle."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ecosystemiser.config.genetic_settings import GeneticSettings
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.jobs.events import RunCompleted
from ecosystemiser.services import outcome_log
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.outcome_log import replay_spool
from ecosystemiser.services.run_history import RunHistory
from ecosystemiser.services.study_service import StudyService

if TYPE_CHECKING:
    from tests.servers import PostgresServer

HOUSE = """
system_id: house
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: {default: 0.4, periods: [{price: 0.1, hours: "00-12"}]}}
  battery: {type: battery, capacity_kwh: 6, power_kw: 2, capex_per_kwh: 200}
  house: {type: electricity_demand, profile: LOAD}
""".replace("LOAD", str([0.5] * 18 + [1.5] * 2 + [0.5] * 4))

LARGE = "params.battery.capacity_kwh >= 9"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return tmp_path


@pytest.fixture
def study(system_file: Callable[..., Path]) -> Callable[..., StudyConfig]:
    path = system_file(HOUSE)

    def make(study_id: str, points: int) -> StudyConfig:
        base = SimulationConfig(system=path, solver_type="rule_based")
        values = {"battery.capacity_kwh": [float(at) for at in range(points)]}
        return StudyConfig(study_id=study_id, base_config=base, parameters=values, workers=1)

    return make


def rows_of(log: DatabaseMetadataService, study_id: str) -> list[tuple[object, ...]]:
    kept = ("point", "simulation_status", "parameters_json", "total_cost", "config_hash", "currency", "timesteps")
    return [tuple(row[name] for name in kept) for row in log.query_study_runs(study_id)]


def test_a_study_leaves_the_same_rows_on_either_engine(
    postgres_url: str, study: Callable[..., StudyConfig], tmp_path: Path
) -> None:
    with DatabaseMetadataService(postgres_url) as there, DatabaseMetadataService(tmp_path / "x.sqlite") as here:
        for log in (there, here):
            StudyService(log).run_study(study("s", 12))
        assert rows_of(there, "s") == rows_of(here, "s")
        assert there.get_study_summary("s")["by_status"] == {"completed": 12}
        found = [
            [row["point"] for row in log.query_simulation_runs(where=LARGE, order_by="point")] for log in (there, here)
        ]
        assert found == [[9, 10, 11]] * 2
        run_id = there.query_simulation_runs(limit=1)[0]["run_id"]
        assert RunHistory(there).verify(run_id).is_sound


def test_a_genetic_study_is_logged_on_a_server(postgres_url: str, study: Callable[..., StudyConfig]) -> None:
    settings = GeneticSettings(objectives={"total_cost": "minimise"}, population_size=6, max_generations=3)
    asked = {"study_type": "genetic_algorithm", "genetic_algorithm": settings}
    config = study("ga", 1).model_dump() | asked | {"parameters": {"battery.capacity_kwh": {"from": 0, "to": 9}}}
    with DatabaseMetadataService(postgres_url) as log:
        StudyService(log).run_study(StudyConfig.model_validate(config))
        assert {row["generation"] for row in log.query_analysis("pareto_fronts", "ga")} == {0, 1, 2, 3}


def test_a_study_outlasts_a_server_that_goes_away_and_comes_back(
    own_postgres: PostgresServer, study: Callable[..., StudyConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome_log, "ASK_AGAIN_S", 0.1)
    url = own_postgres.url(own_postgres.create_database())
    with DatabaseMetadataService(url) as log:
        service = StudyService(log)
        seen = threading.Event()
        service.bus.subscribe(RunCompleted, lambda _: seen.set())

        def away() -> None:
            seen.wait(60)
            own_postgres.stop("immediate")
            time.sleep(0.5)
            own_postgres.start()

        thread = threading.Thread(target=away)
        thread.start()
        result = service.run_study(study("s", 120))
        thread.join()
        assert result.by_status() == {"completed": 120}
        rows = rows_of(log, "s")
    assert [row[0] for row in rows] == list(range(120))  # nothing lost, nothing doubled
    assert {row[1] for row in rows} == {"completed"}
    assert list(Path("data/results").glob("*.spool.jsonl")) == []


WORKS_UNTIL_THE_SERVER_IS_GONE = """
import sys
from pathlib import Path
from ecosystemiser import DatabaseMetadataService, SimulationConfig, StudyConfig, StudyService
from ecosystemiser.errors import StoreError
from ecosystemiser.jobs.events import RunCompleted
from ecosystemiser.services import outcome_log
outcome_log.PATIENCE_S = 1.0
url, system = sys.argv[1:]
service = StudyService(DatabaseMetadataService(url))
def wait_for_the_end(_):
    Path("begun").touch()
    while not Path("stopped").exists():
        pass
service.bus.subscribe(RunCompleted, wait_for_the_end)
base = SimulationConfig(system=system, solver_type="rule_based")
values = {"battery.capacity_kwh": [float(at) for at in range(120)]}
try:
    service.run_study(StudyConfig(study_id="s", base_config=base, parameters=values, workers=1))
except StoreError as error:
    print(error)
    sys.exit(1)
"""


def test_a_server_that_stays_away_loses_nothing(
    own_postgres: PostgresServer, study: Callable[..., StudyConfig], tmp_path: Path
) -> None:
    study("s", 120)  # writes the system file
    url = own_postgres.url(own_postgres.create_database())
    words = [sys.executable, "-c", WORKS_UNTIL_THE_SERVER_IS_GONE, url, str(tmp_path / "system.yaml")]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not Path("begun").exists():
        assert child.poll() is None
        time.sleep(0.05)
    own_postgres.stop("immediate")
    Path("stopped").touch()
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 1
    (spool,) = Path("data/results").glob("*.spool.jsonl")
    assert f"ecosystemiser db replay {spool.absolute()}" in said
    kept = len(spool.read_text().splitlines())
    assert kept > 0
    own_postgres.start()
    with DatabaseMetadataService(url) as log:
        before = log.get_study_summary("s")["by_status"].get("completed", 0)
        replayed = replay_spool(log, spool)
        assert replayed.logged + len(replayed.as_new_runs) == kept
        done = [row["point"] for row in log.query_study_runs("s") if row["simulation_status"] == "completed"]
        assert len(done) == len(set(done)) == before + kept
        StudyService(log).resume_study("s")
        answered = [row["point"] for row in log.query_study_runs("s") if row["simulation_status"] == "completed"]
    assert sorted(answered) == list(range(120))


def test_a_log_that_cannot_sign_off_hides_no_other_error(own_postgres: PostgresServer) -> None:
    """The owner stays in the log; nobody beats for it."""
    url = own_postgres.url(own_postgres.create_database())

    def work() -> None:
        with DatabaseMetadataService(url) as log:
            log.log_simulation_run({"run_id": "r", "simulation_status": "running"})
            own_postgres.stop("immediate")
            raise ValueError("the real cause")

    with pytest.raises(ValueError, match="the real cause"):
        work()
    own_postgres.start()
    with DatabaseMetadataService(url) as log:
        assert [row["simulation_status"] for row in log.query_simulation_runs()] == ["running"]
