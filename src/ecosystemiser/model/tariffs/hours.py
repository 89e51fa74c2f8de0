"""Hours of a tariff: from what a person writes to the steps in which it holds, and to one price a step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.clock import Clock
from ecosystemiser.model.fields import HoursOfYear, TimeOfUse

__all__ = ["steps_within", "time_of_use_prices"]

HOLIDAY = "holiday"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"([0-9]{1,2})(?::([0-5][0-9]))?"
Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]


def time_of_use_prices(tariff: TimeOfUse, clock: Clock) -> NDArray[np.float64]:
    """Return the price at each step's start on the local clock. (steps,)

    Raises InputError naming each period that cannot be read, and steps without a price.
    """
    prices = np.full(clock.steps, np.nan if tariff.default is None else tariff.default)
    findings: list[Finding] = []
    for position, period in enumerate(tariff.periods):
        try:
            prices[steps_within(period, clock)] = period.price
        except InputError as error:
            findings += [_within(finding, f"periods[{position}]") for finding in error.findings]
    if findings:
        raise InputError(findings)
    priceless = np.flatnonzero(np.isnan(prices))
    if len(priceless):
        when = np.datetime_as_string(clock.local[priceless[0]], unit="m").replace("T", " ")
        message = f"has no price in {len(priceless)} steps, the first on {when}"
        raise InputError([Finding(message, "add `default`, or periods for these hours", "default")])
    return prices


def steps_within(period: HoursOfYear, clock: Clock) -> Positions:
    """Return the steps that begin within hours, days and months. Raises InputError with keys relative to `period`."""
    return _hours_of(period.hours, period.days, period.months, clock)


def _within(finding: Finding, place: str) -> Finding:
    return Finding(finding.message, finding.remedy, f"{place}.{finding.key}", finding.value)


@lru_cache(maxsize=64)  # variations of a tariff change its prices, seldom its hours
def _hours_of(hours: str | None, days: str | None, months: str | None, clock: Clock) -> Positions:
    """Return the steps in which a period holds."""
    mask = np.ones(clock.steps, dtype=bool)
    if hours is not None:
        mask &= _hours_mask(hours, clock.local_hours)
    if days is not None:
        mask &= _days_mask(days, clock)
    if months is not None:
        mask &= np.isin(clock.local_months, _named_range(months, MONTHS, "months", "nov-feb or jun"))
    return np.flatnonzero(mask)


def _days_mask(text: str, clock: Clock) -> Mask:
    """Return where named weekdays are; a holiday is none of them, but `holiday`."""
    parts = [part.strip() for part in text.lower().split(",")]
    weekdays = ",".join(part for part in parts if part != HOLIDAY)
    named = (
        _named_range(weekdays, DAYS, "days", "mon-fri or sat,sun,holiday") if weekdays or HOLIDAY not in parts else []
    )
    within: Mask = np.isin(clock.local_weekdays, named) & ~clock.is_holiday
    return within | clock.is_holiday if HOLIDAY in parts else within


def _hours_mask(text: str, hours: NDArray[np.float64]) -> Mask:
    mask = np.zeros(len(hours), dtype=bool)
    for part in text.split(","):
        match = re.fullmatch(rf"\s*{_TIME}\s*-\s*{_TIME}\s*", part)
        if match is None:
            raise _unreadable("hours", text, 'write a range as "22-06" or "07:30-12", in quotes')
        first, last = ((60 * int(match[at]) + int(match[at + 1] or 0)) / 60 for at in (1, 3))
        if first > 24 or last > 24 or first == last:
            raise _unreadable("hours", text, "hours run from 0 to 24 and a range is not empty")
        inside = (hours >= first) & (hours < last) if first < last else (hours >= first) | (hours < last)
        mask |= inside
    return mask


def _named_range(text: str, names: Sequence[str], key: str, example: str) -> list[int]:
    chosen: list[int] = []
    for part in text.lower().split(","):
        ends = [_position(end.strip(), names) for end in part.split("-")]
        if len(ends) > 2 or None in ends:
            raise _unreadable(key, text, f"write it as {example}; names are {', '.join(names)}")
        first, last = int(ends[0] or 0), int(ends[-1] or 0)
        chosen += [step % len(names) for step in range(first, last + 1 + (len(names) if last < first else 0))]
    return chosen


def _position(name: str, names: Sequence[str]) -> int | None:
    return names.index(name) if name in names else None


def _unreadable(key: str, text: str, remedy: str) -> InputError:
    return InputError([Finding(f"is no range of {key}", remedy, key, text)])
