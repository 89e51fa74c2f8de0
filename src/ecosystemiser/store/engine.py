"""The database as the rest of the program holds it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store.dialect import Dialect
from ecosystemiser.store.location import EngineName, Location, locate
from ecosystemiser.store.schema import SCHEMA_VERSION
from ecosystemiser.store.sqlite import Sqlite
from ecosystemiser.store.upgrade import Upgrade, read_version, upgrade

__all__ = [
    "Connection",
    "Database",
    "database_exists",
    "dialect_of",
    "open_database",
    "sqlite_transaction",
    "upgrade_database",
]


class Database:
    """An open database. Threads may share it; a forked process gets connections of its own.

    Made by `open_database`. Closes itself when nobody refers to it any more, and at the end of the process.
    """

    def __init__(self, location: Location, *, read_only: bool) -> None:
        self.location = location
        self.read_only = read_only
        self.dialect = dialect_of(location)
        self._lock = threading.Lock()
        self._inherited: list[Engine] = []
        self._engine, self._pid = self._new_engine(), os.getpid()
        _close_before_fork(self)

    @property
    def path(self) -> Path:
        """The absolute path of the file. Raises InputError for a database on a server."""
        return self.location.path

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write: all of the block or, where it raises, nothing. It is on the disk when the block has ended.

        The block holds locks, for which others wait up to 60 s: compute before it, never nest two. Raises
        StoreError; DatabaseUnreachableError where the same block may succeed later.
        """
        self._refuse_if_read_only()
        with self.dialect.errors(), self.dialect.writing(self._own_engine()) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read: all queries of the block see the same state of the database. Raises StoreError."""
        with self.dialect.errors(), self.dialect.reading(self._own_engine()) as connection:
            yield connection

    def create_if_missing(self) -> bool:
        """Create our tables where there is no database; return whether this call did. Raises StoreError."""
        self._refuse_if_read_only()
        with self.dialect.errors():
            return self.dialect.create_if_missing(self._own_engine())

    def bring_up_to_date(self) -> None:
        """Upgrade an older schema, after a backup; with `read_only` refuse it. Raises StoreError."""
        self.dialect.check_place()
        with self.reading() as connection:
            version = read_version(connection, self.dialect)
        if self.read_only:
            if version != SCHEMA_VERSION:
                found = f"its schema is {version}, older than {SCHEMA_VERSION}"
                msg = f"{self.location}: {found}. Upgrade it, a backup is kept: ecosystemiser db upgrade."
                raise StoreError(msg)
            return
        with self.dialect.errors():
            self.dialect.settle(self._own_engine())
        if version != SCHEMA_VERSION:
            self.upgrade()

    def upgrade(self) -> Upgrade:
        """Upgrade the schema to ours, after a backup; return what was done. Raises StoreError."""
        self._refuse_if_read_only()
        self.dialect.check_place()
        return upgrade(self.dialect, self._own_engine())

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

    def _refuse_if_read_only(self) -> None:
        if self.read_only:
            msg = f"{self.location}: is open for reading only."
            raise StoreError(msg)

    def _own_engine(self) -> Engine:
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    # Neither use nor close a connection of the parent here: that breaks the parent's locks.
                    self._inherited.append(self._engine)
                    self._engine, self._pid = self._new_engine(), os.getpid()
        return self._engine

    def _new_engine(self) -> Engine:
        engine = self.dialect.make_engine(read_only=self.read_only)
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


def dialect_of(location: Location) -> Dialect:
    """Return what knows the engine of `location`. Raises InputError where its driver is not installed."""
    if location.engine is EngineName.SQLITE:
        return Sqlite(location)
    try:
        import psycopg  # noqa: F401 - whether it is there
    except ImportError as error:  # also where the driver is there and its library is not
        remedy = "install it: pip install 'ecosystemiser[postgres]'"
        finding = Finding(f"needs the driver psycopg, which cannot be used here ({error})", remedy, "db", str(location))
        raise InputError([finding]) from error
    from ecosystemiser.store.postgres import Postgres

    return Postgres(location)


def open_database(path_or_url: str | Path | Location | None = None, *, read_only: bool = False) -> Database:
    """Open the database at a path or URL, else `ECOSYSTEMISER_DB`, else `data/simulation_index.sqlite`.

    Where there is none it is created: a file, and for the default place its folder too; on a server our tables,
    in the database that the URL names, which must be there. An older one is upgraded, after a backup. With
    `read_only` neither happens: StoreError. So for whatever is not our database, is damaged or is newer; such a
    database is never changed. Raises InputError for what names no database.
    """
    database = Database(locate(path_or_url), read_only=read_only)
    try:
        if not read_only:
            database.create_if_missing()
        database.bring_up_to_date()
    except BaseException:
        database.close()
        raise
    return database


def database_exists(path_or_url: str | Path | Location | None = None) -> bool:
    """Return whether something stands there: a file, or tables named like ours. Raises StoreError."""
    dialect = dialect_of(locate(path_or_url))
    with dialect.errors():
        return dialect.exists()


def upgrade_database(path_or_url: str | Path | Location | None = None) -> Upgrade:
    """Upgrade the database to our schema version, after a backup, or create it; return what was done.

    A database that has our version stays as it is. Raises StoreError as `open_database` does.
    """
    with Database(locate(path_or_url), read_only=False) as database:
        return Upgrade(None, SCHEMA_VERSION, None) if database.create_if_missing() else database.upgrade()


@contextmanager
def sqlite_transaction(path: str | Path | None = None) -> Iterator[Connection]:
    """Open the database at `path`, write in one transaction (see `Database.transaction`), and close it.

    For one write; whoever writes often keeps a `Database`, which keeps its connection.
    """
    with open_database(path) as database, database.transaction() as connection:
        yield connection
