"""Databases that earlier schemas have left: each is opened, upgraded and read as it was.

A new schema adds its file to `tests/data/databases` and its name here; the files are never made anew.
"""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.counts import count_anew
from ecosystemiser.store.engine import upgrade_database
from ecosystemiser.store.schema import SCHEMA_VERSION

FROZEN = Path(__file__).parents[2] / "data" / "databases"


@pytest.fixture
def first(tmp_path):
    """A database of schema 0001: a study of three points, two single runs, one run that was running."""
    return Path(shutil.copy(FROZEN / "schema-0001.sqlite", tmp_path / "runs.sqlite"))


def test_there_is_one_of_each_earlier_schema():
    versions = {f"{number:04d}" for number in range(1, int(SCHEMA_VERSION))}
    assert {path.stem.removeprefix("schema-") for path in FROZEN.glob("*.sqlite")} >= versions


def test_all_that_stood_in_the_first_schema_is_there_after_the_upgrade(first):
    with closing(sqlite3.connect(first)) as connection:
        connection.row_factory = sqlite3.Row
        before = {row["run_id"]: dict(row) for row in connection.execute("select * from simulation_runs")}
        points = connection.execute("select study_id, point, run_id, parameters_json from study_runs").fetchall()
    with DatabaseMetadataService(first) as log:
        log.migrate_to_enhanced_schema()
        after = {row["run_id"]: row for row in log.query_simulation_runs()}
    assert len(before) == 6
    assert set(after) == set(before)
    for run_id, row in before.items():
        kept = {name: value for name, value in row.items() if name != "id"}
        if row["simulation_status"] == "running":  # its process cannot write any more
            kept["simulation_status"] = "interrupted"
        assert {name: after[run_id][name] for name in kept} == kept
    with closing(sqlite3.connect(first)) as connection:
        moved = connection.execute("select study_id, point, run_id, parameters_json from study_runs").fetchall()
    assert sorted(moved) == sorted(map(tuple, points))


def test_parameters_of_the_first_schema_can_be_asked_for(first):
    with DatabaseMetadataService(first) as log:
        upgrade_database(first)
        assert len(log.query_simulation_runs(where="params.battery.capacity_kwh >= 35")) == 2
        assert [row["run_id"] for row in log.query_simulation_runs(where="params.flag = true")] == ["failed-1"]
        assert [row["run_id"] for row in log.query_simulation_runs(where="params.barn.profile = 'bdew-l25'")] == [
            "failed-1"
        ]


def test_counts_and_summaries_are_right_after_the_upgrade(first):
    with DatabaseMetadataService(first) as log:
        upgrade_database(first)
        with log.transaction() as connection:
            assert count_anew(connection)
        summary = log.get_study_summary("sizing")
        assert log.get_statistics()["by_status"] == {"completed": 4, "failed": 1, "interrupted": 1}
    assert (summary["runs"], summary["by_status"]) == (3, {"completed": 3})
    assert summary["best_total_cost"] == pytest.approx(29.763999744)
    assert {row["currency"] for row in log.query_simulation_runs(status="completed")} == {"EUR"}


def test_the_backup_of_an_upgrade_is_the_database_that_was(first):
    content = hashlib.sha256(first.read_bytes()).hexdigest()
    done = upgrade_database(first)
    assert (done.before, done.after) == ("0001", SCHEMA_VERSION)
    assert done.backup is not None
    original = FROZEN / "schema-0001.sqlite"
    with closing(sqlite3.connect(done.backup)) as old, closing(sqlite3.connect(original)) as frozen:
        assert list(old.iterdump()) == list(frozen.iterdump())
    assert hashlib.sha256(original.read_bytes()).hexdigest() == content
