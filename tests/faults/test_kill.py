"""Killed studies lose nothing that was acknowledged."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.kill import KILLED_AT_A_CALL, KILLED_STUDY, Victim
from tests.faults.ledger import statuses
from tests.faults.systems import write_farm

from ecosystemiser import DatabaseMetadataService, SimulationConfig, StudyConfig, StudyService
from ecosystemiser.jobs.events import RunCompleted


def test_killed_studies_lose_nothing_and_tear_nothing(tmp_path: Path) -> None:
    facts = KILLED_STUDY.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["kills"] == 4


def test_a_run_killed_amid_a_write_leaves_what_was_there(tmp_path: Path) -> None:
    if missing := KILLED_AT_A_CALL.lacks():
        pytest.skip(missing)
    facts = KILLED_AT_A_CALL.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["calls broken"] >= 9


def test_what_an_event_tells_is_in_the_database_already(tmp_path: Path) -> None:
    """Whoever hears that a run is completed may die the next moment, and so may the study."""
    db, told, not_there = tmp_path / "runs.sqlite", [], []

    def look(event: RunCompleted) -> None:
        told.append(event.run_id)
        if (found := statuses(db).get(str(event.run_id))) != "completed":
            not_there.append((event.run_id, found))

    study = StudyConfig(
        study_id="s",
        base_config=SimulationConfig(system=write_farm(tmp_path)),
        parameters={"battery.capacity_kwh": [1, 2, 3, 4, 5, 6]},
        workers=1,
        output_directory=tmp_path / "results",
    )
    with DatabaseMetadataService(db) as log:
        service = StudyService(log)
        service.bus.subscribe(RunCompleted, look)
        service.run_study(study)
    assert len(told) == 6
    assert not_there == []


@pytest.mark.slow
def test_a_writer_that_acknowledges_before_it_commits_is_found(tmp_path: Path) -> None:
    broken = Victim("broken/early_ack", keeps_hours=False)
    facts = KILLED_STUDY.tried_shortly(tmp_path, number=4, least_acknowledged=4, victims=[broken])
    assert facts["lost"] >= 1
    assert facts["torn"] == 0


@pytest.mark.slow
def test_a_writer_that_writes_the_hourly_file_in_place_is_found(tmp_path: Path) -> None:
    facts = KILLED_STUDY.tried_shortly(tmp_path, number=4, least_acknowledged=4, victims=[Victim("broken/in_place")])
    assert facts["torn"] >= 1
