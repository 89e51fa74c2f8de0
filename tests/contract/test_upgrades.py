"""An upgrade ends with the old database or with the new one, whatever kills it and whenever."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from tests.servers import PostgresServer

from ecosystemiser.errors import DatabaseUnreachableError, StoreError
from ecosystemiser.store import engine, upgrade
from ecosystemiser.store import postgres as postgres_engine
from ecosystemiser.store.engine import Database, open_database, upgrade_database
from ecosystemiser.store.location import locate
from ecosystemiser.store.runs import log_runs
from ecosystemiser.store.studies import log_study
from ecosystemiser.store.upgrade import migrate

OLDEST = "0001"
"""Of SQLite. On a server the oldest is 0002."""
TIME = "2026-11-25T00:00:00.000000Z"
NEXT = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "9000", "{newest}"

def upgrade():
    op.create_table("colours", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    op.execute("insert into colours (name) values ('red')")
    op.add_column("studies", sa.Column("colour", sa.Text))
    op.execute("update studies set colour = 'red'")
    with op.batch_alter_table("colours") as colours:
        colours.alter_column("name", nullable=False)
    op.create_index("ix_colours_name", "colours", ["name"])
"""

KILL_SQLITE = """
import json, os, shutil, sqlite3, sys
from pathlib import Path
import alembic.command, alembic.config
from ecosystemiser.store import engine, postgres, sqlite, upgrade

connect_as_always = sqlite.connect
old, migrations, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
upgrade.MIGRATIONS = migrations
for module in (engine, postgres, upgrade):
    module.SCHEMA_VERSION = "9000"

def dump(path):
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        return "\\n".join(connection.iterdump())
    finally:
        connection.close()

def upgrade_and_die(path, number):
    left = [number]

    def count(*_):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)

    watch(path, count)

def watch(path, count):
    def watched(*words, **named):
        connection = connect_as_always(*words, **named)
        if kind == "statement":
            connection.set_trace_callback(count)
        else:
            connection.set_progress_handler(count, 20)
        return connection

    sqlite.connect = watched
    engine.upgrade_database(path)

def attempt(number):
    path = old.with_name(f"attempt-{number}.sqlite")
    shutil.copy(old, path)
    child = os.fork()
    if child == 0:
        upgrade_and_die(path, number)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    found = dump(path)
    if number % 20 == 0:
        engine.upgrade_database(path)
        assert dump(path) == new, "it cannot be upgraded after it was killed"
    return status, "old" if found == before else "new" if found == new else f"between: {found}"

before = dump(old)
path = old.with_name("new.sqlite")
shutil.copy(old, path)
engine.upgrade_database(path)
new = dump(path)
assert new != before
reached = [0]

def measure(*_):
    reached[0] += 1

shutil.copy(old, path)
watch(path, measure)
sqlite.connect = connect_as_always
step = 1 if kind == "statement" else max(reached[0] // 80, 1)
number, seen = 0, []
while True:
    number += step
    status, found = attempt(number)
    seen.append([os.waitstatus_to_exitcode(status), found])
    if status == 0:
        break
print(json.dumps(seen))
"""


NEWEST = upgrade.SCHEMA_VERSION


@pytest.fixture
def old_url(postgres_url: str) -> str:
    """A database of the newest version that there is, with a study and its runs, before one more comes."""
    with open_database(postgres_url) as database, database.transaction() as connection:
        log_study(connection, {"study_id": "s1", "status": "completed"})
        rows = [{"run_id": f"r{n}", "study_id": "s1", "point": n, "total_cost": n / 7} for n in range(20)]
        log_runs(connection, [{**row, "simulation_status": "completed", "timestamp": TIME} for row in rows])
    return postgres_url


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pretend that there is one more version, 9000, after the newest that there is."""
    folder = tmp_path / "migrations"
    shutil.copytree(upgrade.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "v9000_next.py").write_text(NEXT.format(newest=upgrade.SCHEMA_VERSION))
    monkeypatch.setattr(upgrade, "MIGRATIONS", folder)
    for module in (engine, postgres_engine, upgrade):
        monkeypatch.setattr(module, "SCHEMA_VERSION", "9000")
    return folder


def make_old(path: Path) -> None:
    """Make a database of the oldest version with a study and its runs."""
    path.touch()
    with Database(locate(path), read_only=False) as database, database.transaction() as connection:
        migrate(connection, OLDEST)
        times = f"'{TIME}', '{TIME}', '{TIME}'"
        connection.exec_driver_sql(
            "INSERT INTO studies (study_id, status, timestamp, created_at, updated_at) "
            f"VALUES ('s1', 'completed', {times})"
        )
        for number in range(20):
            connection.exec_driver_sql(
                "INSERT INTO simulation_runs (run_id, study_id, simulation_status, total_cost, timestamp, "
                f"created_at, updated_at) VALUES ('r{number}', 's1', 'completed', {number / 7!r}, {times})"
            )
            connection.exec_driver_sql(
                "INSERT INTO study_runs (study_id, point, run_id, created_at) "
                f"VALUES ('s1', {number}, 'r{number}', '{TIME}')"
            )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
@pytest.mark.parametrize("kind", ["statement", "operations"])
def test_killed_at_any_moment_sqlite_has_the_old_database_or_the_new_one(
    tmp_path: Path, migrations: Path, kind: str
) -> None:
    old = tmp_path / "old.sqlite"
    make_old(old)
    done = subprocess.run(
        [sys.executable, "-c", KILL_SQLITE, old, migrations, kind], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen) > 20
    assert [status for status, _ in seen] == [-9] * (len(seen) - 1) + [0]
    assert [found for _, found in seen if found not in ("old", "new")] == []
    assert seen[0][1] == "old"
    assert seen[-1][1] == "new"


def state(server: PostgresServer, name: str) -> list[Any]:
    """Everything in the schema public of a database: its columns, indexes, views, triggers and rows."""
    columns = "table_name, column_name, ordinal_position, data_type, is_nullable, collation_name"
    queries = [
        f"SELECT {columns} FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    ]
    with psycopg.connect(server.url(name)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        queries += [f"SELECT t::text FROM {table} t ORDER BY 1" for (table,) in tables]
        return [connection.execute(query.encode()).fetchall() for query in queries]


def upgrade_while(url: str, before_each: Callable[[int, Any], None]) -> int:
    """Upgrade, and call a function before each statement; return how many there were."""
    number = 0
    with Database(locate(url), read_only=False) as database:

        def count(connection: Any, *_: object) -> None:
            nonlocal number
            number += 1
            before_each(number, connection)

        event.listen(database._engine, "before_cursor_execute", count)
        database.upgrade()
    return number


def count_until_backup(server: PostgresServer, name: str, folder: Path) -> tuple[int, int]:
    """Upgrade a copy; return the number of the first statement after the backup, and of the last one."""
    server.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}")
    after = []

    def note(number: int, _: object) -> None:
        if list((folder / "data").glob("*.sha256")):
            after.append(number)

    total = upgrade_while(server.url(f"{name}_copy"), note)
    server.drop_database(f"{name}_copy")
    return after[0], total


@pytest.mark.slow
def test_cut_off_at_any_statement_a_server_has_the_old_database(
    postgres: PostgresServer, old_url: str, tmp_path: Path, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = old_url.rpartition("/")[2]
    url = old_url
    before = state(postgres, name)
    # Until the backup is there only reading was done: of those many statements some will do.
    first, total = count_until_backup(postgres, name, tmp_path)
    for last in [1, first // 2, *range(first, total + 1)]:

        def cut(number: int, connection: Any, last: int = last) -> None:
            if number == last:
                pid = connection.connection.driver_connection.info.backend_pid
                postgres.execute(f"SELECT pg_terminate_backend({pid}, 5000)")

        with pytest.raises(DatabaseUnreachableError):
            upgrade_while(url, cut)
        assert state(postgres, name) == before, f"cut off before statement {last} of {total}"
    assert total - first > 10
    assert upgrade_while(url, lambda *_: None) == total
    assert state(postgres, name) != before
    with open_database(url) as database, database.reading() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["9000"]
        assert connection.exec_driver_sql("SELECT colour FROM studies").scalars().all() == ["red"]


def test_the_backup_before_an_upgrade_on_a_server_is_the_old_database_in_a_file(
    old_url: str, tmp_path: Path, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="older than 9000"):
        open_database(old_url, read_only=True)
    done = upgrade_database(old_url)
    assert (done.before, done.after) == (NEWEST, "9000")
    assert done.backup is not None
    assert done.backup.parent == tmp_path.resolve() / "data"
    assert upgrade_database(old_url).backup is None
    with Database(locate(done.backup), read_only=True) as database, database.reading() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == NEWEST
        found = connection.exec_driver_sql("SELECT total_cost, timestamp, point FROM runs ORDER BY id").all()
        assert [tuple(row) for row in found] == [(number / 7, TIME, number) for number in range(20)]
    assert upgrade_database(done.backup).after == "9000"  # a backup is a database like any other


def test_writers_wait_for_an_upgrade_and_readers_do_not(
    old_url: str, tmp_path: Path, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tried = []

    def try_to_write(number: int, connection: Any) -> None:
        backed_up = list((tmp_path / "data").glob("*.sha256")) if (tmp_path / "data").exists() else []
        if not backed_up or tried:
            return
        with Database(locate(old_url), read_only=False) as other:
            with other.reading() as reader:
                tried.append(reader.exec_driver_sql("SELECT count(*) FROM studies").scalar())
            with pytest.raises(StoreError, match="locked for too long"):
                write_briefly(other)

    def write_briefly(other: Database) -> None:
        with other.transaction() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            connection.exec_driver_sql("UPDATE studies SET status = 'failed'")

    upgrade_while(old_url, try_to_write)
    assert tried == [1]
    with open_database(old_url) as database, database.reading() as connection:
        assert connection.exec_driver_sql("SELECT status FROM studies").scalar() == "completed"
