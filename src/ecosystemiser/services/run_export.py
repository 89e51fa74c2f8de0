"""The rows of many runs as a file for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.row_files import RowFormat, write_rows
from ecosystemiser.store.runs import ALL_COLUMNS

__all__ = ["RowFormat", "export_runs"]

ROWS_A_PAGE = 1_000


def export_runs(log: DatabaseMetadataService, path: Path, style: RowFormat | None, where: str | None) -> int:
    """Write the rows of all runs that pass the filter text as the file at `path`, and return how many.

    See `RunHistory.export`.
    """
    kind = style or _kind_of(path)
    _check_place(path)
    return write_rows(path, _rows(log, where), ALL_COLUMNS, kind)


def _rows(log: DatabaseMetadataService, where: str | None) -> Iterator[dict[str, Any]]:
    """Yield the rows page by page."""
    after = None
    while True:
        page = log.page_simulation_runs(where, after=after, limit=ROWS_A_PAGE)
        yield from page.rows
        after = page.next
        if after is None:
            return


def _kind_of(path: Path) -> RowFormat:
    try:
        return RowFormat(path.suffix.removeprefix(".").lower())
    except ValueError:
        remedy = f"let it end with {', '.join(f'.{kind}' for kind in RowFormat)}, or name the format"
        raise InputError([Finding("tells no kind of file", remedy, "FILE", str(path))]) from None


def _check_place(path: Path) -> None:
    """Raise InputError where no file can have this name, whatever the disk."""
    if "\0" in str(path):
        raise InputError([Finding("is no name of a file", "give one without NUL", "FILE", str(path))])
    if path.is_dir():
        raise InputError([Finding("is a folder", "name a file in it", "FILE", str(path))])
    if not path.parent.is_dir():
        raise InputError([Finding("lies in a folder that does not exist", "create it first", "FILE", str(path))])
