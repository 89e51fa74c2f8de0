"""Studies: many runs of one system, each of them in the log, whatever happens to the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import FailureCause, Finding, InputError, NotAgreedError, StoreError
from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import (
    RunEvent,
    RunFailed,
    StudyCancelled,
    StudyCompleted,
    StudyEstimated,
    StudyEvent,
    StudyFailed,
    StudyProgress,
    StudyStarted,
    StudySubmitted,
)
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.model.system import System
from ecosystemiser.reader import Document
from ecosystemiser.services.around import with_run_as_base
from ecosystemiser.services.best_hours import BestRuns, keep_hours
from ecosystemiser.services.budget import Agree, Trial
from ecosystemiser.services.cancelling import CancelRequests
from ecosystemiser.services.crew import Crew, crew_of, usual_workers, with_system_for_all
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.job_facade import JobFacade
from ecosystemiser.services.orders import GivenSystem, Order
from ecosystemiser.services.resuming import check_is_new, resumable, with_designs_of_another
from ecosystemiser.services.study_answers import StepLog, log_genetic_answer, log_monte_carlo_answer
from ecosystemiser.services.study_course import StudyCourse, named, order_of, study_run
from ecosystemiser.services.study_result import LoggedRuns, StoredPoints, StudyResult, StudyRun
from ecosystemiser.services.study_work import StudyWork
from ecosystemiser.services.worker import Workbench, read_document
from ecosystemiser.store.identifiers import results_folder
from ecosystemiser.store.states import RunStatus
from ecosystemiser.study.genetic import GeneticAlgorithm
from ecosystemiser.study.monte_carlo import MonteCarlo
from ecosystemiser.study.points import Point, chunks_of
from ecosystemiser.study.resuming import TimeLimited
from ecosystemiser.study.strategies import strategy_of
from ecosystemiser.study.strategy import Strategy

__all__ = [
    "Agree",
    "EventBus",
    "RunEvent",
    "RunFailed",
    "StudyConfig",
    "StudyEstimated",
    "StudyEvent",
    "StudyProgress",
    "StudyResult",
    "StudyRun",
    "StudyService",
]


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

    def resume_study(
        self,
        study_id: str,
        *,
        work: Mapping[str, object] | None = None,
        should_stop: Callable[[], bool] | None = None,
        agree: Agree | None = None,
    ) -> StudyResult:
        """Go on with a study that was stopped or died: only what has no answer yet is run.

        Points that completed or failed keep their runs; a point that was cut short gets a new run, which names the old
        one in `retry_of`. `work` says anew who works on it: `workers`, `executor`, `scheduler`. Raises
        InputError where there is no such study, it is completed or running, or its system file or one that this names
        has changed since; else as `run_study`.
        """
        return self._run(resumable(self.database_service, study_id, work), should_stop, agree, is_resumed=True)

    def run_study(
        self,
        study_config: StudyConfig,
        *,
        should_stop: Callable[[], bool] | None = None,
        agree: Agree | None = None,
    ) -> StudyResult:
        """Run all points of a study and return how they ended; a failing one never stops the others.

        Raises InputError before anything is logged where the system or a varied field is wrong, or there is such a
        study; KeyboardInterrupt when stopped (its unfinished runs are `cancelled`), StoreError where the log cannot be
        written. `should_stop` is asked ten times a second, by another thread.

        The first runs are timed, and `StudyEstimated` tells what the others will take. `agree` is asked where that is
        much (`budget.Budget.is_large`), before anything else begins; where it says no, NotAgreedError is raised, and
        the study is `cancelled`: what was done is kept, and `resume_study` goes on.
        """
        return self._run(study_config, should_stop, agree, is_resumed=False)

    def _run(
        self,
        study_config: StudyConfig,
        should_stop: Callable[[], bool] | None,
        agree: Agree | None,
        *,
        is_resumed: bool,
    ) -> StudyResult:
        begin = time.perf_counter()
        study_config, given = with_run_as_base(self.database_service, study_config)
        study_config = with_system_for_all(study_config)
        system = self._check(study_config, given, is_resumed=is_resumed)
        study_config = with_designs_of_another(self.database_service, study_config)
        strategy = strategy_of(study_config)
        study_id = study_config.study_id
        with self._crew(study_config, given) as crew:
            self.bus.publish(StudySubmitted(study_id=study_id))
            self.database_service.log_study(_study_row(study_config, system))
            asked = CancelRequests(self.database_service, should_stop, study_id=study_id)
            with self._told_how_it_ended(study_id), self._facade(crew) as facade:
                stored = self._stored(study_id) if is_resumed else StoredPoints()
                self.bus.publish(StudyStarted(study_id=study_id, total=strategy.size))
                left = study_config.points - len(stored.done)
                workers = usual_workers(study_config) if crew is None else crew.workers
                work = StudyWork(self.database_service, self.bus, facade, study_config, workers, asked)
                work.expect(left)
                work.time_first(Trial(study_config, left, workers, agree))
                best = BestRuns(study_config)
                course = StudyCourse(study_config, stored, work, workers, best, given)
                self._run_strategy(strategy, course)
                if study_config.kept_hours == "best":
                    self._keep_best_hours(course, asked)
        number = course.ended.by_status.total()
        logged = LoggedRuns(lambda: self.database_service.query_study_runs(study_id), number)
        return StudyResult(study_id, logged, time.perf_counter() - begin, course.ended)

    def _stored(self, study_id: str) -> StoredPoints:
        log = self.database_service
        return StoredPoints.of(
            log.study_states(study_id), lambda first, below: log.query_study_runs(study_id, first=first, below=below)
        )

    def _run_strategy(self, strategy: Strategy, course: StudyCourse) -> None:
        if isinstance(strategy, GeneticAlgorithm):
            self._run_genetic_algorithm_study(strategy, course)
        elif isinstance(strategy, MonteCarlo):
            self._run_monte_carlo_study(strategy, course)
        else:
            self._run_points(strategy, course)

    def _run_genetic_algorithm_study(self, strategy: GeneticAlgorithm, course: StudyCourse) -> None:
        """Breed designs generation after generation; log how it came on, each front, and the last one."""
        settings = course.study_config.genetic_algorithm
        limit = None if settings is None else settings.time_limit_s
        asked: Strategy = strategy
        if limit is not None:
            asked = TimeLimited(strategy, limit, spent_s=self._seconds_spent(course), known=course.stored.done)
        ids: dict[int, str] = {}
        self._run_points(asked, course, ids)
        log_genetic_answer(self.database_service, course.study_config.study_id, strategy, ids)

    def _seconds_spent(self, course: StudyCourse) -> float:
        """Return how long earlier processes worked on the generations of a study that goes on. [s]"""
        if not course.stored.done:
            return 0.0
        rows = self.database_service.query_analysis("convergence_metrics", course.study_config.study_id)
        return float(sum(row["value"] or 0.0 for row in rows if row["metric"] == "seconds"))

    def _run_monte_carlo_study(self, strategy: MonteCarlo, course: StudyCourse) -> None:
        """Draw samples; log the distributions of KPIs and what they depend on."""
        self._run_points(strategy, course)
        log_monte_carlo_answer(self.database_service, course.study_config.study_id, strategy)

    def _run_points(self, strategy: Strategy, course: StudyCourse, run_ids: dict[int, str] | None = None) -> None:
        """Run what a strategy asks for, but for points that have an answer already, until it asks for no more.

        `run_ids` takes the run of each point.
        """
        ids = {} if run_ids is None else run_ids
        steps = StepLog(self.database_service, self.bus, course.study_config.study_id, strategy)
        for points in strategy.ask():
            steps.catch_up(ids)
            asked = {point.number: point for point in points}

            def hear(run: StudyRun, asked: Mapping[int, Point] = asked) -> None:
                course.take(run)
                if run_ids is not None:
                    run_ids[run.point] = run.run_id
                strategy.tell(asked[run.point], run.answer)

            for run in course.stored.answers(asked):
                hear(run)
            course.work.do(course.chunks(points), lambda order, outcome: hear(study_run(order, outcome)))
        steps.catch_up(ids)

    def _run_simulations(
        self,
        configs: Sequence[SimulationConfig],
        study_config: StudyConfig,
        should_stop: Callable[[], bool] | None = None,
    ) -> list[StudyRun]:
        """Run any simulations as runs of a study, their points counted from 0; in the order of `configs`.

        Each is logged as `running` before it starts and as it ended after.
        """
        orders = [
            order_of(named(config, study_config), study_config, Point(number, {}))
            for number, config in enumerate(configs)
        ]
        made: dict[str, StudyRun] = {}
        asked = CancelRequests(self.database_service, should_stop, study_id=study_config.study_id)
        with self._crew(study_config) as crew, self._facade(crew) as facade:
            workers = usual_workers(study_config) if crew is None else crew.workers
            work = StudyWork(self.database_service, self.bus, facade, study_config, workers, asked)
            work.expect(len(orders))
            work.do(chunks_of(orders), lambda order, outcome: made.update({order.run_id: study_run(order, outcome)}))
        return [made[order.run_id] for order in orders]

    def _keep_best_hours(self, course: StudyCourse, should_stop: Callable[[], bool]) -> None:
        study_config = course.study_config
        results, workbench = str(study_config.output_directory.absolute()), Workbench()
        for run in course.best:
            config = study_config.base_config.model_copy(update={"parameters": dict(run.parameters)})
            order = Order(run.run_id, config, results, given=course.given)
            keep_hours(self.database_service, workbench, order, run.kpis, should_stop)

    def _check(self, study_config: StudyConfig, given: GivenSystem | None, *, is_resumed: bool) -> System:
        """Return the base system. Raises InputError for what would make every run fail."""
        if not is_resumed:
            check_is_new(self.database_service, study_config.study_id)
        base = study_config.base_config
        if base.run_id is not None and self.database_service.get_simulation_run(base.run_id) is not None:
            remedy = "give another id, or leave it out"
            raise InputError([Finding("names a run that is already in the log", remedy, "run_id", base.run_id)])
        results_folder(study_config.output_directory, study_config.study_id)  # refuses what is no folder
        document = with_values(read_document(base.system) if given is None else given.document, base.parameters)
        system = load_system(document, steps=base.timesteps)
        Workbench().check(base, system)
        _check_fields(document, study_config, base.timesteps)
        return system

    def _crew(self, study_config: StudyConfig, given: GivenSystem | None = None) -> AbstractContextManager[Crew | None]:
        """Return who works on a study; None where this service was told by its facade."""
        return nullcontext() if self.job_facade is not None else crew_of(study_config, given)

    def _facade(self, crew: Crew | None) -> AbstractContextManager[JobFacade]:
        if self.job_facade is not None:
            return nullcontext(self.job_facade)
        return JobFacade("inline" if crew is None else crew.executor, bus=self.bus)

    @contextmanager
    def _told_how_it_ended(self, study_id: str) -> Iterator[None]:
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            self._close(study_id, RunStatus.CANCELLED, "stopped")
            self.bus.publish(StudyCancelled(study_id=study_id, message="stopped"))
            raise
        except NotAgreedError as error:
            self._close(study_id, RunStatus.CANCELLED, str(error))
            self.bus.publish(StudyCancelled(study_id=study_id, message=str(error)))
            raise
        except Exception as error:
            with suppress(StoreError):  # where the log cannot be written, that is what `error` says
                self._close(study_id, RunStatus.FAILED, str(error))
            self.bus.publish(StudyFailed(study_id=study_id, cause=FailureCause.CRASH, message=str(error)))
            raise
        self._close(study_id, RunStatus.COMPLETED)
        self.bus.publish(StudyCompleted(study_id=study_id))

    def _close(self, study_id: str, status: RunStatus, message: str | None = None) -> None:
        self.database_service.log_study({"study_id": study_id, "status": status, "message": message})


def _check_fields(document: Document, study_config: StudyConfig, steps: int | None) -> None:
    """Raise InputError for varied fields that the system does not have; what a value does wrong is its run's affair."""
    varied = with_values(document, study_config.example_values(), "parameters")
    try:
        load_system(varied, steps=steps)
    except InputError as error:
        if unknown := [found for found in error.findings if "is not a known key" in found.message]:
            raise InputError(unknown) from None


def _study_row(study_config: StudyConfig, system: System) -> dict[str, object]:
    return {
        "study_id": study_config.study_id,
        "study_type": study_config.study_type,
        "system_id": system.system_id,
        "status": RunStatus.RUNNING,
        "settings_json": study_config.model_copy(update={"timeseries": study_config.kept_hours}).model_dump_json(),
        "points": study_config.points,
    }
