"""A database of many runs, made by sqlite3 alone, as studies would leave it; kept beside the results once made."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from benchmarks.folders import RESULTS

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.store.engine import open_database

__all__ = ["PARAMETERS", "SOLVERS", "STUDIES", "database_of"]

STUDIES = 200
SYSTEMS = tuple(f"system-{at}" for at in range(20))
SOLVERS = ("rule_based", "milp", "rolling_horizon", "hybrid")
CAUSES = ("infeasible", "unmet", "timeout", "crash")
PARAMETERS = (
    "battery.capacity_kwh", "roof_pv.capacity_kw", "heat_pump.power_kw", "buffer.capacity_kwh", "tank.capacity_m3",
    "grid.export_price_per_kwh", "houses.annual_kwh", "economics.discount_rate",
)  # fmt: skip
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 10_000


def database_of(runs: int) -> Path:
    """Return the path of a database of so many runs in 200 studies, 10 % failed, 3 to 6 parameters each.

    Its name says which tables it has, so that one of older tables is never taken.
    """
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        draft = Path(folder) / "draft.sqlite"
        open_database(draft).close()
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            path = RESULTS / f"runs-{runs}-{_digest(connection)}.sqlite"
            if not path.exists():
                print(f"making {path} of {runs:,} runs ...", file=sys.stderr, flush=True)
                _fill(connection, runs)
        if not path.exists():
            draft.rename(path)
    return path


def _digest(connection: sqlite3.Connection) -> str:
    made = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name").fetchall()
    return hashlib.sha256(repr(made).encode()).hexdigest()[:8]


def _fill(connection: sqlite3.Connection, runs: int) -> None:
    random = np.random.default_rng(20181)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO parameter_names (id, name) VALUES (?, ?)", list(enumerate(PARAMETERS, 1)))
    for kind in ("system", "files", "config", "environment"):
        connection.execute("INSERT INTO documents (kind, sha256, content) VALUES (?, ?, '{}')", (kind, kind * 8))
    _studies(connection, runs)
    for first in range(0, runs, BATCH):
        _batch(connection, random, first, min(first + BATCH, runs), runs)
    connection.execute(
        "INSERT INTO run_counts SELECT study_id, system_id, solver_type, simulation_status, "
        "coalesce(failure_cause, ''), count(*) FROM runs GROUP BY 1, 2, 3, 4, 5"
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _studies(connection: sqlite3.Connection, runs: int) -> None:
    rows = []
    for at in range(STUDIES):
        moment = _text(BEGIN + timedelta(hours=at))
        rows.append((f"study-{at:03d}", SYSTEMS[at % len(SYSTEMS)], moment, moment, moment, moment, runs // STUDIES))
    connection.executemany(
        "INSERT INTO studies (study_id, study_type, system_id, status, timestamp, finished_at, created_at, updated_at, "
        "points) VALUES (?, 'parametric', ?, 'completed', ?, ?, ?, ?, ?)",
        rows,
    )


def _batch(connection: sqlite3.Connection, random: np.random.Generator, first: int, last: int, runs: int) -> None:
    number = last - first
    fails = random.random(number) < 0.1
    kpis = random.lognormal(9, 1, (number, len(KPI_NAMES)))
    shares = random.random((number, 4))
    count = random.integers(3, 7, number)
    values = np.round(random.uniform(0, 500, (number, len(PARAMETERS))), 2)
    runs_rows, details, parameters = [], [], []
    for at in range(number):
        key = first + at + 1
        study = (key - 1) * STUDIES // runs
        moment = _text(BEGIN + timedelta(hours=study, milliseconds=40 * at))
        failed = bool(fails[at])
        own = [None] * len(KPI_NAMES) if failed else kpis[at].tolist()
        if not failed:
            own[2:5] = shares[at, :3].tolist()
        head = (
            key,
            f"{key:08x}-75d2-7000-8000-00000000{study:04d}",
            "failed" if failed else "completed",
            SOLVERS[study % 4],
            f"study-{study:03d}",
            SYSTEMS[study % len(SYSTEMS)],
            8760,
            moment,
            CAUSES[at % 4] if failed else None,
            "EUR",
        )
        tail = (None if failed else float(shares[at, 3] / 100), "optimal", 0.1, 0.2, 1e-12, at, 1, 2, 3, 4, moment)
        runs_rows.append((*head, *own, *tail))
        chosen = {PARAMETERS[(study + each) % 8]: float(values[at, each]) for each in range(count[at])}
        error = '{"error": "no plan"}' if failed else None
        details.append((key, moment, f"/srv/results/{head[1]}", json.dumps(chosen), f"{key:064x}", error))
        parameters += [(key, PARAMETERS.index(name) + 1, value) for name, value in chosen.items()]
    _insert(connection, "runs", _RUN_COLUMNS, runs_rows)
    _insert(connection, "run_details", _DETAIL_COLUMNS, details)
    _insert(connection, "run_parameters", ("run_key", "name_key", "number"), parameters)


_RUN_COLUMNS = (
    "id", "run_id", "simulation_status", "solver_type", "study_id", "system_id", "timesteps", "timestamp",
    "failure_cause", "currency", *KPI_NAMES, "mip_gap", "solver_status", "solve_seconds", "wall_seconds",
    "balance_residual", "point", "system_document", "files_document", "config_document", "environment_document",
    "updated_at",
)  # fmt: skip
_DETAIL_COLUMNS = ("run_key", "created_at", "results_path", "parameters_json", "config_hash", "metadata_json")


def _insert(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: list[tuple[object, ...]]
) -> None:
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


