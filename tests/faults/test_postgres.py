"""A PostgreSQL server that goes down under a study; one that stays down takes a minute: `python -m tests.faults`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.faults.postgres import RESTARTED, lacks_postgres
from tests.faults.processes import start_program

REQUIRED = "postgres" in os.environ.get("ECOSYSTEMISER_REQUIRE", "").split(",")

pytestmark = pytest.mark.skipif(lacks_postgres() is not None and not REQUIRED, reason=str(lacks_postgres()))


def test_a_study_goes_on_when_the_server_is_back(tmp_path: Path) -> None:
    facts = RESTARTED.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["restarts"] == 1
    assert facts["runs"] == 150


@pytest.mark.slow
def test_a_study_that_drops_and_doubles_runs_is_found(tmp_path: Path) -> None:
    def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        return start_program("broken/forgetful_study", *arguments, **options)

    facts = RESTARTED.tried_shortly(tmp_path, start=start, points=60)
    assert facts["doubled"] >= 1
    assert facts["not completed"] >= 1
