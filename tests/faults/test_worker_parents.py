"""Programs with workers that are killed or stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults import worker_parents
from tests.faults.worker_parents import ABANDONED, KILLED_PARENT, STOPPED_PARENT, leaver


def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    facts = KILLED_PARENT.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["parents killed"] == 4
    assert facts["workers seen"] >= 4


@pytest.mark.slow
def test_workers_that_stay_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_parents, "GONE_S", 0.5)
    facts = KILLED_PARENT.tried_shortly(tmp_path, times=1, kinds=["none"], start=leaver)
    assert facts["processes left"] == 1, facts.complaint
    assert facts["workers seen"] == 2


def test_a_program_with_busy_workers_ends_soon(tmp_path: Path) -> None:
    facts = STOPPED_PARENT.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["stopped"] == 2


@pytest.mark.slow
def test_a_program_that_does_not_hear_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_parents, "GONE_S", 0.5)
    facts = STOPPED_PARENT.tried_shortly(tmp_path, times=1, kinds=["none"], start=leaver)
    assert facts["too late"] == facts["processes left"] == 1, facts.complaint


def test_tasks_end_in_the_workers_of_others_and_these_stay(tmp_path: Path) -> None:
    facts = ABANDONED.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["parents killed"], facts["tasks"], facts["workers afterwards"]) == (1, 2, 2)


@pytest.mark.slow
def test_tasks_that_go_on_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a program that was killed too late to be looked for at once: deaf ones need more than half a second."""
    monkeypatch.setattr(worker_parents, "DEAF_GONE_S", 0.5)
    facts = ABANDONED.tried_shortly(tmp_path)
    assert facts["deaf tasks left"] == 1, facts.complaint
