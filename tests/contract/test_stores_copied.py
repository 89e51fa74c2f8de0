"""Backups, copies, and what is found out about a database, on either engine."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table
from tests.servers import PostgresServer
from tests.stores import finish, log, read_back, run_ids, start

from ecosystemiser.errors import StoreError
from ecosystemiser.store import catalogue, files, sqlite, transfer
from ecosystemiser.store.backup import backup
from ecosystemiser.store.condition import check, info
from ecosystemiser.store.copying import copy
from ecosystemiser.store.curation import add_tags
from ecosystemiser.store.documents import store_document
from ecosystemiser.store.engine import Database, open_database
from ecosystemiser.store.location import EngineName
from ecosystemiser.store.queries import query_runs
from ecosystemiser.store.runs import log_runs
from ecosystemiser.store.schema import SCHEMA_VERSION, metadata
from ecosystemiser.store.studies import log_study
from ecosystemiser.store.transfer import TableDigest, data_tables, digest_of

WRITER = """
import sys
from pathlib import Path
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

with open_database(sys.argv[1]) as database:
    number = 0
    while not Path(sys.argv[3]).exists():
        with database.transaction() as connection:
            log_run(connection, {"run_id": f"p{sys.argv[2]}-{number}-a"})
            log_run(connection, {"run_id": f"p{sys.argv[2]}-{number}-b", "metadata_json": {"text": "x" * 2000}})
        number += 1
"""

KILLED = """
import os, signal, sys
from ecosystemiser.store.backup import backup
from ecosystemiser.store.engine import open_database

def die(done, total):
    os.kill(os.getpid(), signal.SIGKILL)

with open_database(sys.argv[1]) as database:
    backup(database, sys.argv[2], die)
"""

METRICS = 10
AWKWARD: dict[str, dict[str, object]] = {
    "text": {"system_id": "Ünïcödé 漢字 🌞 '\"%s\\ \r\n"},
    "empty": {"system_id": ""},
    "nothing": {},
    "small": {"total_cost": 5e-324, "objective": -1e-300, "mip_gap": 0.0},
    "large": {"total_cost": sys.float_info.max, "objective": -sys.float_info.max},
    "third": {"total_cost": 1 / 3, "bound": 0.1 + 0.2},
    "whole": {"total_cost": 7, "timesteps": 8760},
    "zero": {"total_cost": -0.0},
    "varied": {"parameters_json": {"battery.capacity_kwh": 80, "roof.tilt": 1 / 3, "grid": "naïve", "on": True}},
    "early": {"timestamp": "0001-01-01T00:00:00Z"},
    "late": {"timestamp": "9999-12-31T23:59:59.999999Z", "metadata_json": {"a": [None, True, "é"]}},
}


def fill(database: Database, runs: int = 0) -> None:
    """Log a study with awkward values, and more runs."""
    with database.transaction() as connection:
        log_study(connection, {"study_id": "s1", "settings_json": {"kind": "naïve"}})
        rows = [{"run_id": name, "study_id": "s1", "point": n, **AWKWARD[name]} for n, name in enumerate(AWKWARD)]
        log_runs(connection, rows)
        log_runs(connection, [{"run_id": f"r{n}", "total_cost": n / 7} for n in range(runs)])
        add_tags(connection, ["text", "zero"], ["schön", "two"])
        store_document(connection, "system", "a: 1\n")
        log_metrics(connection, range(METRICS))


def log_metrics(connection: Connection, generations: Iterable[int]) -> None:
    values = {"study_id": "s1", "metric": "best", "value": 0.1, "created_at": "2026-11-25T00:00:00.000000Z"}
    rows = [{**values, "generation": generation} for generation in generations]
    connection.execute(metadata.tables["convergence_metrics"].insert(), rows)


def digests(database: Database) -> dict[str, tuple[int, str]]:
    with database.reading() as connection:
        found = [digest_of(connection, table) for table in data_tables()]
    return {digest.table: (digest.rows, digest.sha256) for digest in found}


def everything(database: Database) -> list[dict[str, object]]:
    with database.reading() as connection:
        return query_runs(connection)


@pytest.fixture(params=["sqlite", "postgresql"])
def other_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Another place where nothing is yet."""
    if request.param == "sqlite":
        yield str(tmp_path / "other.sqlite")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


# Copies


def test_a_copy_holds_every_row_as_it_was_on_either_engine(database: Database, other_place: str) -> None:
    fill(database, runs=2500)
    told: list[tuple[int, int]] = []
    copied = copy(database, other_place, lambda done, total: told.append((done, total)))
    with open_database(other_place) as other:
        assert everything(other) == everything(database)
        assert digests(other) == digests(database) == {t.table: (t.rows, t.sha256) for t in copied.tables}
        assert check(other) == ()
        log(other, "next")  # its number must not be one that was copied
        assert run_ids(other, limit=2) == ["next", "r2499"]
    assert copied.rows == told[-1][0] == told[-1][1] == sum(table.rows for table in copied.tables)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert (copied.source, str(copied.target)) == (database.location, str(other.location))


def test_a_digest_tells_rows_apart(database: Database) -> None:
    unsaid = {"total_cost": None, "objective": None, "system_id": None, "solver_type": None, "timesteps": None}
    seen = []
    for values in (
        {},
        {"total_cost": 0},
        {"objective": 0},
        {"total_cost": 5e-324},
        {"system_id": ""},
        {"system_id": "0"},
        {"solver_type": "0"},
        {"system_id": "0", "solver_type": "1"},
        {"system_id": "01", "solver_type": ""},
        {"timesteps": 0},
        {},
        {"total_cost": -0.0},
    ):
        log(database, "r1", **{**unsaid, **values})
        with database.transaction() as connection:
            # The time of the last change would be another each time.
            connection.execute(metadata.tables["runs"].update().values(updated_at="2026-11-25T00:00:00.000000Z"))
        seen.append(digests(database)["runs"])
    assert len(set(seen)) == 10
    assert (seen[0], seen[1]) == (seen[-2], seen[-1])


def test_a_copy_into_rows_is_refused_and_changes_nothing(database: Database, other_place: str) -> None:
    fill(database)
    with open_database(other_place) as other:
        log(other, "there")
    with pytest.raises(StoreError, match="already"):
        copy(database, other_place)
    with open_database(other_place) as other:
        assert run_ids(other) == ["there"]


def test_a_copy_that_breaks_off_leaves_nothing(database: Database, other_place: str) -> None:
    fill(database, runs=1500)

    def fail(done: int, _total: int) -> None:
        if done > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(database, other_place, fail)
    with open_database(other_place) as other:
        assert run_ids(other) == []
    assert copy(database, other_place).rows > 1500


def test_a_copy_that_is_not_equal_is_not_kept(
    database: Database, other_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database)

    def lose_a_row_first(connection: Connection, table: Table) -> TableDigest:
        if table.name == "convergence_metrics":
            connection.execute(table.delete().where(table.c.generation == 3))
        return digest_of(connection, table)

    monkeypatch.setattr(transfer, "digest_of", lose_a_row_first)
    with pytest.raises(StoreError, match=r"convergence_metrics holds 9 rows .* of 10 rows .* Nothing was kept"):
        copy(database, other_place)
    with open_database(other_place) as other:
        assert run_ids(other) == []


def test_triggers_do_not_fire_for_copied_rows_and_stay(database: Database, other_place: str) -> None:
    fill(database)
    with open_database(other_place) as other, other.transaction() as connection:
        if other.location.engine is EngineName.SQLITE:
            connection.exec_driver_sql(
                "CREATE TRIGGER guard BEFORE INSERT ON convergence_metrics BEGIN SELECT RAISE(ABORT, 'guarded'); END"
            )
        else:
            connection.exec_driver_sql(
                "CREATE FUNCTION guard() RETURNS trigger AS $$ BEGIN RAISE 'guarded'; END $$ LANGUAGE plpgsql"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER guard BEFORE INSERT ON convergence_metrics FOR EACH ROW EXECUTE FUNCTION guard()"
            )
    copy(database, other_place)
    with open_database(other_place) as other:
        assert digests(other) == digests(database)
        with pytest.raises(StoreError, match="guarded"), other.transaction() as connection:
            log_metrics(connection, [99])


# Backups


def test_a_backup_is_one_sound_file_with_its_checksum(database: Database, tmp_path: Path) -> None:
    fill(database, runs=1500)
    told: list[tuple[int, int]] = []
    target = tmp_path / "backups of May" / "b.sqlite"
    target.parent.mkdir()
    done = backup(database, target, lambda part, whole: told.append((part, whole)))
    assert sorted(file.name for file in target.parent.iterdir()) == ["b.sqlite", "b.sqlite.sha256"]
    content = target.read_bytes()
    assert (done.path, done.sha256, done.bytes) == (target, hashlib.sha256(content).hexdigest(), len(content))
    subprocess.run(["sha256sum", "--check", "--strict", done.checksum_path], cwd=target.parent, check=True)
    assert told[-1][0] == told[-1][1] > 0
    with open_database(target, read_only=True) as restored:
        assert digests(restored) == digests(database)
        assert info(restored).journal_mode == "delete"
        assert check(restored) == ()
    assert target.read_bytes() == content
    with open_database(target) as restored:
        log(restored, "next")
        assert run_ids(restored, limit=1) == ["next"]


def test_a_backup_replaces_nothing(database: Database, tmp_path: Path) -> None:
    for taken in ("b.sqlite", "b.sqlite.sha256"):
        (tmp_path / taken).write_text("mine")
        with pytest.raises(StoreError, match="there already"):
            backup(database, tmp_path / "b.sqlite")
        assert (tmp_path / taken).read_text() == "mine"
        (tmp_path / taken).unlink()
    assert not list(tmp_path.glob("*b.sqlite*"))
    with pytest.raises(StoreError, match=r"folder .*nowhere does not exist"):
        backup(database, tmp_path / "nowhere" / "b.sqlite")


def test_backups_while_others_write_show_one_moment_each(place: str, tmp_path: Path) -> None:
    with open_database(place) as database:
        log(database)
        writers = [start(WRITER, place, number, tmp_path / "stop") for number in range(3)]
        while len(run_ids(database, limit=20)) < 20:
            time.sleep(0.01)
        backups = []
        for number in range(4):
            backups.append(backup(database, tmp_path / f"b{number}.sqlite"))
            time.sleep(0.1)
        (tmp_path / "stop").touch()
        finish(writers)
    sizes = []
    for done in backups:
        with open_database(done.path, read_only=True) as restored:
            assert check(restored) == ()
            found = set(run_ids(restored))
        sizes.append(len(found))
        for number in range(3):
            of_writer = [name for name in found if name.startswith(f"p{number}-")]
            pairs = len(of_writer) // 2
            assert set(of_writer) == {f"p{number}-{pair}-{half}" for pair in range(pairs) for half in "ab"}
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_backup_that_is_killed_leaves_no_backup(place: str, tmp_path: Path) -> None:
    with open_database(place) as database:
        fill(database, runs=100)
    target = tmp_path / "b.sqlite"
    process = start(KILLED, place, target)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not target.exists()
    assert not target.with_name("b.sqlite.sha256").exists()
    with open_database(place) as database:
        assert backup(database, target).path == target


def test_a_backup_on_a_full_disk_leaves_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "full"
    folder.mkdir()
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreError, match="disk is full"):
        backup(database, folder / "b.sqlite")
    assert list(folder.iterdir()) == []


def test_a_disk_without_second_names_gets_backups_too(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", refuse)
    folder = tmp_path / "stick"
    folder.mkdir()
    done = backup(database, folder / "b.sqlite")
    assert hashlib.sha256(done.path.read_bytes()).hexdigest() == done.sha256
    assert sorted(file.name for file in folder.iterdir()) == ["b.sqlite", "b.sqlite.sha256"]
    with pytest.raises(StoreError, match="there already"):
        backup(database, folder / "b.sqlite")


# Facts and findings


def test_facts_of_a_database(database: Database) -> None:
    fill(database)
    facts = info(database)
    assert facts.engine is database.location.engine
    assert facts.location == str(database.location)
    assert facts.schema_version == SCHEMA_VERSION
    assert facts.size_bytes > 10_000
    assert facts.journal_mode == "wal"
    assert facts.engine_version[0].isdigit()
    assert {name: count.rows for name, count in facts.rows.items()}["convergence_metrics"] == METRICS
    assert all(count.is_exact for count in facts.rows.values())


def test_a_sound_database_has_no_findings(database: Database) -> None:
    assert check(database) == ()
    fill(database)
    assert check(database) == ()


def test_what_is_missing_is_found(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE uncertainty_analysis")
        connection.exec_driver_sql("DROP INDEX ix_studies_timestamp")
        connection.exec_driver_sql("ALTER TABLE studies DROP COLUMN settings_json")
    found = {(finding.key, finding.message) for finding in check(database)}
    assert found == {
        ("uncertainty_analysis", "is missing"),
        ("studies.settings_json", "is missing"),
        ("studies", "its index ix_studies_timestamp is missing"),
    }


def test_rows_that_refer_to_nothing_are_found(database: Database) -> None:
    fill(database)
    if database.location.engine is EngineName.SQLITE:
        with closing(sqlite3.connect(database.location.path)) as connection, connection:
            connection.execute("DELETE FROM studies")
    else:
        with database.transaction() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql("DELETE FROM studies")
    (finding,) = check(database)
    assert finding.key == "convergence_metrics"
    assert finding.message == f"{METRICS} rows refer to rows of studies that are not there"


def test_damage_of_a_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    with open_database(path) as database:
        fill(database, runs=2000)
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(whole)
    with open_database(path) as database:
        assert check(database) != ()
        with pytest.raises(StoreError, match="damaged"):
            backup(database, tmp_path / "b.sqlite")
    assert not list(tmp_path.glob("*b.sqlite*"))


def test_harm_on_a_server_is_found(postgres_url: str) -> None:
    with open_database(postgres_url) as database:
        fill(database)
        with database.transaction() as connection:
            connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('studies', 'id'), 1, false)")
            connection.exec_driver_sql(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_studies_timestamp'::regclass"
            )
        found = [str(finding) for finding in check(database)]
    assert len(found) == 2
    assert "ix_studies_timestamp is not valid" in found[0]
    assert "studies_id_seq: would give numbers that are taken: 1 is there" in found[1]


def test_a_damaged_index_is_found_where_amcheck_is_there(postgres: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    if not postgres.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'"):
        pytest.skip("the server has no amcheck")
    postgres.execute("CREATE EXTENSION amcheck", name)
    with open_database(postgres_url) as database:
        fill(database)
        assert check(database) == ()
        switch = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'ix_studies_timestamp'::regclass"
        postgres.execute(switch.format(False), name)
        with database.transaction() as connection:
            log_study(connection, {"study_id": "s2"})  # of which that index does not learn
        postgres.execute(switch.format(True), name)
        (finding,) = check(database)
    assert "ix_studies_timestamp is damaged" in finding.message


def test_counts_of_large_tables_are_estimates(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database, runs=500)
    for module in (catalogue, sqlite):
        monkeypatch.setattr(module, "_COUNTED_ROWS", 100)
    counts = info(database).rows
    largest = max(counts.values(), key=lambda count: count.rows)
    assert not largest.is_exact
    assert 101 <= largest.rows <= 600
    assert counts["studies"].is_exact
    assert read_back(database, "r1")["run_id"] == "r1"
