"""All rows from one database into another, and a digest that is the same on every engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, Double, Integer, Row, String, Table, func, literal, select, tuple_

from ecosystemiser.errors import StoreError
from ecosystemiser.store.batches import execute_many
from ecosystemiser.store.columns import UtcTime
from ecosystemiser.store.dialect import Dialect, OnProgress
from ecosystemiser.store.schema import metadata, schema_version

__all__ = ["TableDigest", "data_tables", "digest_of", "is_empty", "transfer"]

_ROWS_A_BATCH = 1000


@dataclass(frozen=True)
class TableDigest:
    """How many rows a table has, and the SHA-256 of them in the order of their key, in hex.

    It is that of one line a row: Python's `ascii` of the tuple of its values, which shows each number exactly.
    """

    table: str
    rows: int
    sha256: str


def data_tables(tables: Iterable[Table] = metadata.sorted_tables) -> tuple[Table, ...]:
    """Return those of `tables` that hold rows of users, each after the ones it refers to."""
    return tuple(table for table in tables if table.name != schema_version.name)


def is_empty(connection: Connection, tables: Sequence[Table]) -> bool:
    """Return whether none of `tables` has a row."""
    return all(connection.scalar(select(literal(1)).select_from(table).limit(1)) is None for table in tables)


def transfer(
    source: Connection,
    target: Connection,
    tables: Sequence[Table],
    dialect: Dialect,
    on_progress: OnProgress | None = None,
) -> tuple[TableDigest, ...]:
    """Insert all rows of `tables` into the empty ones of `target`, whose dialect is `dialect`; compare both.

    `on_progress` is told rows. Raises StoreError where the target does not hold what the source does.
    """
    total = sum(source.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    done = 0
    digests = []
    with dialect.without_triggers(target):
        for table in tables:
            digest = _Digest(table)
            names, insert = [column.name for column in _stored(table)], table.insert()
            for batch in _batches(source, table):
                digest.add(batch)
                execute_many(target, insert, [dict(zip(names, row, strict=True)) for row in batch])
                done += len(batch)
                if on_progress is not None:
                    on_progress(done, total)
            dialect.continue_counting(target, table)
            digests.append(digest.finished())
    for expected, table in zip(digests, tables, strict=True):
        if (found := digest_of(target, table)) != expected:
            msg = (
                f"{dialect.place}: table {table.name} holds {found.rows:,} rows with SHA-256 {found.sha256} after "
                f"the copy of {expected.rows:,} rows with {expected.sha256}. Nothing was kept; please report this."
            )
            raise StoreError(msg)
    return tuple(digests)


def digest_of(connection: Connection, table: Table) -> TableDigest:
    """Return the digest of all rows of `table`; equal rows give equal digests on every engine.

    Times count by their instant, numbers by their exact value (-0.0 as 0.0, which SQLite makes of it).
    """
    digest = _Digest(table)
    for batch in _batches(connection, table):
        digest.add(batch)
    return digest.finished()


class _Digest:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._hash = hashlib.sha256()
        self._rows = 0
        self._is_plain = all(isinstance(column.type, Double | Integer | String | UtcTime) for column in _stored(table))

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            line = ascii(tuple(row))
            if not self._is_plain or "-0.0" in line:
                line = ascii(tuple(_plain(value) for value in row))
            self._hash.update(line.encode() + b"\n")
        self._rows += len(rows)

    def finished(self) -> TableDigest:
        return TableDigest(self._table.name, self._rows, self._hash.hexdigest())


def _plain(value: object) -> object:
    """Return what `value` means, where engines give it in several ways."""
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, datetime):
        instant = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return instant.astimezone(UTC).isoformat(timespec="microseconds")
    return value


def _stored(table: Table) -> list[Column[Any]]:
    """Return the columns that hold values: not those which the database computes from others."""
    return [column for column in table.columns if column.computed is None]


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """Yield all rows in the order of their key, a batch at a time, so that no table has to fit into memory."""
    columns = _stored(table)
    key = list(table.primary_key.columns)
    places = [columns.index(column) for column in key]
    page = select(*columns).order_by(*key).limit(_ROWS_A_BATCH)
    rows = connection.execute(page).all()
    while rows:
        yield rows
        last = [literal(rows[-1][place], columns[place].type) for place in places]
        after = tuple_(*key) > tuple_(*last) if len(key) > 1 else key[0] > last[0]
        rows = connection.execute(page.where(after)).all() if len(rows) == _ROWS_A_BATCH else []
