"""Programs with workers that are killed or stopped: no worker of theirs is left; workers of others stay."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from tests.contract.dask_by_hand import ByHand
from tests.contract.executors import is_alive, left_after
from tests.faults.facts import Facts, Fault
from tests.faults.processes import kill_session, lines_of, session_members, start_program, wait_until

__all__ = ["ABANDONED", "KILLED_PARENT", "STOPPED_PARENT", "abandon", "kill_parents", "stop_parents"]

GONE_S = 5.0
"""So long a worker may live on after its parent was killed, or a program after it was told to end. [s]"""
BUSY_WORDS = 3
"""It says that it begins, and the ids of two processes."""
DEAF_GONE_S = 10.0
"""So long a deaf task may go on in a worker of others: 5 s of grace, and looks of 1 s. [s]"""

Start = Callable[..., "subprocess.Popen[bytes]"]


def _parent(kind: str, task: str, said: Path, *, address: str = "-", payload: object = "-") -> subprocess.Popen[bytes]:
    with said.open("wb") as out, said.with_suffix(".err").open("wb") as err:
        return start_program("worker_parent", kind, task, address, payload, stdout=out, stderr=err)


def leaver(kind: str, task: str, said: Path) -> subprocess.Popen[bytes]:
    """Start a program that leaves its workers behind."""
    with said.open("wb") as out:
        return start_program("broken/worker_leaver", stdout=out)


def kill_parents(
    folder: Path,
    *,
    times: int,
    kinds: Sequence[str] = ("process", "dask"),
    tasks: Sequence[str] = ("work", "hold", "solve"),
    start: Start = _parent,
    seed: int = 1,
) -> Facts:
    """Kill programs, `times` of each kind: half of them when both workers are busy, half while they come up."""
    facts = Facts({"parents killed": 0, "workers seen": 0, "at most ms": 0, "processes left": 0})
    rng = np.random.default_rng(seed)
    for kind in kinds:
        for at in range(times):
            said, is_busy = folder / f"{kind}-{at}", at % 2 == 0
            process = start(kind, tasks[at // 2 % len(tasks)], said)
            try:
                words = BUSY_WORDS if is_busy else 1
                wait_until(lambda said=said, words=words: len(lines_of(said)) >= words, f"the beginning of {said}")
                time.sleep(0.0 if is_busy else rng.uniform(0.0, 3.0))
                facts.count("workers seen", len(session_members(process.pid)) - 1)
                process.kill()
                process.wait()
                _await_end(process, f"{kind}, {'busy' if is_busy else 'coming up'}", facts)
            finally:
                kill_session(process)
            facts.count("parents killed")
    return facts


def _await_end(process: subprocess.Popen[bytes], what: str, facts: Facts) -> None:
    begin = time.monotonic()
    with suppress(TimeoutError):
        wait_until(lambda: not session_members(process.pid), "the end of all workers", GONE_S)
    facts.counts["at most ms"] = max(facts["at most ms"], round(1e3 * (time.monotonic() - begin)))
    if left := session_members(process.pid):
        facts.blame("processes left", f"{len(left)} ({what})")


def stop_parents(
    folder: Path,
    *,
    times: int,
    kinds: Sequence[str] = ("process", "dask"),
    tasks: Sequence[str] = ("work", "hold"),
    start: Start = _parent,
) -> Facts:
    """Send SIGINT and SIGTERM in turn to programs whose workers are busy and deaf."""
    facts = Facts({"stopped": 0, "at most ms": 0, "too late": 0, "processes left": 0})
    for kind in kinds:
        for at in range(times):
            number, said = (signal.SIGINT, signal.SIGTERM)[at % 2], folder / f"{kind}-{at}"
            process = start(kind, tasks[at // 2 % len(tasks)], said)
            what = f"{kind}, {number.name}"
            try:
                wait_until(lambda said=said: len(lines_of(said)) >= BUSY_WORDS, f"two busy workers of {said}")
                begin = time.monotonic()
                process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(2 * GONE_S)
                took_s = time.monotonic() - begin
                facts.count("stopped")
                facts.counts["at most ms"] = max(facts["at most ms"], round(1e3 * took_s))
                if took_s > GONE_S + 0.5:
                    facts.blame("too late", f"{took_s:.1f} s ({what})")
                with suppress(TimeoutError):
                    wait_until(lambda process=process: not session_members(process.pid), "the end", GONE_S)
                if left := session_members(process.pid):
                    facts.blame("processes left", f"{len(left)} ({what})")
            finally:
                kill_session(process)
    return facts


def abandon(folder: Path, *, times: int) -> Facts:
    """Kill programs whose tasks run in the workers of a Dask cluster that is not theirs."""
    facts = Facts({"parents killed": 0, "tasks": 0, "tasks not ended": 0, "workers gone": 0, "deaf tasks left": 0})
    with ByHand(folder) as cluster:
        for _ in range(2):
            cluster.add_worker("--nthreads", "1")
        for at in range(times):
            stopped = folder / f"stopped-{at}"
            pids = _killed(cluster, "work_until_unwanted", folder / f"polite-{at}", stopped)
            ends = [folder / f"{stopped.name}-{job}" for job in range(2)]
            with suppress(TimeoutError):
                wait_until(lambda ends=ends: all(end.exists() for end in ends), "the end of its tasks", GONE_S)
            for end in ends:
                facts.count("tasks")
                if not end.exists():
                    facts.blame("tasks not ended", f"{GONE_S:g} s after the end of its program")
            if dead := [pid for pid in pids if not is_alive(pid)]:
                facts.blame("workers gone", f"{len(dead)} of {len(pids)}, with tasks that stop when asked")
            facts.count("parents killed")
        if left := left_after(_killed(cluster, "work", folder / "deaf", "-"), DEAF_GONE_S):
            facts.blame("deaf tasks left", f"{len(left)} after {DEAF_GONE_S:g} s")
        again = _killed(cluster, "work_until_unwanted", folder / "again", folder / "stopped-again")
        facts.count("workers afterwards", len(set(again)))
    return facts


def _killed(cluster: ByHand, task: str, said: Path, payload: object) -> list[int]:
    """Start a program that uses the cluster, kill it when two workers are busy with it; return their processes."""
    process = _parent("dask", task, said, address=cluster.address, payload=payload)
    try:
        wait_until(lambda: len(lines_of(said)) >= BUSY_WORDS, "two busy workers")
    finally:
        process.kill()
        process.wait()
    return [int(pid) for pid in lines_of(said)[1:]]


KILLED_PARENT = Fault(
    "parent killed",
    "0 processes left after 5 s",
    kill_parents,
    short={"times": 2, "tasks": ("hold",)},
    long={"times": 30},
)
STOPPED_PARENT = Fault(
    "SIGINT, SIGTERM to a program with workers",
    "ends within 5 s, 0 processes left",
    stop_parents,
    short={"times": 1, "tasks": ("hold",)},
    long={"times": 20},
)
ABANDONED = Fault(
    "parent killed, Dask's workers at an address",
    "tasks end within 5 s, workers stay",
    abandon,
    short={"times": 1},
    long={"times": 10},
)
