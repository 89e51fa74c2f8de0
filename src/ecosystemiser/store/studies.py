"""The rows of studies, and what their runs add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store.clock import utc_now
from ecosystemiser.store.counts import counted_by
from ecosystemiser.store.runs import ALL_COLUMNS
from ecosystemiser.store.schema import run_counts, run_details, runs, studies
from ecosystemiser.store.states import RunStatus, study_can_follow
from ecosystemiser.store.values import RowChecker

__all__ = [
    "count_study_points",
    "get_study",
    "log_study",
    "query_studies",
    "query_study_runs",
    "statistics",
    "study_points",
    "study_states",
    "study_summary",
]

_COLUMNS = tuple(column for column in studies.columns if column.name not in ("id", "owner_id"))
_CHECKER = RowChecker(_COLUMNS, "studies", "log_study")
_of_study = studies.c.study_id == bindparam("the_study")
_UPDATE = studies.update().where(_of_study, studies.c.status == bindparam("old_status"))
_GET = select(*_COLUMNS).where(_of_study)
_OWNER = select(studies.c.owner_id).where(_of_study)
_BEST = (
    select(runs.c.total_cost, runs.c.run_id)
    .where(
        runs.c.study_id == bindparam("the_study"),
        runs.c.total_cost.is_not(None),
        runs.c.simulation_status == RunStatus.COMPLETED.value,
        runs.c.deleted_at.is_(None),
    )
    .order_by(runs.c.total_cost)
    .limit(1)
)


def log_study(connection: Connection, row: Mapping[str, object], owner_id: int | None = None) -> None:
    """Insert the study `row["study_id"]`, or update it: only the columns that `row` names change.

    A new study without a `status` is running, and of the owner given. `finished_at` follows the status unless given.
    A study that is not completed may run again. Raises InputError for unknown columns and invalid values; StoreError
    where a completed study, or one that ended, would change to another end.
    """
    values = _CHECKER.checked(row)
    study_id = values.pop("study_id", None)
    if study_id is None:
        raise InputError([Finding("is missing", "say which study this is", "study_id")])
    now = utc_now()
    found = get_study(connection, str(study_id))
    owner = None if found is None else connection.scalar(_OWNER, {"the_study": study_id})
    old = None if found is None else RunStatus(found["status"])
    new = RunStatus(str(values.get("status", old or RunStatus.RUNNING)))
    if new is not old:
        values.setdefault("finished_at", now if new.is_terminal else None)
    if new is RunStatus.RUNNING and (old is not new or "status" in values):
        values = {"owner_id": owner_id, "cancel_requested_at": None, **values}
    if old is None:
        defaults = {"timestamp": now, "created_at": now, "status": new.value}
        connection.execute(studies.insert(), {**defaults, **values, "study_id": study_id, "updated_at": now})
        return
    if old is new is RunStatus.RUNNING and None not in (owner_id, owner) and owner != owner_id:
        msg = f"study {study_id}: another process is running it. Nothing was written; wait, or use another study_id."
        raise StoreError(msg)
    if not study_can_follow(old, new):
        msg = f"study {study_id}: is {old.value} and cannot become {new.value}. Nothing was written."
        raise StoreError(msg)
    key = {"the_study": study_id, "old_status": old.value}
    if connection.execute(_UPDATE, {**values, **key, "updated_at": now}).rowcount != 1:
        msg = f"study {study_id}: another process changed it at the same time; nothing was written."
        raise StoreError(msg)


def query_study_runs(
    connection: Connection, study_id: str, *, first: int = 0, below: int | None = None
) -> list[dict[str, Any]]:
    """Return the runs of a study, point after point: the columns of each run; of the points from `first` to `below`."""
    chosen = (
        select(*ALL_COLUMNS)
        .join_from(runs, run_details, run_details.c.run_key == runs.c.id)
        .where(runs.c.study_id == study_id, runs.c.point.is_not(None), runs.c.deleted_at.is_(None))
        .order_by(runs.c.point, runs.c.id)
    )
    if first > 0:
        chosen = chosen.where(runs.c.point >= first)
    if below is not None:
        chosen = chosen.where(runs.c.point < below)
    return [dict(row) for row in connection.execute(chosen).mappings()]


def study_states(connection: Connection, study_id: str) -> list[tuple[int, str, str]]:
    """Return point, status and id of each run of a study, point after point and attempt after attempt."""
    chosen = (
        select(runs.c.point, runs.c.simulation_status, runs.c.run_id)
        .where(runs.c.study_id == study_id, runs.c.point.is_not(None), runs.c.deleted_at.is_(None))
        .order_by(runs.c.point, runs.c.id)
    )
    return [(int(point), str(status), str(run_id)) for point, status, run_id in connection.execute(chosen)]


def count_study_points(connection: Connection, study_id: str) -> int:
    """Return how many points of a study have a run."""
    chosen = select(func.count(runs.c.point.distinct())).where(runs.c.study_id == study_id, runs.c.deleted_at.is_(None))
    return connection.scalar(chosen) or 0


_GOLDEN, _WHOLE = 40_503, 65_536
"""Multiples of the golden ratio are spread evenly, and in step with no period: no design of a study is left out."""


def study_points(
    connection: Connection, study_id: str, names: Sequence[str], most: int
) -> tuple[list[dict[str, Any]], int]:
    """Return at most about `most` runs of a study, spread evenly over its points, and one of how many of them each is.

    Each holds `point`, `run_id`, `simulation_status`, `parameters_json`, and the columns `names` of `runs`.
    """
    counted = select(func.count()).where(runs.c.study_id == study_id, runs.c.deleted_at.is_(None))
    stride = max(1, -(-(connection.scalar(counted) or 0) // most))
    own = (runs.c.point, runs.c.run_id, runs.c.simulation_status, *(runs.c[name] for name in names))
    chosen = (
        select(*own, run_details.c.parameters_json)
        .join_from(runs, run_details, run_details.c.run_key == runs.c.id)
        .where(runs.c.study_id == study_id, runs.c.point.is_not(None), runs.c.deleted_at.is_(None))
        .order_by(runs.c.point, runs.c.id)
    )
    if stride > 1:
        chosen = chosen.where((runs.c.point * _GOLDEN) % _WHOLE < _WHOLE // stride)
    return [dict(row) for row in connection.execute(chosen).mappings()], stride


def get_study(connection: Connection, study_id: str) -> dict[str, Any] | None:
    """Return the row of a study by column name, or None where there is none."""
    found = connection.execute(_GET, {"the_study": study_id}).mappings().one_or_none()
    return None if found is None else dict(found)


def query_studies(
    connection: Connection, *, status: str | None = None, limit: int | None = None, offset: int = 0
) -> list[dict[str, Any]]:
    """Return studies, the newest first, each a dict by column name with its summary (see `study_summary`).

    `status`: only those that stand so. It costs the same however many runs they have.
    """
    asked = select(*_COLUMNS).order_by(studies.c.id.desc()).limit(limit).offset(offset)
    if status is not None:
        asked = asked.where(studies.c.status == status)
    rows = connection.execute(asked).mappings().all()
    grouped = (run_counts.c.study_id, run_counts.c.simulation_status)
    number = func.sum(run_counts.c.runs)
    chosen = select(*grouped, number).group_by(*grouped).having(number != 0)
    if limit is not None:
        chosen = chosen.where(run_counts.c.study_id.in_([row["study_id"] for row in rows]))
    statuses: dict[str, dict[str, int]] = {}
    for study_id, run_status, counted in connection.execute(chosen):
        statuses.setdefault(study_id, {})[run_status] = int(counted)
    return [{**row, **_added_up(connection, row["study_id"], statuses.get(row["study_id"], {}))} for row in rows]


def study_summary(connection: Connection, study_id: str) -> dict[str, Any]:
    """Return how far a study is: `study_id`, `study` (its row or None), numbers of `runs`, `by_status`, `by_cause`.

    `best_total_cost` and `best_run_id` are those of the cheapest completed run, None where there is none.
    """
    own = run_counts.c.study_id == study_id
    by_cause = counted_by(connection, "failure_cause", own, run_counts.c.failure_cause != "")
    summary = _added_up(connection, study_id, counted_by(connection, "simulation_status", own))
    return {"study_id": study_id, "study": get_study(connection, study_id), **summary, "by_cause": by_cause}


def _added_up(connection: Connection, study_id: str, by_status: Mapping[Any, int]) -> dict[str, Any]:
    best = connection.execute(_BEST, {"the_study": study_id}).one_or_none()
    return {
        "runs": sum(by_status.values()),
        "by_status": dict(by_status),
        "best_total_cost": None if best is None else best.total_cost,
        "best_run_id": None if best is None else best.run_id,
    }


def statistics(connection: Connection) -> dict[str, Any]:
    """Return numbers of `runs`, `studies`, runs `by_status`, `by_solver`, `by_cause`; `oldest`, `newest` timestamp."""
    by_status = counted_by(connection, "simulation_status")
    by_cause = counted_by(connection, "failure_cause", run_counts.c.failure_cause != "")
    oldest, newest = (
        connection.scalar(select(runs.c.timestamp).order_by(order).limit(1))
        for order in (runs.c.timestamp.asc(), runs.c.timestamp.desc())
    )
    return {
        "runs": sum(by_status.values()),
        "studies": connection.scalar(select(func.count()).select_from(studies)) or 0,
        "by_status": by_status,
        "by_solver": counted_by(connection, "solver_type"),
        "by_cause": by_cause,
        "oldest": oldest,
        "newest": newest,
    }
