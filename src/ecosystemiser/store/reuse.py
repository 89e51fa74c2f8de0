"""Completed runs by what decides their result, so that nothing has to be solved twice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.store.schema import run_details, runs
from ecosystemiser.store.states import RunStatus

__all__ = ["completed_by_hash", "result_of"]

_RESULT = (
    *(runs.c[name] for name in KPI_NAMES),
    *(runs.c[name] for name in ("timesteps", "currency", "mip_gap", "solver_status", "objective", "bound")),
    runs.c.balance_residual,
    run_details.c.kpis_json,
    run_details.c.objectives_json,
)


def completed_by_hash(connection: Connection, system_document: int) -> dict[str, str]:
    """Return the newest completed run of a described system for each `config_hash`: run id by hash."""
    chosen = (
        select(run_details.c.config_hash, runs.c.run_id)
        .join_from(runs, run_details, run_details.c.run_key == runs.c.id)
        .where(
            runs.c.system_document == system_document,
            runs.c.simulation_status == RunStatus.COMPLETED.value,
            runs.c.deleted_at.is_(None),
            run_details.c.config_hash.is_not(None),
        )
        .order_by(runs.c.id)
    )
    return {row.config_hash: row.run_id for row in connection.execute(chosen)}


def result_of(connection: Connection, run_id: str) -> dict[str, Any] | None:
    """Return the columns that hold the result of a completed run; None where it is not there any more."""
    chosen = select(*_RESULT).join_from(runs, run_details, run_details.c.run_key == runs.c.id)
    is_there = (runs.c.run_id == run_id, runs.c.simulation_status == "completed", runs.c.deleted_at.is_(None))
    found = connection.execute(chosen.where(*is_there)).mappings().one_or_none()
    return None if found is None else dict(found)
