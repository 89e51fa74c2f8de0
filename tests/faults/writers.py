"""Many processes on one database: all that they write is there, and nobody hears of a lock."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.facts import Facts, Fault
from tests.faults.ledger import statuses
from tests.faults.processes import kill_session, lines_of, start_program, wait_until

from ecosystemiser import DatabaseMetadataService

__all__ = ["EIGHT_WRITERS", "FIRST_START"]

PAGE = 100
LONGEST_S = 300.0


def write_at_once(
    folder: Path, *, processes: int, runs: int, times: int = 1, program: str = "write_runs", pages: bool = True
) -> Facts:
    """Let processes begin to log runs at the same moment on no database; so `times`, on a new database each time.

    `pages`: a reader pages through all runs meanwhile.
    """
    facts = Facts({"processes": 0, "runs": 0, "missing": 0, "locked": 0, "failed processes": 0})
    for number in range(times):
        place = folder / str(number)
        place.mkdir()
        writing = _start(place, program, processes, runs)
        try:
            (place / "gate").touch()
            while any(process.poll() is None for process in writing):
                if pages:
                    _page(place / "runs.sqlite", facts)
                time.sleep(0.01)
        finally:
            for process in writing:
                kill_session(process)
        _count(place, writing, runs, facts)
    return facts


def _start(place: Path, program: str, processes: int, runs: int) -> list[subprocess.Popen[bytes]]:
    """Start the writers, and return when all stand at the gate."""
    writing = []
    for number in range(processes):
        with (place / f"{number}.said").open("wb") as out, (place / f"{number}.err").open("wb") as err:
            arguments = (place / "runs.sqlite", f"w{number}", runs, place / "gate")
            writing.append(start_program(program, *arguments, stdout=out, stderr=err))
    ready = [place / f"{number}.said" for number in range(processes)]
    wait_until(lambda: all(map(lines_of, ready)) or any(one.poll() is not None for one in writing), "all at the gate")
    return writing


def _page(db: Path, facts: Facts) -> None:
    """Read all completed runs in pages, as somebody does who looks at them while they come in."""
    if not db.exists():
        return
    _hear(facts, lambda: _all_pages(db, facts))


def _all_pages(db: Path, facts: Facts) -> None:
    with DatabaseMetadataService(db) as log:
        for page in itertools.count():
            rows = log.query_simulation_runs(status="completed", order_by="-total_cost", limit=PAGE, offset=page * PAGE)
            facts.count("pages read")
            if len(rows) < PAGE:
                return


def _hear(facts: Facts, reads: Callable[[], None]) -> None:
    try:
        reads()
    except Exception as error:  # noqa: BLE001 - whatever a reader is told counts
        facts.blame("locked" if "lock" in str(error) else "failed reads", f"a reader was told: {error}")


def _count(place: Path, writing: Sequence[subprocess.Popen[bytes]], runs: int, facts: Facts) -> None:
    """Compare what is in the database with what was written."""
    try:
        found = statuses(place / "runs.sqlite")
    except sqlite3.Error as error:
        facts.blame("missing", f"nothing can be read: {error}")
        found = {}
    for number, process in enumerate(writing):
        said = (place / f"{number}.err").read_text()
        facts.count("processes")
        if "locked" in said:
            facts.blame("locked", f"writer {number} was told: {said.strip()[-200:]}")
        if process.returncode != 0:
            facts.blame("failed processes", f"writer {number} ended with {process.returncode}: {said.strip()[-200:]}")
        written = {f"w{number}-{at}" for at in range(runs)}
        completed = {run for run in written if found.get(run) == "completed"}
        facts.count("runs", len(completed))
        if completed != written:
            facts.blame("missing", f"{len(written - completed)} of the {runs} runs of writer {number}")


EIGHT_WRITERS = Fault(
    "8 processes write while a reader pages",
    "2,000 of 2,000 runs, 0 locked",
    write_at_once,
    short={"processes": 8, "runs": 10},
    long={"processes": 8, "runs": 250},
)
FIRST_START = Fault(
    "32 processes start on no database",
    "32 of 32",
    write_at_once,
    short={"processes": 8, "runs": 1, "pages": False},
    long={"processes": 32, "runs": 1, "times": 10, "pages": False},
)
