"""Runs each task at once, in the process and thread of whoever submits it."""

from __future__ import annotations

import logging
import pickle
import threading
from typing import Self

from ecosystemiser.jobs.executors.promises import Capabilities, Delivery, Ended, Listener, Said, Started
from ecosystemiser.jobs.executors.task import (
    PART,
    Context,
    Task,
    opened,
    perform_pickled,
    task_name,
    unpickled,
    unusable,
)
from ecosystemiser.jobs.states import JobStatus, Outcome

__all__ = ["InlineExecutor"]

_log = logging.getLogger(__name__)


class InlineExecutor:
    """Runs each job inside `submit`. Asks a task to stop but cannot force it; a task that kills the process kills all.

    Ctrl-C in a task ends the job CANCELLED and goes on its way to the caller.
    """

    capabilities = Capabilities(returns_at_once=False, survives_dead_workers=False, enforces_time_limits=False)

    def __init__(self) -> None:
        self._listener: Listener | None = None
        self._cancelled: dict[str, threading.Event] = {}
        self._delivering = threading.RLock()  # again by the same thread: the listener may submit
        self._is_closed = False

    @property
    def trouble(self) -> str | None:
        """None: what its jobs need is this machine."""
        return None

    def listen(self, listener: Listener) -> None:
        """Tell `listener`, in the thread that submits, all that happens. Raises RuntimeError when called twice."""
        if self._listener is not None:
            raise RuntimeError("this executor has a listener; make another executor")
        self._listener = listener

    def submit(self, job_id: str, task: Task, payload: object, time_limit_s: float | None = None) -> None:
        """Run the task to its end. Raises RuntimeError when closed, ValueError where `task` is no task."""
        name = task_name(task)
        if self._is_closed:
            raise RuntimeError("this executor is closed")
        cancelled = self._cancelled[job_id] = threading.Event()
        try:
            outcome = self._run(job_id, name, payload, time_limit_s, cancelled)
        except KeyboardInterrupt:
            self._deliver(Ended(job_id=job_id, outcome=Outcome(JobStatus.CANCELLED, message="interrupted")))
            raise
        finally:
            del self._cancelled[job_id]
        self._deliver(Ended(job_id=job_id, outcome=outcome))

    def cancel(self, job_id: str) -> None:
        """Ask the job to stop, where it runs. Another thread, or the listener, may call this."""
        if (cancelled := self._cancelled.get(job_id)) is not None:
            cancelled.set()

    def close(self) -> None:
        """Ask what runs in other threads to stop, and take no more jobs."""
        self._is_closed = True
        for cancelled in list(self._cancelled.values()):
            cancelled.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(
        self, job_id: str, name: str, payload: object, time_limit_s: float | None, cancelled: threading.Event
    ) -> Outcome:
        try:
            body = pickle.dumps(payload, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001 - whatever a payload raises, its job has failed
            return unusable(f"the payload for task {name} cannot be pickled", error)

        def send(message: bytes) -> None:
            if message != PART:  # nobody ends it from outside
                self._deliver(Said(job_id=job_id, message=unpickled(message)))

        self._deliver(Started(job_id=job_id, attempt=1))
        outcome = perform_pickled(name, body, Context(job_id, 1, send, cancelled.is_set, time_limit_s))
        return opened(outcome)

    def _deliver(self, delivery: Delivery) -> None:
        if self._listener is None:
            return
        try:
            with self._delivering:
                self._listener(delivery)
        except Exception:  # noqa: BLE001 - whatever the listener raises, the work goes on
            _log.exception("the listener failed on %s; the work goes on", type(delivery).__name__)
