"""How a database is: facts about it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, inspect

from ecosystemiser.errors import DatabaseUnreachableError, Finding, StoreError
from ecosystemiser.store.dialect import Facts, RowCount
from ecosystemiser.store.engine import Database
from ecosystemiser.store.location import EngineName
from ecosystemiser.store.schema import metadata
from ecosystemiser.store.transfer import data_tables
from ecosystemiser.store.upgrade import read_version

__all__ = ["DatabaseInfo", "check", "info"]


@dataclass(frozen=True)
class DatabaseInfo:
    """Facts about a database. `location` shows no password.

    `size_bytes` is that of the file with its journal, on a server that of our tables with their indexes;
    `rows` by table; `settings` by the engine's own names.
    """

    engine: EngineName
    engine_version: str
    location: str
    schema_version: str
    size_bytes: int
    journal_mode: str
    rows: dict[str, RowCount]
    settings: dict[str, str]


def info(database: Database) -> DatabaseInfo:
    """Return facts about the database, in a fraction of a second also for a large one. Raises StoreError."""
    dialect = database.dialect
    with database.reading() as connection:
        found: Facts = dialect.facts(connection)
        return DatabaseInfo(
            engine=database.location.engine,
            engine_version=found.engine_version,
            location=str(database.location),
            schema_version=read_version(connection, dialect),
            size_bytes=found.size_bytes,
            journal_mode=found.journal_mode,
            rows={table.name: dialect.count_rows(connection, table) for table in data_tables()},
            settings=found.settings,
        )


def check(database: Database) -> tuple[Finding, ...]:
    """Return all that is wrong with the database; nothing where it is sound. Only reads, all of it.

    Looks for tables, columns and indexes that are missing, for rows that refer to rows which are not there, and
    for damage: in SQLite by its integrity check; in PostgreSQL by what the server noticed, by its extension
    amcheck where this user may use it, and by sequences and settings that would do harm. Raises
    DatabaseUnreachableError.
    """
    dialect = database.dialect
    parts: tuple[Callable[[Connection], Iterable[Finding]], ...] = (
        dialect.findings,
        dialect.check_references,
        _missing_parts,
    )
    found: list[Finding] = []
    for part in parts:
        try:
            with database.reading() as connection:
                found.extend(part(connection))
        except DatabaseUnreachableError:
            raise
        except StoreError as error:
            found.append(Finding(str(error), "restore a backup"))
    return tuple(found)


def _missing_parts(connection: Connection) -> Iterator[Finding]:
    """Yield what the schema has and the database has not."""
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    for table in metadata.sorted_tables:
        remedy = "restore a backup, or copy what is left into a new database"
        if table.name not in present:
            yield Finding("is missing", remedy, table.name)
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        indexes = {index["name"] for index in inspector.get_indexes(table.name)}
        for column in table.columns:
            if column.name not in columns:
                yield Finding("is missing", remedy, f"{table.name}.{column.name}")
        for index in table.indexes:
            if index.name not in indexes:
                yield Finding(f"its index {index.name} is missing", "copy into a new database", table.name)
