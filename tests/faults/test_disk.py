"""A disk that is full, fails or may not be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.faults import disk
from tests.faults.disk import REFUSALS, Refusal
from tests.faults.facts import Facts, Fault
from tests.faults.nursery import Answer, shared_nursery
from tests.faults.sweep import what_is_unclear
from tests.faults.systems import write_farm


def short(fault: Fault, folder: Path, **figures: Any) -> Facts:
    if missing := fault.lacks():
        pytest.skip(missing)
    return fault.tried_shortly(folder, **figures)


@pytest.mark.parametrize("fault", [disk.IO_ERROR, disk.READ_ERROR, disk.NO_ROOM_AT_A_CALL], ids=lambda each: each.name)
def test_a_call_that_goes_wrong_loses_nothing(fault: Fault, tmp_path: Path) -> None:
    facts = short(fault, tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["calls broken"] >= 5


def test_a_full_disk_is_told_and_with_room_it_goes_on(tmp_path: Path) -> None:
    facts = short(disk.FULL_DISK, tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["times the disk was full"] == 1


def test_files_that_may_not_grow_are_told(tmp_path: Path) -> None:
    facts = short(disk.FILE_SIZE, tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["limits"] == 6


def test_what_may_not_be_written_is_told(tmp_path: Path) -> None:
    facts = short(disk.READ_ONLY, tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["refused"] >= sum(not refusal.may_work for refusal in REFUSALS[::2]) >= 4


# Negative controls.


@pytest.mark.slow
def test_a_command_that_hides_the_error_is_found(tmp_path: Path) -> None:
    """It says that the run is completed, whatever happened to it."""

    def hiding(*argv: object, **options: Any) -> Answer:
        answer = shared_nursery().run(*argv, **options)
        told = json.dumps({"run_id": "never-recorded", "simulation_status": "completed"})
        return Answer(0, told, "", answer.calls, answer.fired) if answer.code else answer

    facts = short(disk.IO_ERROR, tmp_path, samples=dict.fromkeys(disk.WRITERS, 1), run=hiding)
    assert facts["lost"] >= 1


@pytest.mark.slow
def test_a_command_that_ends_with_a_traceback_is_found(tmp_path: Path) -> None:
    def raising(*argv: object, **options: Any) -> Answer:
        answer = shared_nursery().run(*argv, **options)
        return Answer(1, "", "Traceback (most recent call last): OSError", answer.calls, answer.fired or 1)

    facts = Facts()
    if missing := disk.IO_ERROR.lacks():
        pytest.skip(missing)
    with pytest.raises(RuntimeError, match="does not work"):
        disk.IO_ERROR.tried_shortly(tmp_path, run=raising)
    said = what_is_unclear(raising("runs", "list", folder=tmp_path), tmp_path)
    assert said is not None
    assert "no message for people" in said
    assert facts.broken == []


@pytest.mark.slow
def test_a_folder_that_may_be_written_after_all_is_found(tmp_path: Path) -> None:
    facts = short(disk.READ_ONLY, tmp_path, refusals=[Refusal("nothing is refused", "db", 0o755)])
    assert "nothing was said against it" in facts.complaint
    assert facts["refused"] == 0


def test_a_signal_is_no_clear_error(tmp_path: Path) -> None:
    assert what_is_unclear(Answer(-7, "", str(tmp_path)), tmp_path) is not None
    assert what_is_unclear(Answer(1, "", f"{write_farm(tmp_path)}: the disk is full"), tmp_path) is None
