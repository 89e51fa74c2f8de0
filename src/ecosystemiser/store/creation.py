"""Our tables in a database that has none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, StaticPool, create_engine

from ecosystemiser.store import views as _views  # noqa: F401 - they are made with the tables
from ecosystemiser.store.schema import SCHEMA_VERSION, metadata, schema_version

__all__ = ["create_tables", "empty_database"]


def create_tables(connection: Connection) -> None:
    """Create all tables, and what belongs to them, and record the schema version."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(schema_version.insert(), {"version_num": SCHEMA_VERSION})


@contextmanager
def empty_database() -> Iterator[Connection]:
    """Give an empty database in memory, for questions to one that does not exist yet."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.begin() as connection:
            metadata.create_all(connection, checkfirst=False)
            yield connection
    finally:
        engine.dispose()
