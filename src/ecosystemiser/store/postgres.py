"""PostgreSQL: our tables in a database on a server, through psycopg 3."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from sqlalchemy import TIMESTAMP, Connection, Engine, MetaData, RootTransaction, Table, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store import catalogue
from ecosystemiser.store.columns import UtcTime
from ecosystemiser.store.creation import create_tables
from ecosystemiser.store.dialect import LOCK_WAIT_S, Dialect, Facts, OnProgress, RowCount
from ecosystemiser.store.failures import connect_failure, postgres_failure
from ecosystemiser.store.files import file_error
from ecosystemiser.store.location import DEFAULT_PATH, EngineName, Location
from ecosystemiser.store.schema import SCHEMA_VERSION
from ecosystemiser.store.sqlite import Sqlite, new_file, without_journal
from ecosystemiser.store.transfer import data_tables, transfer
from ecosystemiser.store.upgrade import migrate

__all__ = ["Postgres"]

_WRITE = b"BEGIN ISOLATION LEVEL READ COMMITTED"
_READ = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SCHEMA_LOCK = int.from_bytes(b"ecosyste")
"""The advisory lock of whoever creates or upgrades tables."""

_SESSION = f"""
SET client_encoding = 'UTF8'; SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET lock_timeout = '{LOCK_WAIT_S:.0f}s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');
"""
_ONLY_READING = "SET default_transaction_read_only = on;"

_DEFAULTS = {
    "fallback_application_name": "ecosystemiser",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""A server that vanished without a word is noticed within about a minute; a URL may say otherwise."""


class Postgres(Dialect):
    """A database on a PostgreSQL server."""

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        self._parameters = _read_parameters(location)
        given = (self._parameters.get("password"), os.environ.get("PGPASSWORD"))
        secret = "|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in given if each)
        self._secret = re.compile(secret or "$^")

    def make_engine(self, *, read_only: bool) -> Engine:
        settings = _SESSION + (_ONLY_READING if read_only else "")
        return create_engine(
            "postgresql+psycopg://",
            creator=lambda: self._connect(settings.encode()),
            pool_size=4,
            max_overflow=-1,
            pool_use_lifo=True,
            use_native_hstore=False,
        )

    def _connect(self, settings: bytes) -> psycopg.Connection[Any]:
        """Connect; transactions are begun by `_begun`, not by the driver. Raises StoreError."""
        try:
            connection = psycopg.connect(**{**_defaults(), **self._parameters}, autocommit=True)
        except psycopg.Error as error:
            said = self._text_of(error)
        else:
            try:
                connection.execute(settings)
            except BaseException:
                connection.close()
                raise
            return connection
        raise connect_failure(said, self.place)  # without its cause, which holds the password

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        with _begun(engine, _WRITE) as connection, connection.begin() as transaction:
            with _loss_noticed(connection):
                yield connection
            self._commit(connection, transaction)

    @contextmanager
    def reading(self, engine: Engine) -> Iterator[Connection]:
        with _begun(engine, _READ) as connection, _loss_noticed(connection):
            yield connection

    def _commit(self, connection: Connection, transaction: RootTransaction) -> None:
        if _driver_of(connection).info.transaction_status == TransactionStatus.INERROR:
            # Here the server would answer a COMMIT with a rollback, and without an error.
            msg = f"{self.place}: a statement of this write failed; nothing of it was kept."
            raise StoreError(msg)
        try:
            transaction.commit()
        except (DBAPIError, psycopg.Error) as error:
            raise self._explained(error, at_commit=True) or error from error

    @property
    def driver_errors(self) -> tuple[type[Exception], ...]:
        return (psycopg.Error,)

    def explained(self, error: Exception) -> StoreError | None:
        return self._explained(error, at_commit=False)

    def _explained(self, error: Exception, *, at_commit: bool) -> StoreError | None:
        reported = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(reported, psycopg.Error):
            return None
        if reported.sqlstate is None and isinstance(reported, psycopg.ProgrammingError | psycopg.InterfaceError):
            return None
        is_lost = reported.sqlstate is None and isinstance(reported, psycopg.OperationalError)
        text = self._text_of(reported)
        return postgres_failure(reported.sqlstate, text, self.place, is_lost=is_lost, at_commit=at_commit)

    def _text_of(self, error: psycopg.Error) -> str:
        said = error.diag.message_primary or str(error)
        if error.diag.message_detail:
            said = f"{said}: {error.diag.message_detail}"
        return self._secret.sub("***", " ".join(said.split()))

    def exists(self) -> bool:
        engine = self.make_engine(read_only=True)
        try:
            with self.reading(engine) as connection:
                return bool(self.names(connection))
        finally:
            engine.dispose()

    def create_if_missing(self, engine: Engine) -> bool:
        with self.reading(engine) as connection:
            if self.names(connection):
                return False
        with self.writing(engine) as connection:
            _lock_schema(connection)
            if self.names(connection):
                return False
            self._check_encoding(connection)
            create_tables(connection)
        return True

    def _check_encoding(self, connection: Connection) -> None:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            msg = (
                f"{self.place}: has the encoding {encoding}, which cannot hold every text. Nothing was created; "
                "create a database with `createdb --encoding=UTF8 --template=template0 NAME`, and name that."
            )
            raise StoreError(msg)

    def check_place(self) -> None:
        """Do nothing: whether there is a database shows when it is connected to."""

    def settle(self, engine: Engine) -> None:
        """Do nothing: a server keeps its journal always."""

    def names(self, connection: Connection) -> frozenset[str]:
        found = catalogue.relations_like_ours(connection)
        if len(set(found.values())) > 1:
            places = ", ".join(f"{schema}.{name}" for name, schema in sorted(found.items()))
            msg = (
                f"{self.place}: the search_path leads to tables in several schemas ({places}). Nothing was changed; "
                "set search_path to one schema: ALTER ROLE ... SET search_path, or ?options=-csearch_path%3DNAME."
            )
            raise StoreError(msg)
        return frozenset(found)

    @contextmanager
    def upgrading(self, engine: Engine) -> Iterator[Connection]:
        with self.writing(engine) as connection:
            _lock_schema(connection)
            catalogue.lock_tables(connection)
            yield connection

    def check_references(self, connection: Connection) -> Sequence[Finding]:
        return catalogue.broken_references(connection)

    def upgrade_backup_path(self, version: str) -> Path:
        """Return a name in `data/` below the current folder, which is created."""
        folder = DEFAULT_PATH.parent.resolve()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise file_error(error, folder) from error
        name = re.sub(r"\W", "-", str(self._parameters.get("dbname", "postgresql")))
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        return folder / f"{name}.sqlite.backup-{version}-{stamp}-{secrets.token_hex(2)}"

    def write_snapshot(
        self, connection: Connection, draft: Path, version: str, on_progress: OnProgress | None = None
    ) -> None:
        copy = Sqlite(Location(EngineName.SQLITE, str(draft), chosen=True))
        with copy.errors(), new_file(draft) as target:
            if version == SCHEMA_VERSION:
                create_tables(target)
                tables = data_tables()
            else:
                migrate(target, version)
                tables = data_tables(_tables_of(connection, target))
            transfer(connection, target, tables, copy, on_progress)
        with copy.errors():
            without_journal(draft)

    @contextmanager
    def without_triggers(self, connection: Connection) -> Iterator[None]:
        tables = catalogue.triggered_tables(connection)
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    def continue_counting(self, connection: Connection, table: Table) -> None:
        catalogue.continue_sequences(connection, table)

    def findings(self, connection: Connection) -> Iterator[Finding]:
        yield from catalogue.findings(connection)

    def facts(self, connection: Connection) -> Facts:
        return catalogue.facts(connection)

    def count_rows(self, connection: Connection, table: Table) -> RowCount:
        return catalogue.count_rows(connection, table)


def _defaults() -> dict[str, str]:
    return {name: value for name, value in _DEFAULTS.items() if f"PG{name.upper()}" not in os.environ}


def _read_parameters(location: Location) -> dict[str, Any]:
    """Return the parameters of libpq that the URL names."""
    try:
        return conninfo_to_dict(location.address)
    except psycopg.Error:
        remedy = "use the parameters of libpq, as in postgresql://user@host/database?sslmode=require"
        finding = Finding("has a parameter that libpq does not know", remedy, "db", str(location))
    raise InputError([finding])  # without its cause, which may show a password


@contextmanager
def _begun(engine: Engine, begin: bytes) -> Iterator[Connection]:
    """Give a connection in which `begin` was executed as the first statement."""
    connection = engine.connect()
    if not _tried_to_begin(connection, begin):
        engine.dispose()  # the server was away since this connection was used: the other free ones are as dead
        connection = engine.connect()
        if not _tried_to_begin(connection, begin):
            raise psycopg.OperationalError("the server closes every new connection")
    with connection:
        yield connection


def _tried_to_begin(connection: Connection, begin: bytes) -> bool:
    """Execute `begin`; return False where the connection turned out to be lost."""
    try:
        connection.connection.cursor().execute(begin)
    except BaseException as error:
        lost = isinstance(error, psycopg.OperationalError) and _driver_of(connection).closed
        if lost:
            connection.invalidate()
        connection.close()
        if lost:
            return False
        raise
    return True


@contextmanager
def _loss_noticed(connection: Connection) -> Iterator[None]:
    """Give up a connection that is lost, however that shows: a rollback would hide how it was lost."""
    try:
        yield
    except psycopg.Error:  # from statements that went past SQLAlchemy, which notices by itself
        if not connection.invalidated and _driver_of(connection).closed:
            connection.invalidate()
        raise


def _driver_of(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(driver)
    return driver


def _lock_schema(connection: Connection) -> None:
    """Let nobody else create or upgrade tables in this database until the transaction ends."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")


def _tables_of(source: Connection, target: Connection) -> list[Table]:
    """Return the tables of an older schema, which both have, with types that suit both."""
    older = MetaData()

    @event.listens_for(older, "column_reflect")
    def show_times_as_text(_inspector: object, _table: object, column: dict[str, Any]) -> None:
        if isinstance(column["type"], TIMESTAMP):
            column["type"] = UtcTime()

    older.reflect(source, only=inspect(target).get_table_names())
    return older.sorted_tables
