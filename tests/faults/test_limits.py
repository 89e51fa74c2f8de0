"""Solvers that go beyond what they may."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.limits import IGNORED_LIMIT, MEMORY_LIMIT
from tests.faults.programs.limit_tasks import FLAWED

from ecosystemiser.jobs.executors import Patience


def test_a_solver_that_ignores_its_limit_is_ended_and_the_study_goes_on(tmp_path: Path) -> None:
    facts = IGNORED_LIMIT.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["bad runs"], facts["other runs"]) == (1, 8)


def test_a_run_that_takes_all_memory_fails_and_the_study_goes_on(tmp_path: Path) -> None:
    facts = MEMORY_LIMIT.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["bad runs"], facts["other runs"]) == (1, 8)


@pytest.mark.slow
def test_an_executor_that_is_too_patient_is_found(tmp_path: Path) -> None:
    patient = Patience(limit_factor=1.5, limit_slack_s=3.0)
    facts = IGNORED_LIMIT.tried_shortly(tmp_path, limit_s=0.1, slack_s=0.0, patience=patient)
    assert facts["too late"] == 1


@pytest.mark.slow
def test_a_row_that_does_not_say_why_is_found(tmp_path: Path) -> None:
    """A run that fails for another reason than memory."""
    facts = MEMORY_LIMIT.tried_shortly(tmp_path, bad=FLAWED)
    assert facts["not said"] == 1
