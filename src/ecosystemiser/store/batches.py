"""Statements handed to the driver itself, past SQLAlchemy's work on every call and every value.

Values go in as they are, text of times too, and come out as the driver has them. What the driver raises is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Executable, Select, Table, bindparam, func, select, text
from sqlalchemy.sql.compiler import SQLCompiler

from ecosystemiser.store.schema import runs

__all__ = ["execute_columns", "execute_many", "fetch", "fetch_of", "insert_or", "new_keys"]

VALUES_A_QUERY = (1, 4, 16, 64, 256)
"""A query for some values is made for the next of these numbers, so that few differ and each is compiled once."""

Row = Mapping[str, Any]
Columns = Mapping[str, Sequence[Any]]

_LARGEST_KEY = select(func.coalesce(func.max(runs.c.id), 0))
_NEXT_KEYS = text("SELECT nextval(pg_get_serial_sequence('runs', 'id')) FROM generate_series(1, :number)").bindparams(
    bindparam("number", type_=runs.c.id.type)
)


def insert_or(table: Table, engine: str) -> Any:
    """Return the engine's own INSERT, which knows what to do where there is such a row already.

    Only the dialect that is used is imported.
    """
    if engine == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        return postgres_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)


def execute_many(connection: Connection, statement: Executable, rows: Sequence[Row]) -> int:
    """Execute `statement` for each of `rows`, which all have the same keys; return how many rows it touched."""
    if not rows:
        return 0
    return execute_columns(connection, statement, {name: [row[name] for row in rows] for name in rows[0]})


def execute_columns(connection: Connection, statement: Executable, columns: Columns) -> int:
    """Do as `execute_many` for rows that are held column by column, all of the same length."""
    ready = _ready(statement, tuple(columns), connection.dialect)
    number = len(next(iter(columns.values())))
    if not number:
        return 0
    values = ready.rows(columns, number)
    with closing(connection.connection.cursor()) as cursor:
        if number == 1:
            cursor.execute(ready.text, values[0])
        else:
            cursor.executemany(ready.text, values)
        return int(cursor.rowcount)


def fetch(connection: Connection, statement: Executable, given: Row | None = None) -> list[Any]:
    """Return the rows, plain tuples, that a query gives."""
    columns = {name: [value] for name, value in (given or {}).items()}
    ready = _ready(statement, tuple(columns), connection.dialect)
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(ready.text, ready.rows(columns, 1)[0])
        return list(cursor.fetchall())


def fetch_of(connection: Connection, chosen: Select[Any], column: Column[Any], values: Sequence[Any]) -> list[Any]:
    """Return the rows of `chosen`, plain tuples, whose `column` holds one of the values."""
    found, most = [], VALUES_A_QUERY[-1]
    for first in range(0, len(values), most):
        piece = values[first : first + most]
        size = next(size for size in VALUES_A_QUERY if size >= len(piece))
        padded = [*piece, *[piece[-1]] * (size - len(piece))]
        given = {f"value_{at}": value for at, value in enumerate(padded)}
        found += fetch(connection, _chosen_of(chosen, column, size), given)
    return found


@lru_cache(maxsize=64)
def _chosen_of(chosen: Select[Any], column: Column[Any], size: int) -> Select[Any]:
    return chosen.where(column.in_([bindparam(f"value_{at}", type_=column.type) for at in range(size)]))


@dataclass(frozen=True)
class _Ready:
    """A statement as the driver takes it."""

    text: str
    places: Sequence[str] | None
    """Names of the values in their order, for a driver that takes them by place (SQLite); else by name."""
    fixed: Row
    """Values that the statement itself holds."""

    def rows(self, columns: Columns, number: int) -> list[Any]:
        """Return the values of so many rows as the driver takes them."""
        named = {**columns, **{name: [value] * number for name, value in self.fixed.items()}} if self.fixed else columns
        if self.places is None:
            return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)] or [{}]
        return list(zip(*[named[name] for name in self.places], strict=True)) or [()]


@lru_cache(maxsize=256)
def _ready(statement: Executable, names: tuple[str, ...], dialect: Dialect) -> _Ready:
    compiled = statement.compile(dialect=dialect, column_keys=names)  # type: ignore[attr-defined]
    if not isinstance(compiled, SQLCompiler):
        raise TypeError(f"{statement} cannot be executed by itself")
    fixed = {name: value for name, value in compiled.params.items() if name not in names}
    return _Ready(compiled.string, compiled.positiontup, fixed)


def new_keys(connection: Connection, number: int) -> Sequence[int]:
    """Return so many keys for new runs, rising. In SQLite the caller holds the write lock."""
    if connection.dialect.name == "postgresql":
        return sorted(key for (key,) in fetch(connection, _NEXT_KEYS, {"number": number}))
    ((largest,),) = fetch(connection, _LARGEST_KEY)
    return range(largest + 1, largest + 1 + number)
