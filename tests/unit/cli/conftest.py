"""The command line, called in an empty folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.cli.entry import exit_code
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.identity import own_identity
from ecosystemiser.store.owners import add_owner
from ecosystemiser.store.runs import log_run
from ecosystemiser.store.studies import log_study


@dataclass(frozen=True)
class Said:
    """What a call of the command line ended with."""

    code: int
    out: str
    err: str

    @property
    def widest(self) -> int:
        return max(len(line) for line in self.out.splitlines())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, a terminal of 80 columns, no database named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return tmp_path


@pytest.fixture
def eco(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that calls the command line."""

    def call(*arguments: str) -> Said:
        code = exit_code(arguments)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def log(folder: Path) -> Iterator[DatabaseMetadataService]:
    """The log in the default place."""
    with DatabaseMetadataService() as service:
        yield service


@pytest.fixture
def log_runs(log: DatabaseMetadataService) -> Callable[..., None]:
    """Return a function that logs completed runs with these columns, one for each dict."""

    def write(*rows: dict[str, Any]) -> None:
        for row in rows:
            start = {"run_id": row["run_id"], "currency": "EUR", "timesteps": 8760}
            log.log_simulation_run(start | {"system_id": "farm", "solver_type": "milp"})
            log.log_simulation_run({"simulation_status": "completed"} | row)

    return write


@pytest.fixture
def log_of_the_dead(log: DatabaseMetadataService) -> Callable[..., None]:
    """Return a function that logs running runs, of a study where one is named, whose process has ended."""

    def write(*run_ids: str, study_id: str | None = None) -> None:
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        identity = replace(own_identity(), pid=child.pid, process_start="1")
        with log.transaction() as connection:
            owner = add_owner(connection, identity, 10.0)
            if study_id is not None:
                log_study(connection, {"study_id": study_id, "points": 5}, owner)
            for point, run_id in enumerate(run_ids):
                row = {"run_id": run_id, "study_id": study_id, "point": None if study_id is None else point}
                log_run(connection, row, owner)

    return write
