"""All runs and studies from one database into another, on either engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecosystemiser.errors import StoreError
from ecosystemiser.store.dialect import OnProgress
from ecosystemiser.store.engine import Database, open_database
from ecosystemiser.store.location import Location
from ecosystemiser.store.transfer import TableDigest, data_tables, is_empty, transfer

__all__ = ["Copied", "copy"]


@dataclass(frozen=True)
class Copied:
    """What was copied: each table with its number of rows and their digest, equal on both sides."""

    source: Location
    target: Location
    tables: tuple[TableDigest, ...]

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(table.rows for table in self.tables)


def copy(source: Database, target: str | Path | Location, on_progress: OnProgress | None = None) -> Copied:
    """Copy every row of `source`, as one moment shows it, into the database `target`, while others go on writing.

    `target` is created as `open_database` does, or is there and has no rows. It gets all rows in one
    transaction, or none; at its end every table is read back, and its digest must be that of the source.
    `on_progress` is told rows, done and in all. Raises StoreError.
    """
    tables = data_tables()
    with open_database(target) as opened, source.reading() as reader, opened.transaction() as writer:
        if not is_empty(writer, tables):
            msg = f"{opened.location}: holds runs or studies already; nothing was copied. Give an empty database."
            raise StoreError(msg)
        digests = transfer(reader, writer, tables, opened.dialect, on_progress)
    return Copied(source.location, opened.location, digests)
