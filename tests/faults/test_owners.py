"""Rows of the dead, the living and the frozen."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.faults.ledger import statuses
from tests.faults.owners import FROZEN, LIVE, ORPHANS, REUSED, holder

from ecosystemiser import DatabaseMetadataService


def test_rows_of_the_dead_are_shown_as_gone_and_closed_by_the_next_writer(tmp_path: Path) -> None:
    facts = ORPHANS.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["deaths"] == 2


def test_a_process_that_got_the_pid_of_the_dead_owns_nothing(tmp_path: Path) -> None:
    if missing := REUSED.lacks():
        pytest.skip(missing)
    facts = REUSED.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint


def test_rows_of_the_living_are_never_closed(tmp_path: Path) -> None:
    facts = LIVE.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["slow runs"] == 6


def test_a_frozen_owner_on_another_host_is_closed_and_stays_closed(tmp_path: Path) -> None:
    if missing := FROZEN.lacks():
        pytest.skip(missing)
    facts = FROZEN.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["frozen owners"] == 1


def test_a_late_result_is_refused(tmp_path: Path) -> None:
    """Whoever has closed the row: an owner that was frozen meanwhile cannot open it again."""
    db = tmp_path / "runs.sqlite"
    with holder(db, "late") as late:
        os.kill(late.process.pid, signal.SIGSTOP)
        with DatabaseMetadataService(db) as log:
            log.log_simulation_run({"run_id": "late", "simulation_status": "interrupted"})
        os.kill(late.process.pid, signal.SIGCONT)
        said = late.finished()
    assert said.startswith("refused: run late: is interrupted")
    assert statuses(db) == {"late": "interrupted"}


# Negative controls.


@pytest.mark.slow
def test_a_writer_that_leaves_orphans_is_found(tmp_path: Path) -> None:
    facts = ORPHANS.tried_shortly(tmp_path, deaths=1, opens=lambda _: None, looks=False)
    assert facts["orphans"] >= 1


@pytest.mark.slow
def test_a_writer_that_closes_the_living_is_found(tmp_path: Path) -> None:
    facts = LIVE.tried_shortly(tmp_path, runs=3, openers=1, program="broken/close_all")
    assert facts["closed wrongly"] == 3
    assert facts["not completed"] == 3


@pytest.mark.slow
def test_a_pid_that_is_taken_for_its_dead_owner_is_found(tmp_path: Path) -> None:
    if missing := REUSED.lacks():
        pytest.skip(missing)
    assert REUSED.tried_shortly(tmp_path, opens=lambda _: None)["orphans"] == 1


@pytest.mark.slow
def test_an_owner_that_says_it_completed_a_closed_run_is_found(tmp_path: Path) -> None:
    if missing := FROZEN.lacks():
        pytest.skip(missing)
    facts = FROZEN.tried_shortly(tmp_path, closes=close, program="broken/deaf_holder")
    assert (facts["flips"], facts["not closed"]) == (1, 0)


def close(db: Path, runs: Sequence[str], _patience_s: float) -> None:
    with DatabaseMetadataService(db) as log:
        for run_id in runs:
            log.log_simulation_run({"run_id": run_id, "simulation_status": "interrupted"})
