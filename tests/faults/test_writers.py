"""Many processes on one database."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.writers import EIGHT_WRITERS, FIRST_START


def test_eight_writers_and_a_reader_find_all_runs_and_no_lock(tmp_path: Path) -> None:
    facts = EIGHT_WRITERS.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["runs"] == 80
    assert facts["pages read"] >= 2


def test_processes_that_start_on_no_database_share_one(tmp_path: Path) -> None:
    facts = FIRST_START.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["processes"], facts["runs"]) == (8, 8)
    assert list((tmp_path / "0").glob(".*")) == []  # the losers' drafts are gone


@pytest.mark.slow
def test_a_writer_that_waits_for_nobody_is_found(tmp_path: Path) -> None:
    facts = EIGHT_WRITERS.tried_shortly(tmp_path, runs=200, program="broken/impatient_writer", pages=False)
    assert facts["locked"] >= 1
    assert facts["missing"] >= 1


@pytest.mark.slow
def test_a_database_that_is_created_in_place_is_found(tmp_path: Path) -> None:
    facts = FIRST_START.tried_shortly(tmp_path, times=3, program="broken/impatient_writer")
    assert facts["failed processes"] >= 1
