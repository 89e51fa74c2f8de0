"""The log of all runs and studies: what writes it and what asks it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ecosystemiser.store import queries, runs, studies
from ecosystemiser.store.creation import empty_database
from ecosystemiser.store.engine import Connection, Database, open_database, upgrade_database
from ecosystemiser.store.identifiers import check_identifier
from ecosystemiser.store.location import locate
from ecosystemiser.store.upgrade import Upgrade

__all__ = ["DatabaseMetadataService"]


class DatabaseMetadataService:
    """Logs runs and studies in the database at `db_path`, and answers questions about them.

    `db_path` is a path or a `sqlite:///` URL; None means `ECOSYSTEMISER_DB`, else
    `data/simulation_index.sqlite` under the current folder. The first write creates the database; before it,
    every answer is that of an empty one. Threads may share a service. Every method raises InputError for a
    wrong request, and StoreError where the database cannot be used. What a write has recorded when it returns
    is on the disk.
    """

    def __init__(self, db_path: str | Path | None = None) -> None:
        self._location = locate(db_path)
        self._lock = threading.Lock()
        self._opened: Database | None = None

    @property
    def db_path(self) -> Path:
        """The absolute path of the database, whether it exists or not."""
        return self._location.path

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write with the functions of `store`: all of the block is kept or, where it raises, nothing."""
        with self._database().transaction() as connection:
            yield connection

    def log_simulation_run(self, run: Mapping[str, object]) -> None:
        """Insert the run `run["run_id"]`, or update it: only the columns that `run` names change.

        Keys are columns of `simulation_runs`. A new run without `simulation_status` is running. Times without
        a zone are local. A finished run keeps its state: logging another one raises StoreError.
        """
        with self.transaction() as connection:
            runs.log_run(connection, run)

    def log_simulation_runs(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Do as `log_simulation_run` for many different runs in one transaction."""
        with self.transaction() as connection:
            runs.log_runs(connection, rows)

    def begin_study_runs(self, study_id: str, rows: Sequence[Mapping[str, object]], points: Sequence[int]) -> None:
        """Insert the rows of a study's runs and which point each evaluates, in one transaction."""
        links = [
            {"run_id": row["run_id"], "point": point, "parameters_json": row.get("parameters_json")}
            for row, point in zip(rows, points, strict=True)
        ]
        with self.transaction() as connection:
            runs.log_runs(connection, rows)
            studies.link_runs(connection, study_id, links)

    def query_study_runs(self, study_id: str) -> list[dict[str, Any]]:
        """Return the runs of a study, point after point: `point`, `parameters_json` and the columns of each run."""
        with self._reading() as connection:
            return studies.query_study_runs(connection, check_identifier(study_id, "study_id"))

    def query_simulation_runs(
        self,
        study_id: str | None = None,
        solver_type: str | None = None,
        *,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
        **filters: object,
    ) -> list[dict[str, Any]]:
        """Return the runs that pass all filters, each a dict by column name; the newest first unless ordered.

        More filters: `system_id`, `status` (or `simulation_status`), and `min_` or `max_` before any KPI, as
        in `max_total_cost=20000` (short: `max_cost`). `order_by` names a column, `-` before it for falling
        values; runs without a value come last.
        """
        statement = queries.select_runs(
            study_id=study_id,
            solver_type=solver_type,
            order_by=order_by,
            descending=descending,
            limit=limit,
            offset=offset,
            **filters,
        )
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def get_simulation_run(self, run_id: str) -> dict[str, Any] | None:
        """Return the row of a run by column name, or None where there is none."""
        with self._reading() as connection:
            return runs.get_run(connection, check_identifier(run_id, "run_id"))

    def log_study(self, study: Mapping[str, object]) -> None:
        """Insert the study `study["study_id"]`, or update it: only the columns that `study` names change."""
        with self.transaction() as connection:
            studies.log_study(connection, study)

    def query_studies(self) -> list[dict[str, Any]]:
        """Return all studies, the newest first, each a dict by column name."""
        with self._reading() as connection:
            return studies.query_studies(connection)

    def get_study_summary(self, study_id: str) -> dict[str, Any]:
        """Return a study's row, how many runs it has in all and `by_status`, and its cheapest completed run.

        Keys: `study_id`, `study` (None if not logged), `runs`, `by_status`, `best_total_cost`, `best_run_id`.
        """
        with self._reading() as connection:
            return studies.study_summary(connection, check_identifier(study_id, "study_id"))

    def get_statistics(self) -> dict[str, Any]:
        """Return numbers of `runs`, `studies`, runs `by_status`, `by_solver`; `oldest` and `newest`."""
        with self._reading() as connection:
            return studies.statistics(connection)

    def migrate_to_enhanced_schema(self) -> Upgrade:
        """Bring the schema up to date, after a backup beside the database; create a missing database.

        Returns the versions before (None: created) and after, and the backup's path (None: there was nothing
        to do). Databases are upgraded when they are opened for writing, so that there is rarely a need to
        call this.
        """
        return upgrade_database(self._location)

    def close(self) -> None:
        """Close the connections; the next call opens new ones. The end of the process closes them too."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _database(self) -> Database:
        with self._lock:
            if self._opened is None:
                self._opened = open_database(self._location)
            return self._opened

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        exists = self._opened is not None or self.db_path.exists()
        with self._database().reading() if exists else empty_database() as connection:
            yield connection
