"""What differs between the engines, behind one door: how to connect, begin, create, upgrade, back up, look.

`sqlite.py` and `postgres.py` go through it; everything else in this room is the same for both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import DBAPIError

from ecosystemiser.errors import Finding, StoreError
from ecosystemiser.store.location import Location

__all__ = ["LOCK_WAIT_S", "Dialect", "Facts", "OnProgress", "RowCount"]

LOCK_WAIT_S = 60.0
"""How long a write waits for those of other processes. [s]"""

OnProgress = Callable[[int, int], None]
"""Told how much is done and how much there is in all, in pages of a file or in rows."""


@dataclass(frozen=True)
class RowCount:
    """How many rows a table has; where counting would take long, about how many."""

    rows: int
    is_exact: bool


@dataclass(frozen=True)
class Facts:
    """What an engine tells about a database: its version, how large it is, how it keeps its journal.

    `settings` holds what else may matter there, by the engine's own names.
    """

    engine_version: str
    size_bytes: int
    journal_mode: str
    settings: dict[str, str]


class Dialect(ABC):
    """One engine, at one location. Every method raises StoreError where the database cannot be used."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.place = str(location)
        """How messages name the database."""

    @abstractmethod
    def make_engine(self, *, read_only: bool) -> Engine:
        """Return an engine whose connections are set up the way that is safe with many processes.

        It connects at the first use, which goes through `writing` and `reading`.
        """

    @abstractmethod
    def writing(self, engine: Engine) -> AbstractContextManager[Connection]:
        """Give a connection in a transaction; commit durably at the end, roll back where the block raises."""

    @abstractmethod
    def reading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """Give a connection whose queries all see one state of the database."""

    @property
    @abstractmethod
    def driver_errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises where it is called past SQLAlchemy."""

    @abstractmethod
    def explained(self, error: Exception) -> StoreError | None:
        """Return what an error of SQLAlchemy's or the driver's means, or None where it is a mistake of ours."""

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what the engine reports, also at a commit, into StoreError."""
        reported: tuple[type[Exception], ...] = (DBAPIError, *self.driver_errors)
        try:
            yield
        except reported as error:
            explained = self.explained(error)
            if explained is None:
                raise
            raise explained from error

    @abstractmethod
    def exists(self) -> bool:
        """Return whether something stands at the location: a file, or tables named like ours."""

    @abstractmethod
    def create_if_missing(self, engine: Engine) -> bool:
        """Create the database where there is none, whole or not at all; return whether this call did.

        Of many processes that try at once one succeeds and the others find its database.
        """

    @abstractmethod
    def check_place(self) -> None:
        """Raise StoreError where what stands at the location cannot be a database of this engine."""

    @abstractmethod
    def settle(self, engine: Engine) -> None:
        """Make an existing database keep its journal as a new one does."""

    @abstractmethod
    def names(self, connection: Connection) -> frozenset[str]:
        """Return which tables and views there are; on a server, of those named like ours."""

    @abstractmethod
    def upgrading(self, engine: Engine) -> AbstractContextManager[Connection]:
        """Give a transaction that alone may write, and in which the schema may be changed."""

    @abstractmethod
    def check_references(self, connection: Connection) -> Sequence[Finding]:
        """Return where rows refer to rows that are not there."""

    @abstractmethod
    def upgrade_backup_path(self, version: str) -> Path:
        """Return a new name for the backup before an upgrade from `version`."""

    @abstractmethod
    def write_snapshot(
        self, connection: Connection, draft: Path, version: str, on_progress: OnProgress | None = None
    ) -> None:
        """Write as `draft` one SQLite file, synced, with all that the transaction of `connection` found.

        `version` is the schema's. In that transaction nothing may have been written before. Raises StoreError
        where the file would be unsound, OSError where it cannot be written.
        """

    @abstractmethod
    def without_triggers(self, connection: Connection) -> AbstractContextManager[None]:
        """Let rows be inserted as they are: within the block our tables have no triggers."""

    @abstractmethod
    def continue_counting(self, connection: Connection, table: Table) -> None:
        """Let the next row of `table` get a number above those that were inserted with one."""

    @abstractmethod
    def findings(self, connection: Connection) -> Iterator[Finding]:
        """Yield what is wrong with the database as this engine can tell."""

    @abstractmethod
    def facts(self, connection: Connection) -> Facts:
        """Return what this engine tells about the database."""

    @abstractmethod
    def count_rows(self, connection: Connection, table: Table) -> RowCount:
        """Return how many rows `table` has, in a few milliseconds."""
