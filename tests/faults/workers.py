"""Workers that die: of kill -9 among others' jobs, and of the very job that they are given."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tests.contract.executors import Log, is_alive, running_beside
from tests.faults.facts import Facts, Fault
from tests.faults.programs.worker_tasks import TASKS

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors import DaskExecutor, Ended, Executor, Lost, Patience, ProcessExecutor, Said
from ecosystemiser.jobs.states import JobStatus, Outcome

__all__ = ["KILLED_WORKER", "KINDS", "POISON", "Make", "kill_workers", "poison"]

Make = Callable[[Patience], Executor]

KINDS: dict[str, Make] = {
    "process": lambda patience: ProcessExecutor(2, patience=patience),
    "dask": lambda patience: DaskExecutor(workers=2, patience=patience),
}
"""Executors that survive dead workers, with two workers each."""

JOBS = 100
ALL_ENDED_S = 120.0
DEATHS_ALONE = 3
"""What is promised: a job that dies alone so often has failed."""


def kill_workers(
    folder: Path, *, rounds: int, kinds: Sequence[str] = tuple(KINDS), patience: Patience | None = None, seed: int = 1
) -> Facts:
    """Give 100 jobs to two workers, `rounds` times, and kill one of the two at a random moment.

    `patience`: that of an executor that keeps no promise.
    """
    facts = Facts({"kills": 0, "jobs": 0, "repeated": 0, "lost": 0, "told twice": 0})
    rng = np.random.default_rng(seed)
    for kind in kinds:
        log = Log()
        with KINDS[kind](patience or Patience()) as executor:
            executor.listen(log)
            executor.submit("up", f"{TASKS}:work", 0.0)
            log.outcomes(1)
            for _ in range(rounds):
                log.deliveries = []
                _kill_one(executor, log, rng.uniform(0.0, 0.4), facts)
                _judge_all(kind, log, facts)
    return facts


def _kill_one(executor: Executor, log: Log, moment_s: float, facts: Facts) -> None:
    """Give 100 jobs, kill the worker that spoke last, at this moment from the first word on."""
    for number in range(JOBS):
        executor.submit(str(number), f"{TASKS}:work", 0.01)
    log.wait_for(Said)
    time.sleep(moment_s)
    pid = next((each.message for each in reversed(log.wait_for(Said)) if is_alive(each.message)), None)
    if pid is None or len(log.wait_for(Ended)) == JOBS:
        facts.count("too late")
        return
    os.kill(pid, signal.SIGKILL)
    facts.count("kills")


def _judge_all(kind: str, log: Log, facts: Facts) -> None:
    outcomes = log.outcomes(JOBS, within_s=ALL_ENDED_S)
    facts.count("jobs", len(outcomes))
    facts.count("repeated", sum(isinstance(each, Lost) for each in log.deliveries))
    for job_id, outcome in outcomes.items():
        if outcome.status is not JobStatus.COMPLETED:
            facts.blame("lost", f"{kind}: job {job_id} is {outcome.status}: {outcome.message}")
    for job_id, times in Counter(each.job_id for each in log.deliveries if isinstance(each, Ended)).items():
        if times > 1:
            facts.blame("told twice", f"{kind}: job {job_id} ended {times} times")


def poison(folder: Path, *, ways: Sequence[str], kinds: Sequence[str] = tuple(KINDS), seconds: float = 0.005) -> Facts:
    """Give 99 good jobs that take so long, and one that then kills its worker every time, in each of these ways."""
    facts = Facts({"poisons": 0, "others": 0, "deaths": 0, "others lost": 0, "in company": 0, "not said": 0})
    for kind in kinds:
        for way in ways:
            log = Log()
            with KINDS[kind](Patience()) as executor:
                executor.listen(log)
                for number in range(JOBS):
                    is_bad = number == JOBS // 3
                    if is_bad:
                        executor.submit("poison", f"{TASKS}:die", (way, seconds))
                    else:
                        executor.submit(str(number), f"{TASKS}:work", seconds)
                outcomes = log.outcomes(JOBS, within_s=ALL_ENDED_S)
            facts.count("poisons")
            _judge_poison(f"{kind}, {way}", outcomes, log, facts)
    return facts


def _judge_poison(what: str, outcomes: dict[str, Outcome], log: Log, facts: Facts) -> None:
    bad = outcomes.pop("poison")
    deaths = 1 + sum(isinstance(each, Lost) for each in log.of("poison"))
    facts.count("deaths", deaths)
    if (bad.status, bad.cause) != (JobStatus.FAILED, FailureCause.CRASH) or deaths != 1 + DEATHS_ALONE:
        facts.blame("not said", f"{what}: {bad.status}, {bad.cause}, after {deaths} deaths: {bad.message}")
    for name, outcome in outcomes.items():
        facts.count("others")
        if outcome.status is not JobStatus.COMPLETED:
            facts.blame("others lost", f"{what}: job {name} is {outcome.status}: {outcome.message}")
    if beside := running_beside("poison", log.deliveries, attempt=2):
        facts.blame("in company", f"{what}: it was repeated beside {len(beside)} others")


KILLED_WORKER = Fault(
    "one worker killed among 100 jobs",
    "100 of 100 complete, 50 times",
    kill_workers,
    short={"rounds": 2},
    long={"rounds": 50},
)
POISON = Fault(
    "a job that kills its worker",
    "fails after 1 + 3 deaths, 99 of 99 others complete",
    poison,
    short={"ways": ("kill",)},
    long={"ways": ("kill", "exit", "segfault")},
)
