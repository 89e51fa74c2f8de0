"""What SQLite says, in words that tell a person what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ecosystemiser.errors import StoreError
from ecosystemiser.store.files import DISK_FULL, READ_ONLY

__all__ = ["database_errors"]

_BUSY = "another process kept it locked for too long. Look for a process that hangs, then try again"
_UNREADABLE = "cannot be opened. Check that the file exists and that its folder may be written"
_DAMAGED = "is damaged. Nothing was changed; restore a backup, or move the file away to begin a new database"
_FOREIGN = "is not a SQLite database. Nothing was changed; give another path, or move the file away"
_BROKEN_DISK = "could not be read or written; nothing of this write was kept. Check the disk"

_SENTENCES = {
    sqlite3.SQLITE_FULL: DISK_FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_CANTOPEN: _UNREADABLE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _FOREIGN,
    sqlite3.SQLITE_IOERR: _BROKEN_DISK,
}

_OUR_MISTAKES = (sqlite3.ProgrammingError, sqlite3.InterfaceError)


@contextmanager
def database_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite reports about the database at `path`, also at a commit, into StoreError."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        reported = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(reported, sqlite3.Error) or isinstance(reported, _OUR_MISTAKES):
            raise
        raise _explained(reported, path) from error


def _explained(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = code & 0xFF  # the higher bits only refine it
    sentence = _SENTENCES.get(primary)
    return StoreError(f"{path}: {sentence} ({error})." if sentence else f"{path}: {error}.")
