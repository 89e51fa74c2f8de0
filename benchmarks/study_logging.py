"""The runs of studies in the log: rows `running` in chunks, then outcomes in chunks; beside sqlite3 alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np
from benchmarks.bare_log import BareLog, Values, bare
from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Limit, Row, by_turns, seconds_of
from benchmarks.systems import REFERENCE

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import Order
from ecosystemiser.services.run_rows import RunRows
from ecosystemiser.store.identifiers import new_run_id
from ecosystemiser.store.states import RunStatus
from ecosystemiser.study.points import chunks_of

__all__ = ["Study", "rows"]

MOST, AIM_S, FLAT = 3.0, 0.15e-3, 1.5
"""Times sqlite3 alone; seconds a run; times the cost of a run in a study of a hundredth of the size."""
FIELDS = ("battery.capacity_kwh", "roof_pv.capacity_kw", "grid.export_price_per_kwh")


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    few, some, many = (1_000, 10_000, 100_000) if effort.is_full else (100, 250, 500)
    with disk_folder() as folder:
        (folder / "reference.yaml").write_text(REFERENCE, encoding="utf-8")
        with DatabaseMetadataService(folder / "ours.sqlite") as service:
            Study(folder, 1).log_whole(service)
            with bare(folder / "ours.sqlite", folder / "bare.sqlite") as connection:
                log = BareLog(connection)
                ours, theirs = _made(service, folder, some, effort), _made(service, folder, some, effort)
                pair = by_turns(
                    lambda: next(ours).log(service), lambda: next(theirs).log_bare(log), effort.long_repeats
                )
            studies = iter([Study(folder, some) for _ in range(effort.long_repeats)])
            whole = [seconds_of(lambda: next(studies).log_whole(service)) / some for _ in range(effort.long_repeats)]
        small, large = (_seconds_a_run(folder, number) for number in (few, many))
    whole_s = float(np.median(whole))
    note = f"{some:,} runs, {1e3 * pair.ours_s / some:.3f} ms each; sqlite3: {1e3 * pair.peer_s / some:.3f} ms"
    return [
        Row("study log", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, note=note, details=pair.details()),
        Row("study log, a run in all", whole_s, None, "s", AIM_S, Limit.VALUE, note="with what its row is made from"),
        Row("study log, large to small", large, small, "s", FLAT, note=f"a run of {many:,} and of {few:,}, in all"),
    ]


def _made(service: DatabaseMetadataService, folder: Path, number: int, effort: Effort) -> Iterator[Study]:
    """Return studies with their rows, made before anything is timed."""
    studies = [Study(folder, number) for _ in range(effort.long_repeats + 1)]
    for study in studies:
        study.make_rows(service)
    return iter(studies)


def _seconds_a_run(folder: Path, number: int) -> float:
    """Return how long a run takes in all in a study of this size, in a database of its own."""
    with DatabaseMetadataService(folder / f"{number}.sqlite") as service:
        Study(folder, 1).log_whole(service)
        study = Study(folder, number)
        return seconds_of(lambda: study.log_whole(service)) / number


_numbers = count(1)


@dataclass
class Study:
    """The runs of a study by rule: orders as it has them before, and outcomes as its workers send them."""

    folder: Path
    number: int
    study_id: str = field(default_factory=lambda: f"study-{next(_numbers)}")

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.number)
        values = np.round(random.uniform(0, 500, (self.number, len(FIELDS))), 3).tolist()
        orders = [self._order(at, dict(zip(FIELDS, own, strict=True))) for at, own in enumerate(values)]
        outcomes = [_outcome(order, own) for order, own in zip(orders, _kpis(random, self.number), strict=True)]
        self._chunks = list(zip(chunks_of(orders), chunks_of(outcomes), strict=True))
        self._rows: list[list[Values]] = []

    def _order(self, point: int, parameters: dict[str, float]) -> Order:
        config = SimulationConfig(
            system=self.folder / "reference.yaml",
            solver_type="rule_based",
            study_id=self.study_id,
            parameters={**parameters},
        )
        run_id = new_run_id()
        return Order(run_id, config, str(self.folder / "results"), keeps_hours=False, point=point)

    def make_rows(self, service: DatabaseMetadataService) -> None:
        """Make the rows that stand before the work, so that logging alone can be timed."""
        made = RunRows(service)
        self._rows = [[made.before(order) for order in orders] for orders, _ in self._chunks]

    def log_whole(self, service: DatabaseMetadataService) -> None:
        """Make the rows, and log them and their outcomes, as a study does."""
        made = RunRows(service)
        for orders, outcomes in self._chunks:
            service.log_simulation_runs([made.before(order) for order in orders])
            service.log_simulation_runs(outcomes)

    def log(self, service: DatabaseMetadataService) -> None:
        """Log the rows that were made, and their outcomes."""
        for before, (_, outcomes) in zip(self._rows, self._chunks, strict=True):
            service.log_simulation_runs(before)
            service.log_simulation_runs(outcomes)

    def log_bare(self, log: BareLog) -> None:
        """Log the same rows past us."""
        for before, (orders, outcomes) in zip(self._rows, self._chunks, strict=True):
            log.begin(before, [order.config.parameters for order in orders])
            log.end(outcomes)


def _kpis(random: np.random.Generator, number: int) -> list[list[float]]:
    values: list[list[float]] = random.lognormal(9, 1, (number, len(KPI_NAMES))).tolist()
    return values


def _outcome(order: Order, kpis: Sequence[float]) -> Values:
    return {
        "run_id": order.run_id,
        "timesteps": 8760,
        "solver_status": "dispatched",
        "balance_residual": 1e-13,
        "wall_seconds": 1e-4,
        "solve_seconds": 1e-4,
        **dict(zip(KPI_NAMES, kpis, strict=True)),
        "simulation_status": RunStatus.COMPLETED,
        "metadata_json": json.dumps({"currency": "EUR"}),
    }
