"""The rows of runs: log them, get one. Queries over many stand in `queries.py`.

Every function works inside the caller's transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store.clock import utc_now
from ecosystemiser.store.schema import simulation_runs
from ecosystemiser.store.states import RunStatus, can_follow
from ecosystemiser.store.values import checked_row

__all__ = ["RUN_COLUMNS", "get_run", "log_run", "log_runs"]

RUN_COLUMNS = tuple(column for column in simulation_runs.columns if column.name != "id")
"""What a run's dict holds, in this order."""

# Built once: SQLAlchemy takes 2 ms to build a statement of so many columns. For every set of keys that it is
# executed with it compiles the statement once, and keeps the result.
_runs = simulation_runs.c
_of_run = _runs.run_id == bindparam("the_run")
_STATUS = select(_runs.simulation_status).where(_of_run)
_STATUSES = select(_runs.run_id, _runs.simulation_status).where(
    _runs.run_id.in_(bindparam("ids", expanding=True))
)
_INSERT = simulation_runs.insert()
_UPDATE = simulation_runs.update().where(_of_run, _runs.simulation_status == bindparam("old_status"))
_GET = select(*RUN_COLUMNS).where(_of_run)

_IDS_A_QUERY = 500

Values = dict[str, Any]


def log_run(connection: Connection, row: Mapping[str, object]) -> None:
    """Insert the run `row["run_id"]`, or update it: only the columns that `row` names change.

    A new run without a `simulation_status` is running, one without a `timestamp` started now. Raises
    InputError for unknown columns and invalid values; StoreError where the run is finished and `row` would
    change its state.
    """
    log_runs(connection, [row])


def log_runs(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Do as `log_run` for many different runs, several times faster than one by one.

    Where one row is refused, the caller's transaction has to be given up.
    """
    checked = _by_run(rows)
    statuses = _statuses(connection, list(checked))
    now = utc_now()
    inserts: dict[tuple[str, ...], list[Values]] = defaultdict(list)
    updates: dict[tuple[str, ...], list[Values]] = defaultdict(list)
    for run_id, values in checked.items():
        old = statuses.get(run_id)
        if old is None:
            defaults = {"simulation_status": RunStatus.RUNNING.value, "timestamp": now, "created_at": now}
            inserts[tuple(values)].append({**defaults, **values, "updated_at": now})
        else:
            _check_transition(run_id, RunStatus(old), RunStatus(values.get("simulation_status", old)))
            del values["run_id"]
            updates[tuple(values)].append({**values, "the_run": run_id, "old_status": old, "updated_at": now})
    for group in inserts.values():
        connection.execute(_INSERT, group)
    for group in updates.values():
        if connection.execute(_UPDATE, group).rowcount != len(group):
            raise StoreError("another process changed these runs at the same time; nothing was written.")


def _by_run(rows: Sequence[Mapping[str, object]]) -> dict[str, Values]:
    checked: dict[str, Values] = {}
    for row in rows:
        values = checked_row(simulation_runs, row, "log_simulation_run")
        run_id = values.get("run_id")
        if not isinstance(run_id, str):
            raise InputError([Finding("is missing", "say which run this is", "run_id")])
        if run_id in checked:
            raise InputError([Finding("is named twice", "log each run once at a time", "run_id", run_id)])
        checked[run_id] = values
    return checked


def _statuses(connection: Connection, run_ids: list[str]) -> dict[str, str]:
    """Return the status of those of the runs that have a row."""
    if len(run_ids) == 1:
        status = connection.scalar(_STATUS, {"the_run": run_ids[0]})
        return {} if status is None else {run_ids[0]: status}
    found: dict[str, str] = {}
    for first in range(0, len(run_ids), _IDS_A_QUERY):
        ids = run_ids[first : first + _IDS_A_QUERY]
        for row in connection.execute(_STATUSES, {"ids": ids}):
            found[row.run_id] = row.simulation_status
    return found


def _check_transition(run_id: str, old: RunStatus, new: RunStatus) -> None:
    if not can_follow(old, new):
        message = (
            f"run {run_id}: is {old.value} and cannot become {new.value}: a finished run keeps its state. "
            "Nothing was written; log another attempt under a run_id of its own."
        )
        raise StoreError(message)


def get_run(connection: Connection, run_id: str) -> Values | None:
    """Return the row of a run by column name, or None where there is none."""
    found = connection.execute(_GET, {"the_run": run_id}).mappings().one_or_none()
    return None if found is None else dict(found)
