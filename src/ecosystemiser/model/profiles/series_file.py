"""A user's series: a column of a CSV or Parquet file, read whole and clean or refused with every reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.errors import Finding
from ecosystemiser.model.profiles.file_clock import TIME_COLUMN, check_spacing, read_times
from ecosystemiser.model.profiles.mending import AS_IT_STANDS, Mending, filled, year_of
from ecosystemiser.model.profiles.table_file import Cell, Table, read_table, refuse
from ecosystemiser.names import did_you_mean

__all__ = ["FileSeries", "read_column", "read_series"]

_NUMBER_REMEDY = "give a finite number, with a point for decimals"


@dataclass(frozen=True, eq=False)
class FileSeries:
    """Columns of one file in the order of absolute time, and when the first row starts."""

    columns: dict[str, NDArray[np.float64]]
    start: datetime | None
    """Start of the first row: in UTC, or without a zone where the file states none; None without `time`."""


def read_column(
    path: Path, column: str, *, steps_per_year: int, step_seconds: int, timezone: str | None
) -> NDArray[np.float64]:
    """Return `column` of the file at `path`, one finite number per step of a year. (steps_per_year,)

    See `read_series` for what the file may hold and what is refused.
    """
    series = read_series(path, [column], steps_per_year=steps_per_year, step_seconds=step_seconds, timezone=timezone)
    return series.columns[column]


def read_series(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    steps_per_year: int,
    step_seconds: int,
    timezone: str | None,
    mending: Mending = AS_IT_STANDS,
) -> FileSeries:
    """Return the `required` columns of the file at `path` and those of `optional` that it has.

    Row i is step i of the year. A column `time` (ISO), if there is one, must advance by `step_seconds` of
    absolute time; times without an offset are the local clock of `timezone`, daylight saving included.
    Raises InputError with all problems found, 20 at most: a missing column, another number of rows than
    `steps_per_year`, gaps, duplicates, rows out of order, a repeated hour without a time zone, and cells that
    are no finite number. `mending` says what is done about gaps and about other years than the one wanted.
    """
    table = read_table(path, {*required, *optional, TIME_COLUMN})
    findings = _missing_columns(table, required) + list(table.findings)
    names = [name for name in (*required, *optional) if name in table.columns]
    times = read_times(table, timezone) if TIME_COLUMN in table.columns else None
    if not findings and (times is None or not times.findings):
        if times is not None:
            table, times = year_of(table, times, mending, steps_per_year, step_seconds)
        table, times = filled(table, times, names, steps_per_year, mending, step_seconds)
    findings += _wrong_length(table, steps_per_year, step_seconds)
    if times is not None:
        findings += times.findings
        if TIME_COLUMN in table.columns:  # else every step was given a row
            findings += check_spacing(table, times, step_seconds)
    start = None if times is None else times.start
    columns = {}
    for name in names:
        columns[name], problems = _numbers(table, name)
        findings += problems
    if findings:
        refuse(findings)
    return FileSeries(columns, start)


def _missing_columns(table: Table, required: Sequence[str]) -> list[Finding]:
    known = ", ".join(table.header) or "no columns"
    return [
        Finding(
            "is not a column of the file",
            f"{did_you_mean(name, table.header)}the file has {known}",
            name,
            None,
            str(table.path),
            1 if table.lines is not None else None,
        )
        for name in required
        if name not in table.columns
    ]


def _wrong_length(table: Table, steps_per_year: int, step_seconds: int) -> list[Finding]:
    if not table.columns or table.rows == steps_per_year:
        return []
    message = f"{table.rows} rows where a year of {step_seconds} s steps has {steps_per_year}"
    remedy = "give one row per step of the whole year; a run takes its part itself"
    line = table.lines[-1] if table.lines else None
    return [Finding(message, remedy, file=str(table.path), line=line)]


def _numbers(table: Table, name: str) -> tuple[NDArray[np.float64], list[Finding]]:
    """Return the column as numbers; a cell that is none becomes a finding."""
    cells = table.columns[name]
    values = np.empty(len(cells))
    findings = []
    for row, cell in enumerate(cells):
        number, problem = _number(cell)
        values[row] = number
        if problem:
            findings.append(table.finding(row, name, cell, problem, _NUMBER_REMEDY))
    values.setflags(write=False)
    return values, findings


def _number(cell: Cell) -> tuple[float, str]:
    """Return the number in `cell` and "", or NaN and what is wrong."""
    if cell is None or cell == "":
        return math.nan, "is empty"
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        return math.nan, "is not a number"
    if isinstance(cell, str) and "_" in cell:  # Python reads 1_000; no file means it
        return math.nan, "is not a number"
    try:
        number = float(cell)
    except ValueError:
        return math.nan, "is not a number"
    return number, "" if math.isfinite(number) else "is not a finite number"
