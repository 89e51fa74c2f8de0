"""What is no sound database of ours is told, and left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.faults.database_damage import DAMAGED, DAMAGES, USES


def test_a_damaged_database_is_told_and_left_alone(tmp_path: Path) -> None:
    facts = DAMAGED.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["damaged files"] == len(DAMAGES) >= 20


def test_the_command_line_tells_it_too(tmp_path: Path) -> None:
    facts = DAMAGED.tried_shortly(tmp_path, uses=["runs list"], has_log=[True], every=2)
    assert facts.broken == [], facts.complaint


def test_db_check_names_what_is_wrong_and_passes_a_sound_database(tmp_path: Path) -> None:
    facts = DAMAGED.tried_shortly(tmp_path, uses=["db check"], has_log=[True], every=3)
    assert facts.broken == [], facts.complaint
    assert USES["db check"](tmp_path / "sound-True" / "copy.sqlite") is None


@pytest.mark.slow
def test_an_opener_that_creates_what_is_missing_in_place_is_found(tmp_path: Path) -> None:
    def create(db: Path) -> str | None:
        try:
            with closing(sqlite3.connect(db)) as connection:
                connection.execute("create table if not exists simulation_runs (run_id text)")
        except sqlite3.DatabaseError as error:
            return f"{db}: {error}"
        return None

    facts = DAMAGED.tried_shortly(tmp_path, opens=create, has_log=[True])
    assert facts["changed"] >= 2  # zero bytes, a database of another application
    assert facts["no error"] >= 2


@pytest.mark.slow
def test_an_opener_that_says_nothing_helpful_is_found(tmp_path: Path) -> None:
    facts = DAMAGED.tried_shortly(tmp_path, opens=lambda _: "something went wrong", has_log=[True])
    assert facts["unclear"] == facts["uses"] == len(DAMAGES)
