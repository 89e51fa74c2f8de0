"""The rows of studies, and what their runs add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, bindparam, func, select

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store.clock import utc_now
from ecosystemiser.store.schema import simulation_runs, studies, study_runs
from ecosystemiser.store.states import RunStatus, study_can_follow
from ecosystemiser.store.values import checked_row

__all__ = [
    "get_study",
    "link_runs",
    "log_study",
    "query_studies",
    "query_study_runs",
    "statistics",
    "study_summary",
]

_COLUMNS = tuple(column for column in studies.columns if column.name != "id")
_of_study = studies.c.study_id == bindparam("the_study")
_UPDATE = studies.update().where(_of_study, studies.c.status == bindparam("old_status"))
_GET = select(*_COLUMNS).where(_of_study)


def log_study(connection: Connection, row: Mapping[str, object]) -> None:
    """Insert the study `row["study_id"]`, or update it: only the columns that `row` names change.

    A new study without a `status` is running. `finished_at` follows the status unless given. A study that is
    not completed may run again. Raises InputError for unknown columns and invalid values; StoreError where a
    completed study, or one that ended, would change to another end.
    """
    values = checked_row(studies, row, "log_study")
    study_id = values.pop("study_id", None)
    if study_id is None:
        raise InputError([Finding("is missing", "say which study this is", "study_id")])
    now = utc_now()
    found = get_study(connection, str(study_id))
    old = None if found is None else RunStatus(found["status"])
    new = RunStatus(str(values.get("status", old or RunStatus.RUNNING)))
    if new is not old:
        values.setdefault("finished_at", now if new.is_terminal else None)
    if old is None:
        defaults = {"timestamp": now, "created_at": now, "status": new.value}
        connection.execute(studies.insert(), {**defaults, **values, "study_id": study_id, "updated_at": now})
        return
    if not study_can_follow(old, new):
        msg = f"study {study_id}: is {old.value} and cannot become {new.value}. Nothing was written."
        raise StoreError(msg)
    key = {"the_study": study_id, "old_status": old.value}
    if connection.execute(_UPDATE, {**values, **key, "updated_at": now}).rowcount != 1:
        msg = f"study {study_id}: another process changed it at the same time; nothing was written."
        raise StoreError(msg)


def link_runs(connection: Connection, study_id: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert which run evaluates which point of a study: `point`, `run_id`, `parameters_json` of each."""
    now = utc_now()
    checked = [checked_row(study_runs, {"study_id": study_id, **row}, "link_runs") for row in rows]
    connection.execute(study_runs.insert(), [{**row, "created_at": now} for row in checked])


def query_study_runs(connection: Connection, study_id: str) -> list[dict[str, Any]]:
    """Return the runs of a study, point after point: `point`, its `parameters_json`, and the columns of the run."""
    columns = [column for column in simulation_runs.columns if column.name not in ("id", "parameters_json")]
    chosen = (
        select(study_runs.c.point, study_runs.c.parameters_json, *columns)
        .join(simulation_runs, simulation_runs.c.run_id == study_runs.c.run_id)
        .where(study_runs.c.study_id == study_id)
        .order_by(study_runs.c.point, study_runs.c.id)
    )
    return [dict(row) for row in connection.execute(chosen).mappings()]


def get_study(connection: Connection, study_id: str) -> dict[str, Any] | None:
    """Return the row of a study by column name, or None where there is none."""
    found = connection.execute(_GET, {"the_study": study_id}).mappings().one_or_none()
    return None if found is None else dict(found)


def query_studies(connection: Connection) -> list[dict[str, Any]]:
    """Return all studies, the newest first, each a dict by column name."""
    return [
        dict(row) for row in connection.execute(select(*_COLUMNS).order_by(studies.c.id.desc())).mappings()
    ]


def study_summary(connection: Connection, study_id: str) -> dict[str, Any]:
    """Return how far a study is: `study_id`, `study` (its row or None), numbers of `runs` and `by_status`.

    `best_total_cost` and `best_run_id` are those of the cheapest completed run, None where there is none.
    """
    runs = simulation_runs.c
    by_status = _counted_by(connection, runs.simulation_status, runs.study_id == study_id)
    best = connection.execute(
        select(runs.total_cost, runs.run_id)
        .where(
            runs.study_id == study_id,
            runs.simulation_status == RunStatus.COMPLETED.value,
            runs.total_cost.is_not(None),
        )
        .order_by(runs.total_cost, runs.id)
        .limit(1)
    ).one_or_none()
    return {
        "study_id": study_id,
        "study": get_study(connection, study_id),
        "runs": sum(by_status.values()),
        "by_status": by_status,
        "best_total_cost": None if best is None else best.total_cost,
        "best_run_id": None if best is None else best.run_id,
    }


def statistics(connection: Connection) -> dict[str, Any]:
    """Return numbers of `runs`, `studies`, runs `by_status`, `by_solver`; `oldest`, `newest` timestamp."""
    runs = simulation_runs.c
    by_status = _counted_by(connection, runs.simulation_status)
    oldest, newest = connection.execute(select(func.min(runs.timestamp), func.max(runs.timestamp))).one()
    return {
        "runs": sum(by_status.values()),
        "studies": connection.scalar(select(func.count()).select_from(studies)) or 0,
        "by_status": by_status,
        "by_solver": _counted_by(connection, runs.solver_type),
        "oldest": oldest,
        "newest": newest,
    }


def _counted_by(
    connection: Connection, column: Column[Any], *conditions: ColumnElement[bool]
) -> dict[str | None, int]:
    counted = select(column, func.count()).where(*conditions).group_by(column).order_by(column)
    return {row[0]: row[1] for row in connection.execute(counted)}
