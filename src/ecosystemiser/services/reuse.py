"""Results that are in the log already: an equal run takes one over instead of being solved again."""

from __future__ import annotations

from collections.abc import Mapping

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.orders import Outcome
from ecosystemiser.store import reuse
from ecosystemiser.store.states import RunStatus

__all__ = ["Reuse"]


class Reuse:
    """Finds the stored result of an equal run: the same system, files, fields, solver and options."""

    def __init__(self, database: DatabaseMetadataService) -> None:
        self._database = database
        self._known: dict[int, dict[str, str]] = {}

    def outcome(self, row: Mapping[str, object]) -> Outcome | None:
        """Return the stored outcome for the run whose `row` is about to be logged; None where there is none.

        Its hours stay where they are; `reused_from` in its columns names the run that has them.
        """
        system, config_hash = row.get("system_document"), row.get("config_hash")
        if not isinstance(system, int):
            return None
        if system not in self._known:
            with self._database.reading() as connection:
                self._known[system] = reuse.completed_by_hash(connection, system)
        source = self._known[system].get(str(config_hash))
        if source is None:
            return None
        with self._database.reading() as connection:
            result = reuse.result_of(connection, source)
        if result is None:
            return None
        columns = {**result, "simulation_status": RunStatus.COMPLETED, "reused_from": source}
        kpis = {name: result[name] for name in KPI_NAMES}
        return Outcome(str(row["run_id"]), RunStatus.COMPLETED, columns, kpis)
