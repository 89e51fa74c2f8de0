"""What kinds of studies add to their runs, on its way into the log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import GenerationCompleted
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.study.genetic import GeneticAlgorithm
from ecosystemiser.study.monte_carlo import MonteCarlo
from ecosystemiser.study.strategy import FrontPoint, Step, Strategy

__all__ = ["StepLog", "log_genetic_answer", "log_monte_carlo_answer"]

RunIds = Mapping[int, str]
"""The run that answers each point."""


class StepLog:
    """Logs and tells what is known after each batch of a strategy; of a resumed study, what came since."""

    def __init__(self, database: DatabaseMetadataService, bus: EventBus, study_id: str, strategy: Strategy) -> None:
        self._database, self._bus = database, bus
        self._study_id, self._strategy = study_id, strategy
        known = database.query_analysis("convergence_metrics", study_id)
        self._logged = len({row["generation"] for row in known})

    def catch_up(self, run_ids: RunIds) -> None:
        """Log the steps that came since the last call."""
        for step in self._strategy.steps[self._logged :]:
            self._log(step, run_ids)
            self._bus.publish(
                GenerationCompleted(
                    study_id=self._study_id,
                    number=step.number,
                    evaluations=step.evaluations,
                    metrics=dict(step.metrics),
                )
            )
            self._logged += 1

    def _log(self, step: Step, run_ids: RunIds) -> None:
        metrics = {**step.metrics, "evaluations": float(step.evaluations), "seconds": step.seconds}
        rows = [{"metric": name, "value": value} for name, value in metrics.items()]
        self._database.log_analysis("convergence_metrics", self._study_id, rows, generation=step.number)
        if step.front:
            front = list(_front_rows(step.front, run_ids))
            self._database.log_analysis("pareto_fronts", self._study_id, front, generation=step.number)


def _front_rows(front: Sequence[FrontPoint], run_ids: RunIds) -> Iterator[dict[str, object]]:
    for point in front:
        yield {
            "run_id": run_ids[point.number],
            "objectives_json": dict(point.objectives),
            "crowding_distance": point.crowding_distance,
        }


def log_genetic_answer(
    database: DatabaseMetadataService, study_id: str, strategy: GeneticAlgorithm, run_ids: RunIds
) -> None:
    """Log the front of all runs, and why the search ended."""
    generation = len(strategy.steps)
    database.log_analysis("pareto_fronts", study_id, list(_front_rows(strategy.front, run_ids)), generation=generation)
    _log_answer(database, study_id, {"generations": generation, "stopped_because": strategy.stopped_because})


def log_monte_carlo_answer(database: DatabaseMetadataService, study_id: str, strategy: MonteCarlo) -> None:
    """Log the distributions of KPIs, what they depend on, and the other answers of a Monte Carlo study."""
    database.log_analysis("uncertainty_analysis", study_id, list(_uncertainty_rows(strategy)))
    database.log_analysis("sensitivity_analysis", study_id, list(_sensitivity_rows(strategy)))
    answer = {
        "samples": strategy.samples,
        "stopped_because": strategy.stopped_because,
        "designs": [dict(design) for design in strategy.designs],
        "probabilities": [{**asdict(each), "limit": str(each.limit)} for each in strategy.probabilities()],
        "differences": [asdict(each) for each in strategy.differences()],
    }
    _log_answer(database, study_id, answer)


def _log_answer(database: DatabaseMetadataService, study_id: str, answer: Mapping[str, object]) -> None:
    database.log_study({"study_id": study_id, "answer_json": json.dumps(answer, default=str)})


def _uncertainty_rows(strategy: MonteCarlo) -> Iterator[dict[str, Any]]:
    for found in strategy.uncertainty():
        row = asdict(found)
        percentiles = row.pop("percentiles")
        levels = {f"p{each['level']}": each["value"] for each in percentiles}
        yield {**row, **levels, "percentiles_json": percentiles}


def _sensitivity_rows(strategy: MonteCarlo) -> Iterator[dict[str, Any]]:
    bars = {(bar.design, bar.kpi, bar.parameter): bar for bar in strategy.tornado()}
    for found in strategy.sensitivity():
        bar = bars.get((found.design, found.kpi, found.parameter))
        alone = {"tornado_low": None, "tornado_high": None}
        yield asdict(found) | (alone if bar is None else {"tornado_low": bar.at_low, "tornado_high": bar.at_high})
