"""A process says that it lives while it has runs under way."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.schema import owners
from ecosystemiser.store.states import RunStatus


def beats(log: DatabaseMetadataService) -> list[int]:
    with log.reading() as connection:
        return list(connection.scalars(select(owners.c.beat)))


def status(log: DatabaseMetadataService, run_id: str) -> str:
    row = log.get_simulation_run(run_id)
    assert row is not None
    return str(row["simulation_status"])


def test_an_owner_beats_while_it_has_something_under_way_and_leaves_nothing(tmp_path: Path) -> None:
    with DatabaseMetadataService(tmp_path / "runs.sqlite", beat_every_s=0.02) as log:
        assert beats(log) == []
        log.log_simulation_run({"run_id": "a"})
        deadline = time.monotonic() + 20
        while beats(log)[0] < 3:
            assert time.monotonic() < deadline, "no beats"
            time.sleep(0.01)
        log.log_simulation_run({"run_id": "a", "simulation_status": "completed"})
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as log:
        assert beats(log) == []


def test_logging_what_has_ended_makes_no_owner(tmp_path: Path) -> None:
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as log:
        log.log_simulation_run({"run_id": "a", "simulation_status": "completed"})
        log.log_study({"study_id": "s", "status": RunStatus.FAILED})
        assert beats(log) == []


DIES = """
import os, sys
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
log = DatabaseMetadataService(sys.argv[1])
log.log_study({"study_id": "s"})
log.log_simulation_run({"run_id": "a", "study_id": "s"})
os._exit(9)
"""


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """A database in which a process that died left a run and its study."""
    path = tmp_path / "runs.sqlite"
    assert subprocess.run([sys.executable, "-c", DIES, str(path)], check=False).returncode == 9
    return path


def test_a_reader_shows_what_the_dead_left_and_changes_nothing(left_behind: Path) -> None:
    with DatabaseMetadataService(left_behind, read_only=True) as log:
        assert status(log, "a") == "running"
        assert log.runs_of_the_dead() == {"a"}
        assert status(log, "a") == "running"


def test_whoever_opens_it_for_writing_closes_what_the_dead_left(left_behind: Path) -> None:
    with DatabaseMetadataService(left_behind) as log:
        log.log_simulation_run({"run_id": "b"})
        assert [status(log, run_id) for run_id in "ab"] == ["interrupted", "running"]
        assert log.get_study_summary("s")["study"]["status"] == "interrupted"
        assert log.runs_of_the_dead() == set()


def test_a_run_under_way_stays_when_others_open_the_database(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    with DatabaseMetadataService(path) as log:
        log.log_simulation_run({"run_id": "slow"})
        for number in range(3):
            with DatabaseMetadataService(path) as other:
                other.log_simulation_run({"run_id": f"quick-{number}", "simulation_status": "completed"})
                assert other.close_runs_of_the_dead() == 0
        assert status(log, "slow") == "running"


def test_a_process_may_finish_what_it_began_through_another_service(tmp_path: Path) -> None:
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as log:
        log.log_simulation_run({"run_id": "a"})
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as log:
        log.log_simulation_run({"run_id": "a", "simulation_status": "completed"})
        assert status(log, "a") == "completed"
