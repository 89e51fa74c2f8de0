"""Opening, creating and refusing databases, and what goes wrong on the way."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.store import files, sqlite
from ecosystemiser.store.engine import open_database, sqlite_transaction
from ecosystemiser.store.runs import get_run, log_run
from ecosystemiser.store.schema import SCHEMA_VERSION


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.sqlite"


def log_one(database, run_id="r1", **values):
    with database.transaction() as connection:
        log_run(connection, {"run_id": run_id, **values})


def log_two(database, *run_ids):
    with database.transaction() as connection:
        for run_id in run_ids:
            log_run(connection, {"run_id": run_id})


def runs_in(path):
    with closing(sqlite3.connect(path)) as connection:
        return [run_id for (run_id,) in connection.execute("select run_id from simulation_runs order by id")]


def make(path):
    with open_database(path) as database:
        log_one(database)
    return path


def test_a_new_database_is_whole_and_leaves_nothing_beside_it(path):
    make(path)
    assert [file.name for file in path.parent.iterdir()] == ["runs.sqlite"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [(SCHEMA_VERSION,)]
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    assert runs_in(path) == ["r1"]


def test_connections_are_durable_and_check_foreign_keys(path):
    with open_database(path) as database, database.transaction() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"pragma {name}").scalar()
            for name in ("synchronous", "foreign_keys", "busy_timeout", "journal_mode")
        }
    assert pragmas == {"synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000, "journal_mode": "wal"}


def test_the_default_place_is_below_the_current_folder_and_made_on_demand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    with open_database() as database:
        assert database.location.path == tmp_path.resolve() / "data" / "simulation_index.sqlite"


def test_a_file_needs_no_driver_of_a_server(path):
    script = "import sys; from ecosystemiser.store.engine import open_database; open_database(sys.argv[1]).close(); "
    script += "print(sorted(name for name in sys.modules if name.partition('.')[0] in ('psycopg', 'alembic')))"
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_environment_names_the_database(path, monkeypatch):
    monkeypatch.setenv("ECOSYSTEMISER_DB", f"sqlite:///{path}")
    with open_database() as database:
        assert database.location.path == path.resolve()


@pytest.mark.parametrize("asked", [":memory:", "sqlite://", "", "file:x?mode=memory", "a\0b"])
def test_what_names_no_file_is_refused(asked):
    with pytest.raises(InputError, match="db"):
        open_database(asked)


def test_another_kind_of_database_is_refused_without_showing_its_password():
    with pytest.raises(InputError, match="mysql") as caught:
        open_database("mysql://me:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"folder .*nowhere does not exist"):
        open_database(tmp_path / "nowhere" / "runs.sqlite")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that even root cannot write")
def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(StoreError, match=r"/proc/runs\.sqlite"):
        open_database("/proc/runs.sqlite")


def test_a_folder_in_place_of_the_database_is_refused(tmp_path):
    with pytest.raises(StoreError, match="directory"):
        open_database(tmp_path)


def test_reading_alone_creates_nothing_and_writes_nothing(path):
    with pytest.raises(StoreError, match="No such file"):
        open_database(path, read_only=True)
    assert not path.exists()
    make(path)
    before = path.read_bytes()
    with open_database(path, read_only=True) as database:
        with pytest.raises(StoreError, match="reading only"), database.transaction():
            pass
        with pytest.raises(StoreError, match="read-only"), database.reading() as connection:
            connection.exec_driver_sql("delete from simulation_runs")
        with database.reading() as connection:
            assert get_run(connection, "r1")["simulation_status"] == "running"
    assert path.read_bytes() == before


DAMAGES = {
    "zero bytes": lambda whole: b"",
    "text": lambda whole: b"run_id,total_cost\nr1,5\n" * 400,
    "noise": lambda whole: os.urandom(len(whole)),
    "one byte": lambda whole: whole[:1],
    "half of the header": lambda whole: whole[:50],
    "one page": lambda whole: whole[:4096],
    "half of the pages": lambda whole: whole[: len(whole) // 2 // 4096 * 4096],
    "magic flipped": lambda whole: whole[:3] + b"I" + whole[4:],
    "page size": lambda whole: whole[:16] + b"\x00\x07" + whole[18:],
    "first page zeroed behind the magic": lambda whole: whole[:16] + bytes(4080) + whole[4096:],
    "schema garbled": lambda whole: whole[:100] + os.urandom(3996) + whole[4096:],
    "schema text garbled": lambda whole: whole.replace(b"CREATE TABLE", b"CREATE TRIBE"),
    "table names garbled": lambda whole: whole.replace(b"simulation_runs", bytes(15)),
    "version gone": lambda whole: whole.replace(b"alembic_version", b"another_version"),
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("kind", DAMAGES)
def test_what_is_no_database_of_ours_is_refused_and_left_as_it_is(path, kind, read_only):
    before = DAMAGES[kind](make(path).read_bytes())
    path.write_bytes(before)
    with pytest.raises(StoreError, match=r"runs\.sqlite"):
        open_database(path, read_only=read_only)
    assert path.read_bytes() == before


def test_damage_that_shows_only_when_read_is_an_error_then(path):
    with open_database(path) as database, database.transaction() as connection:
        for number in range(300):
            log_run(connection, {"run_id": f"r{number}", "metadata_json": '"' + "x" * 500 + '"'})
    whole = bytearray(path.read_bytes())
    whole[-40 * 4096 :] = bytes(40 * 4096)
    path.write_bytes(whole)
    with (
        open_database(path) as database,
        pytest.raises(StoreError, match="damaged"),
        database.reading() as connection,
    ):
        connection.exec_driver_sql("select sum(length(metadata_json)) from simulation_runs").scalar()
    assert path.read_bytes() == whole


def test_a_database_of_others_is_refused_and_left_as_it_is(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table customers (name)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a database of EcoSystemiser"):
        open_database(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["runs.sqlite"]


def test_a_newer_database_is_refused_and_left_as_it_is(path):
    make(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update alembic_version set version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        open_database(path)
    assert path.read_bytes() == before


def test_the_log_of_a_lost_database_is_not_applied_to_a_new_one(path):
    make(path)
    path.rename(path.with_name("moved.sqlite"))
    path.with_name("runs.sqlite-wal").write_bytes(b"frames")
    with pytest.raises(StoreError, match="no longer at"):
        open_database(path)
    assert not path.exists()


def test_a_copy_without_a_log_is_taken_and_keeps_one_again(path):
    make(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = delete")
    with open_database(path) as database:
        log_one(database, "r2")
        with database.reading() as connection:
            assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"


def test_a_full_disk_while_creating_leaves_nothing(path, monkeypatch):
    def full(*_):
        raise OSError(files.errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreError, match="disk is full"):
        open_database(path)
    assert list(path.parent.iterdir()) == []
    monkeypatch.undo()
    make(path)


def test_a_full_database_refuses_the_write_keeps_the_rest_and_goes_on_later(path):
    with open_database(path) as database:
        log_one(database)
        with database.reading() as connection:  # the pool gives the same connection to the next write
            pages = connection.exec_driver_sql("pragma page_count").scalar()
            connection.exec_driver_sql(f"pragma max_page_count = {pages}")
        with pytest.raises(StoreError, match="disk is full"):
            log_one(database, "r2", metadata_json={"text": "x" * 50_000})
        with database.reading() as connection:
            connection.exec_driver_sql("pragma max_page_count = 1000000")
        log_one(database, "r3", metadata_json={"text": "x" * 50_000})
    assert runs_in(path) == ["r1", "r3"]


FAILING_COMMIT = """
import resource, sys
from ecosystemiser.errors import StoreError
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

with open_database(sys.argv[1]) as database:
    def log(run_id):
        with database.transaction() as connection:
            log_run(connection, {"run_id": run_id, "metadata_json": {"text": "x" * 50_000}})
    log("r1")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, unlimited[1]))
    try:
        log("r2")
    except StoreError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    log("r3")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_an_error_of_the_disk_at_the_commit_refuses_that_write_alone(path):
    make(path)
    done = subprocess.run([sys.executable, "-c", FAILING_COMMIT, path], capture_output=True, text=True, check=True)
    assert "could not be read or written" in done.stdout
    assert runs_in(path) == ["r1", "r3"]


def test_a_lock_held_too_long_is_named(path, monkeypatch):
    monkeypatch.setattr(sqlite, "LOCK_WAIT_S", 0.05)
    with open_database(path) as database, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="locked"):
            log_one(database)
        other.execute("rollback")
        log_one(database)
    assert runs_in(path) == ["r1"]


def test_a_transaction_keeps_all_or_nothing(path):
    with open_database(path) as database:
        with pytest.raises(InputError):
            log_two(database, "r1", "..")
        log_one(database, "r2")
    assert runs_in(path) == ["r2"]


def test_readers_see_one_state_while_others_write(path):
    with open_database(path) as database, database.reading() as connection:
        assert get_run(connection, "r1") is None
        log_one(database)
        assert get_run(connection, "r1") is None


def test_foreign_keys_are_enforced(path):
    orphan = "insert into run_tags (run_key, tag) values (7, 'x')"
    with (
        open_database(path) as database,
        pytest.raises(StoreError, match="FOREIGN KEY"),
        database.transaction() as connection,
    ):
        connection.exec_driver_sql(orphan)


def test_sqlite_transaction_writes_to_a_path(path):
    with sqlite_transaction(path) as connection:
        log_run(connection, {"run_id": "r1"})
    assert runs_in(path) == ["r1"]


def test_an_open_database_stays_usable_after_close(path):
    database = open_database(path)
    database.close()
    log_one(database)
    database.close()
    assert runs_in(path) == ["r1"]


def test_a_vanished_database_is_an_error_not_a_new_one(path):
    with open_database(path) as database:
        log_one(database)
        database.close()
        shutil.move(path, path.with_name("moved.sqlite"))
        with pytest.raises(StoreError, match="cannot be opened"):
            log_one(database, "r2")
    assert not path.exists()
