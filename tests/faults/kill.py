"""kill -9 of a whole study, at random moments: nothing acknowledged is lost, no hourly file is torn."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.faults.facts import Facts, Fault
from tests.faults.ledger import judge, statuses
from tests.faults.nursery import Mode, lacks_compiler
from tests.faults.processes import kill_session, lines_of, start_program, wait_until
from tests.faults.sweep import sweep
from tests.faults.systems import write_farm

__all__ = ["KILLED_AT_A_CALL", "KILLED_STUDY", "VICTIMS", "Victim", "kill_at_calls", "kills"]


@dataclass(frozen=True)
class Victim:
    """A program that is killed."""

    program: str
    arguments: tuple[object, ...] = ()
    """Behind the database, the system, the folder of results and, with `is_named`, a new name."""
    span_s: float = 0.8
    """It is killed at a moment within this, counted from when it begins or from its first acknowledgement. [s]"""
    is_named: bool = False
    keeps_hours: bool = True


def _study(workers: int, *, timeseries: str = "all", points: int = 40, span_s: float) -> Victim:
    arguments = ("milp", workers, timeseries, points)
    return Victim("make_studies", arguments, span_s, is_named=True, keeps_hours=timeseries == "all")


VICTIMS = (
    _study(1, span_s=0.8),
    _study(2, points=400, span_s=1.5),
    Victim("make_runs"),
    _study(1, timeseries="none", span_s=0.8),
    _study(1, span_s=0.8),
)
"""What is killed, in turn: studies in one process and with workers, with hours and without, and single runs."""

CHAIN = 5
"""So many are killed on one database, one after the other; each goes on with what the one before has left."""


def kills(
    folder: Path,
    *,
    number: int,
    at_once: int = 2,
    least_acknowledged: int = 1,
    victims: Sequence[Victim] = VICTIMS,
    seed: int = 1,
) -> Facts:
    """Start and kill `number` programs, `at_once` at the same time, and judge each database after every kill."""
    chains = [min(CHAIN, number - first) for first in range(0, number, CHAIN)]
    if number < CHAIN * at_once:
        chains = [len(part) for part in np.array_split(np.arange(number), at_once)]
    facts = Facts({"kills": 0, "acknowledged": 0, "lost": 0, "torn": 0})
    with ThreadPoolExecutor(at_once) as pool:
        jobs = [
            pool.submit(_chain, folder / f"chain-{at}", length, [*victims[at % len(victims) :], *victims], seed + at)
            for at, length in enumerate(chains)
        ]
        for job in jobs:
            facts.add(job.result())
    facts.expect("acknowledged", least=least_acknowledged)
    return facts


FROM_BEGINNING = 3
"""Each third is killed at a moment counted from its beginning: so also while it creates the database."""


def _chain(folder: Path, length: int, victims: Sequence[Victim], seed: int) -> Facts:
    folder.mkdir()
    facts, acknowledged = Facts(), set[str]()
    rng = np.random.default_rng(seed)
    keeps_hours = True
    for at in range(length):
        victim = victims[at % len(victims)]
        keeps_hours = keeps_hours and victim.keeps_hours
        moment_s, words = rng.uniform(0, victim.span_s), 1 if (seed + at) % FROM_BEGINNING == 0 else 2
        acknowledged |= _killed(folder, victim, f"v{at}", (words, moment_s), facts)
        since = "its beginning" if words == 1 else "its first acknowledgement"
        when = f"{victim.program} {victim.arguments} killed {moment_s:.3f} s after {since}, seed {seed}"
        verdict = judge(folder / "runs.sqlite", sorted(acknowledged), keeps_hours=keeps_hours)
        verdict.tell(facts, when)
        acknowledged -= {sentence.split()[0] for sentence in verdict.lost}  # told once is enough
    facts.count("acknowledged", len(acknowledged) + facts["lost"])
    return facts


def _killed(folder: Path, victim: Victim, name: str, moment: tuple[int, float], facts: Facts) -> set[str]:
    """Start a victim and kill it; return which runs were acknowledged, by itself or to somebody who asked.

    `moment`: after so many words of its, and so many seconds.
    """
    words, seconds = moment
    db, said, complaint = folder / "runs.sqlite", folder / f"{name}.said", folder / f"{name}.err"
    arguments = (db, write_farm(folder), folder / "results", *([name] if victim.is_named else []), *victim.arguments)
    with said.open("wb") as out, complaint.open("wb") as err:
        process = start_program(victim.program, *arguments, stdout=out, stderr=err, cwd=folder)
        try:
            wait_until(lambda: len(lines_of(said)) >= words or process.poll() is not None, f"words of {victim.program}")
            time.sleep(seconds)
            seen = {run for run, status in _seen(db).items() if status == "completed"}
            has_ended = process.poll() is not None
        finally:
            kill_session(process)
    facts.count("kills")
    if has_ended:
        facts.blame("victims that ended by themselves", complaint.read_text()[-300:])
    told = {line.split()[1] for line in lines_of(said) if " " in line}
    return told | seen


def _seen(db: Path) -> dict[str, str]:
    """Return what a reader sees, who comes while the victim works."""
    return statuses(db)


KILLED_STUDY = Fault(
    "kill -9 of a study",
    "0 lost, 0 torn in 300 kills, at least 1,000 acknowledged",
    kills,
    short={"number": 4, "least_acknowledged": 20},
    long={"number": 300, "least_acknowledged": 1000},
)


def kill_at_calls(folder: Path, *, modes: Sequence[Mode], samples: Mapping[str, int] | None = None) -> Facts:
    """Kill a first run, a later one and a study before each of their calls or amid a write, or at some of them."""
    return sweep(folder, modes=modes, scenarios=("first run", "later run", "study"), samples=samples)


KILLED_AT_A_CALL = Fault(
    "killed at the Nth call",
    "at every N: 0 lost, 0 torn, works again",
    kill_at_calls,
    short={"modes": (Mode.TEAR,), "samples": {"first run": 5, "later run": 3, "study": 3}},
    long={"modes": (Mode.KILL, Mode.TEAR)},
    lacks=lacks_compiler,
)
