"""Whether the hourly files that the log names are there, and as they were written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.hours import HoursState
from ecosystemiser.store.hourly import FILE_NAME

__all__ = ["CheckedFiles", "LostHours", "check_files"]

ROWS_A_PAGE = 1_000
_WITH_HOURS = "simulation_status = 'completed' and flows_path is not null"
_COUNT_ALL = 1 << 62


@dataclass(frozen=True)
class LostHours:
    """A completed run whose hourly file is not what its row says."""

    run_id: str
    state: HoursState
    """MISSING or DAMAGED."""
    path: str


@dataclass(frozen=True)
class CheckedFiles:
    """How many hourly files were looked at, and what is wrong with some."""

    files: int
    lost: tuple[LostHours, ...]


def check_files(
    log: DatabaseMetadataService, *, reads_them: bool, on_progress: Callable[[int, int], None] | None = None
) -> CheckedFiles:
    """Look for the hourly file of every completed run that names one; with `reads_them` compare its hash too.

    `on_progress` is told files, done and in all. Raises StoreError where the log cannot be read.
    """
    total = log.count_simulation_runs(_WITH_HOURS, at_most=_COUNT_ALL)
    files, lost = 0, []
    for files, row in enumerate(_rows(log), 1):
        state = _state(row, reads_them=reads_them)
        if state is not HoursState.INTACT:
            lost.append(LostHours(row["run_id"], state, row["flows_path"]))
        if on_progress is not None:
            on_progress(files, max(total, files))
    return CheckedFiles(files, tuple(lost))


def _rows(log: DatabaseMetadataService) -> Iterator[Mapping[str, Any]]:
    after = None
    while True:
        page = log.page_simulation_runs(_WITH_HOURS, after=after, limit=ROWS_A_PAGE)
        yield from page.rows
        after = page.next
        if after is None:
            return


def _state(row: Mapping[str, Any], *, reads_them: bool) -> HoursState:
    path, sha256 = Path(row["flows_path"]), row["hourly_sha256"]
    if path.parts[-2:] != (row["run_id"], FILE_NAME) or sha256 is None:
        return HoursState.DAMAGED
    try:
        if not path.is_file():
            return HoursState.MISSING
        if not reads_them:
            return HoursState.INTACT
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):  # the disk; a NUL in the name
        return HoursState.DAMAGED
    return HoursState.INTACT if found == sha256 else HoursState.DAMAGED
