"""The one place where anything is solved: every solve stands in the log before it starts and after it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ecosystemiser.analyser.audit import Audit
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import FailureCause, Finding, InputError, StoreError
from ecosystemiser.model.loading import SystemLoader, with_values
from ecosystemiser.model.oddities import oddities_in
from ecosystemiser.reader import Document
from ecosystemiser.results import SolvedSystem
from ecosystemiser.services.cancelling import CancelRequests
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import Order, Outcome
from ecosystemiser.services.outcome_log import OutcomeLog, spool_of
from ecosystemiser.services.reuse import Reuse
from ecosystemiser.services.run_rows import RunRows
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
    oddities: tuple[Finding, ...] = ()
    """What is odd about the system, with its place and a remedy; see `ecosystemiser check`."""

    @property
    def has_completed(self) -> bool:
        """Whether the run is `completed`."""
        return self.status is RunStatus.COMPLETED


def simulate(config: SimulationConfig | None = None) -> SimulationResult:
    """Run and log one simulation; with nothing said, a year of the packaged example system."""
    with DatabaseMetadataService() as database:
        return SimulationService(database).run_simulation(config or SimulationConfig())


class SimulationService:
    """Runs simulations and logs each one. One service keeps what it has prepared; use it for variations."""

    def __init__(self, database_service: DatabaseMetadataService | None = None) -> None:
        self.database_service = database_service or DatabaseMetadataService()
        self._workbench = Workbench()

    def run_simulation(
        self,
        config: SimulationConfig,
        *,
        document: Document | None = None,
        retry_of: str | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> SimulationResult:
        """Run one simulation. Its row says `running` before the solve and how it ended after.

        `document` stands in the place of the system file that `config` names; `retry_of` names the run that is
        attempted again.
        A solve that fails is a result with its cause, not an exception. Raises InputError before anything is logged,
        StoreError where the log or the hours cannot be written, KeyboardInterrupt when stopped (row: cancelled).
        """
        document = document or read_document(config.system)
        system = SystemLoader(config.timesteps).load(with_values(document, config.parameters))
        self._workbench.check(config, system)
        run_id = self._new_run_id(config)
        order = Order(run_id, config, str(results_folder(config.output_directory, run_id).parent), retry_of=retry_of)
        row = RunRows(self.database_service).before(order, system, document)
        log = OutcomeLog(self.database_service, spool_of(config.output_directory.absolute(), run_id))
        asked = CancelRequests(self.database_service, should_stop, run_id=run_id)
        begin = time.perf_counter()
        with self._cancelled_when_stopped(run_id):
            log.begin([row])
            known = Reuse(self.database_service).outcome(row) if config.reuse else None
            outcome = known or self._workbench.make(order, system, should_stop=asked)
            log.write([{"run_id": run_id, **outcome.columns}])
            log.catch_up()
        if outcome.cause is FailureCause.STORAGE:
            raise StoreError(outcome.error or "the results could not be written")
        result = _result(order, outcome, time.perf_counter() - begin)
        return replace(result, oddities=oddities_in(document, system))

    def _new_run_id(self, config: SimulationConfig) -> str:
        """Return the id that `config` asks for, or a new one. Raises InputError for one that is taken."""
        if config.run_id is not None and self.database_service.get_simulation_run(config.run_id) is not None:
            remedy = "give another id, or leave it out"
            raise InputError([Finding("names a run that is already in the log", remedy, "run_id", config.run_id)])
        return config.run_id or new_run_id()

    @contextmanager
    def _cancelled_when_stopped(self, run_id: str) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            with suppress(StoreError):  # a run that ended at this very moment keeps its state
                cancelled = {"run_id": run_id, "simulation_status": RunStatus.CANCELLED}
                self.database_service.log_simulation_run(cancelled)
            raise


def _result(order: Order, outcome: Outcome, seconds: float) -> SimulationResult:
    return SimulationResult(
        run_id=outcome.run_id,
        status=outcome.status,
        kpis=outcome.kpis,
        solved=outcome.solved,
        audit=outcome.audit,
        cause=outcome.cause,
        error=outcome.error,
        results_path=Path(order.folder),
        wall_seconds=seconds,
    )
