"""SQLite: one file, connected to the one way that is safe with many processes."""

from __future__ import annotations

import errno
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import (
    Connection,
    Engine,
    Integer,
    NullPool,
    Pool,
    QueuePool,
    Table,
    create_engine,
    func,
    literal,
    select,
)
from sqlalchemy.exc import DBAPIError

from ecosystemiser.errors import Finding, StoreError
from ecosystemiser.store.creation import create_tables
from ecosystemiser.store.dialect import LOCK_WAIT_S, Dialect, Facts, OnProgress, RowCount
from ecosystemiser.store.failures import sqlite_failure
from ecosystemiser.store.files import draft_of, file_error, publish, sync_file

__all__ = ["Sqlite", "connect", "make_engine", "new_file", "without_journal", "writing"]

_HEADER = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_OUR_MISTAKES = (sqlite3.ProgrammingError, sqlite3.InterfaceError)
_PAGES_A_STEP = 4096
_COUNTED_ROWS = 1_000_000
_SHOWN_FINDINGS = 100

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
        timeout=LOCK_WAIT_S,
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


def make_engine(path: Path, mode: Mode, *, foreign_keys: bool = True, pool: type[Pool] = QueuePool) -> Engine:
    """Return an engine for the file at `path`.

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


class Sqlite(Dialect):
    """A database in a file."""

    def make_engine(self, *, read_only: bool) -> Engine:
        return make_engine(self.location.path, "ro" if read_only else "rw")

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        with writing(engine) as connection:
            yield connection

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect() as connection:
            connection.connection.cursor().execute("BEGIN")
            yield connection

    @property
    def driver_errors(self) -> tuple[type[Exception], ...]:
        return (sqlite3.Error,)

    def explained(self, error: Exception) -> StoreError | None:
        reported = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(reported, sqlite3.Error) or isinstance(reported, _OUR_MISTAKES):
            return None
        return sqlite_failure(reported, self.place)

    def exists(self) -> bool:
        return self.location.path.exists()

    def create_if_missing(self, engine: Engine) -> bool:
        path = self.location.path
        if path.exists():
            return False
        if not self.location.chosen:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise file_error(error, path.parent) from error
        if not path.parent.is_dir():
            msg = f"{path}: the folder {path.parent} does not exist. Create it, or give another path."
            raise StoreError(msg)
        try:
            with draft_of(path) as draft, self.errors():
                self._refuse_orphaned_journal()
                with new_file(draft) as connection:
                    create_tables(connection)
                return publish(draft, path)
        except OSError as error:
            raise file_error(error, path) from error

    def _refuse_orphaned_journal(self) -> None:
        """Refuse a place where the journal of a lost database lies: SQLite would apply it to the new one."""
        path = self.location.path
        journal = path.with_name(f"{path.name}-wal")
        written = journal.exists() and journal.stat().st_size > 0
        if written and not path.exists():  # asked last: a database stands before its journal does
            msg = (
                f"{journal}: belongs to a database that is no longer at {path}, and may hold its last runs. "
                "Put that database back, or move this file away to begin a new one."
            )
            raise StoreError(msg)

    def check_place(self) -> None:
        path = self.location.path
        try:
            with path.open("rb") as file:
                head = file.read(_HEADER_BYTES)
            size = path.stat().st_size
        except OSError as error:
            raise file_error(error, path) from error
        if head.startswith(_HEADER):
            if size % _page_size(head) == 0:
                return
            msg = f"{path}: is damaged: it ends within a page. Nothing was changed; restore a backup."
            raise StoreError(msg)
        found = "is empty (zero bytes): no database of ours is" if not head else "is not a SQLite database"
        msg = f"{path}: {found}. Nothing was changed; give another path, or move the file away."
        raise StoreError(msg)

    def settle(self, engine: Engine) -> None:
        with engine.connect() as connection:  # a copy that a tool of SQLite made keeps none
            _keep_journal(connection, self.place)

    def names(self, connection: Connection) -> frozenset[str]:
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
        return frozenset(connection.exec_driver_sql(query).scalars())

    @contextmanager
    def upgrading(self, engine: Engine) -> Iterator[Connection]:
        # SQLite alters a table by making it anew, which foreign keys would see as the loss of its rows.
        unchecked = make_engine(self.location.path, "rw", foreign_keys=False, pool=NullPool)
        with writing(unchecked) as connection:
            yield connection

    def check_references(self, connection: Connection) -> Sequence[Finding]:
        query = 'SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2'
        return [
            Finding(f"{number:,} rows refer to rows of {parent} that are not there", "restore a backup", table)
            for table, parent, number in connection.exec_driver_sql(query)
        ]

    def upgrade_backup_path(self, version: str) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        path = self.location.path
        return path.with_name(f"{path.name}.backup-{version}-{stamp}-{secrets.token_hex(2)}")

    def write_snapshot(
        self, connection: Connection, draft: Path, version: str, on_progress: OnProgress | None = None
    ) -> None:
        def tell(_status: int, remaining: int, total: int) -> None:
            if on_progress is not None:
                on_progress(total - remaining, total)

        # By a connection of its own, which sees what was committed: that of an upgrade holds the write lock.
        try:
            with closing(connect(self.location.path, "ro")) as source, closing(sqlite3.connect(draft)) as target:
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # begun now, no writer restarts it
                source.backup(target, pages=_PAGES_A_STEP, progress=tell)
                found = target.execute("PRAGMA quick_check(1)").fetchone()
            without_journal(draft)
        except sqlite3.Error as error:
            raise sqlite_failure(error, f"the backup of {self.place}") from error
        if found != ("ok",):
            msg = f"{self.place}: is damaged ({found[0]}); no backup was kept. Restore an older one."
            raise StoreError(msg)

    @contextmanager
    def without_triggers(self, connection: Connection) -> Iterator[None]:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        triggers = [tuple(row) for row in connection.exec_driver_sql(query)]
        quote = connection.dialect.identifier_preparer.quote
        for name, _ in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {quote(name)}")
        yield
        for _, statement in triggers:
            connection.exec_driver_sql(statement)

    def continue_counting(self, connection: Connection, table: Table) -> None:
        """Do nothing: SQLite counts on from the largest number that is there."""

    def findings(self, connection: Connection) -> Iterator[Finding]:
        for problem in connection.exec_driver_sql(f"PRAGMA integrity_check({_SHOWN_FINDINGS})").scalars():
            if problem != "ok":
                remedy = "restore a backup, or save what can be read by copying into a new database"
                yield Finding(str(problem), remedy, "integrity")

    def facts(self, connection: Connection) -> Facts:
        def pragma(name: str) -> str:
            return str(connection.exec_driver_sql(f"PRAGMA {name}").scalar())

        journal = self.location.path.with_name(f"{self.location.path.name}-wal")
        waiting = journal.stat().st_size if journal.exists() else 0
        return Facts(
            engine_version=sqlite3.sqlite_version,
            size_bytes=self.location.path.stat().st_size + waiting,
            journal_mode=pragma("journal_mode"),
            settings={
                "page_size": pragma("page_size"),
                "freelist_count": pragma("freelist_count"),
                "encoding": pragma("encoding"),
                "wal_bytes": str(waiting),
            },
        )

    def count_rows(self, connection: Connection, table: Table) -> RowCount:
        limited = select(literal(1)).select_from(table).limit(_COUNTED_ROWS + 1).subquery()
        rows = connection.scalar(select(func.count()).select_from(limited)) or 0
        if rows <= _COUNTED_ROWS:
            return RowCount(rows, is_exact=True)
        key, *more = table.primary_key.columns.values()
        largest = connection.scalar(select(func.max(key))) if not more and isinstance(key.type, Integer) else rows
        return RowCount(max(rows, largest or 0), is_exact=False)


@contextmanager
def new_file(draft: Path) -> Iterator[Connection]:
    """Give a transaction in a new file `draft`, which is a whole, synced database when the block has ended."""
    with closing(connect(draft, "rwc")) as connection:
        _keep_driver_journal(connection, str(draft))
    with writing(make_engine(draft, "rw", pool=NullPool)) as tables:
        yield tables
    # What goes wrong when the last connection closes is told to nobody, so it is done here and looked at.
    with closing(connect(draft, "rw")) as connection:
        is_busy, pages, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy or pages != moved or connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise OSError(errno.EIO, "the new file was not written as a whole")
    sync_file(draft)


def _page_size(head: bytes) -> int:
    """Return the bytes of a page by the header of a database (0 and 1: 65,536)."""
    size = int.from_bytes(head[16:18], "big")
    return size if size > 1 else 65_536


def without_journal(path: Path) -> None:
    """Make the file at `path`, which nobody else has open, one that can be read from a read-only disk."""
    with closing(connect(path, "rw")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    sync_file(path)


def _keep_journal(connection: Connection, place: str) -> None:
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        _keep_driver_journal(driver, place)


def _keep_driver_journal(connection: sqlite3.Connection, place: str) -> None:
    """Make the database keep a write-ahead log, so that readers and the writer do not wait for each other.

    The mode stays in the file: later calls find it there. Raises StoreError where the disk does not allow it.
    """
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        return
    if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
        msg = f"{place}: SQLite cannot keep its log here (a network disk?). Put it on a local disk."
        raise StoreError(msg)
