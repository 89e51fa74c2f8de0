"""Asking a run or a study of any process to stop, and seeing whether it does."""

from __future__ import annotations

import time
from collections.abc import Callable

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.states import RunStatus

__all__ = ["PATIENCE_S", "stop_run", "stop_study"]

PATIENCE_S = 5.0
"""How long a run or a study has to end once it was asked to. [s]"""
LOOK_EVERY_S = 0.1


def stop_run(log: DatabaseMetadataService, run_id: str, patience_s: float = PATIENCE_S) -> str:
    """Ask whoever works on a run to stop, wait until it has, and return its status then.

    `running`: it has not ended within `patience_s`; the request stands. Raises InputError where it runs no more, and
    for a run of a study, which ends with its study.
    """
    row = log.get_simulation_run(run_id) or {"simulation_status": RunStatus.INTERRUPTED}
    if row["simulation_status"] == RunStatus.RUNNING and row["study_id"] is not None:
        remedy = f"stop the study: ecosystemiser study cancel {row['study_id']}"
        raise InputError([Finding("is a run of a study", remedy, "RUN", run_id)])
    if not log.request_cancel(run_id=run_id):
        raise _has_ended("RUN", run_id, _run_status(log, run_id))
    return _awaited(lambda: _run_status(log, run_id), patience_s)


def stop_study(log: DatabaseMetadataService, study_id: str, patience_s: float = PATIENCE_S) -> str:
    """Do as `stop_run` for a study and all its runs."""
    if not log.request_cancel(study_id=study_id):
        raise _has_ended("STUDY", study_id, _study_status(log, study_id))
    return _awaited(lambda: _study_status(log, study_id), patience_s)


def _awaited(status: Callable[[], str], patience_s: float) -> str:
    until = time.monotonic() + patience_s
    while (found := status()) == RunStatus.RUNNING and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
    return found


def _run_status(log: DatabaseMetadataService, run_id: str) -> str:
    return str((log.get_simulation_run(run_id) or {}).get("simulation_status", "deleted"))


def _study_status(log: DatabaseMetadataService, study_id: str) -> str:
    return str((log.get_study_summary(study_id)["study"] or {}).get("status", "gone"))


def _has_ended(key: str, name: str, status: str) -> InputError:
    return InputError([Finding(f"is {status}, not running", "there is nothing to stop", key, name)])
