"""What workers sent, opened and told to the listener, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors.promises import Delivery, Ended, Listener, Said
from ecosystemiser.jobs.executors.task import opened, unpickled, unusable
from ecosystemiser.jobs.states import JobStatus, Outcome

__all__ = ["Deliveries", "Sealed"]

_NO_OUTCOME = Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message="its worker did not say how it ended")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sealed:
    """A message or an ending as the worker pickled it. Opening it takes time, and may fail."""

    job_id: str
    body: bytes
    is_ending: bool
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock_s: float = field(default_factory=time.monotonic)


class Deliveries:
    """Takes deliveries from any thread and tells them to the listener in their order.

    A slow listener holds up nobody but itself, and what it raises harms no job.
    """

    def __init__(self) -> None:
        self.thread = threading.Thread(target=self._tell_all, name="job-deliveries", daemon=True)
        """Start it with the first job; it ends after `end`."""
        self._waiting: SimpleQueue[Delivery | Sealed | None] = SimpleQueue()
        self._listener: Listener | None = None

    def listen(self, listener: Listener) -> None:
        """Tell `listener` all that comes. Raises RuntimeError when called twice."""
        if self._listener is not None:
            raise RuntimeError("this executor has a listener; make another executor")
        self._listener = listener

    def put(self, delivery: Delivery | Sealed) -> None:
        """Have this told. Never waits."""
        self._waiting.put(delivery)

    def end(self) -> None:
        """Let the thread end when all that was put is told."""
        self._waiting.put(None)

    def _tell_all(self) -> None:
        unreadable: dict[str, Outcome] = {}
        while (delivery := self._waiting.get()) is not None:
            if isinstance(delivery, Sealed):
                opened_delivery = _unsealed(delivery, unreadable)
                if opened_delivery is None:
                    continue
                delivery = opened_delivery
            if self._listener is None:
                continue
            try:
                self._listener(delivery)
            except Exception:  # noqa: BLE001 - whatever the listener raises, the work goes on
                _log.exception("the listener failed on %s; the work goes on", type(delivery).__name__)


def _unsealed(sealed: Sealed, unreadable: dict[str, Outcome]) -> Delivery | None:
    """Open a message or an ending; a message that cannot be read makes its job fail at its end."""
    content: object = None
    at, clock_s, job_id = sealed.at, sealed.clock_s, sealed.job_id
    try:
        content = unpickled(sealed.body)
    except Exception as error:  # noqa: BLE001 - whatever a message raises, its job has failed
        unreadable[job_id] = unusable("what the task sent cannot be read", error)
        if not sealed.is_ending:
            return None
    if not sealed.is_ending:
        return Said(job_id=job_id, at=at, clock_s=clock_s, message=content)
    broken = unreadable.pop(job_id, _NO_OUTCOME)
    outcome = opened(content) if isinstance(content, Outcome) else broken
    if outcome.status is JobStatus.COMPLETED and broken is not _NO_OUTCOME:
        outcome = broken
    return Ended(job_id=job_id, at=at, clock_s=clock_s, outcome=outcome)
