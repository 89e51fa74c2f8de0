"""Upgrading older databases."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from ecosystemiser.errors import StoreError
from ecosystemiser.store import engine, files, upgrade
from ecosystemiser.store.engine import open_database, upgrade_database
from ecosystemiser.store.runs import log_run
from ecosystemiser.store.schema import SCHEMA_VERSION

NEXT = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "9000", "{newest}"

def upgrade():
    op.add_column("runs", sa.Column("extra", sa.Text))
    with op.batch_alter_table("studies") as studies:
        studies.add_column(sa.Column("colour", sa.Text))
    {last}
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "runs.sqlite"
    with open_database(path) as database, database.transaction() as connection:
        log_run(connection, {"run_id": "r1"})
        connection.exec_driver_sql(
            "insert into studies (study_id, status, timestamp, created_at, updated_at) "
            "values ('s', 'running', '', '', '')"
        )
        connection.exec_driver_sql(
            "insert into convergence_metrics (study_id, generation, metric, created_at) values ('s', 0, 'm', '')"
        )
    return path


@pytest.fixture
def next_version(tmp_path, monkeypatch):
    """Pretend that there is a schema 9000, made by a migration that ends with the given statement."""

    def pretend(last="pass"):
        migrations = tmp_path / "migrations 100%"
        shutil.copytree(upgrade.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
        text = NEXT.format(last=last, newest=SCHEMA_VERSION)
        (migrations / "versions" / "v9000_next.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(upgrade, "MIGRATIONS", migrations)
        for module in (upgrade, engine):
            monkeypatch.setattr(module, "SCHEMA_VERSION", "9000")

    return pretend


def state(path):
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("select version_num from alembic_version").fetchone()
        columns = [row[1] for row in connection.execute("pragma table_info(runs)")]
        colours = [row[1] for row in connection.execute("pragma table_info(studies)")]
        metrics = connection.execute("select count(*) from convergence_metrics").fetchone()[0]
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    return version, "extra" in columns, "colour" in colours, metrics


def beside(path):
    return sorted(file for file in path.parent.iterdir() if file.name.startswith(("runs.sqlite", ".runs")))


def test_a_current_database_stays_as_it_is(path):
    before = path.read_bytes()
    assert upgrade_database(path) == upgrade.Upgrade(SCHEMA_VERSION, SCHEMA_VERSION, None)
    assert path.read_bytes() == before
    assert beside(path) == [path]


def test_a_missing_database_is_created(tmp_path):
    assert upgrade_database(tmp_path / "new.sqlite") == upgrade.Upgrade(None, SCHEMA_VERSION, None)
    assert (tmp_path / "new.sqlite").exists()


def test_an_older_database_is_upgraded_with_a_backup_beside_it(path, next_version):
    next_version()
    done = upgrade_database(path)
    assert (done.before, done.after) == (SCHEMA_VERSION, "9000")
    assert state(path) == ("9000", True, True, 1)
    assert state(done.backup) == (SCHEMA_VERSION, False, False, 1)
    assert beside(path) == [path, done.backup, done.backup.with_name(f"{done.backup.name}.sha256")]


def test_opening_for_writing_upgrades(path, next_version):
    next_version()
    open_database(path).close()
    assert state(path)[0] == "9000"


def test_opening_for_reading_refuses_an_older_one(path, next_version):
    next_version()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="older than 9000"):
        open_database(path, read_only=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("last", ["raise RuntimeError('killed')", "op.execute('select * from nowhere')"])
def test_an_upgrade_that_fails_at_its_last_statement_changes_nothing(path, next_version, last):
    next_version(last)
    with pytest.raises((RuntimeError, StoreError)):
        upgrade_database(path)
    assert state(path) == (SCHEMA_VERSION, False, False, 1)


def test_an_upgrade_that_would_orphan_rows_changes_nothing(path, next_version):
    next_version("op.execute('delete from studies')")
    with pytest.raises(StoreError, match="refer to"):
        upgrade_database(path)
    assert state(path) == (SCHEMA_VERSION, False, False, 1)


def test_the_backup_holds_what_is_still_in_the_log(path, next_version):
    next_version()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("update runs set solver_type = 'hybrid'")
        done = upgrade_database(path)
    with closing(sqlite3.connect(done.backup)) as backup:
        assert backup.execute("select solver_type from runs").fetchall() == [("hybrid",)]


def test_no_backup_no_upgrade(path, next_version, monkeypatch):
    next_version()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreError, match="disk is full"):
        upgrade_database(path)
    assert state(path)[0] == SCHEMA_VERSION
    assert beside(path) == [path]
