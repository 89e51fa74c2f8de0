"""A user's series brought into the shape of a year, as far as was asked: one year of several, gaps filled."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from ecosystemiser.errors import Finding
from ecosystemiser.model.profiles.file_clock import TIME_COLUMN, FileTimes
from ecosystemiser.model.profiles.table_file import Cell, Table, refuse

__all__ = ["AS_IT_STANDS", "Filling", "Mending", "filled", "year_of"]

Filling = Literal["interpolate", "previous", "zero"]


@dataclass(frozen=True)
class Mending:
    """What may be done to a file that is not one whole year without gaps."""

    year_begins: datetime | None = None
    """New Year of standard time, in UTC: of a file of several years this one is taken."""
    drops_leap_day: bool = False
    """Whether 29 February is left out of a leap year that is taken."""
    fill: Filling | None = None
    """How gaps are filled."""
    most_hours: float = 24.0
    """The longest gap that is filled."""


AS_IT_STANDS = Mending()
_LEAP_DAY = range(59 * 86_400, 60 * 86_400)
"""Seconds of a leap year that are 29 February."""
_EMPTY = (None, "", "nan", "NaN", "NA")


def year_of(table: Table, times: FileTimes, mending: Mending, rows: int, step_seconds: int) -> tuple[Table, FileTimes]:
    """Return the rows of the year that is asked for, where a file holds more than one; else the table as it is."""
    if mending.year_begins is None or table.rows <= rows or not times.seconds:
        return table, times
    begins = mending.year_begins
    if not times.is_absolute:  # a clock that is never set begins its year at its own midnight
        begins = datetime(begins.year + (begins.month == 12), 1, 1, tzinfo=begins.tzinfo)
    first = round(begins.timestamp())
    leap = _LEAP_DAY if mending.drops_leap_day and isleap((begins + timedelta(days=1)).year) else range(0)
    last = first + rows * step_seconds + len(leap)
    inside = [at for at, s in enumerate(times.seconds) if first <= s < last and s - first not in leap]
    if not inside:
        message = f"holds no row of the year that begins {begins:%Y-%m-%d %H:%M}"
        refuse([Finding(message, "set time.start in a year of the file", TIME_COLUMN, None, str(table.path))])
    seconds = [times.seconds[at] for at in inside]
    closed = [second - len(leap) if second - first >= leap.stop > 0 else second for second in seconds]
    return _rows(table, inside), replace(times, seconds=closed)


def filled(
    table: Table, times: FileTimes | None, names: Sequence[str], rows: int, mending: Mending, step_seconds: int
) -> tuple[Table, FileTimes | None]:
    """Return the table with missing rows and empty cells of `names` filled; as it is where that was not asked.

    Raises InputError for gaps longer than may be filled, and for times that are no steps of the year.
    """
    if mending.fill is None:
        return table, times
    if times is not None and times.seconds:
        table, times = _with_all_rows(table, times, names, rows, step_seconds)
    columns = dict(table.columns)
    for name in names:
        columns[name] = _filled_cells(table, name, mending, step_seconds)
    return replace(table, columns=columns), times


def _rows(table: Table, chosen: Sequence[int]) -> Table:
    columns = {name: [cells[at] for at in chosen] for name, cells in table.columns.items()}
    lines = None if table.lines is None else [table.lines[at] for at in chosen]
    return replace(table, columns=columns, lines=lines)


def _with_all_rows(
    table: Table, times: FileTimes, names: Sequence[str], rows: int, step_seconds: int
) -> tuple[Table, FileTimes]:
    """Return a table with a row for each step from the first one on, empty where the file has none."""
    first = times.seconds[0]
    places = [(second - first) / step_seconds for second in times.seconds]
    wrong = [at for at, place in enumerate(places) if place != int(place) or not 0 <= place < rows]
    wrong += [at for at in range(1, len(places)) if places[at] <= places[at - 1]]
    if wrong:
        at = min(wrong)
        cell = table.columns[TIME_COLUMN][at]
        message = "is no later step of the file's year: gaps are filled, times are not mended"
        refuse([table.finding(at, TIME_COLUMN, str(cell), message, "sort the rows, remove duplicates and odd times")])
    whole = max(rows, 1)
    columns: dict[str, list[Cell]] = {name: [None] * whole for name in names}
    lines = [0] * whole
    for at, place in enumerate(places):
        for name in names:
            columns[name][int(place)] = table.columns[name][at]
        lines[int(place)] = 0 if table.lines is None else table.lines[at]
    for step in range(1, whole):
        lines[step] = lines[step] or lines[step - 1]
    made = replace(table, columns=columns, lines=None if table.lines is None else lines)
    return made, replace(times, seconds=[first + step * step_seconds for step in range(whole)])


def _filled_cells(table: Table, name: str, mending: Mending, step_seconds: int) -> list[Cell]:
    """Return the cells of a column, empty ones filled. What is no number is left to be told."""
    cells = list(table.columns[name])
    is_empty = np.array([cell in _EMPTY or (isinstance(cell, float) and np.isnan(cell)) for cell in cells], dtype=bool)
    if not is_empty.any():
        return cells
    starts = np.flatnonzero(is_empty & ~np.r_[False, is_empty[:-1]])
    ends = np.flatnonzero(is_empty & ~np.r_[is_empty[1:], False]) + 1
    longest = int((ends - starts).argmax())
    hours = float((ends - starts)[longest]) * step_seconds / 3600
    if hours > mending.most_hours or is_empty.all():
        message = f"is missing for {hours:g} h, more than may be filled ({mending.most_hours:g} h)"
        row = int(starts[longest])
        refuse([table.finding(row, name, None, message, "complete the file, or raise fill_most_hours")])
    known = np.flatnonzero(~is_empty)
    try:
        values = np.array([float(cells[at]) for at in known.tolist()])  # type: ignore[arg-type] # numbers, or told
    except (TypeError, ValueError):
        return cells
    missing = np.flatnonzero(is_empty)
    if mending.fill == "interpolate":
        given = np.interp(missing, known, values)
    elif mending.fill == "previous":
        given = values[np.maximum(np.searchsorted(known, missing) - 1, 0)]
    else:
        given = np.zeros(len(missing))
    for at, value in zip(missing.tolist(), given.tolist(), strict=True):
        cells[at] = value
    return cells
