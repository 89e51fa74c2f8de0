"""The database looked after on the command line: facts, checks, upgrades, backups, copies."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.cli import progress
from ecosystemiser.services import database_check
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.identity import own_identity
from ecosystemiser.store.owners import add_owner, beat
from ecosystemiser.store.runs import log_run
from ecosystemiser.store.schema import SCHEMA_VERSION, run_counts

FIRST_SCHEMA = Path(__file__).parents[2] / "data" / "databases" / "schema-0001.sqlite"
DATABASE = Path("data/simulation_index.sqlite")


@pytest.fixture
def with_hours(folder: Path, log_runs: Callable[..., None]) -> Callable[[str], Path]:
    """Return a function that logs a completed run with an hourly file, and returns its path."""

    def write(run_id: str) -> Path:
        path = folder / "data" / "results" / run_id / "hourly.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes(run_id.encode() * 100)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        log_runs({"run_id": run_id, "flows_path": str(path), "hourly_sha256": sha256})
        return path

    return write


def parts(said: Any) -> dict[str, dict[str, Any]]:
    return {part["subject"]: part for part in json.loads(said.out)}


@pytest.mark.parametrize("command", ["info", "backup"])
def test_a_database_that_is_not_there_yet_is_not_made(command: str, eco: Callable[..., Any]) -> None:
    said = eco("db", command)
    assert said.code == 2
    assert "is not there yet; the first run creates a database" in said.err
    assert not Path("data").exists()


def test_a_database_that_is_not_there_yet_has_nothing_wrong(eco: Callable[..., Any]) -> None:
    said = eco("db", "check")
    assert (said.code, said.out) == (0, "")
    assert "no database" in said.err
    assert not Path("data").exists()


def test_the_facts_are_told(log_runs: Callable[..., None], eco: Callable[..., Any]) -> None:
    log_runs({"run_id": "a"}, {"run_id": "b"}, {"run_id": "c", "simulation_status": "failed"})
    eco("runs", "delete", "a", "--yes")
    said = eco("db", "info")
    assert (said.code, said.err) == (0, "")
    assert max(len(line) for line in said.out.splitlines() if "/" not in line) <= 80
    told = " ".join(said.out.split())
    for words in (f"database {DATABASE.resolve()}", "engine SQLite 3.", f"schema {SCHEMA_VERSION}", "journal wal"):
        assert words in told
    assert "runs 2 runs: 1 ✓ completed, 1 ✕ failed deleted 1 run can be brought back" in told
    record = json.loads(eco("db", "info", "--format", "json").out)
    assert (record["engine"], record["runs"], record["deleted"]) == ("sqlite", 2, 1)
    assert record["rows"]["runs"] == {"rows": 3, "is_exact": True}
    (row,) = csv.DictReader(io.StringIO(eco("db", "info", "--format", "csv").out))
    assert row["runs"] == "2"


def test_a_sound_database_is_told_part_by_part(with_hours: Callable[[str], Path], eco: Callable[..., Any]) -> None:
    with_hours("a")
    said = eco("db", "check")
    assert (said.code, said.err) == (0, "")
    assert [line[0] for line in said.out.splitlines()[:4]] == ["✓"] * 4
    assert "1 of 1 there" in said.out
    assert said.out.endswith("\nNothing is wrong.\n")
    assert "1 of 1 as they were written" in eco("db", "check", "--files").out


def test_every_bad_hourly_file_is_named(with_hours: Callable[[str], Path], eco: Callable[..., Any]) -> None:
    missing, flipped, cut, _ = (with_hours(name) for name in ("missing", "flipped", "cut", "good"))
    missing.unlink()
    flipped.write_bytes(b"F" + flipped.read_bytes()[1:])
    cut.write_bytes(cut.read_bytes()[:-1])
    seen = eco("db", "check")
    assert seen.code == 1
    assert "✕ hourly files: 3 of 4 there" in seen.out
    told = " ".join(seen.out.split())
    assert f"run missing: its hours are missing: {missing}; make it again: ecosystemiser runs rerun missing" in told
    assert "1 thing wrong" in seen.out
    read = eco("db", "check", "--files", "--format", "json")
    assert read.code == 1
    findings = parts(read)["hourly files"]["findings"]
    assert [finding.split(": ")[:2] for finding in findings] == [
        ["run cut", "its hours are damaged"],
        ["run flipped", "its hours are damaged"],
        ["run missing", "its hours are missing"],
    ]
    rows = list(csv.DictReader(io.StringIO(eco("db", "check", "--format", "csv").out)))
    assert [row["is_sound"] for row in rows] == ["True", "True", "True", "False"]


def test_a_row_that_names_another_file_is_damaged(log_runs: Callable[..., None], eco: Callable[..., Any]) -> None:
    log_runs({"run_id": "a", "flows_path": "/etc/passwd", "hourly_sha256": "0" * 64})
    assert "run a: its hours are damaged" in " ".join(eco("db", "check").out.split())


def test_wrong_counts_are_told_and_set_right_where_asked(
    log_runs: Callable[..., None], log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log_runs({"run_id": "a"}, {"run_id": "b"})
    with log.transaction() as connection:
        connection.execute(run_counts.update().values(runs=7))
    said = eco("db", "check")
    assert said.code == 1
    assert "✕ counts of runs: wrong\n    counts: are not those of the runs" in said.out
    assert log.get_statistics()["runs"] != 2
    mended = eco("db", "check", "--mend")
    assert mended.code == 0
    assert "✓ counts of runs: were wrong, and were set right" in mended.out
    assert log.get_statistics()["runs"] == 2
    assert "✓ counts of runs: right" in eco("db", "check").out


def test_what_the_dead_left_is_closed(
    log_of_the_dead: Callable[..., None], log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log.log_simulation_run({"run_id": "alive"})
    log_of_the_dead("a", "b", study_id="sizing")
    said = eco("db", "check")
    assert said.code == 0
    assert "✓ runs of processes that died: 2 closed as interrupted" in said.out
    statuses = {row["run_id"]: row["simulation_status"] for row in log.query_simulation_runs()}
    assert statuses == {"alive": "running", "a": "interrupted", "b": "interrupted"}
    assert "runs of processes that died: none" in eco("db", "check").out


def test_owners_on_other_machines_are_watched_for_three_beats(
    log: DatabaseMetadataService, eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One stands still and is dead, the other beats on; progress is told meanwhile."""
    monkeypatch.setattr(database_check, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    there = replace(own_identity(), host="another-machine", boot_id="another-start")
    with log.transaction() as connection:
        still, beating = (add_owner(connection, replace(there, pid=pid), 0.2) for pid in (7, 8))
        log_run(connection, {"run_id": "left"}, still)
        log_run(connection, {"run_id": "under-way"}, beating)

    def beats(watched: DatabaseMetadataService, watch: Any) -> int:
        with log.transaction() as connection:
            beat(connection, beating)
        return closes(watched, watch)

    closes = DatabaseMetadataService.close_runs_of_the_dead
    monkeypatch.setattr(DatabaseMetadataService, "close_runs_of_the_dead", beats)
    said = eco("db", "check")
    assert said.code == 0
    assert "1 closed as interrupted" in said.out
    assert "Watching owners on other machines [s]: " in said.err
    statuses = {row["run_id"]: row["simulation_status"] for row in log.query_simulation_runs()}
    assert statuses == {"left": "interrupted", "under-way": "running"}


def test_where_the_tables_are_not_sound_nothing_is_written(
    log_of_the_dead: Callable[..., None], log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log_of_the_dead("a")
    log.close()
    with closing(sqlite3.connect(DATABASE)) as connection:
        connection.execute("DROP INDEX ix_runs_total_cost")
    said = eco("db", "check")
    assert said.code == 1
    assert "✕ tables: 1 found\n    runs: its index ix_runs_total_cost is missing" in said.out
    assert said.widest <= 80
    assert "counts" not in said.out
    assert [row["simulation_status"] for row in json.loads(eco("runs", "list", "--format", "json").out)] == ["running"]


@pytest.mark.parametrize("command", [("info",), ("check",), ("backup",), ("upgrade",)])
@pytest.mark.parametrize("content", [b"", b"text\n"])
def test_what_is_no_database_is_left_alone(command: tuple[str, ...], content: bytes, eco: Callable[..., Any]) -> None:
    Path("x.sqlite").write_bytes(content)
    said = eco("db", *command, "--db", "x.sqlite")
    assert said.code == 1
    assert "x.sqlite" in said.err
    assert Path("x.sqlite").read_bytes() == content


def test_an_older_schema_is_upgraded_where_asked_and_not_by_looking(eco: Callable[..., Any]) -> None:
    shutil.copy(FIRST_SCHEMA, "old.sqlite")
    before = Path("old.sqlite").read_bytes()
    for command in (("runs", "list"), ("study", "list"), ("db", "info"), ("db", "check")):
        said = eco(*command, "--db", "old.sqlite")
        assert said.code == 1
        assert "ecosystemiser db upgrade" in said.err
    assert Path("old.sqlite").read_bytes() == before
    said = eco("db", "upgrade", "--db", "old.sqlite")
    assert (said.code, said.err) == (0, "")
    first, second = said.out.splitlines()
    assert first.endswith(f"old.sqlite: schema 0001 upgraded to {SCHEMA_VERSION}.")
    assert Path(second.removeprefix("Backup: ")).exists()
    assert eco("runs", "list", "--count", "--db", "old.sqlite").out == "6\n"
    assert "is up to date" in eco("db", "upgrade", "--db", "old.sqlite").out
    assert "Created" in eco("db", "upgrade", "--db", "new.sqlite").out


def test_a_backup_opens_like_any_database(log_runs: Callable[..., None], eco: Callable[..., Any]) -> None:
    log_runs({"run_id": "a", "total_cost": 5.0})
    said = eco("db", "backup", "copy.sqlite")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Backup: {Path('copy.sqlite').resolve()} (")
    assert eco("runs", "list", "--db", "copy.sqlite", "--count").out == "1\n"
    named, _, digest = said.out.rpartition("SHA-256 in ")
    assert named
    sha256, name = Path(digest.strip()).read_text().split()
    assert (hashlib.sha256(Path(name).read_bytes()).hexdigest(), name) == (sha256, "copy.sqlite")
    again = eco("db", "backup", "copy.sqlite")
    assert again.code == 1
    assert "is there already" in again.err


def test_a_backup_without_a_name_stands_beside_the_database(
    log_runs: Callable[..., None], eco: Callable[..., Any]
) -> None:
    log_runs({"run_id": "a"})
    eco("db", "backup")
    (path,) = DATABASE.parent.glob("simulation_index.backup-*Z.sqlite")
    assert eco("runs", "list", "--db", str(path), "--count").out == "1\n"


def test_a_copy_holds_all_and_is_made_once(log_runs: Callable[..., None], eco: Callable[..., Any]) -> None:
    log_runs({"run_id": "a"}, {"run_id": "b"})
    said = eco("db", "copy", str(DATABASE), "other.sqlite")
    assert (said.code, said.err) == (0, "")
    assert "all compare equal" in said.out
    assert "runs 2" in " ".join(said.out.split())
    assert eco("runs", "list", "--db", "other.sqlite", "--count").out == "2\n"
    assert "nothing was copied" in eco("db", "copy", str(DATABASE), "other.sqlite").err
    missing = eco("db", "copy", "none.sqlite", "third.sqlite")
    assert missing.code == 2
    assert not Path("third.sqlite").exists()


def test_a_spool_is_replayed_once(log: DatabaseMetadataService, eco: Callable[..., Any]) -> None:
    for run_id in ("a", "b"):
        log.log_simulation_run({"run_id": run_id})
    done = {"simulation_status": "completed", "total_cost": 5.0}
    log.log_simulation_run({"run_id": "b", **done})
    spool = Path("s.spool.jsonl")
    spool.write_text("".join(f"{json.dumps({'run_id': run_id, **done})}\n" for run_id in ("a", "b")))
    said = eco("db", "replay", str(spool))
    assert (said.code, said.out) == (0, "1 outcome logged, 1 in the log already.\n")
    assert (log.get_simulation_run("a") or {})["total_cost"] == 5.0
    assert not spool.exists()
    assert eco("db", "replay", str(spool)).code == 1
    spool.write_text("no spool\nat all\n")
    assert eco("db", "replay", str(spool)).code == 2
