"""SIGINT and SIGTERM to a run and to a study: they end soon, say so by their exit code, and leave nothing running."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.faults.facts import Facts, Fault
from tests.faults.ledger import judge, statuses
from tests.faults.processes import catches, kill_session, session_members, start_command, wait_until
from tests.faults.systems import write_study

__all__ = ["COMMANDS", "STOPPED", "Command", "stop_commands"]

END_S = 5.0
"""So long a command may take to end."""
ALL_GONE_S = 0.5
"""So long the system may take to clear up what has ended."""


@dataclass(frozen=True)
class Command:
    """A command line that takes longer than anybody waits here."""

    name: str
    argv: Callable[[Path], Sequence[object]]
    span_s: float = 3.0
    """It gets its signal at a moment within this, counted from when it takes signals. [s]"""
    start: Callable[..., subprocess.Popen[bytes]] = start_command


def _study(workers: int) -> Callable[[Path], Sequence[object]]:
    return lambda folder: ("study", "run", write_study(folder, points=5000), "--workers", workers, "--yes")


COMMANDS = (
    Command("run", lambda _: ("run", "riverside-community")),
    Command("study with 2 workers", _study(2), span_s=6.0),
    Command("study in one process", _study(1)),
    Command("run, hybrid", lambda _: ("run", "riverside-community", "--solver", "hybrid")),
)
SIGNALS = {signal.SIGTERM: 143, signal.SIGINT: 130}


def stop_commands(
    folder: Path,
    *,
    times: int,
    commands: Sequence[Command] = COMMANDS,
    end_s: float = END_S,
    at_once: int = 2,
    seed: int = 1,
) -> Facts:
    """Start commands in turn and stop each at a random moment, `times` in all; each has `end_s` to end."""
    facts = Facts({"stopped": 0, "too late": 0, "wrong exit code": 0, "left running": 0, "processes left": 0})
    rng = np.random.default_rng(seed)
    numbers = list(SIGNALS)
    with ThreadPoolExecutor(at_once) as pool:
        jobs = []
        for at in range(times):
            command, number = commands[at % len(commands)], numbers[at // len(commands) % 2 ^ at % 2]
            moment_s = rng.uniform(0.1 * command.span_s, command.span_s)
            jobs.append(pool.submit(_stop, folder / str(at), command, number, moment_s, end_s))
        for job in jobs:
            facts.add(job.result())
    return facts


def _stop(folder: Path, command: Command, number: signal.Signals, moment_s: float, end_s: float) -> Facts:
    folder.mkdir(exist_ok=True)
    facts, when = Facts(), f"{command.name}, {number.name} after {moment_s:.2f} s"
    db = folder / "data" / "simulation_index.sqlite"
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = command.start(*command.argv(folder), cwd=folder, stdout=out, stderr=err)
        try:
            wait_until(lambda: catches(process.pid, signal.SIGTERM) or process.poll() is not None, "taking signals")
            time.sleep(moment_s)
            seen = {run for run, status in statuses(db).items() if status == "completed"}
            if process.poll() is not None:
                facts.count("ended by themselves")
                return facts
            begin = time.monotonic()
            process.send_signal(number)
            _await(process, begin + end_s, when, facts)
            _look(process, number, when, (folder / "err").read_text(), facts)
        finally:
            kill_session(process)
    verdict = judge(db, seen)
    verdict.tell(facts, when)
    if verdict.running:
        facts.blame("left running", f"{verdict.running} rows ({when})")
    return facts


def _await(process: subprocess.Popen[bytes], end: float, when: str, facts: Facts) -> None:
    facts.count("stopped")
    try:
        process.wait(timeout=2 * END_S)
    except subprocess.TimeoutExpired:
        facts.blame("too late", f"it runs on ({when})")
        return
    if (excess_s := time.monotonic() - end) > 0:
        facts.blame("too late", f"by {excess_s:.2f} s ({when})")


def _look(process: subprocess.Popen[bytes], number: signal.Signals, when: str, said: str, facts: Facts) -> None:
    if process.returncode != SIGNALS[number]:
        facts.blame("wrong exit code", f"{process.returncode}: {said.strip()[-300:]} ({when})")
    if "Traceback" in said:
        facts.blame("unclear", f"{said[-300:]} ({when})")
    end = time.monotonic() + ALL_GONE_S
    while (left := session_members(process.pid) - {process.pid}) and time.monotonic() < end:
        time.sleep(0.01)
    if left:
        facts.blame("processes left", f"{len(left)} ({when})")


STOPPED = Fault(
    "SIGINT, SIGTERM to a run or a study",
    "exit 130 / 143 within 5 s, 0 running, 0 processes left",
    stop_commands,
    short={"times": 3},
    long={"times": 80},
)
