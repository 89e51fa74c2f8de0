"""The time column of a user's file as absolute seconds, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ecosystemiser.errors import Finding
from ecosystemiser.model.profiles.table_file import Cell, Table

__all__ = ["TIME_COLUMN", "FileTimes", "check_spacing", "read_times"]

TIME_COLUMN = "time"

_HOUR_S = 3600
_WRITE_OFFSETS = "write each time with its offset, as 2018-10-28T02:00+01:00"


@dataclass(frozen=True)
class FileTimes:
    """Start of each row in seconds: since 1970 UTC if `is_absolute`, else on a clock of unknown zone."""

    seconds: list[int]
    is_absolute: bool
    findings: list[Finding]

    @property
    def start(self) -> datetime | None:
        """Start of the first row: in UTC, or without a zone where none is known; None if there is none."""
        if not self.seconds:
            return None
        start = datetime.fromtimestamp(self.seconds[0], tz=UTC)
        return start if self.is_absolute else start.replace(tzinfo=None)


def read_times(table: Table, zone_name: str | None) -> FileTimes:
    """Return the times of the table's `time` column.

    A time with an offset is an instant. One without is the local clock of `zone_name`: where that clock is
    set back, the first pass is summer time and the second standard time. Without `zone_name` it is read as a
    clock that is never set.
    """
    cells = table.columns[TIME_COLUMN]
    zone, findings = _zone(table, zone_name)
    times: list[datetime] = []
    for row, cell in enumerate(cells):
        time = _parse(cell)
        if time is None:
            remedy = "write ISO times, as 2018-03-25T01:00 or 2018-03-25T01:00+01:00"
            findings.append(table.finding(row, TIME_COLUMN, cell, "is not a time", remedy))
        else:
            times.append(time)
    aware = sum(time.tzinfo is not None for time in times)
    if 0 < aware < len(times):
        message = f"{aware} times have an offset and {len(times) - aware} have none"
        findings.append(Finding(message, "write all with an offset or none", TIME_COLUMN, None, str(table.path)))
    if findings:
        return FileTimes([], is_absolute=False, findings=findings)
    seconds, problems = _seconds(table, times, zone)
    return FileTimes(seconds, aware > 0 or zone is not None, problems)


def _zone(table: Table, name: str | None) -> tuple[tzinfo | None, list[Finding]]:
    if name is None:
        return None, []
    try:
        return ZoneInfo(name), []
    except (ZoneInfoNotFoundError, ValueError, OSError):
        finding = Finding("is not a time zone", "name one, as Europe/Berlin", "timezone", name, str(table.path))
        return None, [finding]


def _parse(cell: Cell) -> datetime | None:
    if isinstance(cell, datetime):
        return cell
    if not isinstance(cell, str):
        return None
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def _seconds(table: Table, times: list[datetime], zone: tzinfo | None) -> tuple[list[int], list[Finding]]:
    seconds: list[int] = []
    findings: list[Finding] = []
    for row, time in enumerate(times):
        if time.tzinfo is not None or zone is None:
            instant = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
            seconds.append(round(instant.timestamp()))
            continue
        local = time.replace(tzinfo=zone)
        if not _exists(local):
            message = f"does not exist in {zone}: the clock is set forward over it"
            remedy = f"{_WRITE_OFFSETS}, or state the zone of the clock that was used, as Etc/GMT-1 for UTC+1"
            findings.append(table.finding(row, TIME_COLUMN, time.isoformat(), message, remedy))
        moment = round(local.timestamp())
        if seconds and moment <= seconds[-1]:
            moment = round(local.replace(fold=1).timestamp())
        seconds.append(moment)
    return seconds, findings


def _exists(local: datetime) -> bool:
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None, fold=0) == local.replace(tzinfo=None, fold=0)


def check_spacing(table: Table, times: FileTimes, step_seconds: int) -> list[Finding]:
    """Return what is wrong with the distance between rows: gaps, duplicates, times that run backwards."""
    deltas = [later - earlier for earlier, later in zip(times.seconds, times.seconds[1:], strict=False)]
    if not deltas:
        return []
    usual = Counter(deltas).most_common(1)[0][0]
    if usual != step_seconds and usual > 0:
        message = f"rows are {usual} s apart where {step_seconds} s are needed"
        remedy = f"give one row for each {step_seconds} s, or state the file's own step, as `step: 15min`"
        return [Finding(message, remedy, TIME_COLUMN, None, str(table.path))]
    odd = [row for row, delta in enumerate(deltas, start=1) if delta != step_seconds]
    return [_odd_step(table, row, deltas[row - 1], step_seconds, is_absolute=times.is_absolute) for row in odd]


def _odd_step(table: Table, row: int, delta: int, step_seconds: int, *, is_absolute: bool) -> Finding:
    shown = str(table.columns[TIME_COLUMN][row])
    if not is_absolute and delta == step_seconds - _HOUR_S:
        message = "repeats an hour and no time zone is stated: daylight saving or a duplicate"
        remedy = f"state the timezone, as Europe/Berlin, or {_WRITE_OFFSETS}; remove a duplicate"
    elif delta == 0:
        message, remedy = "is a duplicate of the row before", "remove one of the two rows"
    elif delta < 0:
        message, remedy = f"is {-delta} s earlier than the row before", "sort the rows by time"
    else:
        missing = delta / step_seconds - 1
        message = f"follows a gap: {missing:g} rows are missing before it"
        remedy = f"add the missing rows; the row before is of {table.columns[TIME_COLUMN][row - 1]}"
    return table.finding(row, TIME_COLUMN, shown, message, remedy)
