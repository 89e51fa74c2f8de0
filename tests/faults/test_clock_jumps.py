"""A clock that jumps."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.clock_jumps import DURATIONS, STALE


def test_no_duration_is_negative_or_too_long(tmp_path: Path) -> None:
    facts = DURATIONS.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["jumps"] == 2
    assert facts["durations"] >= 160


def test_nobody_living_is_taken_for_dead(tmp_path: Path) -> None:
    facts = STALE.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["live runs"] == 2


@pytest.mark.slow
def test_durations_by_the_time_of_day_are_found(tmp_path: Path) -> None:
    """So the clock does jump, for both that Python tells it with."""
    facts = DURATIONS.tried_shortly(tmp_path, program="broken/wall_clock")
    assert (facts["negative"], facts["too long"]) == (2, 2)


@pytest.mark.slow
def test_a_writer_that_goes_by_the_time_of_day_is_found(tmp_path: Path) -> None:
    facts = STALE.tried_shortly(tmp_path, program="broken/close_old")
    assert facts["false stale"] == 2
