"""Workers that go beyond their time or their memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.worker_limits import DEAF_WORKER, SWOLLEN_WORKER

from ecosystemiser.jobs.executors import Patience, ProcessExecutor


def test_a_job_that_ignores_its_limit_is_ended_and_the_others_complete(tmp_path: Path) -> None:
    facts = DEAF_WORKER.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["deaf jobs"], facts["others"]) == (2, 80)


@pytest.mark.slow
def test_an_executor_that_is_too_patient_is_found(tmp_path: Path) -> None:
    patience = Patience(limit_factor=1.5, limit_slack_s=4.0)
    facts = DEAF_WORKER.tried_shortly(tmp_path, limit_s=0.1, slack_s=0.0, kinds=["process"], patience=patience)
    assert facts["too late"] == 1


def test_a_job_that_takes_all_memory_is_ended_and_the_others_complete(tmp_path: Path) -> None:
    facts = SWOLLEN_WORKER.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["greedy jobs"], facts["others"]) == (1, 40)
    assert facts["at most MB"] > 200  # it was watched while it grew


@pytest.mark.slow
def test_an_executor_without_a_limit_is_found(tmp_path: Path) -> None:
    facts = SWOLLEN_WORKER.tried_shortly(tmp_path, limit_mb=60.0, make=lambda limit_mb: ProcessExecutor(2))
    assert facts["not said"] == 1
    assert facts["too large"] == 1
