"""What happened to a study, a run or a job, told to whoever listens.

    Event
     ├── StudyEvent   StudySubmitted, StudyStarted, StudyEstimated, StudyProgress, GenerationCompleted, StudyCompleted,
     │                StudyFailed, StudyCancelled
     ├── RunEvent     RunSubmitted, RunStarted, RunProgress, RunCompleted, RunFailed, RunCancelled
     └── JobEvent     JobSubmitted, JobStarted, JobProgress, JobCompleted, JobFailed, JobCancelled

Events are frozen, can be pickled, and become JSON by `as_dict`. They inform; nothing that must not be lost depends
on them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

from ecosystemiser.errors import FailureCause

__all__ = [
    "Event",
    "GenerationCompleted",
    "JobCancelled",
    "JobCompleted",
    "JobEvent",
    "JobFailed",
    "JobProgress",
    "JobStarted",
    "JobSubmitted",
    "RunCancelled",
    "RunCompleted",
    "RunEvent",
    "RunFailed",
    "RunProgress",
    "RunStarted",
    "RunSubmitted",
    "StudyCancelled",
    "StudyCompleted",
    "StudyEstimated",
    "StudyEvent",
    "StudyFailed",
    "StudyProgress",
    "StudyStarted",
    "StudySubmitted",
    "event_name",
]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened at `at` (UTC). An id is None where it does not apply."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    study_id: str | None = None
    run_id: str | None = None
    job_id: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the event as what JSON can hold: its name as `event`, times as ISO text, NaN and inf as None."""
        told = {each.name: _plain(getattr(self, each.name)) for each in fields(self)}
        return {"event": event_name(type(self))} | told


def event_name(kind: type[Event]) -> str:
    """Return what events of a kind are called in JSON.

    >>> event_name(StudyEvent)
    'study_event'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return value if value is None or isinstance(value, bool | int) else str(value)


@dataclass(frozen=True, kw_only=True)
class StudyEvent(Event):
    """Something that happened to a study."""


@dataclass(frozen=True, kw_only=True)
class StudySubmitted(StudyEvent):
    """A study was accepted."""


@dataclass(frozen=True, kw_only=True)
class StudyStarted(StudyEvent):
    """A study began, or was resumed."""

    total: int | None = None
    """Runs that it will make, where that is known."""


@dataclass(frozen=True, kw_only=True)
class StudyEstimated(StudyEvent):
    """The first runs of a study were timed; what the others will take."""

    runs: int
    """Those that are not made yet, at most."""
    seconds: float
    """[s]"""
    disk_bytes: float
    """Their rows and hours. [B]"""
    timed: int
    """Runs that were timed."""


@dataclass(frozen=True, kw_only=True)
class StudyProgress(StudyEvent):
    """How far a study is."""

    done: int
    total: int | None = None
    rate: float | None = None
    """Runs per second, lately. [1/s]"""
    seconds_left: float | None = None
    """An estimate. [s]"""
    best: Mapping[str, float] | None = None
    """The best value so far of each objective, by the name of its KPI."""


@dataclass(frozen=True, kw_only=True)
class GenerationCompleted(StudyEvent):
    """A study heard of a whole batch of its points; of a genetic study a generation."""

    number: int
    """Counted from 0."""
    evaluations: int
    """Points told so far."""
    metrics: Mapping[str, float]
    """Numbers by name, such as `hypervolume`."""


@dataclass(frozen=True, kw_only=True)
class StudyCompleted(StudyEvent):
    """A study made all its runs."""


@dataclass(frozen=True, kw_only=True)
class StudyFailed(StudyEvent):
    """A study ended early."""

    cause: FailureCause
    message: str


@dataclass(frozen=True, kw_only=True)
class StudyCancelled(StudyEvent):
    """Somebody asked for a study to stop."""

    message: str | None = None


@dataclass(frozen=True, kw_only=True)
class RunEvent(Event):
    """Something that happened to a run."""


@dataclass(frozen=True, kw_only=True)
class RunSubmitted(RunEvent):
    """A run was accepted."""


@dataclass(frozen=True, kw_only=True)
class RunStarted(RunEvent):
    """A run began."""


@dataclass(frozen=True, kw_only=True)
class RunProgress(RunEvent):
    """How far a run is."""

    done: float
    total: float | None = None
    rate: float | None = None
    """Units of `done` per second, lately. [1/s]"""
    seconds_left: float | None = None
    """An estimate. [s]"""
    best: Mapping[str, float] | None = None
    """What the best plan so far achieves, such as its objective and gap."""


@dataclass(frozen=True, kw_only=True)
class RunCompleted(RunEvent):
    """A run ended well."""

    kpis: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class RunFailed(RunEvent):
    """A run came to no acceptable answer."""

    cause: FailureCause
    message: str


@dataclass(frozen=True, kw_only=True)
class RunCancelled(RunEvent):
    """Somebody asked for a run to stop."""

    message: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobEvent(Event):
    """Something that happened to a job."""


@dataclass(frozen=True, kw_only=True)
class JobSubmitted(JobEvent):
    """A job was accepted."""

    task: str
    """`module:function`."""


@dataclass(frozen=True, kw_only=True)
class JobStarted(JobEvent):
    """A job began; again, with the next attempt, where its worker died."""

    attempt: int


@dataclass(frozen=True, kw_only=True)
class JobProgress(JobEvent):
    """How far a job is."""

    done: float
    total: float | None = None
    rate: float | None = None
    """Units of `done` per second, lately. [1/s]"""
    seconds_left: float | None = None
    """An estimate. [s]"""
    best: Mapping[str, float] | None = None
    """What is best so far, by name."""


@dataclass(frozen=True, kw_only=True)
class JobCompleted(JobEvent):
    """A job ended well. Its result is in its Job."""

    seconds: float | None = None
    """From its first start to its end. [s]"""


@dataclass(frozen=True, kw_only=True)
class JobFailed(JobEvent):
    """A job ended badly."""

    cause: FailureCause
    message: str


@dataclass(frozen=True, kw_only=True)
class JobCancelled(JobEvent):
    """Somebody asked for a job to stop."""

    message: str | None = None
