"""The database as the rest of the program holds it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from ecosystemiser.errors import StoreError
from ecosystemiser.store.connect import connect, keep_journal, make_engine, reading, writing
from ecosystemiser.store.creation import create_if_missing
from ecosystemiser.store.failures import database_errors
from ecosystemiser.store.files import file_error
from ecosystemiser.store.location import Location, check_is_database, locate
from ecosystemiser.store.schema import SCHEMA_VERSION
from ecosystemiser.store.upgrade import Upgrade, read_version, upgrade

__all__ = ["Connection", "Database", "open_database", "sqlite_transaction", "upgrade_database"]


class Database:
    """An open database. Threads may share it; a forked process gets connections of its own.

    Made by `open_database`. Closes itself when nobody refers to it any more, and at the end of the process.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = threading.Lock()
        self._inherited: list[Engine] = []
        self._engine, self._pid = self._new_engine(), os.getpid()
        _close_before_fork(self)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write: all of the block or, where it raises, nothing. It is on the disk when the block has ended.

        The block holds the write lock, for which others wait up to 60 s: compute before it, never nest two.
        Raises StoreError.
        """
        if self.read_only:
            msg = f"{self.path}: is open for reading only."
            raise StoreError(msg)
        with database_errors(self.path), writing(self._own_engine()) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read: all queries of the block see the same state of the database. Raises StoreError."""
        with database_errors(self.path), reading(self._own_engine()) as connection:
            yield connection

    def close(self) -> None:
        """Close the connections that are not in use; the next use opens new ones."""
        if self._pid == os.getpid():
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _own_engine(self) -> Engine:
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    # Neither use nor close a connection of the parent here: that breaks the parent's locks.
                    self._inherited.append(self._engine)
                    self._engine, self._pid = self._new_engine(), os.getpid()
        return self._engine

    def _new_engine(self) -> Engine:
        engine = make_engine(self.path, "ro" if self.read_only else "rw")
        weakref.finalize(self, _dispose_in, os.getpid(), engine)
        return engine


def _dispose_in(pid: int, engine: Engine) -> None:
    if os.getpid() == pid:
        engine.dispose()


_open_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_fork_is_watched = threading.Event()


def _close_before_fork(database: Database) -> None:
    """Let no open file of SQLite cross a fork: the child would believe that it has the parent's locks."""
    _open_databases.add(database)
    if not _fork_is_watched.is_set() and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_close_all)
        _fork_is_watched.set()


def _close_all() -> None:
    for database in list(_open_databases):
        database.close()


def open_database(path_or_url: str | Path | Location | None = None, *, read_only: bool = False) -> Database:
    """Open the database at a path or URL, else `ECOSYSTEMISER_DB`, else `data/simulation_index.sqlite`.

    Where there is none it is created, and for the default place its folder too; an older one is upgraded,
    after a backup beside it. With `read_only` neither happens: StoreError. So for whatever is not our
    database, is damaged or is newer; such a file is never changed.
    """
    location = locate(path_or_url)
    if not read_only:
        _create_if_missing(location)
    path = location.path
    check_is_database(path)
    database = Database(path, read_only=read_only)
    try:
        _bring_up_to_date(database)
    except BaseException:
        database.close()
        raise
    return database


def _create_if_missing(location: Location) -> bool:
    folder = location.path.parent
    if not location.chosen:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise file_error(error, folder) from error
    return create_if_missing(location.path)


def _bring_up_to_date(database: Database) -> None:
    path = database.path
    with database.reading() as connection:
        version = read_version(connection, path)
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if database.read_only:
        if version != SCHEMA_VERSION:
            msg = f"{path}: its schema is {version}, older than {SCHEMA_VERSION}. Open it for writing once."
            raise StoreError(msg)
        return
    if journal != "wal":  # a copy that a tool of SQLite made
        with database_errors(path), closing(connect(path, "rw")) as connection:
            keep_journal(connection, path)
    if version != SCHEMA_VERSION:
        upgrade(path)


def upgrade_database(path_or_url: str | Path | Location | None = None) -> Upgrade:
    """Upgrade the database to our schema version, after a backup, or create it; return what was done.

    A database that has our version stays as it is. Raises StoreError as `open_database` does.
    """
    location = locate(path_or_url)
    if _create_if_missing(location):
        return Upgrade(None, SCHEMA_VERSION, None)
    check_is_database(location.path)
    return upgrade(location.path)


@contextmanager
def sqlite_transaction(path: str | Path | None = None) -> Iterator[Connection]:
    """Open the database at `path`, write in one transaction (see `Database.transaction`), and close it.

    For one write; whoever writes often keeps a `Database`, which keeps its connection.
    """
    with open_database(path) as database, database.transaction() as connection:
        yield connection
