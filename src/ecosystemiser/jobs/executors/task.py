"""A task: a function at the top of a module, and what happens when it runs."""

from __future__ import annotations

import pickle
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from importlib import import_module
from typing import Any

from ecosystemiser.errors import FailureCause, InputError, SolveError, StoreError
from ecosystemiser.jobs.states import JobStatus, Outcome

__all__ = [
    "PART",
    "Context",
    "StopReason",
    "Task",
    "failure",
    "opened",
    "perform",
    "perform_pickled",
    "task_name",
    "unpickled",
    "unusable",
]


PART = b""
"""The body of a message that says: a part of the job begins. No pickle is empty."""
PART_LENIENCE = 1.25
"""A part is asked to stop after so many times its limit: what it calls keeps the limit itself, with a better answer."""


class StopReason(Enum):
    """Why a task was asked to stop."""

    CANCEL = "cancel"
    LIMIT = "limit"


class Context:
    """What a task is given besides its payload. Any thread of the task may use it."""

    def __init__(
        self,
        job_id: str,
        attempt: int,
        send: Callable[[bytes], None],
        is_cancelled: Callable[[], bool],
        time_limit_s: float | None = None,
    ) -> None:
        self.job_id = job_id
        self.attempt = attempt
        """1, or more where workers died with this job."""
        self.time_limit_s = time_limit_s
        self.told: StopReason | None = None
        """Why the task should stop, once `should_stop` said so."""
        self._send, self._is_cancelled = send, is_cancelled
        self._end_s = None if time_limit_s is None else time.monotonic() + time_limit_s

    def send(self, message: object) -> None:
        """Send `message` to whoever submitted the job; it arrives before the job's end.

        Raises TypeError where it cannot be pickled.
        """
        try:
            body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise TypeError(f"a message of type {type(message).__name__} cannot be pickled: {_words(error)}") from error
        self._send(body)

    def begin_part(self) -> None:
        """Say that a part of the job begins: each has the job's time limit to itself."""
        if self.time_limit_s is not None:
            self._end_s = time.monotonic() + PART_LENIENCE * self.time_limit_s
            self._send(PART)

    def should_stop(self) -> bool:
        """Return whether the task should end soon: its job was cancelled, or its time is up. It costs little."""
        if self.told is None:
            if self._is_cancelled():
                self.told = StopReason.CANCEL
            elif self._end_s is not None and time.monotonic() >= self._end_s:
                self.told = StopReason.LIMIT
        return self.told is not None


Task = str | Callable[[Any, Context], object]
"""A function at the top of a module, or its name as `module:function`."""


def task_name(task: Task) -> str:
    """Return `module:function`. Raises ValueError for what a worker could not import."""
    name = task if isinstance(task, str) else f"{task.__module__}:{task.__qualname__}"
    module, _, function = name.partition(":")
    words = [*module.split("."), function]
    if module == "__main__" or not all(word.isidentifier() for word in words):
        remedy = "give a function at the top of a module that workers can import, or its name as 'module:function'"
        raise ValueError(f"{name!r} is no task; {remedy}")
    return name


def perform(name: str, payload: object, context: Context) -> Outcome:
    """Run a task and return how it ended. Raises nothing but a KeyboardInterrupt that nobody asked for."""
    try:
        result = _function(name)(payload, context)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and context.told is None:
            raise
        return _stopped(context) or failure(error)
    return _stopped(context) or Outcome(JobStatus.COMPLETED, result)


def perform_pickled(name: str, payload: bytes, context: Context) -> Outcome:
    """Do the same with a pickled payload; the result, too, is pickled, or the job has failed."""
    try:
        given = unpickled(payload)
    except Exception as error:  # noqa: BLE001 - whatever a payload raises, its job has failed
        return unusable(f"the payload of task {name} cannot be read by the worker", error)
    outcome = perform(name, given, context)
    try:
        body = pickle.dumps(outcome.result, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - whatever a result raises, its job has failed
        what = f"the result of task {name}, of type {type(outcome.result).__name__}, cannot be pickled"
        return unusable(what, error)
    return replace(outcome, result=body)


def opened(outcome: Outcome) -> Outcome:
    """Return what `perform_pickled` gave, with its result unpickled; failed where that cannot be done."""
    if not isinstance(outcome.result, bytes):
        return outcome
    try:
        return replace(outcome, result=unpickled(outcome.result))
    except Exception as error:  # noqa: BLE001 - whatever a result raises, its job has failed
        return unusable("the result cannot be read", error)


def failure(error: BaseException) -> Outcome:
    """Return the outcome of a task that raised `error`: our own errors keep their words, others name their type."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, SolveError):
        return Outcome(JobStatus.FAILED, None, error.cause, _text(error), details)
    if isinstance(error, InputError):
        return Outcome(JobStatus.FAILED, None, FailureCause.DATA, _text(error), details)
    if isinstance(error, StoreError):
        return Outcome(JobStatus.FAILED, None, FailureCause.STORAGE, _text(error), details)
    if isinstance(error, MemoryError):
        message = "the memory of this machine did not suffice"
        return Outcome(JobStatus.FAILED, None, FailureCause.MEMORY, message, details)
    return Outcome(JobStatus.FAILED, None, FailureCause.CRASH, _words(error), details)


def unpickled(body: bytes) -> object:
    """Return what a process of ours has pickled. Never give it what came from a person, a file or a database."""
    return pickle.loads(body)  # noqa: S301 - between our own processes, over a socket that nobody else can open


def _function(name: str) -> Callable[[object, Context], object]:
    module, _, function = name.partition(":")
    found: Callable[[object, Context], object] = getattr(import_module(module), function)
    return found


def _stopped(context: Context) -> Outcome | None:
    if context.told is StopReason.CANCEL:
        return Outcome(JobStatus.CANCELLED, message="stopped when asked")
    if context.told is StopReason.LIMIT:
        message = f"stopped when asked at its time limit of {context.time_limit_s:g} s"
        return Outcome(JobStatus.FAILED, None, FailureCause.TIMEOUT, message)
    return None


def unusable(what: str, error: Exception) -> Outcome:
    """Return the outcome of a job with something that cannot be pickled or unpickled: `what` says it."""
    outcome = failure(error)
    cause = outcome.cause if isinstance(error, MemoryError) else FailureCause.CRASH
    return Outcome(JobStatus.FAILED, None, cause, f"{what}: {_words(error)}", outcome.details)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {_text(error)}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a task's exception may be as broken as it likes
        return "(its message cannot be read)"
