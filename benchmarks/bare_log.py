"""The log as somebody writes it who needs nothing but sqlite3: the same tables, rows and commits, no checks."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.schema import run_counts, run_details

__all__ = ["BareLog", "Values", "bare"]

Values = dict[str, Any]
DETAILS = frozenset(run_details.c.keys())
COUNTED = tuple(run_counts.primary_key.columns.keys())


@contextmanager
def bare(ours: Path, path: Path) -> Iterator[sqlite3.Connection]:
    """Open sqlite3 on a new file with all tables, indexes and views as `ours` has them, and as durable."""
    with DatabaseMetadataService(ours) as service, service.transaction():
        pass
    with closing(sqlite3.connect(f"{ours.absolute().as_uri()}?mode=ro", uri=True)) as theirs:
        wanted = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        made = [statement for (statement,) in theirs.execute(wanted)]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        for statement in made:
            connection.execute(statement)
        yield connection


class BareLog:
    """Writes the rows of runs into the tables, each call in one commit. The only one who writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (largest,) = connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()
        self._next = largest + 1
        self._runs: dict[str, tuple[int, tuple[str, ...]]] = {}
        """Key of each run, and what it is counted by."""
        self._names: dict[str, int] = dict(connection.execute("SELECT name, id FROM parameter_names"))

    def begin(self, rows: Sequence[Values], parameters: Sequence[Mapping[str, float]]) -> None:
        """Insert runs that start, all with the same columns, and their parameters."""
        now = _now()
        names, details = _parted(rows[0])
        keys = range(self._next, self._next + len(rows))
        self._next += len(rows)
        missing = parameters[0].keys() - self._names
        self._names |= {name: len(self._names) + at for at, name in enumerate(sorted(missing), 1)}
        counted = [tuple(row.get(name) or "" for name in COUNTED) for row in rows]
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        self._many(
            _insert("runs", ["id", "updated_at", *names]),
            [(key, now, *[row[name] for name in names]) for key, row in zip(keys, rows, strict=True)],
        )
        self._many(
            _insert("run_details", ["run_key", "created_at", *details]),
            [(key, now, *[row[name] for name in details]) for key, row in zip(keys, rows, strict=True)],
        )
        self._many(_insert("parameter_names", ["name", "id"]), [(name, self._names[name]) for name in sorted(missing)])
        self._many(
            _insert("run_parameters", ["run_key", "name_key", "number"]),
            [
                (key, self._names[name], value)
                for key, own in zip(keys, parameters, strict=True)
                for name, value in own.items()
            ],
        )
        self._count(Counter(counted))
        execute("COMMIT")
        self._runs |= {row["run_id"]: known for row, known in zip(rows, zip(keys, counted, strict=True), strict=True)}

    def end(self, rows: Sequence[Values]) -> None:
        """Update runs that have ended, all with the same columns."""
        now = _now()
        names, details = _parted(rows[0])
        names.remove("run_id")
        known = [self._runs.pop(row["run_id"]) for row in rows]
        changes = Counter(
            tuple(row.get(name, old) or "" for name, old in zip(COUNTED, before, strict=True))
            for row, (_, before) in zip(rows, known, strict=True)
        )
        changes.subtract(Counter(before for _, before in known))
        self._connection.execute("BEGIN IMMEDIATE")
        self._many(
            f"UPDATE runs SET updated_at = ?, {_set(names)} WHERE id = ? AND simulation_status = 'running'",  # noqa: S608
            [(now, *[row[name] for name in names], key) for row, (key, _) in zip(rows, known, strict=True)],
        )
        if details:
            self._many(
                f"UPDATE run_details SET {_set(details)} WHERE run_key = ?",  # noqa: S608
                [(*[row[name] for name in details], key) for row, (key, _) in zip(rows, known, strict=True)],
            )
        self._count(changes)
        self._connection.execute("COMMIT")

    def _count(self, changes: Counter[tuple[str, ...]]) -> None:
        statement = _insert("run_counts", [*COUNTED, "runs"])
        added = f"{statement} ON CONFLICT ({', '.join(COUNTED)}) DO UPDATE SET runs = runs + excluded.runs"
        self._many(added, [(*values, change) for values, change in changes.items() if change])

    def _many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._connection.executemany(statement, rows)


def _parted(row: Values) -> tuple[list[str], list[str]]:
    return [name for name in row if name not in DETAILS], [name for name in row if name in DETAILS]


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


def _set(columns: Sequence[str]) -> str:
    return ", ".join(f"{name} = ?" for name in columns)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
