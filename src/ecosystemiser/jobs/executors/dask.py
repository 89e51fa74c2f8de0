"""Runs tasks on Dask workers: of a cluster at an address, or of one of its own."""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import logging
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Self

from ecosystemiser.errors import Finding, InputError, WorkersGoneError
from ecosystemiser.jobs.executors.dask_cluster import OwnCluster
from ecosystemiser.jobs.executors.dask_pool import DaskPool
from ecosystemiser.jobs.executors.deliveries import Deliveries
from ecosystemiser.jobs.executors.process import CLOSED_AFTER_S, processors
from ecosystemiser.jobs.executors.promises import Capabilities, Ended, Listener, Patience
from ecosystemiser.jobs.executors.task import Task, task_name, unusable
from ecosystemiser.jobs.executors.waiting_line import Work

__all__ = ["DaskExecutor"]

ANSWERS_S = 60.0
"""How long workers may take to answer a question. [s]"""

_log = logging.getLogger(__name__)


class DaskExecutor:
    """Runs jobs on the workers of the Dask scheduler at `address`, or of a Dask cluster of its own on this machine.

    `workers`: so many jobs are handed to Dask at a time; of its own cluster, so many workers are started. None: as
    many as Dask has, or one for each processor. Scheduler and workers need the same packages as this process, and see
    the same folders. Workers should have one thread (`dask worker ADDRESS --nthreads 1`): of ours, a worker process
    runs one task at a time in any case, and keeps what tasks have prepared.

    Promises beyond those of every executor:

    - A job whose worker dies is repeated: by the executor, last and alone, or by Dask itself as its
      `allowed-failures` say. A job whose worker dies alone three times fails with cause crash. Others complete.
    - A job is asked to stop at its time limit. At 1.5 x limit + 10 s, counted from where it began in a worker, it ends
      with cause timeout, and its worker is killed by its nanny, whatever the task does. A worker without a nanny
      kills itself; it can not while compiled code lets no other thread of it run. A cancelled job has 5 s to stop.
      (`patience` says otherwise.) A worker that is frozen before a job begins is found by Dask, after its `worker-ttl`.
    - When this process goes, its own cluster goes with it within 5 s. Workers at an address stay: their tasks of this
      process are asked to stop, and where they do not, a worker of one thread is replaced by its nanny.

    A cluster of its own listens on 127.0.0.1 without a password, as Dask does: whoever is logged in on this machine
    could send it tasks. At an address, the credentials of Dask's own configuration are used.

    The listener is called in a thread of its own, so that a slow one delays no job and no time limit.
    """

    capabilities = Capabilities(returns_at_once=True, survives_dead_workers=True, enforces_time_limits=True)

    def __init__(
        self, address: str | None = None, workers: int | None = None, *, patience: Patience | None = None
    ) -> None:
        if importlib.util.find_spec("distributed") is None:
            remedy = "install it: pip install ecosystemiser[dask]"
            raise InputError([Finding("needs the package distributed, which is not there", remedy, "executor", "dask")])
        if workers is not None and workers < 1:
            raise ValueError(f"workers is {workers}; give 1 or more, or None for as many as there are")
        self._address, self._workers, self._patience = address, workers, patience or Patience()
        self._deliveries = Deliveries()
        self._pool: DaskPool | None = None
        self._cluster: OwnCluster | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def trouble(self) -> str | None:
        """Why no job can run any more: the scheduler is gone."""
        return None if self._pool is None else self._pool.trouble

    def listen(self, listener: Listener) -> None:
        """Tell `listener` all that happens. Call it before the first job. Raises RuntimeError when called twice."""
        self._deliveries.listen(listener)

    def submit(self, job_id: str, task: Task, payload: object, time_limit_s: float | None = None) -> None:
        """Put the job in the line; the first one waits until the scheduler answers.

        Raises RuntimeError when closed, ValueError where `task` is no task, InputError where no scheduler answers,
        WorkersGoneError where it answers no more.
        """
        name = task_name(task)
        pool = self._started_pool()
        try:
            body = pickle.dumps(payload, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001 - whatever a payload raises, its job has failed
            outcome = unusable(f"the payload for task {name} cannot be pickled", error)
            is_taken = pool.ask(partial(self._deliveries.put, Ended(job_id=job_id, outcome=outcome)))
        else:
            is_taken = pool.ask(partial(pool.add, Work(job_id, name, body, time_limit_s)))
        if not is_taken and pool.trouble is not None:
            raise WorkersGoneError(pool.trouble)
        if not is_taken:
            raise RuntimeError("this executor was closed, or its pool of workers broke (then the log says why)")

    def on_each_worker(
        self, function: Callable[..., object], *words: object, within_s: float = ANSWERS_S
    ) -> dict[str, object]:
        """Call `function(*words)` once in every worker that Dask has; return what each returned, or the exception that
        it raised, by the worker's address. It should be quick: a worker hears nothing meanwhile.

        Raises InputError where no scheduler answers, TimeoutError where a worker does not.
        """
        return self._started_pool().on_each_worker(function, *words, within_s=within_s)

    def cancel(self, job_id: str) -> None:
        """Keep a waiting job from starting; ask a running one to stop, and kill its worker if it does not."""
        if (pool := self._pool) is not None:
            pool.ask(partial(pool.cancel, job_id))

    def close(self) -> None:
        """Cancel what waits, end what runs, and a cluster of its own, within 5 s. May be called again."""
        with self._lock:
            self._is_closed = True
        if (pool := self._pool) is None:
            return
        end_s = time.monotonic() + CLOSED_AFTER_S
        pool.ask(pool.close)
        for thread in (self._thread, self._deliveries.thread):
            if thread is not None and thread is not threading.current_thread():
                thread.join(max(0.0, end_s - time.monotonic()))
        if self._cluster is not None:
            self._cluster.close(max(0.0, end_s - time.monotonic()))
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started_pool(self) -> DaskPool:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("this executor is closed")
            if self._pool is None:
                self._pool = self._start()
            return self._pool

    def _start(self) -> DaskPool:
        size = self._workers
        if self._address is None:
            size = size or processors()
            self._cluster = OwnCluster(size)
        pool = DaskPool(size, self._patience, self._deliveries.put)
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(pool, ready), name="job-dask", daemon=True)
        self._thread.start()
        try:
            ready.result()
        except BaseException as error:  # Ctrl-C, too
            self._is_closed = True
            ready.cancel()
            if self._cluster is not None:
                self._cluster.close(0.0)
            if self._address is not None and isinstance(error, OSError | ValueError):
                remedy = "give the address that `dask scheduler` tells when it starts, such as tcp://HOST:8786"
                message = f"is no Dask scheduler that answers ({error})"
                raise InputError([Finding(message, remedy, "address", self._address)]) from error
            raise
        self._deliveries.thread.start()
        atexit.register(self.close)
        return pool

    def _run(self, pool: DaskPool, ready: Future[None]) -> None:
        try:
            import distributed  # noqa: F401 - takes a second, in which a cluster of its own comes up

            address = self._address
            if self._cluster is not None:
                address = self._cluster.address(self._patience.start_s)
            asyncio.run(pool.run(address or "", partial(_tell, ready)))
        except BaseException as error:  # noqa: BLE001 - goes to whoever waits for it
            if ready.done():
                _log.exception("the pool of Dask workers did not end in peace")
            else:
                ready.set_exception(error)
        finally:
            self._deliveries.end()


def _tell(ready: Future[None]) -> bool:
    """Say that it is ready; return whether somebody still waits for that."""
    if not ready.set_running_or_notify_cancel():
        return False
    ready.set_result(None)
    return True
