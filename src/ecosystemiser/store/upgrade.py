"""Bring the schema of an existing database up to date, in one transaction, with a backup taken first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from ecosystemiser.errors import StoreError
from ecosystemiser.store.dialect import Dialect
from ecosystemiser.store.schema import SCHEMA_VERSION, schema_version
from ecosystemiser.store.snapshot import write_backup
from ecosystemiser.store.views import create_views, drop_views

__all__ = ["Upgrade", "migrate", "read_version", "upgrade"]

_REVISION = re.compile(r"[0-9]{4}")
_RUNS = {"simulation_runs", "runs"}
"""The table of runs: up to schema 0001, and since."""

MIGRATIONS = Path(__file__).with_name("migrations")


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade did: the versions before (None: no database) and after; the backup, if needed."""

    before: str | None
    after: str
    backup: Path | None


def read_version(connection: Connection, dialect: Dialect) -> str:
    """Return the schema version, at most our own. Raises StoreError for a newer, foreign or missing database."""
    names = dialect.names(connection)
    ours = schema_version.name in names and not _RUNS.isdisjoint(names)
    versions = connection.scalars(select(schema_version.c.version_num)).all() if ours else []
    if len(versions) != 1 or not _REVISION.fullmatch(version := str(versions[0])):
        found = f"has tables of something else ({', '.join(sorted(names)[:5])})" if names else "has no tables"
        msg = (
            f"{dialect.place}: is not a database of EcoSystemiser: it {found}. "
            "Nothing was changed; give another path or URL."
        )
        raise StoreError(msg)
    if version > SCHEMA_VERSION:
        msg = (
            f"{dialect.place}: has schema {version}; the newest that this EcoSystemiser knows is {SCHEMA_VERSION}. "
            "Nothing was changed; install a newer version of EcoSystemiser."
        )
        raise StoreError(msg)
    return version


def upgrade(dialect: Dialect, engine: Engine) -> Upgrade:
    """Upgrade the database to our schema version; do nothing where it has it already.

    Nobody else writes from before the backup until the end, so that the backup misses nothing. Whatever
    happens, the database is as it was or fully upgraded. Raises StoreError.
    """
    with dialect.errors(), dialect.upgrading(engine) as connection:
        before = read_version(connection, dialect)
        if before == SCHEMA_VERSION:
            return Upgrade(before, before, None)
        backup = write_backup(dialect, connection, before, dialect.upgrade_backup_path(before))
        migrate(connection)
        after = read_version(connection, dialect)
        if dialect.check_references(connection):
            msg = f"{dialect.place}: the upgrade would leave rows without what they refer to; nothing was changed."
            raise StoreError(msg)
    return Upgrade(before, after, backup.path)


def migrate(connection: Connection, version: str = "head") -> None:
    """Run in the transaction of `connection` all migrations that its database lacks up to `version`, from none on.

    Only the newest version has the views: what they show is written down for no other.
    """
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    drop_views(connection)
    command.upgrade(config, version)
    if version == "head":
        create_views(connection)
