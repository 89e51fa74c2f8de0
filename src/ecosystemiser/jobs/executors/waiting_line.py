"""Which job is next? The order of submission, and what becomes of jobs whose worker died. No processes here."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["WaitingLine", "Work"]


@dataclass(slots=True, eq=False)
class Work:
    """A job as an executor holds it until it has ended."""

    job_id: str
    name: str
    """`module:function`."""
    payload: bytes
    time_limit_s: float | None = None
    attempts: int = 0
    deaths_alone: int = 0
    is_suspect: bool = False
    """A worker died with it."""
    is_cancelled: bool = False


class WaitingLine:
    """Jobs that wait. First come, first served; but a job whose worker died is a suspect.

    Suspects wait until nothing else waits or runs, then run one at a time, alone. So a job that kills its worker,
    or takes all the memory, harms nobody but itself; `deaths_alone` deaths with nothing else running end it.
    """

    def __init__(self, deaths_alone: int) -> None:
        self._deaths_alone = deaths_alone
        self._ordinary: OrderedDict[str, Work] = OrderedDict()
        self._suspects: OrderedDict[str, Work] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ordinary) + len(self._suspects)

    @property
    def startable(self) -> int:
        """How many workers the line could give work to at once, if all were idle."""
        return len(self._ordinary) or min(1, len(self._suspects))

    def add(self, work: Work) -> None:
        """Put new work at the end."""
        self._ordinary[work.job_id] = work

    def next(self, running: list[Work]) -> Work | None:
        """Take out and return what may start now beside what is `running`; None where all must wait."""
        if any(work.is_suspect for work in running):
            return None
        if self._ordinary:
            return self._ordinary.popitem(last=False)[1]
        if self._suspects and not running:
            return self._suspects.popitem(last=False)[1]
        return None

    def take_back(self, work: Work) -> bool:
        """Take back work whose worker died. False: it died alone too often and is not to be tried again."""
        if not self.blame(work):
            return False
        self._suspects[work.job_id] = work
        return True

    def blame(self, work: Work) -> bool:
        """Note that a worker died with this work. False: it died alone too often and is not to be tried again."""
        if work.is_suspect:
            work.deaths_alone += 1
        work.is_suspect = True
        return work.deaths_alone < self._deaths_alone

    def put_back(self, work: Work) -> None:
        """Put work back that had not begun; it is to blame for nothing."""
        (self._suspects if work.is_suspect else self._ordinary)[work.job_id] = work

    def drop(self, job_id: str) -> Work | None:
        """Take out and return one job; None where it does not wait."""
        return self._ordinary.pop(job_id, None) or self._suspects.pop(job_id, None)

    def drop_all(self) -> list[Work]:
        """Take out and return all, in order."""
        dropped = [*self._ordinary.values(), *self._suspects.values()]
        self._ordinary.clear()
        self._suspects.clear()
        return dropped
