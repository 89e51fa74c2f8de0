"""The states of a job, which may follow which, and the record of one job."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from ecosystemiser.errors import FailureCause

__all__ = ["Job", "JobStatus", "Outcome", "can_follow"]


class JobStatus(StrEnum):
    """Where a job stands. COMPLETED, FAILED and CANCELLED are terminal: they never change."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Whether a job in this state never changes its state again."""
        return not _NEXT[self]


_NEXT: dict[JobStatus, frozenset[JobStatus]] = {
    # A job may fail before it starts: its payload cannot be sent, or no worker comes up.
    JobStatus.PENDING: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    # A running job is pending again when its worker died and it will be repeated.
    JobStatus.RUNNING: frozenset({JobStatus.PENDING, JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}


def can_follow(old: JobStatus, new: JobStatus) -> bool:
    """Return whether a job in state `old` may turn `new`."""
    return new in _NEXT[old]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. Only a completed one has a result; only a failed one has a cause."""

    status: JobStatus
    result: object = None
    cause: FailureCause | None = None
    message: str | None = None
    """What happened, and where there is something to do, what to do."""
    details: str | None = None
    """The traceback as text, where an exception ended the task."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job as it stood at one moment; each change of state makes a new Job.

    Times of day are UTC and may jump with the machine's clock; durations come from a monotonic clock and never do.
    """

    job_id: str
    task: str
    """`module:function`."""
    study_id: str | None = None
    run_id: str | None = None
    status: JobStatus = JobStatus.PENDING
    attempts: int = 0
    """How often it was started: more than once only where a worker died."""
    submitted_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    """When its first attempt started."""
    finished_at: datetime | None = None
    waited_s: float | None = None
    """From submission to the start of the first attempt. [s]"""
    ran_s: float | None = None
    """From the start of the first attempt to the end. [s]"""
    cause: FailureCause | None = None
    message: str | None = None
    details: str | None = field(default=None, repr=False)
    """The traceback as text, where an exception ended the task."""
    result: object = field(default=None, repr=False)
    clock_s: float = field(default_factory=time.monotonic, repr=False, compare=False)
    """What the monotonic clock read at submission. [s]"""

    def begun(self, attempt: int, at: datetime, clock_s: float) -> Job:
        """Return this job as running. Raises ValueError where it may not start."""
        self._refuse_unless_allowed(JobStatus.RUNNING)
        if self.started_at is not None:
            return replace(self, status=JobStatus.RUNNING, attempts=attempt)
        waited_s = max(0.0, clock_s - self.clock_s)
        return replace(self, status=JobStatus.RUNNING, attempts=attempt, started_at=at, waited_s=waited_s)

    def put_back(self) -> Job:
        """Return this job as pending again, to be repeated. Raises ValueError unless it runs."""
        self._refuse_unless_allowed(JobStatus.PENDING)
        return replace(self, status=JobStatus.PENDING)

    def ended(self, outcome: Outcome, at: datetime, clock_s: float) -> Job:
        """Return this job as ended with `outcome`. Raises ValueError where it may not end so."""
        self._refuse_unless_allowed(outcome.status)
        ran_s = None if self.waited_s is None else max(0.0, clock_s - self.clock_s - self.waited_s)
        return replace(
            self,
            status=outcome.status,
            finished_at=at,
            ran_s=ran_s,
            cause=outcome.cause,
            message=outcome.message,
            details=outcome.details,
            result=outcome.result,
        )

    def _refuse_unless_allowed(self, new: JobStatus) -> None:
        if not can_follow(self.status, new):
            allowed = ", ".join(sorted(_NEXT[self.status])) or "nothing: it has ended"
            raise ValueError(f"job {self.job_id} is {self.status} and cannot become {new}; allowed: {allowed}")
