"""What SQLite and PostgreSQL say, in words that tell a person what to do."""

from __future__ import annotations

import re
import sqlite3

from ecosystemiser.errors import DatabaseUnreachableError, StoreError
from ecosystemiser.store.files import DISK_FULL, READ_ONLY

__all__ = ["connect_failure", "postgres_failure", "sqlite_failure"]

_BUSY = "another process kept it locked for too long. Look for a process that hangs, then try again"
_UNREADABLE = "cannot be opened. Check that the file exists and that its folder may be written"
_DAMAGED = "is damaged. Nothing was changed; restore a backup, or move the file away to begin a new database"
_FOREIGN = "is not a SQLite database. Nothing was changed; give another path, or move the file away"
_BROKEN_DISK = "could not be read or written; nothing of this write was kept. Check the disk"

_SQLITE = {
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

_TOO_MANY = (
    "the server takes no more connections. Let other programs close theirs, or raise max_connections, then try again"
)
_DENIED = "this user may not do that. Ask the owner of the database for the right, or name another user"
_CLASH = "another process changed the same rows at the same time; nothing of this write was kept. Try again"
_NO_SCHEMA = "there is no schema to put tables in. Check the search_path of this user, or create the schema"
_SERVER_DISK = "the server could not read or write its disk; nothing of this write was kept. Look at the server's log"
_NOT_LET_IN = (
    "the server does not let this user in. Check the user, its password (in the URL, PGPASSWORD or a password file) "
    "and the server's pg_hba.conf"
)
_NO_DATABASE = "the server has no such database. Create it with `createdb --encoding=UTF8 NAME`, or name another"
_NO_SERVICE = "the connection is not described. Check libpq's service file, and the name of the service"

# By SQLSTATE, or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES = {
    "53100": "the disk of the server is full; nothing of this write was kept. Make room there and try again",
    "53200": "the server has no memory left; nothing of this write was kept. Try again later",
    "53400": "a limit of the server's settings was reached; nothing of this write was kept",
    "55P03": _BUSY,
    "40001": _CLASH,
    "40P01": _CLASH,
    "23505": "such a row is there already; nothing of this write was kept",
    "42501": _DENIED,
    "25006": "the server takes no writes: it is a standby, or this user may only read. Name the primary server",
    "3F000": _NO_SCHEMA,
    "42P01": "a table is missing that was there before. Check the search_path, or restore a backup",
    "22P05": "the database cannot hold these characters: its encoding is not UTF8. Copy it into one that has UTF8",
    "57014": "the server ended the statement; nothing of this write was kept. Check its statement_timeout",
    "58": _SERVER_DISK,
    "XX": "the server found damage. Nothing of this write was kept; restore a backup, and look at the server's log",
}

_LOST = re.compile(r"08...|57P0[1235]|25P0[34]")
"""States with which the server ends a connection: broken off, shut down, crashed, starting, or idle for too long."""

# A server that refuses a connection gives its reason as text alone.
_REFUSALS: tuple[tuple[str, type[StoreError], str], ...] = (
    ("too many (?:clients|connections)|connection slots are reserved", DatabaseUnreachableError, _TOO_MANY),
    (
        r"authentication failed|no password supplied|no pg_hba\.conf entry|role .* (?:does not exist|is not)",
        StoreError,
        _NOT_LET_IN,
    ),
    ("database .* does not exist", StoreError, _NO_DATABASE),
    ("permission denied", StoreError, _DENIED),
    ("definition of service|service file", StoreError, _NO_SERVICE),
)


def sqlite_failure(error: sqlite3.Error, place: str) -> StoreError:
    """Return what `error` means for the database at `place`."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = code & 0xFF  # the higher bits only refine it
    sentence = _SQLITE.get(primary)
    return StoreError(f"{place}: {sentence} ({error})." if sentence else f"{place}: {error}.")


def connect_failure(text: str, place: str) -> StoreError:
    """Return what it means that no connection to the server at `place` came about; `text` is libpq's."""
    for pattern, kind, sentence in _REFUSALS:
        if re.search(pattern, text):
            return kind(f"{place}: {sentence} ({text}).")
    return DatabaseUnreachableError(
        f"{place}: the server cannot be reached ({text}). Check that it runs and the address, then try again."
    )


def postgres_failure(state: str | None, text: str, place: str, *, is_lost: bool, at_commit: bool) -> StoreError:
    """Return what an error in a connection to the server at `place` means.

    `state` is its SQLSTATE, `text` what the server says; `is_lost`: the connection is gone; `at_commit`: it was
    the commit that failed.
    """
    if is_lost or _LOST.fullmatch(state or ""):
        return _lost(text, place, at_commit=at_commit)
    sentence = _POSTGRES.get(state or "") or _POSTGRES.get((state or "")[:2])
    return StoreError(f"{place}: {sentence} ({text})." if sentence else f"{place}: {text}.")


def _lost(text: str, place: str, *, at_commit: bool) -> DatabaseUnreachableError:
    if at_commit:
        kept = "It was lost while it confirmed a write, which may have been kept or not. Look before writing it again."
    else:
        kept = "Nothing of an unfinished write was kept; the next try connects anew."
    message = f"{place}: the connection to the server was lost ({text}). {kept}"
    return DatabaseUnreachableError(message, is_write_uncertain=at_commit)
