"""Deleted runs removed for good, with the files that they wrote and nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecosystemiser.errors import InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.identifiers import results_folder

__all__ = ["LeftFolder", "Purged", "purge_runs"]

RUNS_AT_ONCE = 500
ROWS_A_PAGE = 1_000
_WRITTEN = r"(?:hourly\.parquet|components\.json)"
_OURS = re.compile(rf"{_WRITTEN}|\.{_WRITTEN}\.\d+-[0-9a-f]{{8}}\.new")
"""Names of what a run writes into its folder; the last are left where its process died over a file."""


@dataclass(frozen=True)
class LeftFolder:
    """A folder that was left as it is, and why."""

    run_id: str
    folder: str
    reason: str


@dataclass(frozen=True)
class Purged:
    """What was removed for good, and what was not."""

    runs: int
    folders: int
    bytes: int
    left: tuple[LeftFolder, ...]
    """Folders of purged runs that are not ours to remove."""
    in_use: tuple[str, ...]
    """Deleted runs that stay: others took their results over, and their hours lie with them."""


class _NotOursError(Exception):
    """A folder that may not be removed; says why."""


def purge_runs(
    log: DatabaseMetadataService,
    deleted: Sequence[Mapping[str, Any]],
    on_progress: Callable[[int, int], None] | None = None,
) -> Purged:
    """Remove deleted runs (rows of `deleted_runs`): their files, then their rows; done again it goes on.

    A folder is removed only where it is `results folder/run_id`, symlinks resolved, and holds nothing but files
    that a run writes. `on_progress` is told runs, done and in all. Raises StoreError.
    """
    runs = folders = size = 0
    left: list[LeftFolder] = []
    in_use: list[str] = []
    sources = _sources(log)
    for done, rows in _batches(deleted):
        gone = [row for row in rows if row["run_id"] not in sources]
        for row in gone:
            try:
                removed = _remove(row["run_id"], row["results_path"])
            except _NotOursError as error:
                left.append(LeftFolder(row["run_id"], str(row["results_path"]), str(error)))
            else:
                folders += removed is not None
                size += removed or 0
        runs += log.purge_runs([row["run_id"] for row in gone])
        in_use += [row["run_id"] for row in rows if row["run_id"] in sources]
        if on_progress is not None:
            on_progress(done, len(deleted))
    return Purged(runs, folders, size, tuple(left), tuple(in_use))


def _batches(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Sequence[Mapping[str, Any]]]]:
    for first in range(0, len(rows), RUNS_AT_ONCE):
        batch = rows[first : first + RUNS_AT_ONCE]
        yield first + len(batch), batch


def _sources(log: DatabaseMetadataService) -> set[str]:
    """Return the runs whose results other runs took over."""
    found: set[str] = set()
    after = None
    while True:
        page = log.page_simulation_runs("reused_from is not null", after=after, limit=ROWS_A_PAGE)
        found.update(row["reused_from"] for row in page.rows)
        after = page.next
        if after is None:
            return found


def _remove(run_id: str, results_path: str | None) -> int | None:
    """Remove the folder of a run and return the bytes of its files; None where there is none.

    Raises _NotOursError for whatever is not a folder that only this run wrote.
    """
    if not results_path:
        return None
    folder = _folder(run_id, Path(results_path))
    try:
        if not folder.exists():
            return None
        files = _files(folder)
        size = sum(file.stat().st_size for file in files)
        for file in files:
            file.unlink()
        folder.rmdir()
    except OSError as error:
        raise _NotOursError(error.strerror or str(error)) from error
    return size


def _folder(run_id: str, path: Path) -> Path:
    """Return the folder that a row names, where it is that of the run: a row may hold anything."""
    if not path.is_absolute() or path.name != run_id or ".." in path.parts:
        raise _NotOursError("is not a folder of the run's name")
    try:
        return results_folder(path.parent, run_id)
    except InputError as error:
        raise _NotOursError(error.findings[0].message) from error


def _files(folder: Path) -> list[Path]:
    """Return all files in a folder, if a run wrote every one of them; links and folders are none of its."""
    with os.scandir(folder) as entries:
        found = list(entries)
    others = [each.name for each in found if not (each.is_file(follow_symlinks=False) and _OURS.fullmatch(each.name))]
    if others:
        more = ", …" if len(others) > 3 else ""
        msg = f"holds what no run wrote: {', '.join(sorted(others)[:3])}{more}"
        raise _NotOursError(msg)
    return [Path(each.path) for each in found]
