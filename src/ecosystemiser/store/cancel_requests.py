"""Asking a study or a run, of any process, to stop: its owner looks here while it works."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from ecosystemiser.store.clock import utc_now
from ecosystemiser.store.schema import runs, studies
from ecosystemiser.store.states import RunStatus

__all__ = ["is_cancel_requested", "request_cancel"]


def request_cancel(connection: Connection, *, study_id: str | None = None, run_id: str | None = None) -> bool:
    """Ask who runs a study, or a run, to stop; return whether it was running."""
    table, name, status, value = _asked_of(study_id, run_id)
    chosen = table.update().where(table.c[name] == value, table.c[status] == RunStatus.RUNNING.value)
    return connection.execute(chosen, {"cancel_requested_at": utc_now()}).rowcount == 1


def is_cancel_requested(connection: Connection, *, study_id: str | None = None, run_id: str | None = None) -> bool:
    """Return whether somebody asked a study, or a run, to stop."""
    table, name, _, value = _asked_of(study_id, run_id)
    return connection.scalar(select(table.c.cancel_requested_at).where(table.c[name] == value)) is not None


def _asked_of(study_id: str | None, run_id: str | None) -> tuple[Any, str, str, str]:
    if study_id is not None:
        return studies, "study_id", "status", study_id
    if run_id is not None:
        return runs, "run_id", "simulation_status", run_id
    raise ValueError("name a study or a run")
