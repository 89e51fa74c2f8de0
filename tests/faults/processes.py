"""Processes that are started, watched and killed from outside. Needs Linux' /proc."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ecosystemiser

__all__ = [
    "COMMAND",
    "PROGRAMS",
    "catches",
    "environment",
    "kill_session",
    "lines_of",
    "session_members",
    "start_command",
    "start_program",
    "wait_until",
]

PROGRAMS = Path(__file__).with_name("programs")
SOURCES = Path(ecosystemiser.__file__).parents[1]
ROOT = Path(__file__).parents[2]

COMMAND = [sys.executable, "-c", "from ecosystemiser.cli import main; main()"]
"""The command line, without having to be installed."""

LONGEST_S = 60.0
"""Whoever waits longer than this for a process has found a fault."""


def environment(**more: str) -> dict[str, str]:
    """Return this process' environment without a database of its own, with this source tree first."""
    kept = {name: value for name, value in os.environ.items() if name != "ECOSYSTEMISER_DB"}
    paths = [str(SOURCES), str(ROOT), *([os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", **more}


def start_program(name: str, *arguments: object, before: Sequence[str] = (), **options: Any) -> subprocess.Popen[bytes]:
    """Start `programs/NAME.py` in a session of its own; `before` are words that stand before the interpreter."""
    command = [*before, sys.executable, str(PROGRAMS / f"{name}.py"), *map(str, arguments)]
    return _start(command, options)


def start_command(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start the command line in a session of its own."""
    return _start([*COMMAND, *map(str, arguments)], options)


def _start(command: Sequence[str], options: dict[str, Any]) -> subprocess.Popen[bytes]:
    given = {"stdin": subprocess.DEVNULL, "env": environment(), **options}
    return subprocess.Popen(command, start_new_session=True, **given)


def lines_of(path: Path) -> list[str]:
    """Return the whole lines of a file that a process writes its words into."""
    text = path.read_text(errors="replace") if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


def wait_until(holds: Callable[[], object], what: str, seconds: float = LONGEST_S, every_s: float = 0.005) -> None:
    """Wait until `holds()`. Raises TimeoutError that says `what` did not happen."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen in {seconds:g} s")
        time.sleep(every_s)


def session_members(session: int) -> set[int]:
    """Return the processes of a session that live; one that has ended and was not waited for does not."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(words[3]) == session and words[0] not in "ZX":
            found.add(int(entry.parent.name))
    return found


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started, and return when none of them is left."""

    def none_is_left() -> bool:
        members = session_members(process.pid)
        for member in members:
            try:
                os.kill(member, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not members

    wait_until(none_is_left, "the end of killed processes")
    process.wait()


def catches(pid: int, number: signal.Signals) -> bool:
    """Return whether the process has put a handler of its own on a signal."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    mask = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt")), 0)
    return bool(mask >> (number - 1) & 1)
