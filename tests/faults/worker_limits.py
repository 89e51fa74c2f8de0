"""Workers that go beyond their time or their memory: they are ended from outside, with cause; the others go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tests.contract.executors import Log, left_after
from tests.faults.facts import Facts, Fault
from tests.faults.programs.worker_tasks import TASKS
from tests.faults.workers import KINDS

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors import Executor, Patience, ProcessExecutor, Said, Started
from ecosystemiser.jobs.states import JobStatus, Outcome

__all__ = ["DEAF_WORKER", "SWOLLEN_WORKER", "ignore_limits", "take_memory"]

LIMIT_FACTOR, LIMIT_SLACK_S = 1.5, 10.0
"""What is promised: ended by 1.5 x limit + 10 s."""
MARGIN_S = 1.5
"""For a process to be killed, and the news of it to arrive. [s]"""
OTHERS = 40
LOOK_S = 0.005
TIMES_LIMIT = 2.0
"""What is promised: a worker never has more than this times its memory limit."""


def ignore_limits(
    folder: Path,
    *,
    tasks: Sequence[str],
    limit_s: float,
    slack_s: float,
    kinds: Sequence[str] = tuple(KINDS),
    patience: Patience | None = None,
) -> Facts:
    """Give tasks that hear nothing, with a time limit, among good ones.

    `slack_s`: what is allowed beyond 1.5 x limit; `patience`: that of an executor that keeps no promise.
    """
    facts = Facts({"deaf jobs": 0, "others": 0, "too late": 0, "not said": 0, "still there": 0, "others lost": 0})
    promised = patience or Patience(limit_factor=LIMIT_FACTOR, limit_slack_s=slack_s)
    for kind in kinds:
        for task in tasks:
            log = Log()
            with KINDS[kind](promised) as executor:
                executor.listen(log)
                executor.submit("deaf", f"{TASKS}:{task}", 600.0, limit_s)
                outcomes = _with_others(executor, log, LIMIT_FACTOR * limit_s + slack_s + 60.0)
                facts.count("deaf jobs")
                _judge(f"{kind}, {task}", outcomes, FailureCause.TIMEOUT, facts)
                begin, *_, end = log.of("deaf")
                took_s = end.clock_s - begin.clock_s
                if took_s > LIMIT_FACTOR * limit_s + slack_s + MARGIN_S:
                    facts.blame("too late", f"{kind}, {task}: {took_s:.1f} s, with a limit of {limit_s:g} s")
                _judge_processes(f"{kind}, {task}", log, facts)
    return facts


def _with_others(executor: Executor, log: Log, within_s: float) -> dict[str, Outcome]:
    for number in range(OTHERS):
        executor.submit(str(number), f"{TASKS}:work", 0.01)
    return log.outcomes(OTHERS + 1, within_s)


def _judge(what: str, outcomes: dict[str, Outcome], cause: FailureCause, facts: Facts) -> None:
    bad = outcomes.pop("deaf")
    if (bad.status, bad.cause) != (JobStatus.FAILED, cause):
        facts.blame("not said", f"{what}: {bad.status}, {bad.cause}: {bad.message}")
    for name, outcome in outcomes.items():
        facts.count("others")
        if outcome.status is not JobStatus.COMPLETED:
            facts.blame("others lost", f"{what}: job {name} is {outcome.status}: {outcome.message}")


def _judge_processes(what: str, log: Log, facts: Facts) -> None:
    pids = [each.message for each in log.of("deaf") if isinstance(each, Said)]
    for pid in left_after(pids, MARGIN_S):
        facts.blame("still there", f"{what}: process {pid}")


def take_memory(
    folder: Path, *, tasks: Sequence[str], limit_mb: float, make: Callable[[float], Executor] | None = None
) -> Facts:
    """Give tasks that take ten times the memory that a worker may have, among good ones.

    `make`: makes an executor that keeps no promise.
    """
    facts = Facts({"greedy jobs": 0, "others": 0, "at most MB": 0, "not said": 0, "too large": 0, "others lost": 0})
    for task in tasks:
        log = Log()
        with make(limit_mb) if make else ProcessExecutor(2, memory_limit_mb=limit_mb) as executor:
            executor.listen(log)
            executor.submit("deaf", f"{TASKS}:{task}", 10 * limit_mb)
            with _Watch(log) as watch:
                outcomes = _with_others(executor, log, 120.0)
        facts.count("greedy jobs")
        _judge(task, outcomes, FailureCause.MEMORY, facts)
        facts.counts["at most MB"] = max(facts["at most MB"], round(watch.most_mb))
        if watch.most_mb > TIMES_LIMIT * limit_mb:
            facts.blame("too large", f"{task}: {watch.most_mb:.0f} MB, with a limit of {limit_mb:g} MB")
        if not any(isinstance(each, Started) for each in log.of("deaf")):
            facts.blame("never began", task)
    return facts


class _Watch:
    """Looks how much memory of its own the process takes that runs the greedy job."""

    def __init__(self, log: Log) -> None:
        self.most_mb = 0.0
        self._log, self._has_ended = log, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._has_ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._has_ended.wait(LOOK_S):
            for said in [each for each in self._log.of("deaf") if isinstance(each, Said)]:
                try:
                    lines = Path(f"/proc/{said.message}/status").read_text().splitlines()
                except OSError:  # it has ended
                    continue
                own_kb = sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "VmSwap:")))
                self.most_mb = max(self.most_mb, own_kb * 1024 / 1e6)


DEAF_WORKER = Fault(
    "a job ignores its time limit",
    "ended by 1.5 x limit + 10 s, others complete",
    ignore_limits,
    short={"tasks": ("solve",), "limit_s": 0.5, "slack_s": 1.0},
    long={"tasks": ("work", "hold", "solve"), "limit_s": 2.0, "slack_s": LIMIT_SLACK_S},
)
SWOLLEN_WORKER = Fault(
    "a job takes all memory",
    "ended with cause memory below 2 x limit, others complete",
    take_memory,
    short={"tasks": ("swell",), "limit_mb": 300.0},
    long={"tasks": ("swell", "leap") * 5, "limit_mb": 1000.0},
)
