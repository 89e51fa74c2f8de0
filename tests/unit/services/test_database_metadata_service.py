"""The log of runs and studies, as the customer's document calls it."""

import json
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.schema import SCHEMA_VERSION


@pytest.fixture
def service(tmp_path):
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as opened:
        yield opened


def customers_start(run_id, **changed):
    """Return the dict of the customer's task 1."""
    return {
        "run_id": run_id,
        "study_id": "sizing",
        "system_id": "farm",
        "timesteps": 168,
        "timestamp": datetime.now().isoformat(),  # noqa: DTZ005  # as the customer's code has it
        "solver_type": "hybrid",
        "simulation_status": "running",
        "results_path": str(Path("results") / run_id),
    } | changed


def test_the_customers_dicts_work_as_they_stand(service):
    run_id = str(uuid.uuid4())
    start = customers_start(run_id)
    service.log_simulation_run(start)
    assert service.get_simulation_run(run_id)["simulation_status"] == "running"
    kpis = {name: float(number) for number, name in enumerate(KPI_NAMES)}
    service.log_simulation_run(
        {"run_id": run_id, "study_id": "sizing", "simulation_status": "completed"}
        | {name: kpis.get(name) for name in KPI_NAMES}
    )
    (row,) = service.query_simulation_runs(study_id="sizing")
    assert row["simulation_status"] == "completed"
    assert {name: row[name] for name in KPI_NAMES} == kpis
    assert row["results_path"] == start["results_path"]
    assert datetime.fromisoformat(row["timestamp"]) == datetime.fromisoformat(start["timestamp"]).astimezone()


def test_the_customers_failure_works_with_and_without_a_row(service):
    error = {"error": 'no plan: "x"\nöäü'}
    service.log_simulation_run(customers_start("r1"))
    for run_id in ("r1", "never-started"):
        failure = {"run_id": run_id, "simulation_status": "failed", "metadata_json": json.dumps(error)}
        service.log_simulation_run(failure)
        row = service.get_simulation_run(run_id)
        assert row["simulation_status"] == "failed"
        assert json.loads(row["metadata_json"]) == error
    assert service.get_simulation_run("r1")["solver_type"] == "hybrid"


def test_runs_are_found_by_study_solver_cost_and_share(service):
    for number, solver in enumerate(["hybrid", "milp", "hybrid"]):
        row = customers_start(f"r{number}", solver_type=solver, simulation_status="completed")
        service.log_simulation_run(row | {"total_cost": 1000.0 * number, "renewable_fraction": number / 4})
    asked = service.query_simulation_runs
    assert [run["run_id"] for run in asked("sizing", "hybrid")] == ["r2", "r0"]
    assert [run["run_id"] for run in asked(solver_type="hybrid", max_cost=1500)] == ["r0"]
    assert [run["run_id"] for run in asked(min_renewable_fraction=0.25, order_by="total_cost")] == [
        "r1",
        "r2",
    ]
    assert [run["run_id"] for run in asked(status="completed", order_by="-total_cost", limit=1, offset=1)] == ["r1"]


def test_a_finished_run_keeps_its_state(service):
    service.log_simulation_run({"run_id": "r1", "simulation_status": "cancelled"})
    with pytest.raises(StoreError, match=r"cancelled.*completed"):
        service.log_simulation_run({"run_id": "r1", "simulation_status": "completed"})


def test_asking_creates_no_database(service):
    assert service.query_simulation_runs(study_id="s") == []
    assert service.get_simulation_run("r1") is None
    assert service.query_studies() == []
    assert service.get_study_summary("s")["runs"] == 0
    assert service.get_statistics()["runs"] == 0
    with pytest.raises(InputError):
        service.query_simulation_runs(colour="red")
    assert not service.db_path.exists()


def test_the_default_place_is_fixed_when_the_service_is_made(tmp_path, monkeypatch):
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with DatabaseMetadataService() as service:
        monkeypatch.chdir(tmp_path / "elsewhere")
        service.log_simulation_run({"run_id": "r1"})
    assert (tmp_path / "data" / "simulation_index.sqlite").exists()


def test_studies_are_logged_resumed_and_finished(service):
    service.log_study({"study_id": "s1", "study_type": "parametric", "settings_json": {"seed": 1}})
    service.log_study({"study_id": "s2", "status": "interrupted"})
    assert [study["study_id"] for study in service.query_studies()] == ["s2", "s1"]
    service.log_study({"study_id": "s2", "status": "running"})
    assert service.query_studies()[0]["finished_at"] is None
    service.log_study({"study_id": "s2", "status": "completed"})
    second, first = service.query_studies()
    assert second["finished_at"] >= second["created_at"]
    assert (first["status"], json.loads(first["settings_json"])) == ("running", {"seed": 1})
    with pytest.raises(StoreError, match="s2: is completed and cannot become running"):
        service.log_study({"study_id": "s2", "status": "running"})


def test_a_study_needs_its_name_and_known_columns(service):
    with pytest.raises(InputError, match="study_id"):
        service.log_study({"status": "running"})
    with pytest.raises(InputError, match="did you mean 'study_type'"):
        service.log_study({"study_id": "s", "studytype": "parametric"})


def test_a_summary_counts_states_and_names_the_cheapest_completed_run(service):
    costs = {"a": ("completed", 5.0), "b": ("completed", 3.0), "c": ("failed", 1.0), "d": ("running", None)}
    for run_id, (status, cost) in costs.items():
        row = {"run_id": run_id, "study_id": "s", "simulation_status": status, "total_cost": cost}
        service.log_simulation_run(row)
    service.log_simulation_run({"run_id": "other", "study_id": "t", "total_cost": 0.5})
    assert service.get_study_summary("s") == {
        "study_id": "s",
        "study": None,
        "runs": 4,
        "by_status": {"completed": 2, "failed": 1, "running": 1},
        "best_total_cost": 3.0,
        "best_run_id": "b",
        "by_cause": {},
    }


def test_statistics_count_everything(service):
    service.log_study({"study_id": "s"})
    service.log_simulation_run({"run_id": "a", "solver_type": "milp", "timestamp": "2026-01-01T00:00:00Z"})
    service.log_simulation_run({"run_id": "b", "simulation_status": "failed", "timestamp": "2026-02-01T00:00:00Z"})
    assert service.get_statistics() == {
        "runs": 2,
        "studies": 1,
        "by_status": {"failed": 1, "running": 1},
        "by_solver": {None: 1, "milp": 1},
        "by_cause": {},
        "oldest": "2026-01-01T00:00:00.000000Z",
        "newest": "2026-02-01T00:00:00.000000Z",
    }


def test_migrating_creates_then_finds_nothing_to_do(service):
    done = service.migrate_to_enhanced_schema()
    assert (done.before, done.after, done.backup) == (None, SCHEMA_VERSION, None)
    done = service.migrate_to_enhanced_schema()
    assert (done.before, done.after, done.backup) == (SCHEMA_VERSION, SCHEMA_VERSION, None)
    assert service.query_simulation_runs() == []


def test_a_damaged_database_stops_every_call_and_is_left_as_it_is(service):
    service.db_path.write_text("not a database", encoding="utf-8")
    for call in (
        lambda: service.log_simulation_run({"run_id": "r1"}),
        service.query_simulation_runs,
        service.get_statistics,
        service.migrate_to_enhanced_schema,
    ):
        with pytest.raises(StoreError, match="not a SQLite database"):
            call()
    assert service.db_path.read_text(encoding="utf-8") == "not a database"


def test_threads_share_a_service(service):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: service.log_simulation_run({"run_id": f"r{number}"}), range(100)))
    assert service.get_statistics()["runs"] == 100


HEAVY = ["numpy", "pandas", "pydantic", "pyarrow", "alembic", "highspy", "numba"]


@pytest.mark.parametrize(
    "work", ["pass", "service.log_simulation_run({'run_id': 'r'}); service.query_simulation_runs()"]
)
def test_logging_and_listing_load_nothing_heavy(tmp_path, work):
    script = (
        "import sys\n"
        "from ecosystemiser.services.database_metadata_service import DatabaseMetadataService\n"
        f"service = DatabaseMetadataService({str(tmp_path / 'runs.sqlite')!r})\n"
        f"{work}\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_service_that_nobody_closes_ends_quietly(tmp_path):
    script = (
        "from ecosystemiser.services.database_metadata_service import DatabaseMetadataService\n"
        f"service = DatabaseMetadataService({str(tmp_path / 'runs.sqlite')!r})\n"
        "service.log_simulation_run({'run_id': 'r'})\n"
    )
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert [file.name for file in tmp_path.iterdir()] == ["runs.sqlite"]
