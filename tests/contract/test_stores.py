"""What the store promises on either engine."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.stores import finish, log, read_back, run_ids, start

from ecosystemiser.errors import StoreError
from ecosystemiser.store.engine import Database, database_exists, open_database, upgrade_database
from ecosystemiser.store.queries import query_runs
from ecosystemiser.store.runs import log_run, log_runs
from ecosystemiser.store.schema import SCHEMA_VERSION, metadata
from ecosystemiser.store.studies import get_study, log_study, query_study_runs
from ecosystemiser.store.upgrade import Upgrade

STARTER = """
import sys, time
from pathlib import Path
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

place, number, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
(folder / f"ready-{number}").touch()
while not (folder / "go").exists():
    time.sleep(0.0005)
with open_database(place) as database, database.transaction() as connection:
    log_run(connection, {"run_id": f"r{number}"})
"""

WRITER = """
import sys
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

with open_database(sys.argv[1]) as database:
    for number in range(int(sys.argv[3])):
        run_id = f"p{sys.argv[2]}-{number}"
        finished = {"run_id": run_id, "simulation_status": "completed", "total_cost": number}
        for row in ({"run_id": run_id}, finished):
            with database.transaction() as connection:
                log_run(connection, row)
"""

FORKING = """
import os, sys
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

def log(run_id):
    with database.transaction() as connection:
        log_run(connection, {"run_id": run_id})

database = open_database(sys.argv[1])
log("before")
to_child, from_parent = os.pipe()
child = os.fork()
if child == 0:
    log("child-1")
    os.close(from_parent)
    os.read(to_child, 1)  # until the parent has closed its database
    log("child-2")
    os._exit(0)
log("parent")
database.close()
os.close(from_parent)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


# Values


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "",
        " spaces, tab\t, lines\r\n",
        "Ünïcödé 漢字 עברית 🌞👩‍👩‍👧",
        "e\u0301 is not é",
        "quotes ' \" ` and \\ and %s %(x)s :name ? $1 {}",
        "'; DROP TABLE studies; --",
        "\x01\x7f\u2028\ufeff\U0010ffff",
    ],
)
def test_text_comes_back_as_it_was(database: Database, text: str) -> None:
    log(database, system_id=text)
    assert read_back(database)["system_id"] == text
    assert run_ids(database, system_id=text) == ["r1"]


def test_long_text_comes_back_as_it_was(database: Database) -> None:
    note = "".join(chr(32 + number * 7919 % 50_000) for number in range(1_000_000))
    log(database, results_path=note, metadata_json={"note": note})
    row = read_back(database)
    assert row["results_path"] == note
    assert json.loads(row["metadata_json"]) == {"note": note}


@pytest.mark.parametrize(
    "number",
    [0.0, 1 / 3, 0.1 + 0.2, 5e-324, 2.2250738585072014e-308, sys.float_info.max, -1e-300, 1e22, 123456789.12345679, 7],
)
def test_a_number_comes_back_bit_by_bit(database: Database, number: float) -> None:
    log(database, total_cost=number, objective=-number)
    row = read_back(database)
    assert row["total_cost"].hex() == float(number).hex()
    assert row["objective"] == -number
    assert run_ids(database, min_cost=number, max_cost=number) == ["r1"]


def test_what_was_not_said_is_none_and_may_be_unsaid(database: Database) -> None:
    log(database, total_cost=1.5, system_id="farm", timesteps=3)
    log(database, total_cost=None, system_id=None, timesteps=None)
    row = read_back(database)
    assert (row["total_cost"], row["system_id"], row["timesteps"], row["study_id"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC), "2026-11-25T12:00:00.123456Z"),
        (datetime(2026, 3, 29, 3, 0, tzinfo=timezone(timedelta(hours=2))), "2026-03-29T01:00:00.000000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("1969-12-31T23:59:59-05:00", "1970-01-01T04:59:59.000000Z"),
    ],
)
def test_a_time_comes_back_as_utc(database: Database, time: object, text: str) -> None:
    log(database, timestamp=time)
    assert read_back(database)["timestamp"] == text


def test_a_study_and_its_runs_come_back(database: Database) -> None:
    with database.transaction() as connection:
        log_study(connection, {"study_id": "s1", "settings_json": {"naïve": [1, None, 0.1]}})
        log_runs(connection, [{"run_id": f"r{point}", "study_id": "s1", "point": 2 - point} for point in range(3)])
    with database.reading() as connection:
        study = get_study(connection, "s1")
        found = [(row["point"], row["run_id"]) for row in query_study_runs(connection, "s1")]
    assert study is not None
    assert study["settings_json"] == '{"naïve": [1, null, 0.1]}'
    assert found == [(0, "r2"), (1, "r1"), (2, "r0")]


# Order


def test_text_sorts_by_its_characters_whatever_the_locale(database: Database) -> None:
    names = ["b", "B", "a", "_", "é", "Z", "1", "10", "2", "a b", "ab", "A-", "Ä", "漢", "🌞", "-a", ""]
    with database.transaction() as connection:
        log_runs(connection, [{"run_id": f"r{n}", "system_id": name} for n, name in enumerate(names)])
        log_run(connection, {"run_id": "none"})
    with database.reading() as connection:
        rising = [row["system_id"] for row in query_runs(connection, order_by="system_id")]
        falling = [row["system_id"] for row in query_runs(connection, order_by="-system_id")]
    assert rising == [*sorted(names), None]
    assert falling == [*sorted(names, reverse=True), None]


def test_runs_without_a_value_come_last_and_equal_ones_as_logged(database: Database) -> None:
    costs = {"a": 30.0, "b": 10.0, "c": None, "d": 20.0, "e": 10.0, "f": None}
    for run_id, cost in costs.items():
        log(database, run_id, total_cost=cost)
    assert run_ids(database, order_by="total_cost") == ["b", "e", "d", "a", "c", "f"]
    assert run_ids(database, order_by="-total_cost") == ["a", "d", "e", "b", "f", "c"]
    assert run_ids(database, order_by="total_cost", limit=2, offset=1) == ["e", "d"]
    assert run_ids(database, min_cost=20) == ["d", "a"]


# Transactions


def test_a_transaction_keeps_all_or_nothing(database: Database) -> None:
    log(database, "r1", total_cost=1.0)

    def fail_at_the_end() -> None:
        with database.transaction() as connection:
            log_run(connection, {"run_id": "r1", "total_cost": 2.0})
            log_run(connection, {"run_id": "r2"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_at_the_end()
    assert run_ids(database) == ["r1"]
    assert read_back(database)["total_cost"] == 1.0


def test_a_statement_that_fails_is_an_error_and_the_next_write_works(database: Database) -> None:
    values = {"generation": 1, "metric": "best", "created_at": "2026-11-25T00:00:00.000000Z"}

    def refer_to_nothing() -> None:
        with database.transaction() as connection:
            log_run(connection, {"run_id": "r1"})
            connection.execute(metadata.tables["convergence_metrics"].insert(), {**values, "study_id": "nowhere"})

    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        refer_to_nothing()
    log(database, "r2")
    assert run_ids(database) == ["r2"]


def test_a_finished_run_keeps_its_state(database: Database) -> None:
    log(database, simulation_status="completed", total_cost=5)
    with pytest.raises(StoreError, match="cannot become"):
        log(database, simulation_status="failed")
    assert read_back(database)["simulation_status"] == "completed"


def test_readers_see_one_state_while_others_write(database: Database) -> None:
    with database.reading() as connection:
        assert query_runs(connection) == []
        log(database)
        assert query_runs(connection) == []
    assert run_ids(database) == ["r1"]


def test_reading_alone_creates_nothing_and_writes_nothing(place: str) -> None:
    with pytest.raises(StoreError):
        open_database(place, read_only=True)
    assert not database_exists(place)
    open_database(place).close()
    assert database_exists(place)
    with open_database(place, read_only=True) as database:
        with pytest.raises(StoreError, match="reading only"), database.transaction():
            pass
        for change in (database.create_if_missing, database.upgrade):
            with pytest.raises(StoreError, match="reading only"):
                change()
        with pytest.raises(StoreError, match=r"read-only|takes no writes"), database.reading() as connection:
            log_run(connection, {"run_id": "r1"})
        assert run_ids(database) == []


def test_opening_again_changes_nothing(place: str) -> None:
    with open_database(place) as database:
        log(database)
    assert upgrade_database(place) == Upgrade(SCHEMA_VERSION, SCHEMA_VERSION, None)
    with open_database(place) as database:
        assert run_ids(database) == ["r1"]


def test_a_newer_schema_is_refused_and_left_as_it_is(place: str) -> None:
    with open_database(place) as database:
        log(database)
        with database.transaction() as connection:
            connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    for read_only in (False, True):
        with pytest.raises(StoreError, match="newer version"):
            open_database(place, read_only=read_only)
    with pytest.raises(StoreError, match="newer version"):
        upgrade_database(place)


# Many at once


def test_threads_share_a_database(database: Database) -> None:
    def work(number: int) -> int:
        log(database, f"r{number}")
        return len(run_ids(database))

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(work, range(100)))
    assert max(counts) == 100
    assert len(run_ids(database)) == 100


@pytest.mark.parametrize("runs", [25, pytest.param(250, marks=pytest.mark.slow)])
def test_eight_processes_write_while_a_reader_pages(place: str, runs: int) -> None:
    with open_database(place) as database:
        writers = [start(WRITER, place, number, runs) for number in range(8)]
        seen = 0
        while any(writer.poll() is None for writer in writers):
            with database.reading() as connection:
                page = query_runs(connection, order_by="-total_cost", status="completed", limit=100)
                total = len(query_runs(connection))
            costs = [row["total_cost"] for row in page]
            assert costs == sorted(costs, reverse=True)
            assert total >= seen
            seen = total
            time.sleep(0.01)
        finish(writers)
        assert set(run_ids(database, status="completed")) == {f"p{w}-{n}" for w in range(8) for n in range(runs)}


@pytest.mark.parametrize("number", [8, pytest.param(32, marks=pytest.mark.slow)])
def test_processes_that_start_at_once_on_nothing_share_one_database(place: str, tmp_path: Path, number: int) -> None:
    signals = tmp_path / "signals"
    signals.mkdir()
    processes = [start(STARTER, place, each, signals) for each in range(number)]
    while len(list(signals.glob("ready-*"))) < number and all(each.poll() is None for each in processes):
        time.sleep(0.01)
    (signals / "go").touch()
    finish(processes)
    with open_database(place, read_only=True) as database:
        assert set(run_ids(database)) == {f"r{each}" for each in range(number)}


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_forked_child_has_connections_of_its_own(place: str) -> None:
    finish([start(FORKING, place)])
    with open_database(place) as database:
        assert set(run_ids(database)) == {"before", "parent", "child-1", "child-2"}


def test_an_open_database_stays_usable_after_close(database: Database) -> None:
    database.close()
    log(database)
    database.close()
    assert run_ids(database) == ["r1"]
