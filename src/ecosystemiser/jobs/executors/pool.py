"""The pool: one thread that hands work to worker processes, hears them, and looks after deaths and time limits."""

from __future__ import annotations

import logging
import pickle
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors.deliveries import Sealed
from ecosystemiser.jobs.executors.frames import CLOSE, ENDED, JOB, MESSAGE, READY, STOP, Frame
from ecosystemiser.jobs.executors.promises import Delivery, Ended, Lost, Patience, Started
from ecosystemiser.jobs.executors.task import PART
from ecosystemiser.jobs.executors.waiting_line import WaitingLine, Work
from ecosystemiser.jobs.executors.worker_process import WorkerProcess
from ecosystemiser.jobs.states import JobStatus, Outcome

__all__ = ["Pool"]

_log = logging.getLogger(__name__)

_DEATH_S = 0.2
"""How long the pool stops for a process that has hung up to end. [s]"""
_BURIAL_S = 0.05
_LOOK_S = 1.0
"""How often it looks whether processes live; only for those whose socket outlives them. [s]"""
_WEIGH_S = 0.1
"""How often it looks how much memory they take, where there is a limit. [s]"""


class Pool:
    """Runs work on at most `size` worker processes, started when there is work for them.

    A worker holds one job at a time, so no job waits behind a long one while another worker is idle, and the job of a
    worker that died is known. `run` belongs to a thread of its own, which must not end before its workers; all other
    public methods but `ask` are called through `ask`.
    """

    def __init__(
        self,
        size: int,
        start: Callable[[float], WorkerProcess],
        patience: Patience,
        deliver: Callable[[Delivery | Sealed], None],
        memory_limit_mb: float | None = None,
    ) -> None:
        """`start` starts a worker that has until a moment of the monotonic clock to come up."""
        self._size, self._start, self._patience, self._deliver = size, start, patience, deliver
        self._memory_limit_mb = memory_limit_mb
        self._line = WaitingLine(patience.deaths_alone)
        self._workers: list[WorkerProcess] = []
        self._dying: list[WorkerProcess] = []
        self._tokens = 0
        self._failed_starts = 0
        self._is_closing = False
        self._looked_s = 0.0
        self._commands: deque[Callable[[], None]] = deque()
        self._gate = threading.Lock()
        self._has_ended = False
        self._selector = selectors.DefaultSelector()
        self._alarm, self._bell = socket.socketpair()
        self._alarm.settimeout(0)
        self._bell.settimeout(0)
        self._selector.register(self._alarm, selectors.EVENT_READ)

    # For any thread.

    def ask(self, command: Callable[[], None]) -> bool:
        """Have `command` called in the pool's thread, in the order asked. False: the pool has ended."""
        with self._gate:
            if self._has_ended:
                return False
            self._commands.append(command)
            if len(self._commands) == 1:
                with suppress(BlockingIOError):
                    self._bell.send(b"!")
        return True

    # For the pool's thread.

    def add(self, work: Work) -> None:
        """Put work in the line."""
        if self._is_closing:
            self._end(work.job_id, Outcome(JobStatus.CANCELLED, message="the executor was closed"))
        else:
            self._line.add(work)

    def cancel(self, job_id: str) -> None:
        """Drop waiting work; ask running work to stop, and kill its worker where that takes too long."""
        if self._line.drop(job_id) is not None:
            self._end(job_id, Outcome(JobStatus.CANCELLED, message="cancelled before it ran"))
        for worker in self._workers:
            if worker.work is not None and worker.work.job_id == job_id:
                self._stop(worker, self._patience.cancel_grace_s)

    def close(self) -> None:
        """Drop all waiting work, stop all running work, end all workers."""
        self._is_closing = True
        for work in self._line.drop_all():
            self._end(work.job_id, Outcome(JobStatus.CANCELLED, message="the executor was closed"))
        for worker in list(self._workers):
            if worker.work is not None:
                self._stop(worker, self._patience.close_grace_s)
            elif worker.is_ready:
                self._dismiss(worker)
            else:
                self._bury(worker, killed_for=FailureCause.TIMEOUT)

    def run(self) -> None:
        """Work until closed. Whatever happens, every job ends and no process is left."""
        try:
            while not (self._is_closing and not self._workers and not self._dying):
                self._turn()
        except Exception:  # noqa: BLE001 - a defect of ours must not leave anybody waiting
            _log.exception("the pool of workers broke; all its jobs fail")
        finally:
            self._wind_up()

    def _turn(self) -> None:
        for key, mask in self._selector.select(self._time_left()):
            if isinstance(key.data, WorkerProcess):
                self._attend(key.data, mask)
            else:
                with suppress(BlockingIOError):
                    self._alarm.recv(1 << 12)
        self._obey()
        self._enforce()
        self._hire()
        self._hand_out()

    def _obey(self) -> None:
        while True:
            with self._gate:
                if not self._commands:
                    return
                command = self._commands.popleft()
            command()

    def _time_left(self) -> float | None:
        """How long the pool may sleep when nobody calls. [s]"""
        if self._dying:
            return _BURIAL_S
        now = time.monotonic()
        ends = [worker.deadline_s - now for worker in self._workers if worker.deadline_s is not None]
        if any(not worker.is_idle for worker in self._workers):
            ends.append(_LOOK_S if self._memory_limit_mb is None else _WEIGH_S)
        return max(0.0, min(ends)) if ends else None

    def _attend(self, worker: WorkerProcess, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            worker.flush()
            self._watch(worker)
        if mask & selectors.EVENT_READ:
            for frame in worker.receive():
                self._take(worker, frame)
            if worker.has_hung_up:
                self._bury(worker)

    def _watch(self, worker: WorkerProcess) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.has_unsent else 0)
        if self._selector.get_key(worker.line).events != wanted:
            self._selector.modify(worker.line, wanted, worker)

    def _post(self, worker: WorkerProcess, frame: Frame) -> None:
        worker.post(frame)
        self._watch(worker)

    def _take(self, worker: WorkerProcess, frame: Frame) -> None:
        if frame.kind == READY:
            worker.is_ready, worker.deadline_s = True, None
            self._failed_starts = 0
        elif worker.work is not None and frame.token == worker.token:
            if frame.kind == ENDED:
                job_id, worker.work, worker.deadline_s = worker.work.job_id, None, None
                self._deliver(Sealed(job_id, frame.body, is_ending=True))
                if self._is_closing and not worker.has_hung_up:
                    self._dismiss(worker)
            elif frame.kind == MESSAGE and frame.body == PART:
                self._start_clock(worker, worker.work)
            elif frame.kind == MESSAGE:
                self._deliver(Sealed(worker.work.job_id, frame.body, is_ending=False))

    def _dismiss(self, worker: WorkerProcess) -> None:
        worker.deadline_s = time.monotonic() + self._patience.close_grace_s
        worker.is_dismissed = True
        self._post(worker, Frame(CLOSE))

    def _stop(self, worker: WorkerProcess, grace_s: float) -> None:
        if worker.work is None:
            return
        worker.work.is_cancelled = True
        end_s = time.monotonic() + grace_s
        worker.deadline_s = end_s if worker.deadline_s is None else min(end_s, worker.deadline_s)
        self._post(worker, Frame(STOP, worker.token))

    def _enforce(self) -> None:
        """Kill the workers whose time is up; find those that died without hanging up."""
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.deadline_s is not None and now >= worker.deadline_s:
                self._bury(worker, killed_for=FailureCause.TIMEOUT)
            elif worker.work is not None and self._takes_too_much(worker):
                self._bury(worker, killed_for=FailureCause.MEMORY)
        if now - self._looked_s >= _LOOK_S:
            self._looked_s = now
            for worker in list(self._workers):
                if not worker.is_idle and worker.has_died():
                    self._bury(worker)
        for worker in self._dying:
            if worker.deadline_s is not None and now >= worker.deadline_s:
                worker.process.kill()
        self._dying = [worker for worker in self._dying if not worker.has_died()]

    def _takes_too_much(self, worker: WorkerProcess) -> bool:
        return self._memory_limit_mb is not None and worker.memory_mb() > self._memory_limit_mb

    def _bury(self, worker: WorkerProcess, *, killed_for: FailureCause | None = None) -> None:
        """Take a worker out of the pool and end its process; `killed_for`: why we kill it, where it lives."""
        self._workers.remove(worker)
        self._selector.unregister(worker.line)
        if killed_for is not None:
            worker.process.kill()
        leaves_in_peace = worker.is_dismissed and killed_for is None  # it has until its deadline to clear up
        is_dead = worker.has_died(0.0 if leaves_in_peace else _DEATH_S)
        how = worker.cause_of_death()
        for frame in worker.last_words():
            self._take(worker, frame)
        if not is_dead:
            self._dying.append(worker)
            if not leaves_in_peace:
                worker.process.kill()
        if worker.work is not None:
            self._bereave(worker.work, how, killed_for)
        elif not worker.is_ready and not self._is_closing:
            self._count_failed_start(f"a worker {how if killed_for is None else 'did not come up in time'}")

    def _bereave(self, work: Work, how: str, killed_for: FailureCause | None) -> None:
        """Decide what becomes of work whose worker is dead."""
        if work.is_cancelled:
            message = f"its worker {how}" if killed_for is None else "did not stop when asked; its worker was killed"
            self._end(work.job_id, Outcome(JobStatus.CANCELLED, message=message))
        elif killed_for is not None:
            message = self._beyond_limit(work, killed_for)
            self._end(work.job_id, Outcome(JobStatus.FAILED, cause=killed_for, message=message))
        elif self._line.take_back(work):
            _log.warning("a worker %s; its job %s will be repeated, alone", how, work.job_id)
            self._deliver(Lost(job_id=work.job_id, message=f"its worker {how}; it will be repeated"))
        else:
            message = f"its worker {how}, {work.deaths_alone} times with nothing else running; find out what it does"
            self._end(work.job_id, Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message=message))

    def _beyond_limit(self, work: Work, killed_for: FailureCause) -> str:
        if killed_for is FailureCause.MEMORY:
            limit = f"took more than the {self._memory_limit_mb:g} MB of memory that a worker may have, and was ended"
            return f"{limit}; give workers more, or make the job smaller"
        limit_s = work.time_limit_s or 0.0
        return f"did not stop at its time limit of {limit_s:g} s and was ended after {self._end_s(limit_s):g} s"

    def _hire(self) -> None:
        """Start the workers that there is work for."""
        while not self._is_closing:
            at_hand = sum(worker.work is None for worker in self._workers)
            if len(self._workers) >= self._size or at_hand >= self._line.startable:
                return
            try:
                worker = self._start(time.monotonic() + self._patience.start_s)
            except OSError as error:
                self._count_failed_start(f"no worker could be started: {error}")
            else:
                self._workers.append(worker)
                self._selector.register(worker.line, selectors.EVENT_READ, worker)

    def _count_failed_start(self, reason: str) -> None:
        _log.warning("%s", reason)
        if any(worker.is_ready for worker in self._workers):
            self._size = len(self._workers)  # the machine bears no more; go on with those that work
            return
        self._failed_starts += 1
        if self._failed_starts >= self._patience.failed_starts:
            self._failed_starts = 0
            message = f"{reason}, {self._patience.failed_starts} times in a row; its own words are on stderr"
            for work in self._line.drop_all():
                self._end(work.job_id, Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message=message))

    def _hand_out(self) -> None:
        running = [worker.work for worker in self._workers if worker.work is not None]
        for worker in self._workers:
            if not worker.is_idle:
                continue
            work = self._line.next(running)
            if work is None:
                return
            running.append(work)
            work.attempts += 1
            self._tokens += 1
            worker.work, worker.token = work, self._tokens
            self._start_clock(worker, work)
            self._deliver(Started(job_id=work.job_id, attempt=work.attempts))
            body = (work.job_id, work.attempts, work.name, work.payload, work.time_limit_s)
            self._post(worker, Frame(JOB, worker.token, pickle.dumps(body, pickle.HIGHEST_PROTOCOL)))

    def _start_clock(self, worker: WorkerProcess, work: Work) -> None:
        """Let the time limit of work run from now on, unless it has been asked to stop."""
        if work.time_limit_s is not None and not work.is_cancelled:
            worker.deadline_s = time.monotonic() + self._end_s(work.time_limit_s)

    def _end_s(self, limit_s: float) -> float:
        return limit_s * self._patience.limit_factor + self._patience.limit_slack_s

    def _end(self, job_id: str, outcome: Outcome) -> None:
        self._deliver(Ended(job_id=job_id, outcome=outcome))

    def _wind_up(self) -> None:
        with self._gate:
            self._has_ended = True
            self._is_closing = True
        self._obey()
        broken = Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message="the pool of workers broke; see the log")
        for work in [*self._line.drop_all(), *(worker.work for worker in self._workers if worker.work is not None)]:
            self._end(work.job_id, broken)
        for worker in [*self._workers, *self._dying]:
            worker.process.kill()
            worker.has_died(_LOOK_S)
            worker.line.close()
        self._selector.close()
        self._alarm.close()
        self._bell.close()
