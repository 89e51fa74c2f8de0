"""The pool of Dask: hands work to a Dask scheduler, hears the workers, and looks after deaths and time limits."""

from __future__ import annotations

import asyncio
import logging
import pickle
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors.dask_task import BEGUN, ENDED, MESSAGE, Attempt, Place, kill, perform_attempt, stop
from ecosystemiser.jobs.executors.deliveries import Sealed
from ecosystemiser.jobs.executors.promises import Delivery, Ended, Lost, Patience, Started
from ecosystemiser.jobs.executors.task import PART
from ecosystemiser.jobs.executors.waiting_line import WaitingLine, Work
from ecosystemiser.jobs.states import JobStatus, Outcome

if TYPE_CHECKING:
    from distributed import Client, Future, Queue

__all__ = ["DaskPool"]

_log = logging.getLogger(__name__)

# Kinds of what we put into the queue ourselves: behind all that a worker had said before, so nothing is overtaken.
_DIED = "died"
_WITHDRAWN = "withdrawn"
_FORCED = "forced"
_LAST = "last"

_LOOK_S = 1.0
"""How often it looks how many workers there are. [s]"""
_FORCE_S = 2.0
"""How long the end of a worker by force may take until it is given up. [s]"""
_GONE_S = 5.0
"""How long the line to the scheduler may be broken until it is given up: it has forgotten its tasks if it died. [s]"""
_LARGE = 8_000_000
"""Dask warns of a task that is larger than 10 MB, unless it is told not to. [bytes]"""


@dataclass(eq=False)
class _Running:
    """Work that Dask has."""

    work: Work
    token: str
    future: Future
    place: Place | None = None
    """Where it began; None: it has not."""
    deadline: asyncio.TimerHandle | None = None
    is_withdrawn: bool = False
    """Whether we told Dask to forget it."""
    error: BaseException | None = None
    """What Dask said of its end, where it did not end in peace."""


class DaskPool:
    """Hands work to Dask workers, at most `most` at a time; None: as many as there are workers.

    `run` belongs to an event loop of its own. All public methods but `run` and `ask` are called through `ask`.
    """

    def __init__(self, most: int | None, patience: Patience, deliver: Callable[[Delivery | Sealed], None]) -> None:
        self._most, self._patience, self._deliver = most, patience, deliver
        self._room = most or 1
        self._line = WaitingLine(patience.deaths_alone)
        self._running: dict[str, _Running] = {}
        self._killed: set[str] = set()
        self._dead_at_once: set[str] = set()
        self._numbers = 0
        self._is_closing = False
        self._deserted_since: float | None = None
        self._commands: asyncio.Queue[Callable[[], object]] = asyncio.Queue()
        self._errands: set[asyncio.Task[None]] = set()
        self._gate = threading.Lock()
        self._has_ended = False
        self.trouble: str | None = None
        """Why nothing can run any more: the scheduler is gone."""
        self._loop: asyncio.AbstractEventLoop
        self._client: Client
        self._queue: Queue

    # For any thread.

    def ask(self, command: Callable[[], object]) -> bool:
        """Have `command` called in the pool's loop, in the order asked; once `run` is ready. False: it has ended."""
        with self._gate:
            if self._has_ended:
                return False
            self._loop.call_soon_threadsafe(self._commands.put_nowait, command)
        return True

    def on_each_worker(self, function: Callable[..., object], *words: object, within_s: float) -> dict[str, object]:
        """Call `function` once in every worker; return what it returned, or the exception, by the worker's address.

        Raises TimeoutError where not all answered in time.
        """
        asked = asyncio.run_coroutine_threadsafe(self._on_each_worker(function, *words), self._loop)
        try:
            return asked.result(within_s)
        except BaseException:
            asked.cancel()
            raise

    # For the pool's loop.

    async def _on_each_worker(self, function: Callable[..., object], *words: object) -> dict[str, object]:
        answers: dict[str, object] = await self._client.run(function, *words, on_error="return")
        return answers

    async def run(self, address: str, ready: Callable[[], bool]) -> None:
        """Work until closed. Whatever happens, every job ends. Raises OSError where no scheduler is at `address`.

        `ready` is called when it can be asked, and says whether somebody still wants it.
        """
        from distributed import Client, Queue

        self._loop = asyncio.get_running_loop()
        self._client = Client(address, asynchronous=True, set_as_default=False)
        try:
            await self._client
            self._queue = await Queue(client=self._client)
            if ready():
                await self._work(address)
        finally:
            await self._client.close()

    async def _work(self, address: str) -> None:
        try:
            self._errand(self._hear())
            self._errand(self._count_workers())
            self._errand(self._watch_scheduler())
            while not (self._is_closing and not self._running):
                (await self._commands.get())()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must leave nobody waiting
            if not isinstance(error, OSError):
                _log.exception("the pool of Dask workers broke; all its jobs fail")
            elif not self._is_closing:
                self.trouble = (
                    f"the Dask scheduler at {address} is gone ({error}); start one, then go on with the study"
                )
        finally:
            await self._wind_up()

    def add(self, work: Work) -> None:
        """Put work in the line."""
        if self._is_closing:
            self._end(work.job_id, Outcome(JobStatus.CANCELLED, message="the executor was closed"))
        else:
            self._line.add(work)
            self._hand_out()

    def cancel(self, job_id: str) -> None:
        """Drop waiting work; ask running work to stop, and kill its worker where that takes too long."""
        if self._line.drop(job_id) is not None:
            self._end(job_id, Outcome(JobStatus.CANCELLED, message="cancelled before it ran"))
        for running in self._running.values():
            if running.work.job_id == job_id:
                self._stop(running, self._patience.cancel_grace_s)

    def close(self) -> None:
        """Drop all waiting work, stop all running work."""
        self._is_closing = True
        for work in self._line.drop_all():
            self._end(work.job_id, Outcome(JobStatus.CANCELLED, message="the executor was closed"))
        for running in self._running.values():
            self._stop(running, self._patience.close_grace_s)

    # What goes on beside: it changes nothing here but through commands, one after the other.

    def _errand(self, doing: Coroutine[Any, Any, None]) -> None:
        errand = self._loop.create_task(doing)
        self._errands.add(errand)
        errand.add_done_callback(self._come_back)

    def _come_back(self, errand: asyncio.Task[None]) -> None:
        self._errands.discard(errand)
        if not errand.cancelled() and (error := errand.exception()) is not None:
            self._commands.put_nowait(partial(_fail, error))

    async def _hear(self) -> None:
        while True:
            said = [await self._queue.get(), *await self._queue.get(batch=True)]
            self._commands.put_nowait(partial(self._take_all, said))

    async def _count_workers(self) -> None:
        while True:
            threads = await self._client.nthreads()
            self._commands.put_nowait(partial(self._note_workers, len(threads)))
            await asyncio.sleep(_LOOK_S)

    async def _watch_scheduler(self) -> None:
        """Raise ConnectionError once the line to the scheduler is broken for good; one that is busy keeps its line."""
        broken_since: float | None = None
        while True:
            await asyncio.sleep(_LOOK_S)
            now = self._loop.time()
            broken_since = None if self._client.status == "running" else broken_since or now
            if broken_since is not None and now - broken_since > _GONE_S:
                raise ConnectionError(f"its line has been broken for {_GONE_S:g} s")

    async def _follow(self, running: _Running) -> None:
        """Wait until Dask is done with it; where it ended badly, say so behind all that it had said."""
        running.error = await running.future.exception()
        if running.error is not None and not running.is_withdrawn:
            await self._queue.put((_DIED, running.token, b""))

    async def _ask_to_stop(self, token: str, place: Place) -> None:
        await self._in_worker(place.worker, partial(stop, token))

    async def _withdraw(self, running: _Running) -> None:
        running.is_withdrawn = True
        await self._client.cancel([running.future])
        await self._queue.put((_WITHDRAWN, running.token, b""))

    async def _use_force(self, running: _Running) -> None:
        """Have Dask forget it, so that it is not repeated, and kill its worker."""
        running.is_withdrawn = True
        await self._client.cancel([running.future])
        if (place := running.place) is not None:
            self._killed.add(place.worker)
            await self._in_worker(place.worker, kill, place.pid, nanny=place.has_nanny)
        await self._queue.put((_FORCED, running.token, b""))

    async def _in_worker(self, worker: str, function: Callable[..., None], *words: object, nanny: bool = False) -> None:
        try:
            called = self._client.run(function, *words, workers=[worker], nanny=nanny)
            await asyncio.wait_for(called, _FORCE_S)
        except Exception as error:  # noqa: BLE001 - it is gone, or hears nothing; its end is told either way
            _log.info("the Dask worker %s could not be told: %r", worker, error)

    # What came.

    def _take_all(self, said: list[tuple[str, str, bytes]]) -> None:
        for kind, token, body in said:
            if (running := self._running.get(token)) is not None:
                self._take(running, kind, body)
        self._hand_out()

    def _take(self, running: _Running, kind: str, body: bytes) -> None:
        if kind == BEGUN:
            self._begin(running, pickle.loads(body))  # noqa: S301 - from a worker of the same cluster
        elif kind == MESSAGE and body == PART:
            self._start_clock(running)
        elif kind == MESSAGE:
            self._deliver(Sealed(running.work.job_id, body, is_ending=False))
        elif kind == ENDED:
            self._let_go(running)
            self._deliver(Sealed(running.work.job_id, body, is_ending=True))
        elif kind == _DIED:
            self._bereave(running)
        elif kind == _FORCED or running.place is None:
            self._let_go(running)
            self._end(running.work.job_id, self._last_words(running))

    def _begin(self, running: _Running, place: Place) -> None:
        """Note that it runs: for the first time, or again, since Dask repeats what dies by itself."""
        work, before = running.work, running.place
        running.place = place
        self._dead_at_once.clear()
        if before is not None:
            may_go_on = self._line.blame(work)
            self._deliver(Lost(job_id=work.job_id, message=f"its Dask worker {before.worker} died; Dask repeats it"))
            if not may_go_on:
                self._errand(self._use_force(running))
        work.attempts += 1
        self._deliver(Started(job_id=work.job_id, attempt=work.attempts))
        self._start_clock(running)
        if work.is_cancelled:
            self._stop(running, self._patience.cancel_grace_s)

    def _start_clock(self, running: _Running) -> None:
        """Let the time limit of work run from now on, unless it has been asked to stop."""
        work = running.work
        if work.time_limit_s is not None and not work.is_cancelled:
            self._end_by(running, self._end_s(work.time_limit_s), anew=True)

    def _stop(self, running: _Running, grace_s: float) -> None:
        running.work.is_cancelled = True
        if running.place is None:
            self._errand(self._withdraw(running))
        else:
            self._errand(self._ask_to_stop(running.token, running.place))
            self._end_by(running, grace_s)

    def _end_by(self, running: _Running, seconds: float, *, anew: bool = False) -> None:
        """Have it ended by force after so many seconds, or sooner where that was said before and is not `anew`."""
        if running.deadline is not None:
            if not anew and running.deadline.when() <= self._loop.time() + seconds:
                return
            running.deadline.cancel()
        running.deadline = self._loop.call_later(seconds, self._commands.put_nowait, partial(self._force, running))

    def _force(self, running: _Running) -> None:
        if running.token in self._running:
            self._errand(self._use_force(running))

    def _let_go(self, running: _Running) -> None:
        del self._running[running.token]
        if running.deadline is not None:
            running.deadline.cancel()
        running.future.release()

    def _last_words(self, running: _Running) -> Outcome:
        """Return how it ends that was ended by us."""
        work = running.work
        if work.is_cancelled:
            forced = "did not stop when asked; its worker was killed"
            return Outcome(JobStatus.CANCELLED, message="cancelled before it ran" if running.place is None else forced)
        if work.deaths_alone >= self._patience.deaths_alone:
            return _died(running, work.deaths_alone)
        limit_s = work.time_limit_s or 0.0
        message = f"did not stop at its time limit of {limit_s:g} s and was ended after {self._end_s(limit_s):g} s"
        return Outcome(JobStatus.FAILED, cause=FailureCause.TIMEOUT, message=message)

    def _bereave(self, running: _Running) -> None:
        """Decide what becomes of work that Dask gave up."""
        from distributed import KilledWorker

        work, error = running.work, running.error
        self._let_go(running)
        if not isinstance(error, KilledWorker):
            message = f"Dask could not run it: {error!r}; the scheduler and its workers need the packages that are here"
            self._end(work.job_id, Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message=message))
        elif work.is_cancelled:
            self._end(work.job_id, Outcome(JobStatus.CANCELLED, message="its Dask worker died"))
        elif running.place is None:
            self._try_elsewhere(work, error.last_worker.address)
        elif self._line.take_back(work):
            how = f"its Dask worker {running.place.worker} died"
            _log.warning("%s; job %s will be repeated, alone", how, work.job_id)
            self._deliver(Lost(job_id=work.job_id, message=f"{how}; it will be repeated"))
        else:
            self._end(work.job_id, _died(running, work.deaths_alone))

    def _try_elsewhere(self, work: Work, worker: str) -> None:
        """Put back work that had not begun when its worker died, unless workers keep dying before any work begins."""
        if worker not in self._killed:
            self._dead_at_once.add(worker)
        if len(self._dead_at_once) < self._patience.failed_starts:
            self._line.put_back(work)
            return
        message = f"{len(self._dead_at_once)} Dask workers in a row died before they began a job; see their own words"
        self._fail_all_that_wait(message)
        self._end(work.job_id, Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message=message))
        self._dead_at_once.clear()

    def _note_workers(self, number: int) -> None:
        now = self._loop.time()
        self._room = self._most or max(1, number)
        if number or not (self._running or len(self._line)):
            self._deserted_since = None
        elif self._deserted_since is None:
            self._deserted_since = now
        elif now - self._deserted_since > self._patience.start_s:
            remedy = "start one with `dask worker ADDRESS --nthreads 1`, or be more patient"
            message = f"no Dask worker has come up for {self._patience.start_s:g} s; {remedy}"
            for running in list(self._running.values()):
                self._let_go(running)
                self._end(running.work.job_id, Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message=message))
            self._fail_all_that_wait(message)
        self._hand_out()

    def _hand_out(self) -> None:
        while len(self._running) < self._room and not self._is_closing:
            work = self._line.next([running.work for running in self._running.values()])
            if work is None:
                return
            self._numbers += 1
            token = f"{self._queue.name}-{self._numbers}"
            attempt = Attempt(
                queue=self._queue.name,
                token=token,
                job_id=work.job_id,
                number=work.attempts + 1,
                name=work.name,
                payload=work.payload,
                time_limit_s=work.time_limit_s,
                abandoned_s=self._patience.cancel_grace_s,
            )
            running = _Running(work, token, self._submitted(attempt))
            self._running[token] = running
            self._errand(self._follow(running))

    def _submitted(self, attempt: Attempt) -> Future:
        import dask

        packed = pickle.dumps(attempt, pickle.HIGHEST_PROTOCOL)
        if len(packed) < _LARGE:
            return self._client.submit(perform_attempt, packed, key=attempt.token, pure=False)
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": 2 * len(packed)}):
            return self._client.submit(perform_attempt, packed, key=attempt.token, pure=False)

    def _end_s(self, limit_s: float) -> float:
        return limit_s * self._patience.limit_factor + self._patience.limit_slack_s

    def _end(self, job_id: str, outcome: Outcome) -> None:
        self._deliver(Ended(job_id=job_id, outcome=outcome))

    def _fail_all_that_wait(self, message: str) -> None:
        for work in self._line.drop_all():
            self._end(work.job_id, Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message=message))

    async def _wind_up(self) -> None:
        with self._gate:
            self._has_ended = True
            self._is_closing = True
        for errand in self._errands:
            errand.cancel()
        await asyncio.sleep(0)  # what was asked up to now becomes a command
        while not self._commands.empty():
            with suppress(Exception):
                self._commands.get_nowait()()
        broken = Outcome(
            JobStatus.FAILED, cause=FailureCause.CRASH, message=self.trouble or "the pool of workers broke; see the log"
        )
        for running in list(self._running.values()):
            self._let_go(running)
            self._end(running.work.job_id, broken)
        self._fail_all_that_wait(broken.message or "")
        with suppress(Exception):  # where the scheduler is there, let it come to an end with our last `get`
            await asyncio.wait_for(self._queue.put((_LAST, "", b"")), _FORCE_S)
            self._queue.close()


def _fail(error: BaseException) -> None:
    raise error


def _died(running: _Running, times: int) -> Outcome:
    where = "" if running.place is None else f" {running.place.worker}"
    message = f"its Dask worker{where} died, {times} times with nothing else running; find out what it does"
    return Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message=message)
