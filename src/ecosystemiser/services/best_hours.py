"""The hours of the best runs of a study, which kept totals only: these few are solved again at its end."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import Order
from ecosystemiser.services.study_result import StudyRun
from ecosystemiser.services.worker import Workbench
from ecosystemiser.store.states import RunStatus

__all__ = ["BestRuns", "keep_hours"]

KEPT = 10
"""So many of the best runs keep their hours."""
SAME_COST = 1e-6
"""A plan that costs as much, relatively, is the same answer."""
SAME_KPI = 1e-9
"""Plans whose KPIs agree so far are the same: hours are added up in another order than totals."""


class BestRuns:
    """The best completed runs so far: by the first objective of a genetic study, else the cheapest."""

    def __init__(self, study_config: StudyConfig, kept: int = KEPT) -> None:
        settings = study_config.genetic_algorithm
        objectives = {"total_cost": "minimise"} if settings is None else settings.objectives
        self._kpi, direction = next(iter(objectives.items()))
        self._sign = -1.0 if direction == "minimise" else 1.0
        self._kept = kept
        self._heap: list[tuple[float, int, StudyRun]] = []
        """The worst of them first."""

    def take(self, run: StudyRun) -> None:
        """Keep a run if it is among the best; of equals the first point."""
        value = run.kpis.get(self._kpi) if run.status is RunStatus.COMPLETED else None
        if value is None:
            return
        push = heapq.heappush if len(self._heap) < self._kept else heapq.heappushpop
        push(self._heap, (self._sign * value, -run.point, run))

    def __iter__(self) -> Iterator[StudyRun]:
        """Iterate over them, the best first."""
        return iter([run for _, _, run in sorted(self._heap, key=lambda each: each[:2], reverse=True)])


def keep_hours(
    database: DatabaseMetadataService,
    workbench: Workbench,
    order: Order,
    kpis: Mapping[str, float | None],
    should_stop: Callable[[], bool],
) -> None:
    """Solve a completed run again, which had these KPIs, and log its hours.

    Where an optimum is not unique the new plan may be another one of the same cost: it is logged with its KPIs. A plan
    of another cost is not logged. Raises KeyboardInterrupt when stopped, StoreError.
    """
    if should_stop():
        raise KeyboardInterrupt
    made = workbench.make(replace(order, keeps_hours=True), should_stop=should_stop)
    if made.status is RunStatus.COMPLETED and _are_close(made.kpis, kpis, ["total_cost"], SAME_COST):
        is_same_plan = _are_close(made.kpis, kpis, made.kpis, SAME_KPI)
        columns = {name: value for name, value in made.columns.items() if not (is_same_plan and name in kpis)}
        database.log_simulation_run({"run_id": order.run_id, **columns})


def _are_close(
    one: Mapping[str, float | None], other: Mapping[str, float | None], names: Iterable[str], tolerance: float
) -> bool:
    pairs = [(one.get(name), other.get(name)) for name in names]
    return all(a == b or math.isclose(a or 0.0, b or 0.0, rel_tol=tolerance, abs_tol=tolerance) for a, b in pairs)
