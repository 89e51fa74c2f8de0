"""Runs tasks in worker processes of its own."""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import threading
import time
from functools import partial
from queue import SimpleQueue
from typing import Self

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors.frames import ENDED
from ecosystemiser.jobs.executors.pool import Pool, Sealed
from ecosystemiser.jobs.executors.promises import Capabilities, Delivery, Ended, Listener, Patience, Said
from ecosystemiser.jobs.executors.task import Task, opened, task_name, unpickled, unusable
from ecosystemiser.jobs.executors.waiting_line import Work
from ecosystemiser.jobs.states import JobStatus, Outcome

__all__ = ["ProcessExecutor"]

CLOSED_AFTER_S = 5.0
"""`close` returns after so long, whatever happens. [s]"""

_THREAD_VARIABLES = ("MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")

_NO_OUTCOME = Outcome(JobStatus.FAILED, cause=FailureCause.CRASH, message="its worker did not say how it ended")

_log = logging.getLogger(__name__)


class ProcessExecutor:
    """Runs jobs in `workers` fresh processes (spawned, never forked), each serving many jobs one after another.

    Promises beyond those of every executor:

    - A worker that dies is replaced and its job repeated: last, and alone. A job whose worker dies alone three times
      fails with cause crash. All other jobs complete.
    - A job is asked to stop at its time limit and its worker is killed at 1.5 x limit + 10 s: it fails with cause
      timeout. A cancelled one has 5 s to stop. (`patience` says otherwise.)
    - No worker outlives this process by more than 5 s, whatever kills it. Ctrl-C in the terminal reaches this
      process only.
    - BLAS, OpenMP and numba get `threads_per_worker` threads, set before a worker imports anything; the
      environment of this process is not touched.

    The listener is called in a thread of its own, so that a slow one delays no job and no time limit.
    """

    capabilities = Capabilities(returns_at_once=True, survives_dead_workers=True, enforces_time_limits=True)

    def __init__(
        self, workers: int | None = None, *, threads_per_worker: int = 1, patience: Patience | None = None
    ) -> None:
        size = _processors() if workers is None else workers
        if size < 1:
            raise ValueError(f"workers is {size}; give 1 or more, or None for one for each processor")
        self._size, self._threads_each, self._patience = size, threads_per_worker, patience or Patience()
        self._deliveries: SimpleQueue[Delivery | Sealed | None] = SimpleQueue()
        self._pool: Pool | None = None
        self._listener: Listener | None = None
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def listen(self, listener: Listener) -> None:
        """Tell `listener` all that happens. Call it before the first job. Raises RuntimeError when called twice."""
        if self._listener is not None:
            raise RuntimeError("this executor has a listener; make another executor")
        self._listener = listener

    def submit(self, job_id: str, task: Task, payload: object, time_limit_s: float | None = None) -> None:
        """Put the job in the line. Raises RuntimeError when closed, ValueError where `task` is no task."""
        name = task_name(task)
        pool = self._started_pool()
        try:
            body = pickle.dumps(payload, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001 - whatever a payload raises, its job has failed
            outcome = unusable(f"the payload for task {name} cannot be pickled", error)
            is_taken = pool.ask(partial(self._deliveries.put, Ended(job_id=job_id, outcome=outcome)))
        else:
            is_taken = pool.ask(partial(pool.add, Work(job_id, name, body, time_limit_s)))
        if not is_taken:
            raise RuntimeError("this executor was closed, or its pool of workers broke (then the log says why)")

    def cancel(self, job_id: str) -> None:
        """Keep a waiting job from starting; ask a running one to stop, and kill its worker if it does not."""
        if (pool := self._pool) is not None:
            pool.ask(partial(pool.cancel, job_id))

    def close(self) -> None:
        """Cancel what waits, end what runs, and all workers, within 5 s. May be called again."""
        with self._lock:
            self._is_closed = True
        if (pool := self._pool) is None:
            return
        pool.ask(pool.close)
        end_s = time.monotonic() + CLOSED_AFTER_S
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, end_s - time.monotonic()))
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started_pool(self) -> Pool:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("this executor is closed")
            if self._pool is None:
                self._pool = self._start()
            return self._pool

    def _start(self) -> Pool:
        environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(self._threads_each))
        pool = Pool(self._size, environment, self._patience, self._deliveries.put)
        self._threads = [
            threading.Thread(target=self._run, args=(pool,), name="job-pool", daemon=True),
            threading.Thread(target=self._deliver_all, name="job-deliveries", daemon=True),
        ]
        atexit.register(self.close)
        for thread in self._threads:
            thread.start()
        return pool

    def _run(self, pool: Pool) -> None:
        try:
            pool.run()
        finally:
            self._deliveries.put(None)

    def _deliver_all(self) -> None:
        """Open what workers sent and tell the listener, until the pool has ended."""
        unreadable: dict[str, Outcome] = {}
        while (delivery := self._deliveries.get()) is not None:
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
    try:
        content = unpickled(sealed.frame.body)
    except Exception as error:  # noqa: BLE001 - whatever a message raises, its job has failed
        unreadable[sealed.job_id] = unusable("what the task sent cannot be read", error)
        if sealed.frame.kind != ENDED:
            return None
    at, clock_s, job_id = sealed.at, sealed.clock_s, sealed.job_id
    if sealed.frame.kind != ENDED:
        return Said(job_id=job_id, at=at, clock_s=clock_s, message=content)
    broken = unreadable.pop(job_id, _NO_OUTCOME)
    outcome = opened(content) if isinstance(content, Outcome) else broken
    if outcome.status is JobStatus.COMPLETED and broken is not _NO_OUTCOME:
        outcome = broken
    return Ended(job_id=job_id, at=at, clock_s=clock_s, outcome=outcome)


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
