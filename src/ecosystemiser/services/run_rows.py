"""What a run's row says before the work starts: who it is, and everything that decides its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecosystemiser.model.system import System
from ecosystemiser.reader import Document
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import Order
from ecosystemiser.services.plain_text import as_text
from ecosystemiser.services.provenance import (
    SystemDescription,
    config_hash,
    describe_config,
    describe_environment,
    describe_system,
    named_by_parameters,
)
from ecosystemiser.services.worker import Workbench, read_document
from ecosystemiser.store.clock import utc_now
from ecosystemiser.store.states import RunStatus

__all__ = ["RunRows"]


@dataclass(frozen=True, eq=False)
class _Shared:
    """What the variations of one system that are solved alike share."""

    columns: Mapping[str, object]
    document: Document
    described: SystemDescription
    config_sha: str


class RunRows:
    """Makes the rows of runs; what variations of one system share is described and stored once."""

    def __init__(self, database: DatabaseMetadataService) -> None:
        self._database = database
        self._shared: dict[tuple[object, ...], _Shared] = {}
        self._last: tuple[tuple[object, ...], _Shared] | None = None

    def before(self, order: Order, system: System | None = None, document: Document | None = None) -> dict[str, object]:
        """Return the row that stands as `running` before the work of `order` starts.

        `document` stands in the place of the system file that the configuration names; `system` is what was loaded
        from either, where that was done already. Raises InputError for a system that cannot be read, StoreError.
        """
        parameters = order.config.parameters
        if document is None and order.given is not None:
            document = order.given.document
        shared = self._shared_by(order, system, document)
        files = named_by_parameters(shared.document, parameters) if _may_name_files(parameters) else None
        return {
            **shared.columns,
            "run_id": order.run_id,
            "point": order.point,
            "generation": order.generation,
            "timestamp": utc_now(),
            "simulation_status": RunStatus.RUNNING,
            "results_path": order.folder,
            "parameters_json": as_text(parameters),
            "config_hash": config_hash(shared.described.sha256, shared.config_sha, parameters, files=files),
            "retry_of": order.retry_of,
        }

    def _shared_by(self, order: Order, system: System | None, document: Document | None) -> _Shared:
        config = order.config
        place = config.system if order.given is None else order.given.sha256
        names = (place, config.system_id, config.study_id)
        key = (*names, config.timesteps, config.solver_type, config.solver)
        if self._last is not None and self._last[0] == key:  # mostly the very same objects: no hash to compute
            return self._last[1]
        if key not in self._shared:
            self._shared[key] = self._described(order, system, document or read_document(config.system))
        self._last = (key, self._shared[key])
        return self._shared[key]

    def _described(self, order: Order, system: System | None, document: Document) -> _Shared:
        config = order.config
        if system is None:
            system = Workbench().load(config.model_copy(update={"parameters": {}}), order.given)
        described = describe_system(document)
        config_text, config_sha = describe_config(config)
        texts = {
            "system": described.content,
            "files": described.files_json,
            "config": config_text,
            "environment": describe_environment()[0],
        }
        columns = {
            "study_id": config.study_id,
            "system_id": config.system_id or system.system_id,
            "timesteps": system.clock.steps,
            "solver_type": config.solver_type,
            "currency": system.economics.currency,
            **self._database.store_documents(texts),
        }
        return _Shared(columns, document, described, config_sha)


def _may_name_files(parameters: Mapping[str, object]) -> bool:
    return not all(isinstance(value, (int, float)) for value in parameters.values())
