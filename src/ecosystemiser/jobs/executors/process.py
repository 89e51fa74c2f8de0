"""Runs tasks in worker processes of its own."""

from __future__ import annotations

import atexit
import os
import pickle
import threading
import time
from functools import partial
from pathlib import Path
from typing import Self

from ecosystemiser.jobs.executors.deliveries import Deliveries
from ecosystemiser.jobs.executors.pool import Pool
from ecosystemiser.jobs.executors.promises import Capabilities, Ended, Listener, Patience
from ecosystemiser.jobs.executors.task import Task, task_name, unusable
from ecosystemiser.jobs.executors.waiting_line import Work
from ecosystemiser.jobs.executors.worker_process import THREAD_VARIABLES, WorkerProcess

__all__ = ["CLOSED_AFTER_S", "ProcessExecutor", "processors"]

CLOSED_AFTER_S = 5.0
"""`close` returns after so long, whatever happens. [s]"""


class ProcessExecutor:
    """Runs jobs in `workers` fresh processes (spawned, never forked), each serving many jobs one after another.

    Promises beyond those of every executor:

    - A worker that dies is replaced and its job repeated: last, and alone. A job whose worker dies alone three times
      fails with cause crash. All other jobs complete.
    - A job is asked to stop at its time limit and its worker is killed at 1.5 x limit + 10 s: it fails with cause
      timeout. A cancelled one has 5 s to stop. (`patience` says otherwise.)
    - A job whose worker comes to have more than `memory_limit_mb` of its own memory, what it keeps from earlier jobs
      included, is ended and fails with cause memory. None: no limit.
    - No worker outlives this process by more than 5 s, whatever kills it. Ctrl-C in the terminal reaches this
      process only.
    - BLAS, OpenMP and numba get `threads_per_worker` threads, set before a worker imports anything; the
      environment of this process is not touched.

    The listener is called in a thread of its own, so that a slow one delays no job and no time limit.
    """

    capabilities = Capabilities(returns_at_once=True, survives_dead_workers=True, enforces_time_limits=True)

    def __init__(
        self,
        workers: int | None = None,
        *,
        threads_per_worker: int = 1,
        memory_limit_mb: float | None = None,
        patience: Patience | None = None,
    ) -> None:
        size = processors() if workers is None else workers
        if size < 1:
            raise ValueError(f"workers is {size}; give 1 or more, or None for one for each processor")
        if memory_limit_mb is not None and not memory_limit_mb > 0:
            raise ValueError(f"memory_limit_mb is {memory_limit_mb}; give more than 0, or None for no limit")
        if memory_limit_mb is not None and not Path("/proc/self/status").exists():
            raise ValueError("memory_limit_mb needs Linux' /proc, which is not here; give None")
        self._size, self._threads_each, self._patience = size, threads_per_worker, patience or Patience()
        self._memory_limit_mb = memory_limit_mb
        self._deliveries = Deliveries()
        self._pool: Pool | None = None
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def trouble(self) -> str | None:
        """None: what its jobs need is this machine."""
        return None

    def listen(self, listener: Listener) -> None:
        """Tell `listener` all that happens. Call it before the first job. Raises RuntimeError when called twice."""
        self._deliveries.listen(listener)

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
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(self._threads_each))
        limit_mb = self._memory_limit_mb

        def start(deadline_s: float) -> WorkerProcess:
            return WorkerProcess(environment, deadline_s, limit_mb)

        pool = Pool(self._size, start, self._patience, self._deliveries.put, limit_mb)
        self._threads = [
            threading.Thread(target=self._run, args=(pool,), name="job-pool", daemon=True),
            self._deliveries.thread,
        ]
        atexit.register(self.close)
        for thread in self._threads:
            thread.start()
        return pool

    def _run(self, pool: Pool) -> None:
        try:
            pool.run()
        finally:
            self._deliveries.end()


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
