"""Studies: many runs of one system, each of them in the log, whatever happens to the others."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import FailureCause, Finding, InputError, StoreError
from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import (
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunSubmitted,
    StudyCancelled,
    StudyCompleted,
    StudyFailed,
    StudyProgress,
    StudyStarted,
    StudySubmitted,
)
from ecosystemiser.jobs.executors import InlineExecutor, Patience, ProcessExecutor
from ecosystemiser.jobs.states import Job, JobStatus
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.model.system import System
from ecosystemiser.reader import Document
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.job_facade import JobFacade
from ecosystemiser.services.orders import Order, Outcome, failed_outcome
from ecosystemiser.services.simulation_service import row_before
from ecosystemiser.services.worker import Workbench, load, make_runs, read_document
from ecosystemiser.store.identifiers import new_run_id, results_folder
from ecosystemiser.store.states import RunStatus
from ecosystemiser.study.parametric import Parametric, Strategy
from ecosystemiser.study.points import chunks_of

__all__ = ["EventBus", "RunFailed", "StudyConfig", "StudyProgress", "StudyResult", "StudyRun", "StudyService"]

PROGRESS_EVERY_S = 0.2
STOP_S = 3.0
"""How long a worker has to stop when asked, before it is killed: a stopped study ends within 5 s."""
ASK_EVERY_S = 0.1
"""How often a study asks whether it is to stop."""
GRACE_S = 5.0
"""What a job may take beyond the solver's own limits before it is asked to stop."""
WRITE_EVERY_S = 0.5
"""Outcomes wait at most so long for others to be written with them."""


@dataclass(frozen=True, eq=False)
class StudyRun:
    """One run of a study: its point and how it ended."""

    point: int
    parameters: Mapping[str, object]
    run_id: str
    status: RunStatus
    kpis: Mapping[str, float | None] = field(default_factory=dict)
    cause: FailureCause | None = None
    error: str | None = None


@dataclass(frozen=True, eq=False)
class StudyResult:
    """How a study ended."""

    study_id: str
    runs: tuple[StudyRun, ...]
    """In the order of their points."""
    wall_seconds: float = 0.0

    def best(self, kpi: str = "total_cost", *, lowest: bool = True) -> StudyRun | None:
        """Return the completed run with the lowest (or highest) value of a KPI; None where there is none."""
        if kpi not in KPI_NAMES:
            raise InputError([Finding("is no KPI", f"use one of {', '.join(KPI_NAMES)}", "kpi", kpi)])
        rated = [(value, run.point, run) for run in self.completed if (value := run.kpis.get(kpi)) is not None]
        if not rated:
            return None
        return min(rated, key=lambda row: (row[0] if lowest else -row[0], row[1]))[2]

    @property
    def completed(self) -> list[StudyRun]:
        """Runs that completed."""
        return [run for run in self.runs if run.status is RunStatus.COMPLETED]

    def by_status(self) -> dict[str, int]:
        """Return how many runs ended in each status."""
        return _counted(run.status.value for run in self.runs)

    def by_cause(self) -> dict[str, int]:
        """Return how many runs failed of each cause."""
        return _counted(run.cause.value for run in self.runs if run.cause is not None)

    def summary(self) -> dict[str, object]:
        """Return the study in a few numbers: counts, the cheapest run, the range of costs."""
        best = self.best()
        costs = [cost for run in self.completed if (cost := run.kpis.get("total_cost")) is not None]
        return {
            "study_id": self.study_id,
            "runs": len(self.runs),
            "by_status": self.by_status(),
            "by_cause": self.by_cause(),
            "best_run_id": None if best is None else best.run_id,
            "best_parameters": None if best is None else dict(best.parameters),
            "lowest_cost": min(costs, default=None),
            "highest_cost": max(costs, default=None),
            "wall_seconds": self.wall_seconds,
        }


def _counted(words: Iterator[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


class StudyService:
    """Runs studies. Its own process alone writes their rows; workers only compute and write hourly files."""

    def __init__(
        self,
        database_service: DatabaseMetadataService | None = None,
        job_facade: JobFacade | None = None,
        bus: EventBus | None = None,
    ) -> None:
        """`job_facade`: who runs the jobs; by default one of processes is made for each study, closed after it."""
        self.database_service = database_service or DatabaseMetadataService()
        self.bus = bus or (job_facade.bus if job_facade is not None else EventBus())
        self.job_facade = job_facade

    def run_study(
        self, study_config: StudyConfig, *, should_stop: Callable[[], bool] | None = None
    ) -> StudyResult:
        """Run all points of a study and return how they ended; a failing one never stops the others.

        Raises InputError before anything is logged where the system or a varied field is wrong; KeyboardInterrupt when
        stopped (its unfinished runs are `cancelled`), StoreError where the log cannot be written.
        `should_stop` is asked ten times a second, by another thread.
        """
        begin = time.perf_counter()
        system = self._check(study_config)
        strategy: Strategy = Parametric(study_config.values(), is_zipped=study_config.combine == "zipped")
        study_id = study_config.study_id
        self.bus.publish(StudySubmitted(study_id=study_id))
        self.database_service.log_study(_study_row(study_config, system))
        runs: list[StudyRun] = []
        with self._told_how_it_ended(study_id):
            self.bus.publish(StudyStarted(study_id=study_id, total=strategy.size))
            for points in strategy.ask():
                configs = [_variation(study_config.base_config, point.values) for point in points]
                numbers = [point.number for point in points]
                made = self._run_simulations(configs, study_config, numbers, should_stop)
                for point, run in zip(points, made, strict=True):
                    strategy.tell(point, run.kpis if run.status is RunStatus.COMPLETED else None)
                runs += made
        ordered = tuple(sorted(runs, key=lambda run: run.point))
        return StudyResult(study_id, ordered, time.perf_counter() - begin)

    def _run_simulations(
        self,
        configs: Sequence[SimulationConfig],
        study_config: StudyConfig,
        numbers: Sequence[int] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> list[StudyRun]:
        """Run simulations, each logged as `running` before it starts and as it ended after; in the order of `configs`.

        `numbers` are their points within the study, by default counted from 0.
        """
        orders = [
            _order(config, study_config, number)
            for config, number in zip(configs, numbers or range(len(configs)), strict=True)
        ]
        system = load(study_config.base_config)
        asked = should_stop or _never
        with self._facade(study_config) as facade, _cancelling(facade, asked):
            work = _Work(self.database_service, self.bus, facade, study_config, system, asked)
            outcomes = work.done(chunks_of(orders))
        return [_study_run(order, outcomes[order.run_id]) for order in orders]

    def _check(self, study_config: StudyConfig) -> System:
        """Return the base system. Raises InputError for what would make every run fail."""
        known = self.database_service.get_study_summary(study_config.study_id)["study"]
        if known is not None and known["status"] == RunStatus.COMPLETED:
            remedy = "give the new study another study_id"
            raise InputError([Finding("names a study that is completed", remedy, "study_id", study_config.study_id)])
        base = study_config.base_config
        if base.run_id is not None and self.database_service.get_simulation_run(base.run_id) is not None:
            remedy = "give another id, or leave it out"
            raise InputError([Finding("names a run that is already in the log", remedy, "run_id", base.run_id)])
        results_folder(study_config.output_directory, study_config.study_id)  # refuses what is no folder
        document = with_values(read_document(base.system), base.parameters)
        system = load_system(document, steps=base.timesteps)
        Workbench().check(base, system)
        _check_fields(document, study_config, base.timesteps)
        return system

    @contextmanager
    def _facade(self, study_config: StudyConfig) -> Iterator[JobFacade]:
        if self.job_facade is not None:
            yield self.job_facade
            return
        workers = study_config.workers or os.cpu_count() or 1
        patience = Patience(cancel_grace_s=STOP_S)
        executor = InlineExecutor() if workers == 1 else ProcessExecutor(workers, patience=patience)
        with JobFacade(executor, bus=self.bus) as facade:
            yield facade

    @contextmanager
    def _told_how_it_ended(self, study_id: str) -> Iterator[None]:
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            self._close(study_id, RunStatus.CANCELLED)
            self.bus.publish(StudyCancelled(study_id=study_id, message="stopped"))
            raise
        except Exception as error:
            with suppress(StoreError):  # where the log cannot be written, that is what `error` says
                self._close(study_id, RunStatus.FAILED)
            self.bus.publish(StudyFailed(study_id=study_id, cause=FailureCause.CRASH, message=str(error)))
            raise
        self._close(study_id, RunStatus.COMPLETED)
        self.bus.publish(StudyCompleted(study_id=study_id))

    def _close(self, study_id: str, status: RunStatus) -> None:
        self.database_service.log_study({"study_id": study_id, "status": status})


def _never() -> bool:
    return False


@contextmanager
def _cancelling(facade: JobFacade, should_stop: Callable[[], bool]) -> Iterator[None]:
    """Within this all jobs are cancelled once the work is to stop: who waits for them sees them end."""
    has_ended = threading.Event()

    def watch() -> None:
        while not has_ended.wait(ASK_EVERY_S):
            if should_stop():
                with suppress(KeyError):  # a job that ended and was forgotten meanwhile; the others come next time
                    facade.cancel_all()

    thread = threading.Thread(target=watch, name="study-stop", daemon=True)
    if should_stop is not _never:
        thread.start()
    try:
        yield
    finally:
        has_ended.set()


class _Work:
    """The runs of one study on their way through jobs and log."""

    def __init__(
        self,
        database: DatabaseMetadataService,
        bus: EventBus,
        facade: JobFacade,
        study_config: StudyConfig,
        system: System,
        should_stop: Callable[[], bool] = _never,
    ) -> None:
        self._database, self._bus, self._facade = database, bus, facade
        self._should_stop = should_stop
        self._study, self._system = study_config, system
        self._jobs: dict[str, list[Order]] = {}
        self._waiting: deque[list[Order]] = deque()
        self._orders: dict[str, Order] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._unwritten: dict[str, Outcome] = {}
        self._written_at = self._told_at = self._begin = time.monotonic()
        self._best: float | None = None
        self._total = 0

    def done(self, chunks: Sequence[list[Order]]) -> dict[str, Outcome]:
        """Run all chunks and return every outcome by run id. Raises KeyboardInterrupt where not all was done."""
        self._waiting.extend(chunks)
        self._total = sum(len(chunk) for chunk in chunks)
        try:
            self._submit_some()
            while self._jobs:
                self._end(next(self._facade.wait(self._own_jobs(), self._hear)))
                self._submit_some()
            self._stop_if_asked()
        except (KeyboardInterrupt, SystemExit):
            self._close_what_is_left(RunStatus.CANCELLED)
            raise
        except Exception:
            with suppress(StoreError):  # most likely the very reason
                self._close_what_is_left(RunStatus.INTERRUPTED)
            raise
        return self._outcomes

    def _stop_if_asked(self) -> None:
        cancelled = any(outcome.status is RunStatus.CANCELLED for outcome in self._outcomes.values())
        if self._should_stop() and (self._waiting or cancelled):
            raise KeyboardInterrupt

    def _own_jobs(self) -> list[Job]:
        """Return the jobs of this study that were submitted and not settled; others may share the facade."""
        return [job for job in self._facade.jobs() if job.job_id in self._jobs]

    def _submit_some(self) -> None:
        """Keep every worker busy and one chunk ready for each; rows are committed before a chunk is handed out."""
        workers = self._study.workers or os.cpu_count() or 1
        most = 2 * workers if workers > 1 else 1  # one worker is this process: nothing can wait beside its work
        while self._waiting and len(self._jobs) < most and not self._should_stop():
            chunk = self._waiting.popleft()
            if chunk[0].run_id not in self._orders:
                self._log_running(chunk)
            job_id = new_run_id()
            self._jobs[job_id] = chunk
            limit = self._study.base_config.solver.time_limit_s
            self._facade.submit_job(
                make_runs,
                chunk,
                job_id=job_id,
                study_id=self._study.study_id,
                time_limit_s=None if limit is None else limit * len(chunk) + GRACE_S,
            )

    def _log_running(self, chunk: Sequence[Order]) -> None:
        rows = [row_before(order, self._system.system_id, self._system.clock.steps) for order in chunk]
        self._orders |= {order.run_id: order for order in chunk}
        self._database.begin_study_runs(self._study.study_id, rows, [order.point for order in chunk])
        for order in chunk:
            self._bus.publish(RunSubmitted(study_id=self._study.study_id, run_id=order.run_id))

    def _hear(self, _job: Job, message: object) -> None:
        """Take the outcomes that a job sends."""
        if isinstance(message, list):
            for outcome in message:
                self._take(outcome)
        if time.monotonic() - self._written_at > WRITE_EVERY_S:
            self._write()

    def _take(self, outcome: Outcome) -> None:
        if outcome.run_id in self._outcomes:  # a job that was repeated sends again what it had sent
            return
        self._unwritten.setdefault(outcome.run_id, outcome)
        self._outcomes[outcome.run_id] = outcome
        self._tell(outcome)

    def _end(self, job: Job) -> None:
        """Settle what a job that ended has left: a chunk that failed is tried again, run by run."""
        chunk = self._jobs.pop(job.job_id, [])
        missing = [order for order in chunk if order.run_id not in self._outcomes]
        if job.status is JobStatus.CANCELLED:
            for order in missing:
                self._take(_ended(order.run_id, RunStatus.CANCELLED))
        elif len(chunk) > 1:
            self._waiting.extendleft([order] for order in missing)
        else:
            cause, message = job.cause or FailureCause.CRASH, job.message or "the worker ended without an answer"
            details = {} if job.details is None else {"traceback": job.details}
            for order in missing:
                self._take(failed_outcome(order, cause, message, "solve", **details))
        self._write()
        self._facade.forget(job.job_id)

    def _write(self) -> None:
        """Commit the outcomes that are not in the log yet."""
        if self._unwritten:
            rows = [{"run_id": run_id, **outcome.columns} for run_id, outcome in self._unwritten.items()]
            self._database.log_simulation_runs(rows)
            self._unwritten.clear()
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
            if row["run_id"] in self._orders:
                self._take(_ended(row["run_id"], status))
        self._write()

    def _tell(self, outcome: Outcome) -> None:
        study_id, run_id = self._study.study_id, outcome.run_id
        if outcome.status is RunStatus.COMPLETED:
            self._bus.publish(RunCompleted(study_id=study_id, run_id=run_id, kpis=outcome.kpis))
            cost = outcome.kpis.get("total_cost")
            if cost is not None and (self._best is None or cost < self._best):
                self._best = cost
        elif outcome.status is not RunStatus.FAILED:
            self._bus.publish(RunCancelled(study_id=study_id, run_id=run_id))
        else:
            cause = outcome.cause or FailureCause.CRASH
            message = outcome.error or ""
            self._bus.publish(RunFailed(study_id=study_id, run_id=run_id, cause=cause, message=message))
        self._tell_progress()

    def _tell_progress(self) -> None:
        done, now = len(self._outcomes), time.monotonic()
        if done < self._total and now - self._told_at < PROGRESS_EVERY_S:
            return
        self._told_at = now
        rate = done / (now - self._begin) if now > self._begin else None
        self._bus.publish(
            StudyProgress(
                study_id=self._study.study_id,
                done=done,
                total=self._total,
                rate=rate,
                seconds_left=(self._total - done) / rate if rate else None,
                best=None if self._best is None else {"total_cost": self._best},
            )
        )


def _ended(run_id: str, status: RunStatus) -> Outcome:
    return Outcome(run_id, status, {"simulation_status": status})


def _check_fields(document: Document, study_config: StudyConfig, steps: int | None) -> None:
    """Raise InputError for varied fields that the system does not have; what a value does wrong is its run's affair."""
    first = {name: values[0] for name, values in study_config.values().items()}
    varied = with_values(document, first, "parameters")
    try:
        load_system(varied, steps=steps)
    except InputError as error:
        if unknown := [found for found in error.findings if "is not a known key" in found.message]:
            raise InputError(unknown) from None


def _variation(base: SimulationConfig, values: Mapping[str, object]) -> SimulationConfig:
    return base.model_copy(update={"parameters": {**base.parameters, **values}})


def _order(config: SimulationConfig, study_config: StudyConfig, number: int) -> Order:
    run_id = config.run_id or new_run_id()
    # A new id names no folder yet, so nothing can lead out of the output directory.
    base = study_config.output_directory.absolute()
    folder = base / run_id if config.run_id is None else results_folder(base, run_id)
    config = config.model_copy(update={"study_id": study_config.study_id})
    return Order(run_id, config, folder, keeps_hours=study_config.timeseries == "all", point=number)


def _study_run(order: Order, outcome: Outcome) -> StudyRun:
    return StudyRun(
        point=order.point,
        parameters=order.config.parameters,
        run_id=order.run_id,
        status=outcome.status,
        kpis=outcome.kpis,
        cause=outcome.cause,
        error=outcome.error,
    )


def _study_row(study_config: StudyConfig, system: System) -> dict[str, object]:
    return {
        "study_id": study_config.study_id,
        "study_type": study_config.study_type,
        "system_id": system.system_id,
        "status": RunStatus.RUNNING,
        "settings_json": study_config.model_dump_json(),
    }
