"""A clock that jumps by a day, both ways: no duration is negative or too long, and nobody living is taken for dead."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from tests.faults.facts import Facts, Fault
from tests.faults.ledger import judge, statuses
from tests.faults.owners import holder
from tests.faults.processes import PROGRAMS, environment, kill_session, lines_of, start_program, wait_until
from tests.faults.systems import write_farm

__all__ = ["DURATIONS", "STALE", "jump_amid_studies", "jump_and_open"]

DAY_S = 86_400.0
SLACK_S = 0.5
"""By so much a duration may exceed what was measured around it: it begins a little before. [s]"""

ESTIMATES = ("StudyProgress.seconds_left", "StudyProgress.rate")


def _jumping(clock: Path) -> dict[str, str]:
    """Return the environment of a process whose clock is off by what the file says."""
    given = environment()
    path = os.pathsep.join([str(PROGRAMS / "clock"), given["PYTHONPATH"]])
    return {**given, "PYTHONPATH": path, "FAULTS_CLOCK": str(clock)}


def _set(clock: Path, offset_s: float) -> None:
    draft = clock.with_suffix(".new")
    draft.write_text(str(offset_s))
    draft.replace(clock)


def jump_amid_studies(
    folder: Path, *, times: int, program: str = "time_studies", seconds: float = 0.5, seed: int = 1
) -> Facts:
    """Let the clock jump while a program runs studies, `times`, forward and back; look at all durations it tells."""
    facts = Facts({"jumps": 0, "durations": 0, "negative": 0, "too long": 0, "not completed": 0})
    rng = np.random.default_rng(seed)
    for number in range(times):
        place = folder / str(number)
        place.mkdir()
        jump_s = DAY_S if number % 2 else -DAY_S
        workers = 1 + number // 2 % 2
        told = _told_by(place, program, workers, seconds, jump_s, rng.uniform(0.1, 0.9) * seconds, facts)
        when = f"jump by {jump_s:+.0f} s, {workers} workers"
        for name, durations in told["durations"].items():
            for duration in durations:
                facts.count("durations")
                if duration is not None and duration < 0:
                    facts.blame("negative", f"{name} is {duration:.1f} s ({when})")
                elif duration is not None and duration > _longest(name, told["elapsed"]):
                    facts.blame("too long", f"{name} is {duration:.1f} s of {told['elapsed']:.1f} s ({when})")
        if set(told["statuses"]) != {"completed"}:
            facts.blame("not completed", f"{set(told['statuses'])} ({when})")
        if program == "time_studies":
            judge(place / "runs.sqlite", []).tell(facts, when)
    return facts


def _longest(name: str, elapsed_s: float) -> float:
    """Return what the duration `name` may be at most; an estimate may be far off, but not by a jump."""
    return DAY_S / 2 if name in ESTIMATES else elapsed_s + SLACK_S


def _told_by(
    place: Path, program: str, workers: int, seconds: float, jump_s: float, moment_s: float, facts: Facts
) -> dict[str, Any]:
    said, clock, complaint = place / "said", place / "clock", place / "err"
    arguments = (place / "runs.sqlite", write_farm(place), place / "results", workers, seconds)
    with said.open("wb") as out, complaint.open("wb") as err:
        process = start_program(program, *arguments, env=_jumping(clock), stdout=out, stderr=err, cwd=place)
        try:
            wait_until(lambda: lines_of(said) or process.poll() is not None, "the beginning of studies")
            time.sleep(moment_s)
            _set(clock, jump_s)
            facts.count("jumps", process.poll() is None)
            process.wait(timeout=60)
        finally:
            kill_session(process)
    if process.returncode != 0:
        raise RuntimeError(f"{program} ended with {process.returncode}: {complaint.read_text()[-500:]}")
    told: dict[str, Any] = json.loads(lines_of(said)[-1])
    return told


def jump_and_open(folder: Path, *, runs: int, times: int, program: str = "open_often") -> Facts:
    """Hold runs while writers open the database whose clocks are a day off, and while the owners' clocks jump."""
    facts, db = Facts({"live runs": 0, "openings": 0, "false stale": 0, "not completed": 0}), folder / "runs.sqlite"
    clocks = {offset_s: folder / f"clock{offset_s:+.0f}" for offset_s in (DAY_S, -DAY_S)}
    for offset_s, clock in clocks.items():
        _set(clock, offset_s)
    with ExitStack() as kept:
        own_clocks = [folder / f"own-{number}" for number in range(runs)]
        held = [
            kept.enter_context(holder(db, f"held-{number}", variables=_jumping(clock)))
            for number, clock in enumerate(own_clocks)
        ]
        for number, clock in enumerate(own_clocks):
            _set(clock, DAY_S if number % 2 else -DAY_S)
        for offset_s, clock in clocks.items():
            process = start_program(program, db, f"opened{offset_s:+.0f}", times, env=_jumping(clock))
            process.wait(timeout=120)
            facts.count("openings", times)
        found = statuses(db)
        for each in held:
            facts.count("live runs")
            if found[each.run_id] != "running":
                facts.blame("false stale", f"{each.run_id} is {found[each.run_id]}, and its owner lives")
            if (said := each.finished()) != "completed":
                facts.blame("not completed", f"{each.run_id}: {said}")
    return facts


DURATIONS = Fault(
    "clock jumps by a day: durations",
    "0 negative",
    jump_amid_studies,
    short={"times": 2},
    long={"times": 40, "seconds": 2.0},
)
STALE = Fault(
    "clock jumps by a day: owners",
    "0 false stale",
    jump_and_open,
    short={"runs": 2, "times": 2},
    long={"runs": 10, "times": 20},
)
