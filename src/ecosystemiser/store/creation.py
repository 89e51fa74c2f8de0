"""A new database appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, StaticPool, create_engine

from ecosystemiser.errors import StoreError
from ecosystemiser.store.connect import connect, keep_journal, make_engine, writing
from ecosystemiser.store.failures import database_errors
from ecosystemiser.store.files import file_error, sync_folder
from ecosystemiser.store.schema import SCHEMA_VERSION, metadata, schema_version

__all__ = ["create_if_missing", "empty_database"]


def create_if_missing(path: Path) -> bool:
    """Create the database at `path` unless something stands there; return whether this call did.

    Of many processes that try at once one succeeds and the others find its file: each makes a complete one
    beside it and links it to the name, which fails where the name is taken. Raises StoreError.
    """
    if path.exists():
        return False
    if not path.parent.is_dir():
        msg = f"{path}: the folder {path.parent} does not exist. Create it, or give another path."
        raise StoreError(msg)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        _refuse_orphaned_journal(path)
        with database_errors(path):
            _write_whole(draft)
        return _publish(draft, path)
    except OSError as error:
        raise file_error(error, path) from error
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                draft.with_name(draft.name + suffix).unlink()


def _refuse_orphaned_journal(path: Path) -> None:
    """Refuse a place where the journal of a lost database lies: SQLite would apply it to the new one."""
    journal = path.with_name(f"{path.name}-wal")
    written = journal.exists() and journal.stat().st_size > 0
    if written and not path.exists():  # asked last: a database stands before its journal does
        msg = (
            f"{journal}: belongs to a database that is no longer at {path}, and may hold its last runs. "
            "Put that database back, or move this file away to begin a new one."
        )
        raise StoreError(msg)


def _write_whole(draft: Path) -> None:
    connection = connect(draft, "rwc")
    try:
        keep_journal(connection, draft)
    finally:
        connection.close()
    with writing(make_engine(draft, "rw", pool=NullPool)) as tables:
        metadata.create_all(tables, checkfirst=False)
        tables.execute(schema_version.insert(), {"version_num": SCHEMA_VERSION})
    with draft.open("rb+") as file:
        os.fsync(file.fileno())


def _publish(draft: Path, path: Path) -> bool:
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    sync_folder(path.parent)
    return True


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
