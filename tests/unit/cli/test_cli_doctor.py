"""What is wrong here, and what to do."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.solver_options import SOLVER_TYPES
from ecosystemiser.services import doctor
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService


@pytest.fixture
def examined(folder: Path) -> Callable[..., dict[str, doctor.Diagnosis]]:
    """Return a function that gives every diagnosis by its subject."""

    def examine(path: str = "runs.sqlite") -> dict[str, doctor.Diagnosis]:
        with DatabaseMetadataService(folder / path) as log:
            return {found.subject: found for found in doctor.examine(log)}

    return examine


def test_a_sound_machine_is_told_line_by_line(eco: Callable[..., Any]) -> None:
    said = eco("doctor")
    assert said.code == 0
    assert "Nothing is wrong." in said.out
    for subject in ("python", "highspy", "numba", "numpy", "sqlalchemy", "pyarrow", "database", "disk"):
        assert f"✓ {subject}" in said.out
    for solver in SOLVER_TYPES:
        assert f"solver {solver}" in said.out
    assert not Path("data").exists()


def test_programs_get_the_same(eco: Callable[..., Any]) -> None:
    rows = json.loads(eco("doctor", "--format", "json").out)
    assert {row["health"] for row in rows} <= {"ok", "warning"}
    assert [row["subject"] for row in rows] == [
        row["subject"] for row in csv.DictReader(io.StringIO(eco("doctor", "--format", "csv").out))
    ]


def test_a_version_with_wrong_results_is_wrong(monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: "1.14.0")
    said = eco("doctor")
    assert said.code == 1
    assert "wrong: 1.14.0 gives wrong results; pip install --upgrade highspy" in " ".join(said.out.split())
    assert "1 wrong" in said.out


def test_a_package_that_is_missing_is_wrong(
    monkeypatch: pytest.MonkeyPatch, examined: Callable[..., dict[str, doctor.Diagnosis]]
) -> None:
    def missing(name: str) -> str:
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", missing)
    assert examined()["numba"].health is doctor.Health.WRONG


def test_a_solver_that_breaks_is_told_not_raised(
    monkeypatch: pytest.MonkeyPatch, examined: Callable[..., dict[str, doctor.Diagnosis]]
) -> None:
    def broken(*_: object) -> object:
        raise OSError("no library")

    monkeypatch.setattr("ecosystemiser.services.worker.prepare", broken)
    found = examined()["solver milp"]
    assert found.health is doctor.Health.WRONG
    assert "no library" in found.found


def test_a_database_is_read_and_left_alone(folder: Path, examined: Callable[..., dict[str, doctor.Diagnosis]]) -> None:
    with DatabaseMetadataService(folder / "runs.sqlite") as log:
        log.log_simulation_run({"run_id": "a"})
    before = (folder / "runs.sqlite").read_bytes()
    found = examined()
    assert "1 runs, schema" in found["database"].found
    assert found["database log"].health is doctor.Health.OK
    assert (folder / "runs.sqlite").read_bytes() == before


def test_runs_of_processes_that_died_are_a_warning(
    log_of_the_dead: Callable[..., None], log: DatabaseMetadataService, examined: Callable[..., Any]
) -> None:
    log_of_the_dead("a", "b")
    found = examined("data/simulation_index.sqlite")["runs left behind"]
    assert found.health is doctor.Health.WARNING
    assert found.found == "2 of processes that have died"
    assert "ecosystemiser db check" in found.remedy
    assert {row["simulation_status"] for row in log.query_simulation_runs()} == {"running"}


def test_a_database_without_its_log_is_a_warning(
    folder: Path, examined: Callable[..., dict[str, doctor.Diagnosis]]
) -> None:
    with DatabaseMetadataService(folder / "runs.sqlite") as log:
        log.log_simulation_run({"run_id": "a"})
    connection = sqlite3.connect(folder / "runs.sqlite")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    assert examined()["database log"].health is doctor.Health.WARNING


def test_an_older_schema_is_a_warning(folder: Path, examined: Callable[..., dict[str, doctor.Diagnosis]]) -> None:
    with DatabaseMetadataService(folder / "runs.sqlite") as log:
        log.log_simulation_run({"run_id": "a"})
    connection = sqlite3.connect(folder / "runs.sqlite")
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.commit()
    connection.close()
    found = examined()["database"]
    assert found.health is doctor.Health.WARNING
    assert "upgrades" in found.remedy


@pytest.mark.parametrize("content", [b"", b"text"])
def test_what_is_no_database_is_wrong(
    content: bytes, folder: Path, examined: Callable[..., dict[str, doctor.Diagnosis]]
) -> None:
    (folder / "runs.sqlite").write_bytes(content)
    found = examined()["database"]
    assert found.health is doctor.Health.WRONG
    assert "--db" in found.remedy


@pytest.mark.parametrize(
    ("free", "health"), [(10**10, doctor.Health.OK), (10**8, doctor.Health.WARNING), (10**6, doctor.Health.WRONG)]
)
def test_little_room_on_the_disk_is_told(
    free: int,
    health: doctor.Health,
    monkeypatch: pytest.MonkeyPatch,
    examined: Callable[..., dict[str, doctor.Diagnosis]],
) -> None:
    usage = shutil.disk_usage(".")._replace(free=free)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    assert examined()["disk"].health is health


def test_a_folder_that_may_not_be_written_is_wrong(
    monkeypatch: pytest.MonkeyPatch, examined: Callable[..., dict[str, doctor.Diagnosis]]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # permissions do not bind root
    found = examined()
    assert found["database"].health is doctor.Health.WRONG
    assert found["numba cache"].health is doctor.Health.WARNING
