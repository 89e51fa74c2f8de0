"""Steps that tests of the store share."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from ecosystemiser.store.engine import Database
from ecosystemiser.store.queries import query_runs
from ecosystemiser.store.runs import get_run, log_run

__all__ = ["finish", "log", "read_back", "run_ids", "start"]


def log(database: Database, run_id: str = "r1", **values: object) -> None:
    with database.transaction() as connection:
        log_run(connection, {"run_id": run_id, **values})


def read_back(database: Database, run_id: str = "r1") -> dict[str, Any]:
    with database.reading() as connection:
        row = get_run(connection, run_id)
    assert row is not None
    return row


def run_ids(database: Database, **query: Any) -> list[str]:
    with database.reading() as connection:
        return [row["run_id"] for row in query_runs(connection, **query)]


def start(script: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *map(str, words)], stderr=subprocess.PIPE, text=True)


def finish(processes: list[subprocess.Popen[str]]) -> None:
    said = [process.communicate(timeout=180)[1] for process in processes]
    assert [(process.returncode, text) for process, text in zip(processes, said, strict=True)] == [(0, "")] * len(said)
