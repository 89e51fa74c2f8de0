"""The executors that are held to their promises, what each of them cannot promise, and how they are watched."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecosystemiser.jobs.executors import (
    DaskExecutor,
    Delivery,
    Ended,
    Executor,
    InlineExecutor,
    Lost,
    Patience,
    ProcessExecutor,
    Said,
    Started,
)
from ecosystemiser.jobs.states import Outcome

__all__ = [
    "HASTE",
    "LONG_S",
    "MEMBERS",
    "TASKS",
    "Log",
    "Member",
    "children",
    "is_alive",
    "keeps_the_order",
    "left_after",
    "running_beside",
]

TASKS = Path(__file__).parents[1] / "unit" / "jobs"
HASTE = Patience(cancel_grace_s=0.3, close_grace_s=0.3, limit_factor=1.0, limit_slack_s=0.3)
LONG_S = 60.0
"""Longer than any test; what takes so long is ended from outside. [s]"""


@dataclass(frozen=True)
class Member:
    """One executor in the suite."""

    name: str
    make: Callable[[int, Patience], Executor]
    """Makes one with so many workers of its own."""
    small_jobs: int = 5000
    """So many small jobs it is given."""
    kills: int = 8
    """So many of its workers are killed at random."""
    small_job_ms: float = 1.0
    """So much of this process' time each of them may take, other processes not counted. [ms]"""
    cannot: Mapping[str, str] = field(default_factory=dict)
    """Tests of promises that it does not make, and why not."""


IN_SUBMIT = "a job runs inside `submit`, in the submitter's thread"
IN_PROCESS = "a task runs in this process: nobody can end the one without the other"

MEMBERS = (
    Member(
        "inline",
        lambda workers, patience: InlineExecutor(),
        cannot={
            "test_a_cancelled_waiting_job_never_starts": IN_SUBMIT,
            "test_jobs_start_in_the_order_of_submission": IN_SUBMIT,
            "test_no_job_waits_behind_a_long_one_while_a_worker_is_idle": IN_SUBMIT,
            "test_a_worker_serves_many_jobs_and_keeps_its_globals": IN_PROCESS,
            "test_closing_ends_everything_within_five_seconds": IN_PROCESS,
            "test_idle_workers_go_by_themselves": IN_PROCESS,
            "test_workers_get_one_thread_each_before_they_import_anything": IN_PROCESS,
            "test_a_worker_ignores_ctrl_c_itself": IN_PROCESS,
            "test_a_job_that_kills_its_worker_every_time_fails_alone": IN_PROCESS,
            "test_how_a_worker_died_is_said": IN_PROCESS,
            "test_two_suspects_run_one_at_a_time": IN_PROCESS,
            "test_one_worker_killed_among_a_hundred_jobs": IN_PROCESS,
            "test_workers_killed_at_random_lose_no_job": IN_PROCESS,
            "test_a_job_that_died_once_completes_at_its_second_attempt": IN_PROCESS,
            "test_a_job_that_ignores_its_time_limit_is_ended_from_outside": IN_PROCESS,
            "test_a_part_that_ignores_its_time_limit_is_ended_from_outside": IN_PROCESS,
            "test_a_cancelled_job_that_does_not_stop_is_ended": IN_PROCESS,
            "test_a_frozen_worker_holds_up_nobody": IN_PROCESS,
            "test_no_worker_outlives_a_killed_parent": IN_PROCESS,
            "test_a_program_that_closes_nothing_ends_by_itself": IN_SUBMIT,
            "test_ctrl_c_reaches_the_parent_only": IN_PROCESS,
        },
    ),
    Member("process", lambda workers, patience: ProcessExecutor(workers, patience=patience)),
    Member(
        "dask",
        lambda workers, patience: DaskExecutor(workers=workers, patience=patience),
        small_jobs=300,
        kills=3,
        small_job_ms=10.0,
        cannot={
            "test_how_a_worker_died_is_said": "only the worker's nanny sees it, and says it in its own log",
            "test_a_frozen_worker_holds_up_nobody": "Dask itself looks for frozen workers (worker-ttl: 5 minutes)",
        },
    ),
)


class Log:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self._changed = threading.Condition()

    def __call__(self, delivery: Delivery) -> None:
        with self._changed:
            self.deliveries.append(delivery)
            self._changed.notify_all()

    def wait_for(self, kind: type[Delivery], count: int = 1, within_s: float = 40.0) -> Any:
        """Return the deliveries of a kind when there are `count`; a job that never ends fails here, not hangs."""

        def found() -> list[Delivery]:
            return [each for each in self.deliveries if isinstance(each, kind)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, within_s), self.deliveries[-5:]
            return found()

    def outcomes(self, count: int, within_s: float = 40.0) -> dict[str, Outcome]:
        return {each.job_id: each.outcome for each in self.wait_for(Ended, count, within_s=within_s)}

    def of(self, job_id: str) -> list[Delivery]:
        return [each for each in self.deliveries if each.job_id == job_id]


def running_beside(job_id: str, deliveries: list[Delivery], attempt: int) -> set[str]:
    """Return the other jobs that ran while the job was at this attempt or a later one."""
    running: set[str] = set()
    beside: set[str] = set()
    is_on = False
    for each in deliveries:
        if each.job_id == job_id:
            is_on = isinstance(each, Started) and each.attempt >= attempt
        elif isinstance(each, Started):
            running.add(each.job_id)
        elif isinstance(each, Ended | Lost):
            running.discard(each.job_id)
        if is_on:
            beside |= running
    return beside


def keeps_the_order(deliveries: list[Delivery], messages: int) -> bool:
    """Whether this is Started, the messages 0, 1, 2 ..., Ended, and nothing else."""
    middle = deliveries[1:-1]
    return (
        isinstance(deliveries[0], Started)
        and [each.message if isinstance(each, Said) else None for each in middle] == list(range(messages))
        and isinstance(deliveries[-1], Ended)
    )


def is_alive(pid: int) -> bool:
    """Whether there is such a process; a zombie counts as dead here, `children` sees it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def left_after(pids: Iterable[int], seconds: float) -> list[int]:
    """Return which of the processes still live after so long at most; kill them."""
    left, end = list(pids), time.monotonic() + seconds
    while (left := [pid for pid in left if is_alive(pid)]) and time.monotonic() < end:
        time.sleep(0.02)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def children() -> set[int]:
    """Return the children of this process, zombies among them."""
    found = set()
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split() if folder.name.isdigit() else []
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words and int(words[1]) == os.getpid():
            found.add(int(folder.name))
    return found
