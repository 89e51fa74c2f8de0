"""A stored description solved again as a new run, logged as every run is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.simulation_service import SimulationResult, SimulationService
from ecosystemiser.services.stored_runs import StoredRun

__all__ = ["run_stored"]


def run_stored(
    database: DatabaseMetadataService,
    stored: StoredRun,
    output_directory: Path,
    should_stop: Callable[[], bool] | None = None,
) -> SimulationResult:
    """Solve what a run was made from as a new run, with `retry_of` naming that run.

    Files are read as they lie now, and described so. Raises as `SimulationService.run_simulation` does.
    """
    config = stored.config.model_copy(update={"output_directory": output_directory})
    service = SimulationService(database)
    return service.run_simulation(config, document=stored.document, retry_of=stored.run_id, should_stop=should_stop)
