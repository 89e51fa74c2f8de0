"""Databases of other schema versions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.faults.nursery import Mode
from tests.faults.schema_versions import KILLED_UPGRADE, NEWER


def test_a_killed_upgrade_leaves_the_old_or_the_new_database(tmp_path: Path) -> None:
    if missing := KILLED_UPGRADE.lacks():
        pytest.skip(missing)
    facts = KILLED_UPGRADE.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["old"] >= 4


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    facts = NEWER.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["refused"] == 5


@pytest.mark.slow
def test_an_upgrade_in_steps_is_found(tmp_path: Path) -> None:
    if missing := KILLED_UPGRADE.lacks():
        pytest.skip(missing)
    steps = "tests.faults.programs.broken.upgrade_in_steps:upgrade"
    facts = KILLED_UPGRADE.tried_shortly(tmp_path, modes=[Mode.KILL], upgrades=steps)
    assert facts["between"] >= 1
    assert facts["without backup"] >= 1


@pytest.mark.slow
def test_a_program_that_uses_a_newer_database_is_found(tmp_path: Path) -> None:
    def use(db: Path) -> None:
        with closing(sqlite3.connect(db)) as connection:
            connection.execute("create table if not exists ours (a)")
            connection.commit()

    facts = NEWER.tried_shortly(tmp_path, opens=use)
    assert facts["not refused"] == 5
    assert facts["changed"] == 5
