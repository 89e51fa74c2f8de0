"""Jobs for the services: whoever submits work does not know who runs it, and where.

A study hands tasks to a JobFacade and takes back jobs as they end; what the jobs do, how many workers there are and
what becomes of a dead one is the executor's business. The facade knows no database.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Self
from uuid import uuid4

from ecosystemiser.errors import FailureCause, Finding, InputError
from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import Event, JobCancelled, JobCompleted, JobEvent, JobFailed, JobStarted, JobSubmitted
from ecosystemiser.jobs.executors import (
    DaskExecutor,
    Delivery,
    Ended,
    Executor,
    InlineExecutor,
    Lost,
    ProcessExecutor,
    Said,
    Started,
    Task,
    task_name,
)
from ecosystemiser.jobs.states import Job, JobStatus, Outcome

__all__ = ["JobFacade", "OnMessage"]

OnMessage = Callable[[Job, object], None]


class JobFacade:
    """Runs tasks as jobs and says what becomes of them.

    Promises: a job's events are published in their order (JobSubmitted, JobStarted, what its task sends, one by one or
    as a tuple, then exactly one of JobCompleted, JobFailed, JobCancelled), before `wait` yields the job. Every job
    ends. A Job is a picture of one moment; `job(job_id)` gives the newest. Any thread may use a facade.
    """

    def __init__(
        self,
        executor: Literal["inline", "process", "dask"] | Executor = "inline",
        workers: int | None = None,
        bus: EventBus | None = None,
    ) -> None:
        """`workers`: of `process`, or of the cluster that `dask` starts; one for each processor where None.

        An executor given is closed, too. Raises InputError where `dask` is not installed.
        """
        self.bus = bus or EventBus()
        self._executor = _executor(executor, workers)
        self._jobs: dict[str, Job] = {}
        self._handed_over: set[str] = set()
        self._to_cancel: set[str] = set()
        self._arrived: deque[Said | Job] = deque()
        self._claims = 0
        self._claimed: set[str] = set()
        self._unfinished = 0
        self._changed = threading.Condition()
        self._publishing_threads: list[int] = []
        self._executor.listen(self._receive)

    @property
    def trouble(self) -> str | None:
        """Why no job can run any more, and what to do; None while they can."""
        return self._executor.trouble

    def submit_job(
        self,
        task: Task,
        payload: object,
        *,
        job_id: str | None = None,
        study_id: str | None = None,
        run_id: str | None = None,
        time_limit_s: float | None = None,
    ) -> Job:
        """Run `task(payload, context)` as a job and return it: with `inline` after the work, else at once.

        What the task raises becomes the job's cause and message. Raises ValueError where `task` is no task or the
        job id is taken, RuntimeError when closed.
        """
        job = Job(job_id=job_id or uuid4().hex, task=task_name(task), study_id=study_id, run_id=run_id)
        with self._changed:
            if job.job_id in self._jobs:
                raise ValueError(f"there is a job {job.job_id!r} already; give another id, or none")
            self._jobs[job.job_id] = job
            self._unfinished += 1
        try:
            self._publish(JobSubmitted(**_ids(job), at=job.submitted_at, task=job.task))
            self._hand_over(job, payload, time_limit_s)
        except BaseException as error:  # Ctrl-C, or the executor is closed: the job must end all the same
            self._executor.cancel(job.job_id)
            outcome = Outcome(JobStatus.CANCELLED, message=str(error) or type(error).__name__)
            self._receive(Ended(job_id=job.job_id, outcome=outcome))
            raise
        return self.job(job.job_id)

    def wait(self, jobs: Iterable[Job] | None = None, on_message: OnMessage | None = None) -> Iterator[Job]:
        """Yield jobs as they end: the given ones, or all, also those submitted meanwhile, that were not yielded yet.

        `on_message` is called here, with the job and what its task sent, before the job is yielded; events go to the
        bus instead. Raises KeyError for a job that is not of this facade, RuntimeError inside a subscriber: what it
        waits for could not come.
        """
        wanted = None if jobs is None else dict.fromkeys(self.job(job.job_id).job_id for job in jobs)
        return self._endings(wanted, on_message)

    def _endings(self, wanted: dict[str, None] | None, on_message: OnMessage | None) -> Iterator[Job]:
        while (arrival := self._next_arrival(wanted)) is not None:
            if isinstance(arrival, Job):
                yield arrival
            elif on_message is not None:
                on_message(self.job(arrival.job_id), arrival.message)

    def job(self, job_id: str) -> Job:
        """Return the job as it stands now. Raises KeyError where there is none, or it was forgotten."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise KeyError(f"there is no job {job_id!r}") from None

    def jobs(self, status: JobStatus | None = None) -> list[Job]:
        """Return all jobs, or those in one state, in the order of submission."""
        with self._changed:
            return [job for job in self._jobs.values() if status is None or job.status is status]

    def forget(self, job_id: str) -> None:
        """Drop what is kept of a job that has ended, its result with it. Raises ValueError while it has not ended."""
        with self._changed:
            if not self.job(job_id).status.is_terminal:
                raise ValueError(f"job {job_id} is {self.job(job_id).status}; cancel it, or wait for it")
            del self._jobs[job_id]
            self._claimed.discard(job_id)
            self._claims += 1
            self._changed.notify_all()
            if any(each.job_id == job_id for each in self._arrived):
                self._arrived = deque(each for each in self._arrived if each.job_id != job_id)

    def cancel(self, job_id: str) -> None:
        """Keep a waiting job from starting; ask a running one to stop (a process is ended if it does not).

        Changes nothing for a job that has ended. Raises KeyError where there is none.
        """
        with self._changed:
            if self.job(job_id).status.is_terminal:
                return
            is_here = job_id not in self._handed_over
            self._to_cancel.add(job_id)
        if is_here:
            outcome = Outcome(JobStatus.CANCELLED, message="cancelled before it ran")
            self._receive(Ended(job_id=job_id, outcome=outcome))
        else:
            self._executor.cancel(job_id)

    def cancel_all(self) -> None:
        """Cancel every job that has not ended."""
        for job in self.jobs():
            if not job.status.is_terminal:
                self.cancel(job.job_id)

    def close(self) -> None:
        """Cancel what has not ended, end all workers (within 5 s). May be called again."""
        self._executor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self, delivery: Delivery) -> None:
        """Note and publish what the executor tells. A job's state changes before its event is published."""
        job_id = delivery.job_id
        known = self._jobs.get(job_id)
        if known is None or known.status.is_terminal:  # it ended here, by Ctrl-C in `submit_job`
            return
        match delivery:
            case Started(attempt=attempt):
                job = self._set(known.begun(attempt, delivery.at, delivery.clock_s))
                self._publish(JobStarted(**_ids(job), at=delivery.at, attempt=attempt))
            case Said(message=Event() as event):
                self._publish(event)
            case Said(message=tuple() as events) if events and all(isinstance(event, Event) for event in events):
                for event in events:
                    self._publish(event)
            case Said():
                self._arrive(delivery)
            case Lost():
                self._set(known.put_back())
            case Ended(outcome=outcome):
                job = self._set(known.ended(outcome, delivery.at, delivery.clock_s))
                try:
                    self._publish(_ending(job))
                finally:  # also where Ctrl-C hits a subscriber
                    self._arrive(job)

    def _hand_over(self, job: Job, payload: object, time_limit_s: float | None) -> None:
        with self._changed:
            if self.job(job.job_id).status.is_terminal:  # a subscriber cancelled it
                return
            self._handed_over.add(job.job_id)
        self._executor.submit(job.job_id, job.task, payload, time_limit_s)
        if job.job_id in self._to_cancel:  # another thread asked before the executor knew the job
            self._executor.cancel(job.job_id)

    def _set(self, job: Job) -> Job:
        with self._changed:
            self._jobs[job.job_id] = job
        return job

    def _arrive(self, arrival: Said | Job) -> None:
        with self._changed:
            if arrival.job_id in self._jobs:
                self._arrived.append(arrival)
            if isinstance(arrival, Job):
                self._unfinished -= 1
                self._handed_over.discard(arrival.job_id)
                self._to_cancel.discard(arrival.job_id)
            self._changed.notify_all()

    def _publish(self, event: Event) -> None:
        self._publishing_threads.append(threading.get_ident())
        try:
            self.bus.publish(event)
        finally:
            self._publishing_threads.remove(threading.get_ident())

    def _next_arrival(self, wanted: dict[str, None] | None) -> Said | Job | None:
        """Wait for what comes next of the jobs wanted (all: None), and take it; None when nothing can come."""
        seen_claims = -1
        with self._changed:
            if threading.get_ident() in self._publishing_threads:
                raise RuntimeError("a subscriber of the bus cannot wait for jobs; wait in another thread")
            while True:
                if (arrival := self._take_arrival(wanted)) is not None:
                    return arrival
                if wanted is None and not self._unfinished:
                    return None
                if wanted is not None and seen_claims != self._claims:
                    seen_claims = self._claims
                    if (job := self._take_claimed(wanted)) is not None or not wanted:
                        return job
                self._changed.wait()

    def _take_arrival(self, wanted: dict[str, None] | None) -> Said | Job | None:
        for index, arrival in enumerate(self._arrived):
            if wanted is None or arrival.job_id in wanted:
                del self._arrived[index]
                if isinstance(arrival, Job):
                    self._claimed.add(arrival.job_id)
                    self._claims += 1
                    self._changed.notify_all()
                    if wanted is not None:
                        del wanted[arrival.job_id]
                return arrival
        return None

    def _take_claimed(self, wanted: dict[str, None]) -> Job | None:
        """Return a job wanted that another `wait` has yielded; what was forgotten is wanted no more."""
        for job_id in list(wanted):
            if job_id in self._claimed or job_id not in self._jobs:
                del wanted[job_id]
                if job_id in self._jobs:
                    return self._jobs[job_id]
        return None


def _executor(executor: Literal["inline", "process", "dask"] | Executor, workers: int | None) -> Executor:
    if executor == "inline":
        return InlineExecutor()
    if executor == "process":
        return ProcessExecutor(workers)
    if executor == "dask":
        return DaskExecutor(workers=workers)
    if isinstance(executor, str):
        raise InputError([Finding("is no executor", "give inline, process or dask", "executor", executor)])
    return executor


def _ids(job: Job) -> dict[str, str | None]:
    return {"study_id": job.study_id, "run_id": job.run_id, "job_id": job.job_id}


def _ending(job: Job) -> JobEvent:
    ids, at = _ids(job), job.finished_at or job.submitted_at
    if job.status is JobStatus.COMPLETED:
        return JobCompleted(**ids, at=at, seconds=job.ran_s)
    if job.status is JobStatus.CANCELLED:
        return JobCancelled(**ids, at=at, message=job.message)
    return JobFailed(**ids, at=at, cause=job.cause or FailureCause.CRASH, message=job.message or "")
