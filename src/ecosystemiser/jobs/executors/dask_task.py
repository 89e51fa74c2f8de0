"""What a Dask task of ours does: it runs one attempt of a job in a Dask worker, which says all through a Dask queue.

Whatever a task keeps in the globals of its module lives as long as the worker, so a prepared problem serves many jobs.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecosystemiser.jobs.executors.task import Context, perform_pickled
from ecosystemiser.jobs.states import JobStatus, Outcome

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["BEGUN", "ENDED", "MESSAGE", "Attempt", "Place", "kill", "perform_attempt", "stop"]

# Kinds of what goes through the queue: kind, token, body.
BEGUN = "begun"
MESSAGE = "message"
ENDED = "ended"

EXIT_ABANDONED = 71
_LOOK_S = 1.0
"""How often a worker looks whether somebody still wants what it does. [s]"""

_STOPPED: set[str] = set()
"""Tokens of attempts that were asked to stop."""
_ONE_AT_A_TIME = threading.Lock()
"""Tasks keep prepared problems in globals, which one thread only may use."""


@dataclass(frozen=True)
class Attempt:
    """One attempt of a job, as it goes to a worker."""

    queue: str
    """The name of the Dask queue to speak into."""
    token: str
    """Of this attempt; also the key of its Dask task."""
    job_id: str
    number: int
    name: str
    """`module:function`."""
    payload: bytes
    time_limit_s: float | None
    abandoned_s: float
    """How long it may go on when nobody wants it any more, until it takes its worker with it. [s]"""


@dataclass(frozen=True)
class Place:
    """Where an attempt runs."""

    worker: str
    """The address of the Dask worker."""
    pid: int
    has_nanny: bool


def perform_attempt(packed: bytes) -> None:
    """Run an attempt, pickled, to its end. Raises where the scheduler, or the queue, is gone."""
    from distributed import get_worker

    attempt: Attempt = pickle.loads(packed)  # noqa: S301 - from a client of the same cluster
    with _ONE_AT_A_TIME:
        _Line(get_worker(), attempt).perform()


def stop(token: str) -> None:
    """Ask the attempt to stop that runs in this process."""
    _STOPPED.add(token)


def kill(pid: int, dask_worker: Any) -> None:
    """Kill the process `pid`, if it is this Dask worker or the one that this nanny looks after.

    Runs in a nanny, or in the event loop of a worker without one.
    """
    if pid in (os.getpid(), getattr(dask_worker, "pid", None)):
        os.kill(pid, signal.SIGKILL)


class _Line:
    """One attempt, and its line to whoever submitted it."""

    def __init__(self, worker: Worker, attempt: Attempt) -> None:
        self._worker, self._attempt = worker, attempt
        self._has_ended = threading.Event()

    def perform(self) -> None:
        """Say that it begins, run it, say how it ended."""
        attempt, worker = self._attempt, self._worker
        self._say(BEGUN, pickle.dumps(Place(worker.address, os.getpid(), worker.nanny is not None)))
        threading.Thread(target=self._watch, name="wanted", daemon=True).start()
        context = Context(attempt.job_id, attempt.number, self._send, self._is_stopped, attempt.time_limit_s)
        try:
            outcome = perform_pickled(attempt.name, attempt.payload, context)
        except KeyboardInterrupt:
            outcome = Outcome(JobStatus.CANCELLED, message="interrupted")
        finally:
            self._has_ended.set()
            _STOPPED.discard(attempt.token)
        self._say(ENDED, pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL))

    def _send(self, body: bytes) -> None:
        self._say(MESSAGE, body)

    def _say(self, kind: str, body: bytes) -> None:
        """Put this into the queue and return when it is there: so the order stays, and nothing said gets lost."""
        put = self._worker.scheduler.queue_put
        words = (kind, self._attempt.token, body)
        said = put(name=self._attempt.queue, data=words, timeout=None)
        asyncio.run_coroutine_threadsafe(said, self._worker.loop.asyncio_loop).result()

    def _is_stopped(self) -> bool:
        return self._attempt.token in _STOPPED or self._is_unwanted()

    def _is_unwanted(self) -> bool:
        """Whether Dask has been told to forget this task, as it is when its client is gone."""
        task = self._worker.state.tasks.get(self._attempt.token)
        return task is None or task.state == "cancelled"

    def _watch(self) -> None:
        """Take the process with it where the task goes on though nobody wants it; a nanny starts another."""
        if self._worker.nanny is None or self._worker.state.nthreads > 1:
            return
        while not self._has_ended.wait(_LOOK_S):
            if self._is_unwanted() and not self._has_ended.wait(self._attempt.abandoned_s):
                os._exit(EXIT_ABANDONED)
