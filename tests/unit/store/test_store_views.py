"""The customer's tables, read and written by their names with any SQL tool."""

import sqlite3
from contextlib import closing

import pytest

from ecosystemiser.store.counts import count_anew
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import get_run, log_run
from ecosystemiser.store.studies import statistics


@pytest.fixture
def database(tmp_path):
    with open_database(tmp_path / "runs.sqlite") as opened:
        yield opened


@pytest.fixture
def sql(database):
    """Return a function that executes SQL as a stranger's tool would."""
    with closing(sqlite3.connect(database.path, isolation_level=None)) as connection:
        yield lambda statement, *values: connection.execute(statement, values).fetchall()


def counts_are_right(database):
    with database.transaction() as connection:
        return count_anew(connection)


def test_what_we_log_is_read_by_the_customers_names(database, sql):
    with database.transaction() as connection:
        log_run(connection, {"run_id": "a", "study_id": "s", "point": 3, "parameters_json": {"x.y": 2}})
        log_run(connection, {"run_id": "a", "simulation_status": "completed", "total_cost": 5.0, "results_path": "/r"})
    assert sql("select run_id, simulation_status, total_cost, results_path from simulation_runs") == [
        ("a", "completed", 5.0, "/r")
    ]
    assert sql("select study_id, point, run_id, parameters_json from study_runs") == [("s", 3, "a", '{"x.y": 2}')]


def test_a_row_inserted_by_hand_is_a_run(database, sql):
    sql("insert into simulation_runs (run_id, study_id, solver_type) values ('a', 's', 'milp')")
    with database.reading() as connection:
        row = get_run(connection, "a")
    assert (row["simulation_status"], row["study_id"], row["solver_type"]) == ("running", "s", "milp")
    assert row["timestamp"] == row["created_at"] != ""
    assert counts_are_right(database)


def test_an_update_by_hand_changes_only_what_it_names(database, sql):
    sql("insert into simulation_runs (run_id, results_path) values ('a', '/r')")
    sql("update simulation_runs set simulation_status = 'completed', total_cost = 7, metadata_json = '{}'")
    with database.reading() as connection:
        row = get_run(connection, "a")
        assert statistics(connection)["by_status"] == {"completed": 1}
    assert (row["total_cost"], row["results_path"], row["metadata_json"]) == (7.0, "/r", "{}")
    assert counts_are_right(database)


def test_a_finished_run_keeps_its_state_also_by_hand(sql):
    sql("insert into simulation_runs (run_id, simulation_status) values ('a', 'failed')")
    with pytest.raises(sqlite3.IntegrityError, match="a finished run keeps its state"):
        sql("update simulation_runs set simulation_status = 'completed'")
    assert sql("select simulation_status from simulation_runs") == [("failed",)]


def test_a_row_deleted_by_hand_can_be_brought_back(database, sql):
    sql("insert into simulation_runs (run_id, simulation_status) values ('a', 'failed')")
    sql("delete from simulation_runs where run_id = 'a'")
    assert sql("select * from simulation_runs") == []
    assert sql("select run_id from runs where deleted_at is not null") == [("a",)]
    assert counts_are_right(database)


def test_a_run_is_linked_to_a_point_by_hand(database, sql):
    sql("insert into simulation_runs (run_id, solver_type) values ('a', 'milp')")
    sql("insert into study_runs (study_id, point, run_id, objectives_json) values ('s', 4, 'a', '[1]')")
    assert sql("select study_id, point, objectives_json from study_runs") == [("s", 4, "[1]")]
    with database.reading() as connection:
        assert get_run(connection, "a")["study_id"] == "s"
    assert counts_are_right(database)


def test_a_point_of_no_run_is_refused(sql):
    with pytest.raises(sqlite3.IntegrityError, match="log it first"):
        sql("insert into study_runs (study_id, point, run_id) values ('s', 4, 'nobody')")


def test_counts_that_are_wrong_are_found_and_mended(database, sql):
    sql("insert into simulation_runs (run_id) values ('a')")
    sql("update run_counts set runs = 5")
    assert not counts_are_right(database)
    assert counts_are_right(database)
    with database.reading() as connection:
        assert statistics(connection)["runs"] == 1
