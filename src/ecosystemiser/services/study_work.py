"""The runs of one study on their way through jobs and log."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import FailureCause, NotAgreedError, StoreError, WorkersGoneError
from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import RunCancelled, RunCompleted, RunFailed, RunStarted, RunSubmitted, StudyProgress
from ecosystemiser.jobs.states import Job, JobStatus
from ecosystemiser.services.batch import can_be_batched
from ecosystemiser.services.budget import Trial
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.job_facade import JobFacade
from ecosystemiser.services.orders import Order, Outcome, failed_outcome
from ecosystemiser.services.outcome_log import OutcomeLog, spool_of
from ecosystemiser.services.reuse import Reuse
from ecosystemiser.services.run_rows import RunRows
from ecosystemiser.services.worker import make_runs
from ecosystemiser.store.identifiers import new_run_id
from ecosystemiser.store.states import RunStatus

__all__ = ["StudyWork"]

PROGRESS_EVERY_S = 0.2
WRITE_EVERY_S = 0.5
"""Outcomes wait at most so long for others to be written with them."""
ASK_EVERY_S = 0.1
"""How often a study asks whether it is to stop."""
RATE_OVER_S = 10.0
"""The rate that is told is that of the last so many seconds."""


Deliver = Callable[[Order, Outcome], None]
"""Hears how a run ended, once that is in the log."""


class StudyWork:
    """Takes the orders of a study to jobs, their outcomes to the log, and then forgets both."""

    def __init__(
        self,
        database: DatabaseMetadataService,
        bus: EventBus,
        facade: JobFacade,
        study_config: StudyConfig,
        workers: int,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database, self._bus, self._facade = database, bus, facade
        self._should_stop = should_stop
        self._study, self._rows, self._workers = study_config, RunRows(database), workers
        folder = study_config.output_directory.absolute()
        self._log = OutcomeLog(database, spool_of(folder, study_config.study_id))
        self._reuse = Reuse(database)
        self._jobs: dict[str, list[Order]] = {}
        self._coming: Iterator[list[Order]] = iter(())
        self._again: deque[list[Order]] = deque()
        self._deliver: Deliver = _nowhere
        self._open: dict[str, Order] = {}
        """Orders that are to be logged as running, or are, and have no outcome yet."""
        self._unwritten: dict[str, tuple[Order, Outcome]] = {}
        self._was_cancelled = False
        self._written_at = time.monotonic()
        self._progress = _Progress(study_config.study_id)
        self._trial: Trial | None = None
        self._begun: dict[str, float] = {}
        self._timed: dict[str, Outcome] = {}
        """Outcomes of the trial."""
        self._are_awake = False
        self._under_way: dict[str, str] = {}
        """The run that each job has begun last."""

    def expect(self, runs: int) -> None:
        """Say how many runs there will be, at most."""
        self._progress.expect(runs)

    def time_first(self, trial: Trial) -> None:
        """Have the first runs timed, and what the others will take told and, where it is much, agreed to."""
        self._trial = trial

    def do(self, chunks: Iterable[list[Order]], deliver: Deliver) -> None:
        """Run all chunks, which are taken one by one as workers come free, and deliver every outcome.

        Raises KeyboardInterrupt where not all was done, NotAgreedError where somebody did not agree to that.
        """
        self._coming, self._deliver, self._was_cancelled = iter(chunks), deliver, False
        try:
            with self._cancelling_when_asked(), self._noting_what_begins():
                self._submit_some()
                while self._jobs:
                    self._end(next(self._facade.wait(self._own_jobs(), self._hear)))
                    self._submit_some()
            self._log.catch_up()
            self._stop_if_asked()
        except (KeyboardInterrupt, SystemExit, NotAgreedError):
            self._close_what_is_left(RunStatus.CANCELLED)
            raise
        except Exception:
            with suppress(StoreError):  # most likely the very reason
                self._close_what_is_left(RunStatus.INTERRUPTED)
            raise

    def _stop_if_asked(self) -> None:
        if self._should_stop() and (self._was_cancelled or self._next_chunk()):
            raise KeyboardInterrupt

    @contextmanager
    def _cancelling_when_asked(self) -> Iterator[None]:
        """Within this the jobs of this study are cancelled once it is to stop: who waits for them sees them end."""
        has_ended = threading.Event()

        def watch() -> None:
            while not has_ended.wait(ASK_EVERY_S):
                if self._should_stop():
                    for job_id in list(self._jobs):
                        with suppress(KeyError):  # it ended and was forgotten meanwhile
                            self._facade.cancel(job_id)

        threading.Thread(target=watch, name="study-stop", daemon=True).start()
        try:
            yield
        finally:
            has_ended.set()

    @contextmanager
    def _noting_what_begins(self) -> Iterator[None]:
        """Within this the run that each job begins is known."""

        def note(event: RunStarted) -> None:
            if event.job_id is not None and event.run_id is not None:
                self._under_way[event.job_id] = event.run_id

        leave = self._bus.subscribe(RunStarted, note)
        try:
            yield
        finally:
            leave()

    def _own_jobs(self) -> list[Job]:
        """Return the jobs of this study that were submitted and not settled; others may share the facade."""
        return [job for job in self._facade.jobs() if job.job_id in self._jobs]

    def _submit_some(self) -> None:
        """Keep every worker busy and one chunk ready for each; rows are committed before a chunk is handed out."""
        # One worker is this process: nothing can wait beside its work.
        most = 2 * self._workers if self._workers > 1 else 1
        while len(self._jobs) < most and not self._should_stop():
            if self._log.is_behind and self._jobs:  # the log's server is away: nothing new meanwhile
                return
            if self._trial is not None and self._trial.holds and self._jobs:
                return
            begin = time.monotonic()
            chunk = self._next_chunk()
            if not chunk:
                return
            new = [order for order in chunk if not order.is_replayed]
            if new[0].run_id not in self._open:
                self._log_running(new)
                chunk = [order for order in chunk if order.is_replayed or order.run_id in self._open]
                if all(order.is_replayed for order in chunk):  # the rest of it was in the log already
                    continue
            job_id = new_run_id()
            self._jobs[job_id], self._begun[job_id] = chunk, begin
            self._facade.submit_job(
                make_runs,
                chunk,
                job_id=job_id,
                study_id=self._study.study_id,
                time_limit_s=self._limit_of(chunk),
            )
            self._wake_others()

    def _wake_others(self) -> None:
        """While all wait for the first runs, let the other workers come up and load what they need, by empty jobs."""
        if self._trial is None or not self._trial.holds or self._are_awake:
            return
        self._are_awake = True
        for _ in range(self._workers - 1):
            job_id = new_run_id()
            self._jobs[job_id] = []
            self._facade.submit_job(make_runs, [], job_id=job_id, study_id=self._study.study_id)

    def _limit_of(self, chunk: Sequence[Order]) -> float | None:
        """Return how long each run of a chunk may take; all of them where they go side by side. [s]"""
        limit = self._study.base_config.solver.time_limit_s
        return None if limit is None else limit * (len(chunk) if can_be_batched(chunk) else 1)

    def _next_chunk(self) -> list[Order]:
        """Return what is to be tried again, else what comes next; nothing at the end."""
        return self._again.popleft() if self._again else next(self._coming, [])

    def _log_running(self, chunk: Sequence[Order]) -> None:
        rows = [self._rows.before(order) for order in chunk]
        self._open |= {order.run_id: order for order in chunk}
        self._log.begin(rows)
        for order in chunk:
            self._bus.publish(RunSubmitted(study_id=self._study.study_id, run_id=order.run_id))
        if self._study.base_config.reuse:
            for row in rows:
                known = self._reuse.outcome(row)
                if known is not None:
                    self._take(known)
                    if self._trial is not None:
                        self._trial.took_over(1)
            self._write()

    def _hear(self, _job: Job, message: object) -> None:
        """Take the outcomes that a job sends."""
        if isinstance(message, list):
            for outcome in message:
                self._take(outcome)
        if time.monotonic() - self._written_at > WRITE_EVERY_S:
            self._write()

    def _take(self, outcome: Outcome) -> None:
        order = self._open.get(outcome.run_id)
        if order is None:  # a job that was repeated sends again what it had sent
            return
        self._unwritten[outcome.run_id] = (order, outcome)
        del self._open[outcome.run_id]
        if self._trial is not None and not self._trial.is_over:
            self._timed[outcome.run_id] = outcome
        self._was_cancelled |= outcome.status is RunStatus.CANCELLED

    def _end(self, job: Job) -> None:
        """Settle what a job that ended has left: a chunk that failed is tried again, run by run.

        Who took too long is known, and not tried again.
        """
        if job.status is JobStatus.FAILED and self._facade.trouble is not None:
            raise WorkersGoneError(self._facade.trouble)  # no run is to blame
        chunk, under_way = self._jobs.pop(job.job_id, []), self._under_way.pop(job.job_id, None)
        missing = [order for order in chunk if order.run_id in self._open]
        if job.status is JobStatus.CANCELLED:
            for order in missing:
                self._take(_ended(order.run_id, RunStatus.CANCELLED))
        else:
            is_known = job.cause is FailureCause.TIMEOUT and not can_be_batched(chunk)
            guilty = [order for order in missing if len(chunk) == 1 or (is_known and order.run_id == under_way)]
            for order in guilty:
                self._take(self._failed(order, job))
            self._again.extendleft([order] for order in missing if order not in guilty)
        self._write()
        self._facade.forget(job.job_id)
        seconds = time.monotonic() - self._begun.pop(job.job_id, 0.0)
        if job.status is not JobStatus.CANCELLED:
            self._estimate(chunk, seconds)

    def _failed(self, order: Order, job: Job) -> Outcome:
        """Return the outcome of a run whose job failed."""
        cause, message = job.cause or FailureCause.CRASH, job.message or "the worker ended without an answer"
        if cause is FailureCause.TIMEOUT:
            limit = self._study.base_config.solver.time_limit_s
            message = f"did not stop at its time limit of {limit:g} s, so its worker was ended"
        details = {} if job.details is None else {"traceback": job.details}
        return failed_outcome(order, cause, message, "solve", **details)

    def _estimate(self, chunk: Sequence[Order], seconds: float) -> None:
        """Tell what the study will take as soon as that is known; ask, where it is much and somebody can be asked."""
        if self._trial is None or self._trial.is_over:
            return
        known = [self._timed[order.run_id] for order in chunk if order.run_id in self._timed]
        self._timed.clear()
        budget = self._trial.hear(chunk, known, seconds)
        if budget is None:
            return
        self._bus.publish(budget.event(self._study.study_id))
        if budget.is_large and self._trial.agree is not None and not self._trial.agree(budget):
            raise NotAgreedError(f"nobody agreed to {budget.runs:,} more runs")

    def _write(self) -> None:
        """Commit the outcomes that are not in the log yet, and only then tell of them."""
        if self._unwritten:
            self._log.write([{"run_id": run_id, **made.columns} for run_id, (_, made) in self._unwritten.items()])
            written, self._unwritten = self._unwritten, {}
            for order, outcome in written.values():
                self._deliver(order, outcome)
                self._tell(outcome)
        self._written_at = time.monotonic()

    def _close_what_is_left(self, status: RunStatus) -> None:
        """Stop all jobs, keep what they had done, and log every other run that stands as `running` as `status`."""
        jobs = self._own_jobs()
        for job in jobs:
            self._facade.cancel(job.job_id)
        for _ in self._facade.wait(jobs, self._hear):
            pass
        self._write()
        # The log is asked: an interrupt may have come between a commit and what is remembered of it here.
        for row in self._database.query_simulation_runs(self._study.study_id, status=RunStatus.RUNNING):
            if row["run_id"] in self._open:
                self._take(_ended(row["run_id"], status))
        self._write()

    def _tell(self, outcome: Outcome) -> None:
        study_id, run_id = self._study.study_id, outcome.run_id
        if outcome.status is RunStatus.COMPLETED:
            self._bus.publish(RunCompleted(study_id=study_id, run_id=run_id, kpis=outcome.kpis))
        elif outcome.status is not RunStatus.FAILED:
            self._bus.publish(RunCancelled(study_id=study_id, run_id=run_id))
        else:
            cause = outcome.cause or FailureCause.CRASH
            message = outcome.error or ""
            self._bus.publish(RunFailed(study_id=study_id, run_id=run_id, cause=cause, message=message))
        event = self._progress.after(outcome)
        if event is not None:
            self._bus.publish(event)


class _Progress:
    """How far a study is, how fast it goes, and the best cost so far."""

    def __init__(self, study_id: str) -> None:
        self._study_id = study_id
        self._done = self._total = 0
        self._best: float | None = None
        self._told_at = time.monotonic()
        self._seen: deque[tuple[float, int]] = deque()

    def expect(self, runs: int) -> None:
        """Add so many runs to those that are to be made."""
        self._total += runs
        self._seen.append((time.monotonic(), self._done))

    def after(self, outcome: Outcome) -> StudyProgress | None:
        """Count an outcome; return what to tell, None where that was told a moment ago."""
        self._done += 1
        cost = outcome.kpis.get("total_cost") if outcome.status is RunStatus.COMPLETED else None
        if cost is not None and (self._best is None or cost < self._best):
            self._best = cost
        now = time.monotonic()
        if self._done < self._total and now - self._told_at < PROGRESS_EVERY_S:
            return None
        self._told_at = now
        rate = self._rate(now)
        return StudyProgress(
            study_id=self._study_id,
            done=self._done,
            total=self._total,
            rate=rate,
            seconds_left=(self._total - self._done) / rate if rate else None,
            best=None if self._best is None else {"total_cost": self._best},
        )

    def _rate(self, now: float) -> float | None:
        """Return the runs per second of the last while: the start of the workers soon counts no more."""
        self._seen.append((now, self._done))
        while len(self._seen) > 2 and now - self._seen[0][0] > RATE_OVER_S:
            self._seen.popleft()
        (since, before), (_, done) = self._seen[0], self._seen[-1]
        return (done - before) / (now - since) if now > since else None


def _nowhere(_order: Order, _outcome: Outcome) -> None:
    """Hear nothing."""


def _ended(run_id: str, status: RunStatus) -> Outcome:
    return Outcome(run_id, status, {"simulation_status": status})
