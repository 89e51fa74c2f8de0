"""One run in the log: the row `running`, then the row with all KPIs, each on the disk; beside sqlite3 alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Row, by_turns

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["rows"]

MOST = 4.0
Values = dict[str, object]


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    with disk_folder() as folder:
        path = folder / "ours.sqlite"
        with DatabaseMetadataService(path) as service, bare(path, folder / "bare.sqlite") as connection:
            numbers = count()

            def ours() -> None:
                start, end = _run(f"run-{next(numbers)}")
                service.log_simulation_run(start)
                service.log_simulation_run(end)

            def peer() -> None:
                start, end = _run(f"run-{next(numbers)}")
                insert(connection, start)
                update(connection, end)

            pair = by_turns(ours, peer, effort.many_repeats, warm_ups=5, tidy=False)
    note = "each of the two commits waits for the disk (WAL, synchronous FULL), in both"
    return [Row("logging", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, note=note, details=pair.details())]


def _run(run_id: str) -> tuple[Values, Values]:
    now = datetime.now(UTC).isoformat()
    start: Values = {
        "run_id": run_id,
        "study_id": "bench",
        "system_id": "reference",
        "timesteps": 8760,
        "timestamp": now,
        "solver_type": "milp",
        "simulation_status": "running",
        "results_path": f"results/{run_id}",
        "parameters_json": '{"battery.capacity_kwh": 80}',
        "config_hash": "0" * 64,
    }
    end: Values = {
        "run_id": run_id,
        "simulation_status": "completed",
        **{name: 0.5 + at for at, name in enumerate(KPI_NAMES)},
        "flows_path": f"results/{run_id}/hourly.parquet",
        "hourly_sha256": "0" * 64,
        "components_path": f"results/{run_id}/components.json",
        "solver_status": "optimal",
        "objective": 16000.0,
        "bound": 16000.0,
        "mip_gap": 0.0,
        "solve_seconds": 1.5,
        "balance_residual": 1e-12,
        "wall_seconds": 2.0,
    }
    return start, end


@contextmanager
def bare(ours: Path, path: Path) -> Iterator[sqlite3.Connection]:
    """Open sqlite3 on a new file with the table of runs as `ours` has it, indexes included, and as durable."""
    with DatabaseMetadataService(ours) as service:
        service.log_simulation_run({"run_id": "first"})
    with closing(sqlite3.connect(f"{ours.as_uri()}?mode=ro", uri=True)) as theirs:
        wanted = "SELECT sql FROM sqlite_master WHERE tbl_name = 'simulation_runs' AND sql IS NOT NULL"
        made = [statement for (statement,) in theirs.execute(wanted)]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        for statement in made:
            connection.execute(statement)
        yield connection


def insert(connection: sqlite3.Connection, row: Values) -> None:
    """Insert a row and commit."""
    now = datetime.now(UTC).isoformat()
    values = {**row, "created_at": now, "updated_at": now}
    marks = ", ".join("?" * len(values))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"INSERT INTO simulation_runs ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
    connection.execute("COMMIT")


def update(connection: sqlite3.Connection, row: Values) -> None:
    """Update a row and commit."""
    values = {**row, "updated_at": datetime.now(UTC).isoformat()}
    run_id = values.pop("run_id")
    changes = ", ".join(f"{name} = ?" for name in values)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"UPDATE simulation_runs SET {changes} WHERE run_id = ?", (*values.values(), run_id))  # noqa: S608
    connection.execute("COMMIT")
