"""What every executor promises, what it tells its listener, and how patient it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, Self

from ecosystemiser.jobs.executors.task import Task
from ecosystemiser.jobs.states import Outcome

__all__ = ["Capabilities", "Delivery", "Ended", "Executor", "Listener", "Lost", "Patience", "Said", "Started"]


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Something that an executor tells about a job."""

    job_id: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock_s: float = field(default_factory=time.monotonic)
    """What the monotonic clock of this process read. [s]"""


@dataclass(frozen=True, kw_only=True)
class Started(Delivery):
    """The job was handed to a worker."""

    attempt: int
    """1, or more where workers died with it."""


@dataclass(frozen=True, kw_only=True)
class Said(Delivery):
    """The task sent a message."""

    message: object


@dataclass(frozen=True, kw_only=True)
class Lost(Delivery):
    """The job's worker died; the job waits to be repeated."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Ended(Delivery):
    """The job ended; nothing more is said of it."""

    outcome: Outcome


Listener = Callable[[Delivery], None]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an executor can do beyond what all can."""

    returns_at_once: bool
    """`submit` does not wait for the work."""
    survives_dead_workers: bool
    """A task that ends its process harms no other job."""
    enforces_time_limits: bool
    """A task that does not stop when asked is ended from outside."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long an executor waits before it uses force, and how often it tries."""

    cancel_grace_s: float = 5.0
    """From asking a running job to stop until its worker is killed. [s]"""
    close_grace_s: float = 2.0
    """The same when the executor closes. [s]"""
    limit_factor: float = 1.5
    """A worker is killed after `limit_factor` x time limit + `limit_slack_s`."""
    limit_slack_s: float = 10.0
    start_s: float = 60.0
    """For a worker to come up. [s]"""
    deaths_alone: int = 3
    """After so many deaths with nothing else running, a job fails with cause crash."""
    failed_starts: int = 3
    """After so many workers in a row that do not come up, all waiting jobs fail."""


class Executor(Protocol):
    """Runs tasks.

    Promises, held by `tests/contract/test_executor*.py` for every executor:

    - Each job is told of in this order: Started, its messages in the order sent, Ended. Where its worker died, Lost
      stands between two attempts, and a repeated attempt sends its messages again. Ended comes exactly once.
    - The listener is called by one thread at a time, and what it raises harms no job.
    - A job that raises, or whose payload, result or message cannot be pickled, ends FAILED with cause and message.
      Never does `submit` raise for what a task does, and never does a job stay without an end.
    - Payloads and results are copies: a task shares no object with whoever submitted it.
    - A task asked to stop (cancelled, or past its time limit) sees `context.should_stop()`. Once it has seen that,
      its job ends CANCELLED, or FAILED with cause timeout, whatever it returns or raises.
    - After `close` every job has ended; those that had not are CANCELLED.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this executor can do beyond the promises."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why no job can run here any more, and what to do; None while they can."""
        ...

    def listen(self, listener: Listener) -> None:
        """Tell `listener` all that happens. Call it before the first job. Raises RuntimeError when called twice."""
        ...

    def submit(self, job_id: str, task: Task, payload: object, time_limit_s: float | None = None) -> None:
        """Run `task(payload, context)`.

        Raises RuntimeError when closed, WorkersGoneError where there is trouble, ValueError where `task` is no task.
        """
        ...

    def cancel(self, job_id: str) -> None:
        """Keep a waiting job from starting; ask a running one to stop. Changes nothing for one that has ended."""
        ...

    def close(self) -> None:
        """End what runs, cancel what waits, free all resources. May be called again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
