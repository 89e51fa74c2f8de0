"""Connections to SQLite, set up the one way that is safe with many processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, Pool, QueuePool, create_engine

from ecosystemiser.errors import StoreError

__all__ = ["connect", "keep_journal", "make_engine", "reading", "writing"]

BUSY_TIMEOUT_S = 60.0
"""How long a write waits for those of other processes. [s]"""

Mode = Literal["ro", "rw", "rwc"]


def connect(path: Path, mode: Mode, *, foreign_keys: bool = True) -> sqlite3.Connection:
    """Open the file at `path`: `ro` for reading, `rw` for writing, `rwc` to create it if missing.

    Every commit is on the disk when it returns (synchronous FULL). The driver begins no transactions of its
    own: it would begin deferred ones, which fail at once, whatever the timeout, when they turn from reading
    to writing. Raises sqlite3.Error.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,  # the pool hands a connection to one thread at a time
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        if mode == "ro":
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def keep_journal(connection: sqlite3.Connection, path: Path) -> None:
    """Make the database keep a write-ahead log, so that readers and the writer do not wait for each other.

    The mode stays in the file: later calls find it there. Raises StoreError where the disk does not allow it.
    """
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        return
    if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
        msg = f"{path}: SQLite cannot keep its log here (a network disk?). Put it on a local disk."
        raise StoreError(msg)


def make_engine(path: Path, mode: Mode, *, foreign_keys: bool = True, pool: type[Pool] = QueuePool) -> Engine:
    """Return an engine for the file at `path`; use its connections through `writing` and `reading`.

    The pool reuses the connection that was free last, so that a process with one thread holds one.
    """
    kept = {"pool_size": 4, "max_overflow": -1, "pool_use_lifo": True} if pool is QueuePool else {}
    return create_engine(
        "sqlite://", creator=lambda: connect(path, mode, foreign_keys=foreign_keys), poolclass=pool, **kept
    )


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection with the write lock; commit at the end, or roll back where the block raises."""
    with engine.begin() as connection:
        # Past SQLAlchemy, whose layers take ten times as long.
        connection.connection.cursor().execute("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose queries all see the database as it is at the first of them."""
    with engine.connect() as connection:
        connection.connection.cursor().execute("BEGIN")
        yield connection
