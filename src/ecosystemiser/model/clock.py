"""The hours of a run: absolute intervals, labelled by their start, with the calendars that read them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clock"]

HOUR_S = 3600


@dataclass(frozen=True)
class Clock:
    """`steps` intervals of `step_s` seconds from `start_utc`, at a place whose clock is `timezone`."""

    start_utc: datetime
    step_s: int
    steps: int
    timezone: str
    holidays: tuple[date, ...] = ()
    """Days that tariffs count as holidays."""

    @classmethod
    def from_local(
        cls, start: date | datetime, step_s: int, steps: int, timezone: str, holidays: tuple[date, ...] = ()
    ) -> Clock:
        """Return the clock that starts at `start`: an instant, or a local time of `timezone` if it is naive."""
        moment = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)  # noqa: DTZ001
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(timezone))
        return cls(moment.astimezone(UTC), step_s, steps, timezone, holidays)

    @property
    def step_h(self) -> float:
        """Length of a step. [h]"""
        return self.step_s / HOUR_S

    @property
    def standard_offset(self) -> timedelta:
        """Offset of the place's standard time (no daylight saving) from UTC, in the start's year."""
        offsets = (self._utc_offset(datetime(self.year, month, 1, tzinfo=UTC)) for month in (1, 7))
        return min(offsets)

    @property
    def year(self) -> int:
        """Calendar year of the start on the local clock."""
        return self.start_utc.astimezone(ZoneInfo(self.timezone)).year

    @property
    def steps_per_year(self) -> int:
        """Steps in the calendar year of the start: 8760 for hours, 8784 in a leap year."""
        days = (date(self.year + 1, 1, 1) - date(self.year, 1, 1)).days
        return days * 86_400 // self.step_s

    @property
    def first_step_of_year(self) -> int:
        """Position of the first step in its year of standard time; below 0 where summer time leads it."""
        return self.seconds_of_year // self.step_s

    @property
    def seconds_of_year(self) -> int:
        """Time from New Year of standard time to the start. [s]"""
        return round((self.start_utc - self.new_year_utc).total_seconds())

    @property
    def new_year_utc(self) -> datetime:
        """New Year of the start's year, in standard time."""
        return datetime(self.year, 1, 1, tzinfo=UTC) - self.standard_offset

    @property
    def local_new_year_utc(self) -> datetime:
        """New Year of the start's year on the local clock: in the south, whose summer it is, an hour earlier."""
        return datetime(self.year, 1, 1, tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)

    @cached_property
    def year_share(self) -> float:
        """Hours of the run over hours of its calendar year(s): 1 for a full year, 2 for two."""
        share = 0.0
        offset = self.standard_offset
        moment = self.start_utc + offset
        end = moment + timedelta(seconds=self.step_s * self.steps)
        while moment < end:
            new_year, next_year = datetime(moment.year, 1, 1, tzinfo=UTC), datetime(moment.year + 1, 1, 1, tzinfo=UTC)
            part = min(end, next_year) - moment
            share += part / (next_year - new_year)
            moment = min(end, next_year)
        return share

    @property
    def is_full_year(self) -> bool:
        """Whether the run covers whole calendar years."""
        return abs(self.year_share - round(self.year_share)) < 1e-12 and self.year_share > 0.5

    @cached_property
    def months(self) -> NDArray[np.int64]:
        """Local calendar month of each step, counted from the run's first month: 0, 0, ..., 1, ... (steps,)."""
        calendar = self.local.astype("datetime64[M]").astype(np.int64)
        months: NDArray[np.int64] = calendar - calendar[0]
        return months

    @cached_property
    def local_hours(self) -> NDArray[np.float64]:
        """Local hour of day at each step's start, 0 to below 24. (steps,)"""
        day = self.local.astype("datetime64[D]")
        hours: NDArray[np.float64] = (self.local - day).astype(np.int64) / HOUR_S
        return hours

    @cached_property
    def local_weekdays(self) -> NDArray[np.int64]:
        """Local weekday at each step's start, Monday = 0. (steps,)"""
        days = self.local.astype("datetime64[D]").astype(np.int64)
        weekdays: NDArray[np.int64] = (days + 3) % 7  # 1970-01-01 was a Thursday
        return weekdays

    @cached_property
    def local_months(self) -> NDArray[np.int64]:
        """Local calendar month at each step's start, January = 0. (steps,)"""
        months: NDArray[np.int64] = self.local.astype("datetime64[M]").astype(np.int64) % 12
        return months

    @cached_property
    def is_holiday(self) -> NDArray[np.bool_]:
        """Whether each step starts on a holiday of the local clock. (steps,)"""
        days = np.array(self.holidays, dtype="datetime64[D]")
        return np.isin(self.local.astype("datetime64[D]"), days)

    @cached_property
    def years(self) -> NDArray[np.int64]:
        """Local calendar year of each step, counted from the run's first: 0, 0, ..., 1, ... (steps,)."""
        calendar = self.local.astype("datetime64[Y]").astype(np.int64)
        years: NDArray[np.int64] = calendar - calendar[0]
        return years

    @cached_property
    def month_shares(self) -> NDArray[np.float64]:
        """Hours of the run in each of its months over the hours of that month on the local clock. (months,)"""
        return self._shares("M", self.months)

    @cached_property
    def year_shares(self) -> NDArray[np.float64]:
        """Hours of the run in each of its years over the hours of that year on the local clock. (years,)"""
        return self._shares("Y", self.years)

    def _shares(self, unit: str, spans: NDArray[np.int64]) -> NDArray[np.float64]:
        first = self.local[0].astype(f"datetime64[{unit}]")
        starts = [self._instant(first + span) for span in range(int(spans[-1]) + 2)]
        lengths = np.array([(end - start).total_seconds() for start, end in pairwise(starts)])
        return np.asarray(np.bincount(spans) * self.step_s / lengths)

    def _instant(self, day: np.datetime64) -> datetime:
        """Return the instant at which a day of the local clock begins."""
        start: date = day.astype("datetime64[D]").astype(object)
        return datetime(start.year, start.month, start.day, tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)

    def first_steps(self, steps: int) -> Clock:
        """Return the clock of the first `steps` steps."""
        return replace(self, steps=steps)

    @cached_property
    def utc(self) -> NDArray[np.datetime64]:
        """Start of each step, UTC. (steps,)"""
        start = np.datetime64(self.start_utc.replace(tzinfo=None), "s")
        return np.asarray(start + np.arange(self.steps) * np.timedelta64(self.step_s, "s"))

    @cached_property
    def local(self) -> NDArray[np.datetime64]:
        """Local clock time at each step's start; the offset is looked up once a day and where it changes."""
        utc = self.utc
        days = utc.astype("datetime64[D]")
        offsets = np.empty(self.steps, dtype="timedelta64[s]")
        starts = np.flatnonzero(np.r_[True, days[1:] != days[:-1]])
        for first, last in zip(starts, np.r_[starts[1:], self.steps], strict=True):
            at_start = self._offset_at(utc[first])
            if at_start == self._offset_at(utc[last - 1]):
                offsets[first:last] = at_start
                continue
            for step in range(first, last):
                offsets[step] = self._offset_at(utc[step])
        return np.asarray(utc + offsets)

    def _offset_at(self, moment: np.datetime64) -> np.timedelta64:
        seconds = int(moment.astype(np.int64))
        offset = self._utc_offset(datetime.fromtimestamp(seconds, tz=UTC))
        return np.timedelta64(int(offset.total_seconds()), "s")

    def _utc_offset(self, moment: datetime) -> timedelta:
        offset = moment.astimezone(ZoneInfo(self.timezone)).utcoffset()
        return offset if offset is not None else timedelta(0)
