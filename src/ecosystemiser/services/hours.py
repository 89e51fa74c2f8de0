"""The hours of a run as they lie on the disk: there, intact, whose."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.store.hourly import FILE_NAME, HourlySeries, read_hourly
from ecosystemiser.store.identifiers import results_folder

__all__ = ["HoursState", "hours_of"]


class HoursState(StrEnum):
    """How the hourly file of a run is found."""

    INTACT = "intact"
    NOT_KEPT = "not kept"
    """The run was to keep its totals only, or did not come so far."""
    MISSING = "missing"
    DAMAGED = "damaged"
    """It holds something else than was logged, or its name leads elsewhere."""


def hours_of(row: Mapping[str, Any]) -> tuple[HoursState, HourlySeries | None]:
    """Return how the hourly file of a run is found, and what it holds where it is intact."""
    if not row.get("flows_path"):
        return HoursState.NOT_KEPT, None
    path = Path(row["flows_path"])
    if path.parts[-2:] != (row["run_id"], FILE_NAME) or row.get("hourly_sha256") is None:
        return HoursState.DAMAGED, None
    try:
        # A row may have been changed to name another file, and a link may have been laid where the file was.
        base = Path(row["results_path"]).parent if row.get("results_path") else path.parent.parent
        own = results_folder(base, row["run_id"]) / FILE_NAME
        if path.resolve() != own or own.is_symlink():
            return HoursState.DAMAGED, None
        if not path.exists():
            return HoursState.MISSING, None
        return HoursState.INTACT, read_hourly(path, row["hourly_sha256"])
    except (InputError, StoreError, OSError, ValueError):  # a NUL in its name
        return HoursState.DAMAGED, None
