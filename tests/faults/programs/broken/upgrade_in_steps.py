"""A broken upgrade: each of its statements is a transaction of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing

STATEMENTS = (
    "create table if not exists step_a as select run_id from simulation_runs",
    "create table if not exists step_b as select run_id from simulation_runs",
    "create table if not exists step_c as select run_id from simulation_runs",
    "update alembic_version set version_num = 'steps'",
)


def upgrade(db: str) -> None:
    """Bring a database from one shape to another, without a backup."""
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        for statement in STATEMENTS:
            connection.execute(statement)
