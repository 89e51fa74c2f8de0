"""The points of a study on their way to orders, and their outcomes on the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import WARM_SOLVERS
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.services.best_hours import BestRuns
from ecosystemiser.services.budget import TIMED_RUNS
from ecosystemiser.services.orders import GivenSystem, Order, Outcome
from ecosystemiser.services.study_result import Ended, StoredPoints, StudyRun
from ecosystemiser.services.study_work import StudyWork
from ecosystemiser.store.identifiers import new_run_id, results_folder
from ecosystemiser.study.points import CHUNKS, Point, chunks_of

__all__ = ["StudyCourse", "order_of", "study_run"]


@dataclass(eq=False)
class StudyCourse:
    """A study on its way: what was asked, what the log holds of it already, and who makes its runs."""

    study_config: StudyConfig
    stored: StoredPoints
    work: StudyWork
    workers: int
    best: BestRuns
    given: GivenSystem | None = None
    """The system, where that is not read from its file."""
    ended: Ended = field(default_factory=Ended)
    _has_begun: bool = False

    def take(self, run: StudyRun) -> None:
        """Count a run that ended, and remember it if it is among the best."""
        self.ended.take(run)
        self.best.take(run)

    def chunks(self, points: Sequence[Point]) -> Iterator[list[Order]]:
        """Yield the orders of a batch of points, in pieces to be solved one after the other by one worker.

        What a warm solver finds may depend on what was solved before, where an optimum is not unique: each of its
        pieces starts from the study's base, and the pieces are the same in a study that goes on, up to the last point
        that is missing. Runs that do not depend on each other go in pieces as large as may be.
        """
        base = named(self.study_config.base_config, self.study_config)
        for chunk in self._pieces(points):
            yield [self._order(base, point) for point in chunk]

    def _pieces(self, points: Sequence[Point]) -> list[list[Point]]:
        done = self.stored.done
        depend = self.study_config.base_config.solver_type in WARM_SOLVERS
        if self._are_batched:
            pieces = 1 if self.workers == 1 else max(CHUNKS, 2 * self.workers)
            return chunks_of([point for point in points if point.number not in done], pieces)
        chunks = chunks_of(points if depend else [point for point in points if point.number not in done])
        if not self._has_begun and chunks and len(chunks[0]) > TIMED_RUNS:  # the first runs tell how long all take
            chunks[:1] = [chunks[0][:TIMED_RUNS], chunks[0][TIMED_RUNS:]]
        self._has_begun = True
        for chunk in chunks:
            while chunk and chunk[-1].number in done:
                chunk.pop()
        return [chunk for chunk in chunks if chunk]

    @property
    def _are_batched(self) -> bool:
        return self.study_config.base_config.solver_type == "rule_based" and self.study_config.kept_hours != "all"

    def _order(self, base: SimulationConfig, point: Point) -> Order:
        return order_of(
            base.model_copy(update={"parameters": {**base.parameters, **point.values}}),
            self.study_config,
            point,
            retry_of=self.stored.attempted.get(point.number),
            given=self.given,
            base=base,
            is_replayed=point.number in self.stored.done,
        )


def named(config: SimulationConfig, study_config: StudyConfig) -> SimulationConfig:
    """Return a configuration that says which study it belongs to."""
    return config.model_copy(update={"study_id": study_config.study_id})


def order_of(config: SimulationConfig, study_config: StudyConfig, point: Point, **further: object) -> Order:
    """Return the order of a run that answers a point; `further` are other fields of it."""
    run_id = config.run_id or new_run_id()
    results = str(study_config.output_directory.absolute())
    if config.run_id is not None:  # a new id names no folder yet: nothing can lead out of the output directory
        results = str(results_folder(results, run_id).parent)
    return Order(
        run_id,
        config,
        results,
        keeps_hours=study_config.kept_hours == "all",
        point=point.number,
        generation=point.generation,
        **further,  # type: ignore[arg-type]
    )


def study_run(order: Order, outcome: Outcome) -> StudyRun:
    """Return how a run of a study ended."""
    parameters: Mapping[str, object] = order.config.parameters
    return StudyRun(
        point=order.point or 0,
        parameters=parameters,
        run_id=order.run_id,
        status=outcome.status,
        kpis=outcome.kpis,
        cause=outcome.cause,
        error=outcome.error,
    )
