"""What Ctrl-C and SIGTERM do."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.faults.processes import start_program
from tests.faults.signals import STOPPED, Command


def test_stopped_commands_end_soon_and_leave_nothing_running(tmp_path: Path) -> None:
    facts = STOPPED.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["stopped"] == 3


@pytest.mark.slow
def test_a_command_that_does_not_hear_is_found(tmp_path: Path) -> None:
    def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
        return start_program("broken/deaf_command", *arguments, **options)

    deaf = Command("deaf", lambda folder: (folder / "data" / "simulation_index.sqlite",), span_s=1.0, start=start)
    (tmp_path / "0" / "data").mkdir(parents=True)
    facts = STOPPED.tried_shortly(tmp_path, times=1, commands=[deaf], end_s=1.0)
    for what in ("too late", "wrong exit code", "processes left", "left running"):
        assert facts[what] == 1, what
