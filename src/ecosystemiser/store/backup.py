"""Backups of a database that is in use."""

from __future__ import annotations

from pathlib import Path

from ecosystemiser.store.dialect import OnProgress
from ecosystemiser.store.engine import Database
from ecosystemiser.store.snapshot import Backup, write_backup
from ecosystemiser.store.upgrade import read_version

__all__ = ["Backup", "backup"]


def backup(database: Database, target: str | Path, on_progress: OnProgress | None = None) -> Backup:
    """Write the database as it is now into a new SQLite file `target`, while others go on writing.

    From SQLite it is a copy page by page, from PostgreSQL a copy of all rows as one moment shows them. The file
    appears whole or not at all, is on the disk when this returns, and opens like any database of ours; its
    SHA-256 stands beside it in `target`.sha256. `on_progress` is told pages or rows, done and in all. Raises
    StoreError: also where something stands at `target`, which is left as it is.
    """
    path = Path(target).expanduser().absolute()
    with database.reading() as connection:
        version = read_version(connection, database.dialect)
        return write_backup(database.dialect, connection, version, path, on_progress)
