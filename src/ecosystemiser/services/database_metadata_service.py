"""The log of all runs and studies: what writes it and what asks it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ecosystemiser.services.heart import Heart, close_left_behind
from ecosystemiser.store import analyses, cancel_requests, curation, queries, runs, studies
from ecosystemiser.store.creation import empty_database
from ecosystemiser.store.documents import store_document
from ecosystemiser.store.engine import Connection, Database, database_exists, open_database, upgrade_database
from ecosystemiser.store.identifiers import check_identifier
from ecosystemiser.store.location import Location, locate
from ecosystemiser.store.owners import BEAT_EVERY_S, Watch, running_owners
from ecosystemiser.store.states import RunStatus
from ecosystemiser.store.upgrade import Upgrade

__all__ = ["DatabaseMetadataService", "RunPage"]

RunPage = queries.RunPage


class DatabaseMetadataService:
    """Logs runs and studies in the database at `db_path`, and answers questions about them.

    `db_path` is a path or a URL of SQLite or PostgreSQL; None means `ECOSYSTEMISER_DB`, else
    `data/simulation_index.sqlite` under the current folder. The first write creates the database; before it,
    every answer is that of an empty one. Opening it for writing closes as `interrupted` what processes that died left
    running. Threads may share a service. Every method raises InputError for a wrong request, and StoreError where the
    database cannot be used. What a write has recorded when it returns is on the disk.
    """

    def __init__(
        self, db_path: str | Path | None = None, *, read_only: bool = False, beat_every_s: float = BEAT_EVERY_S
    ) -> None:
        """`beat_every_s`: how often this process says that it lives while it has runs under way. [s]"""
        self._location = locate(db_path)
        self._read_only = read_only
        self._lock = threading.RLock()
        self._opened: Database | None = None
        self._heart = Heart(self, beat_every_s)
        self._documents: dict[tuple[str, str], int] = {}

    @property
    def location(self) -> Location:
        """Where the database is, whether it exists or not; shown without a password."""
        return self._location

    @property
    def db_path(self) -> Path:
        """The absolute path of a SQLite database, whether it exists or not."""
        return self._location.path

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write with the functions of `store`: all of the block is kept or, where it raises, nothing."""
        with self.opened().transaction() as connection:
            yield connection

    def log_simulation_run(self, run: Mapping[str, object]) -> None:
        """Insert the run `run["run_id"]`, or update it: only the columns that `run` names change.

        Keys are columns of `simulation_runs`. A new run without `simulation_status` is running, and this process owns
        it. Times without a zone are local. A finished run keeps its state: logging another one raises StoreError.
        """
        self.log_simulation_runs([run])

    def log_simulation_runs(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Do as `log_simulation_run` for many different runs in one transaction."""
        owner_id = self._owner_of(rows, "simulation_status")
        with self.transaction() as connection:
            runs.log_runs(connection, rows, owner_id)

    def store_documents(self, texts: Mapping[str, str]) -> dict[str, int]:
        """Store what many runs share, each text once, and return the columns that name it in a run's row.

        Keys of `texts` are `system`, `config` and `environment`.
        """
        missing = {kind: text for kind, text in texts.items() if (kind, text) not in self._documents}
        if missing:
            with self.transaction() as connection:
                for kind, text in missing.items():
                    self._documents[kind, text] = store_document(connection, kind, text)
        return {runs.DOCUMENTS[kind]: self._documents[kind, text] for kind, text in texts.items()}

    def query_study_runs(self, study_id: str, *, first: int = 0, below: int | None = None) -> list[dict[str, Any]]:
        """Return the runs of a study, each a dict by column name: of the points from `first` to `below`, or of all."""
        with self.reading() as connection:
            name = check_identifier(study_id, "study_id")
            return studies.query_study_runs(connection, name, first=first, below=below)

    def study_states(self, study_id: str) -> list[tuple[int, str, str]]:
        """Return point, status and id of each run of a study, point after point and attempt after attempt."""
        with self.reading() as connection:
            return studies.study_states(connection, check_identifier(study_id, "study_id"))

    def count_study_points(self, study_id: str) -> int:
        """Return how many points of a study have a run."""
        with self.reading() as connection:
            return studies.count_study_points(connection, check_identifier(study_id, "study_id"))

    def query_simulation_runs(
        self,
        study_id: str | None = None,
        solver_type: str | None = None,
        *,
        where: str | None = None,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        offset: int = 0,
        **filters: object,
    ) -> list[dict[str, Any]]:
        """Return the runs that pass all filters, each a dict by column name; the newest first unless ordered.

        `where` is a filter text, as `"params.battery.capacity_kwh >= 40 or total_cost < 20000"`. More filters:
        `system_id`, `status` (or `simulation_status`), and `min_` or `max_` before any KPI, as in
        `max_total_cost=20000` (short: `max_cost`). `order_by` names a column or a parameter, `-` before it for falling
        values; runs without a value come last.
        """
        given = {"study_id": study_id, "solver_type": solver_type, **filters}
        with self.reading() as connection:
            return queries.query_runs(
                connection,
                where=where,
                order_by=order_by,
                descending=descending,
                limit=limit,
                offset=offset,
                **given,
            )

    def page_simulation_runs(
        self, where: str | None = None, *, order_by: str | None = None, after: str | None = None, limit: int = 100
    ) -> RunPage:
        """Return one page of the runs that pass the filter text, and where the next one begins.

        `after` is the `next` of the page before. While runs arrive, no page repeats or misses one that was there.
        """
        wanted, order = queries.wanted(where, {}), queries.checked_order(order_by)
        with self.reading() as connection:
            return queries.page_of_runs(connection, wanted, order, limit, after)

    def count_simulation_runs(self, where: str | None = None, *, at_most: int = 10_000) -> int:
        """Return how many runs pass the filter text, counting no further than `at_most`."""
        wanted = queries.wanted(where, {})
        with self.reading() as connection:
            return queries.count_wanted(connection, wanted, at_most)

    def get_simulation_run(self, run_id: str) -> dict[str, Any] | None:
        """Return a run by column name, its description (`system_json`, ...) with it; None where there is none."""
        check_identifier(run_id, "run_id")  # before anything is opened
        with self.reading() as connection:
            return runs.get_run(connection, run_id)

    def find_run_ids(self, beginning: str, limit: int) -> list[str]:
        """Return the ids of some of the runs that begin with a text, in their order."""
        with self.reading() as connection:
            return queries.ids_beginning_with(connection, beginning, limit)

    def runs_of_the_dead(self) -> set[str]:
        """Return the runs that stand as running though, as far as can be told from here, their owner is gone."""
        with self.reading() as connection:
            return queries.running_of(connection, _gone(connection))

    def studies_of_the_dead(self) -> set[str]:
        """Return the studies that stand as running though, as far as can be told from here, their owner is gone."""
        with self.reading() as connection:
            return queries.studies_running_of(connection, _gone(connection))

    def close_runs_of_the_dead(self, watch: Watch | None = None) -> int:
        """Close as `interrupted` what owners that died left running; return how many runs.

        Owners on other machines are told to be dead by a `watch` that has seen their beats stand still.
        """
        return close_left_behind(self.opened(), watch or Watch())

    def log_study(self, study: Mapping[str, object]) -> None:
        """Insert the study `study["study_id"]`, or update it: only the columns that `study` names change."""
        owner_id = self._owner_of([study], "status")
        with self.transaction() as connection:
            studies.log_study(connection, study, owner_id)

    def log_analysis(
        self, name: str, study_id: str, rows: Sequence[Mapping[str, object]], *, generation: int | None = None
    ) -> None:
        """Write what a study adds to its runs, in the place of what it has (of that generation).

        `name`: convergence_metrics, pareto_fronts, uncertainty_analysis or sensitivity_analysis; `rows` hold columns
        of that table.
        """
        with self.transaction() as connection:
            analyses.log_analysis(connection, name, study_id, rows, generation=generation)

    def query_analysis(self, name: str, study_id: str) -> list[dict[str, Any]]:
        """Return what `log_analysis` has written, each row a dict by column name."""
        with self.reading() as connection:
            return analyses.query_analysis(connection, name, check_identifier(study_id, "study_id"))

    def query_studies(
        self, *, status: str | None = None, limit: int | None = None, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Return studies with what their runs add up to, the newest first, each a dict by column name.

        All, or those of a `status`; with `limit` so many of them after the first `offset`.
        """
        with self.reading() as connection:
            return studies.query_studies(connection, status=status, limit=limit, offset=offset)

    def get_study_summary(self, study_id: str) -> dict[str, Any]:
        """Return a study's row, how many runs it has in all and `by_status`, and its cheapest completed run.

        Keys: `study_id`, `study` (None if not logged), `runs`, `by_status`, `best_total_cost`, `best_run_id`.
        """
        check_identifier(study_id, "study_id")  # before anything is opened
        with self.reading() as connection:
            return studies.study_summary(connection, study_id)

    def get_statistics(self) -> dict[str, Any]:
        """Return numbers of `runs`, `studies`, runs `by_status`, `by_solver`, `by_cause`; `oldest` and `newest`."""
        with self.reading() as connection:
            return studies.statistics(connection)

    def tag_runs(self, run_ids: Collection[str], *, add: Collection[str] = (), remove: Collection[str] = ()) -> None:
        """Give runs tags, or take some off them."""
        with self.transaction() as connection:
            curation.add_tags(connection, run_ids, add)
            curation.remove_tags(connection, run_ids, remove)

    def get_tags(self, run_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the tags of each of the runs."""
        with self.reading() as connection:
            return curation.tags_of(connection, run_ids)

    def write_note(self, run_id: str, note: str | None) -> None:
        """Write a note on a run in the place of the one that is there; None takes it away."""
        with self.transaction() as connection:
            curation.write_note(connection, check_identifier(run_id, "run_id"), note)

    def delete_runs(self, run_ids: Collection[str]) -> None:
        """Take finished runs out of all lists; `restore_runs` brings them back until they are purged."""
        with self.transaction() as connection:
            curation.delete_runs(connection, run_ids)

    def restore_runs(self, run_ids: Collection[str]) -> int:
        """Bring deleted runs back; return how many of them were there still."""
        with self.transaction() as connection:
            return curation.restore_runs(connection, run_ids)

    def deleted_runs(self, before: datetime | None = None) -> list[dict[str, Any]]:
        """Return the deleted runs, the last deleted first: `run_id`, `deleted_at`, `results_path` of each."""
        with self.reading() as connection:
            return curation.deleted_runs(connection, before)

    def purge_runs(self, run_ids: Collection[str]) -> int:
        """Remove the rows of deleted runs for good; return how many."""
        with self.transaction() as connection:
            return curation.purge_runs(connection, run_ids)

    def request_cancel(self, *, study_id: str | None = None, run_id: str | None = None) -> bool:
        """Ask who runs a study, or a run, to stop; return whether it was running."""
        with self.transaction() as connection:
            return cancel_requests.request_cancel(connection, study_id=study_id, run_id=run_id)

    def is_cancel_requested(self, *, study_id: str | None = None, run_id: str | None = None) -> bool:
        """Return whether somebody asked a study, or a run, to stop."""
        with self.reading() as connection:
            return cancel_requests.is_cancel_requested(connection, study_id=study_id, run_id=run_id)

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
                try:
                    self._heart.stop()
                finally:
                    self._opened.close()
                    self._opened = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def opened(self) -> Database:
        """Return the database, open for writing, with nothing in it that a dead process left running."""
        with self._lock:
            if self._opened is None:
                self._opened = open_database(self._location, read_only=self._read_only)
                if not self._read_only:
                    close_left_behind(self._opened, Watch())
            return self._opened

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read with the functions of `store`: all queries of the block see the same state."""
        exists = self._opened is not None or database_exists(self._location)
        with self.opened().reading() if exists else empty_database() as connection:
            yield connection

    def _owner_of(self, rows: Sequence[Mapping[str, object]], status: str) -> int | None:
        """Return this process as the owner of rows that are about to stand as running; None where none is."""
        is_under_way = any(row.get(status, RunStatus.RUNNING) == RunStatus.RUNNING for row in rows)
        return self._heart.owner_id() if is_under_way else None


def _gone(connection: Connection) -> list[int | None]:
    """Return the owners of what stands as running that are dead, as far as one look can tell."""
    return [owner.key for owner in running_owners(connection) if owner.lives is False]
