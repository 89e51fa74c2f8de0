"""The one place where anything is solved: every solve stands in the log before it starts and after it ends."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ecosystemiser.analyser.audit import Audit
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import FailureCause, Finding, InputError, StoreError
from ecosystemiser.model.system import System
from ecosystemiser.results import SolvedSystem
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import Order, Outcome
from ecosystemiser.services.worker import Workbench, load, packaged_systems, read_document
from ecosystemiser.store.identifiers import new_run_id, results_folder
from ecosystemiser.store.states import RunStatus

__all__ = [
    "SimulationConfig",
    "SimulationResult",
    "SimulationService",
    "load",
    "packaged_systems",
    "read_document",
    "row_before",
    "simulate",
]


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """How a run ended: what stands in its row, and the solved system where there is one."""

    run_id: str
    status: RunStatus
    kpis: dict[str, float | None] = field(default_factory=dict)
    solved: SolvedSystem | None = None
    audit: Audit | None = None
    cause: FailureCause | None = None
    error: str | None = None
    results_path: Path | None = None
    wall_seconds: float = 0.0
    """From the row `running` to the end of the work."""

    @property
    def has_completed(self) -> bool:
        """Whether the run is `completed`."""
        return self.status is RunStatus.COMPLETED


def simulate(config: SimulationConfig | None = None) -> SimulationResult:
    """Run and log one simulation; with nothing said, a year of the packaged example system."""
    with DatabaseMetadataService() as database:
        return SimulationService(database).run_simulation(config or SimulationConfig())


def row_before(order: Order, system_id: str | None, steps: int | None) -> dict[str, object]:
    """Return the row that stands as `running` before the work of `order` starts."""
    config = order.config
    description = config.model_dump_json(exclude={"run_id", "study_id", "output_directory"})
    return {
        "run_id": order.run_id,
        "study_id": config.study_id,
        "system_id": config.system_id or system_id,
        "timesteps": steps,
        "timestamp": datetime.now(UTC).isoformat(),
        "solver_type": config.solver_type,
        "simulation_status": RunStatus.RUNNING,
        "results_path": str(order.folder),
        "parameters_json": json.dumps(config.parameters, sort_keys=True, default=str),
        "config_hash": hashlib.sha256(description.encode()).hexdigest(),
    }


class SimulationService:
    """Runs simulations and logs each one. One service keeps what it has prepared; use it for variations."""

    def __init__(self, database_service: DatabaseMetadataService | None = None) -> None:
        self.database_service = database_service or DatabaseMetadataService()
        self._workbench = Workbench()

    def run_simulation(
        self, config: SimulationConfig, *, should_stop: Callable[[], bool] | None = None
    ) -> SimulationResult:
        """Run one simulation. Its row says `running` before the solve and how it ended after.

        A solve that fails is a result with its cause, not an exception. Raises InputError before anything is logged,
        StoreError where the log or the hours cannot be written, KeyboardInterrupt when stopped (row: cancelled).
        """
        system = load(config)
        self._workbench.check(config, system)
        run_id = self._new_run_id(config)
        order = Order(run_id, config, results_folder(config.output_directory, run_id))
        begin = time.perf_counter()
        with self._cancelled_when_stopped(run_id):
            self.database_service.log_simulation_run(row_before(order, system.system_id, system.clock.steps))
            outcome = self._made(order, system, should_stop)
        if outcome.cause is FailureCause.STORAGE:
            raise StoreError(outcome.error or "the results could not be written")
        return _result(order, outcome, time.perf_counter() - begin)

    def _new_run_id(self, config: SimulationConfig) -> str:
        """Return the id that `config` asks for, or a new one. Raises InputError for one that is taken."""
        if config.run_id is not None and self.database_service.get_simulation_run(config.run_id) is not None:
            remedy = "give another id, or leave it out"
            raise InputError([Finding("names a run that is already in the log", remedy, "run_id", config.run_id)])
        return config.run_id or new_run_id()

    def _made(self, order: Order, system: System, should_stop: Callable[[], bool] | None) -> Outcome:
        outcome = self._workbench.make(order, system, should_stop=should_stop)
        self._log(order.run_id, outcome.columns)
        return outcome

    @contextmanager
    def _cancelled_when_stopped(self, run_id: str) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            with suppress(StoreError):  # a run that ended at this very moment keeps its state
                self._log(run_id, {"simulation_status": RunStatus.CANCELLED})
            raise

    def _log(self, run_id: str, columns: Mapping[str, object]) -> None:
        self.database_service.log_simulation_run({"run_id": run_id, **columns})


def _result(order: Order, outcome: Outcome, seconds: float) -> SimulationResult:
    return SimulationResult(
        run_id=outcome.run_id,
        status=outcome.status,
        kpis=outcome.kpis,
        solved=outcome.solved,
        audit=outcome.audit,
        cause=outcome.cause,
        error=outcome.error,
        results_path=order.folder,
        wall_seconds=seconds,
    )
