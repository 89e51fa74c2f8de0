"""The database as a whole: facts about it, its backups and copies."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store import backup, condition, copying
from ecosystemiser.store.backup import Backup
from ecosystemiser.store.condition import DatabaseInfo
from ecosystemiser.store.copying import Copied
from ecosystemiser.store.dialect import OnProgress
from ecosystemiser.store.engine import database_exists
from ecosystemiser.store.location import EngineName

__all__ = [
    "Backup",
    "Copied",
    "DatabaseInfo",
    "OnProgress",
    "back_up",
    "copy_database",
    "describe_database",
    "is_there",
    "size_of",
]


def is_there(log: DatabaseMetadataService) -> bool:
    """Return whether something stands where the database should be. Raises StoreError."""
    return database_exists(log.location)


def describe_database(log: DatabaseMetadataService) -> DatabaseInfo:
    """Return facts about the database. Raises InputError where there is none, StoreError."""
    _check_exists(log)
    return condition.info(log.opened())


def size_of(log: DatabaseMetadataService) -> int:
    """Return how many bytes the database takes; 0 where there is none. Raises StoreError."""
    if not is_there(log):
        return 0
    database = log.opened()
    with database.reading() as connection:
        return database.dialect.facts(connection).size_bytes


def back_up(
    log: DatabaseMetadataService, target: str | Path | None = None, on_progress: OnProgress | None = None
) -> Backup:
    """Write the database as it is now into a new SQLite file, while others go on writing.

    Without a `target` its name tells the time, beside a SQLite file, or in the current folder. `on_progress` is told
    pages or rows, done and in all. Raises InputError where there is no database, StoreError.
    """
    _check_exists(log)
    return backup.backup(log.opened(), _named(log) if target is None else target, on_progress)


def copy_database(source: str, target: str, on_progress: OnProgress | None = None) -> Copied:
    """Copy all runs and studies of one database into another, new or empty one, on either engine.

    `on_progress` is told rows, done and in all. Raises InputError where there is no source, StoreError.
    """
    with DatabaseMetadataService(source, read_only=True) as log:
        _check_exists(log)
        return copying.copy(log.opened(), target, on_progress)


def _check_exists(log: DatabaseMetadataService) -> None:
    if not is_there(log):
        remedy = "the first run creates a database; or name one that is there"
        raise InputError([Finding("is not there yet", remedy, "database", str(log.location))])


def _named(log: DatabaseMetadataService) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    if log.location.engine is EngineName.SQLITE:
        path = log.location.path
        return path.with_name(f"{path.stem}.backup-{moment}{path.suffix or '.sqlite'}")
    return Path(f"ecosystemiser.backup-{moment}.sqlite")
