"""Bring the schema of an existing database up to date, in one transaction, with a backup taken first."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, NullPool, inspect, select

from ecosystemiser.errors import StoreError
from ecosystemiser.store.connect import connect, make_engine, writing
from ecosystemiser.store.failures import database_errors
from ecosystemiser.store.files import file_error, sync_folder
from ecosystemiser.store.schema import SCHEMA_VERSION, schema_version, simulation_runs

__all__ = ["Upgrade", "migrate", "read_version", "upgrade"]

_REVISION = re.compile(r"[0-9]{4}")

MIGRATIONS = Path(__file__).with_name("migrations")


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade did: the versions before (None: no database) and after; the backup, if needed."""

    before: str | None
    after: str
    backup: Path | None


def read_version(connection: Connection, path: Path) -> str:
    """Return the schema version, at most our own. Raises StoreError for a newer or foreign database."""
    tables = inspect(connection).get_table_names()
    ours = {schema_version.name, simulation_runs.name}.issubset(tables)
    versions = connection.scalars(select(schema_version.c.version_num)).all() if ours else []
    if len(versions) != 1 or not _REVISION.fullmatch(version := str(versions[0])):
        msg = f"{path}: is not a database of EcoSystemiser. Nothing was changed; give another path."
        raise StoreError(msg)
    if version > SCHEMA_VERSION:
        msg = (
            f"{path}: has schema {version}; the newest that this EcoSystemiser knows is {SCHEMA_VERSION}. "
            "Nothing was changed; install a newer version of EcoSystemiser."
        )
        raise StoreError(msg)
    return version


def upgrade(path: Path) -> Upgrade:
    """Upgrade the database at `path` to our schema version; do nothing where it has it already.

    The write lock is held from before the backup until the end, so that the backup misses nothing. Whatever
    happens, the database is as it was or fully upgraded. Raises StoreError.
    """
    engine = make_engine(path, "rw", foreign_keys=False, pool=NullPool)  # SQLite alters by making tables anew
    with database_errors(path), writing(engine) as connection:
        before = read_version(connection, path)
        if before == SCHEMA_VERSION:
            return Upgrade(before, before, None)
        backup = _back_up(path, before)
        migrate(connection)
        after = read_version(connection, path)
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            msg = f"{path}: the upgrade would leave rows without what they refer to; nothing was changed."
            raise StoreError(msg)
    return Upgrade(before, after, backup)


def migrate(connection: Connection) -> None:
    """Run in the transaction of `connection` all migrations that its database lacks, from none on."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _back_up(path: Path, version: str) -> Path:
    """Copy the database, its log included, to a file beside it that appears whole or not at all."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    backup = path.with_name(f"{path.name}.backup-{version}-{stamp}-{secrets.token_hex(2)}")
    draft = backup.with_name(f".{backup.name}.new")
    try:
        with closing(connect(path, "ro")) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.rename(backup)
        sync_folder(path.parent)
    except OSError as error:
        raise file_error(error, backup) from error
    finally:
        draft.unlink(missing_ok=True)
    return backup
