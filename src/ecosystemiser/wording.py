"""Numbers, units and statuses as people read them, alike on the terminal, in pages and in charts.

Three significant digits, thousands separated, units behind; what there is none of is a dash.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise, takewhile

__all__ = [
    "NOTHING",
    "OWNER_GONE",
    "SIGNS",
    "amount",
    "cents",
    "duration",
    "larger_unit",
    "moment",
    "money",
    "number_of",
    "plain_unit",
    "share",
    "short_ids",
    "significant",
    "size",
    "told_apart",
]

NOTHING = "–"  # noqa: RUF001 - a dash is what people expect
"""Stands for a value that there is none of."""

OWNER_GONE = "running (owner gone)"
"""Stands as running in the log, but whoever worked on it has died. The next write closes it as interrupted."""

SIGNS = {
    "running": "●",
    OWNER_GONE: "○",
    "completed": "✓",
    "failed": "✕",
    "interrupted": "◌",
    "cancelled": NOTHING,
}
"""The sign of each status of a run or a study."""

_LARGER = {"kWh": ("MWh", "GWh"), "kW": ("MW", "GW")}
"""Units of a thousand and a million of these."""

_PLAIN_UNITS = {"m3": "m³", "m3/h": "m³/h", "1": ""}

LEAST_ID = 13
"""Characters of a run id that tell the millisecond at which it was made."""

FOUR_DIGITS = 9_999.5


def significant(value: float, digits: int = 3) -> str:
    """Return `value` to so many significant digits, thousands separated.

    >>> significant(21254.9), significant(0.01234), significant(80)
    ('21,300', '0.0123', '80.0')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}".removeprefix("-") if value == 0 else str(value)
    rounded = float(f"{value:.{digits - 1}e}")
    places = digits - 1 - math.floor(math.log10(abs(rounded)))
    if places > 8:
        return f"{value:.{digits - 1}e}"
    return f"{rounded:,.{max(0, places)}f}"


def told_apart(values: Sequence[float | None]) -> list[str]:
    """Return numbers with as many digits, three to six, as it takes to see which differ."""
    numbers = {value for value in values if value is not None}
    digits = next((few for few in (3, 4, 5) if len({significant(each, few) for each in numbers}) == len(numbers)), 6)
    return [NOTHING if value is None else significant(value, digits) for value in values]


def larger_unit(largest: float, unit: str) -> tuple[float, str]:
    """Return how many of `unit` make one of the unit in which `largest` has one to four digits, and that unit.

    >>> larger_unit(45_000, "kWh"), larger_unit(45_000, "EUR")
    ((1000.0, 'MWh'), (1.0, 'EUR'))
    """
    factor, named = 1.0, unit
    for larger in _LARGER.get(unit, ()):
        if abs(largest) / factor < FOUR_DIGITS:
            break
        factor, named = factor * 1000, larger
    return factor, named


def plain_unit(unit: str) -> str:
    """Return a unit as it is shown: m³ for m3, nothing for 1."""
    return _PLAIN_UNITS.get(unit, unit)


def amount(value: float | None, unit: str, currency: str | None = None) -> str:
    """Return `value` with its unit; energies in the unit that leaves one to four digits, shares in per cent."""
    if value is None:
        return NOTHING
    if unit == "share":
        return share(value)
    if unit == "currency":
        return money(value, currency)
    if unit in _LARGER:
        factor, unit = larger_unit(value, unit)
        value /= factor
    return f"{significant(value)} {plain_unit(unit)}".strip()


def money(value: float | None, currency: str | None) -> str:
    """Return an amount of money with its currency, where that is known."""
    return NOTHING if value is None else f"{significant(value)} {currency or ''}".strip()


def cents(value: float) -> str:
    """Return an amount of money to the cent, as a bill has it.

    >>> cents(1234.5)
    '1,234.50'
    """
    return f"{value:,.2f}"


def size(count: int) -> str:
    """Return a number of bytes in the unit that leaves one to three digits before the point."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{count:,} B" if units[0] == "B" else f"{significant(value)} {units[0]}"


def number_of(count: int, word: str) -> str:
    """Return how many there are of a thing.

    >>> number_of(1, "run"), number_of(2500, "run")
    ('1 run', '2,500 runs')
    """
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def share(value: float | None) -> str:
    """Return a share or a gap in per cent."""
    if value is None:
        return NOTHING
    percent = 0.0 if abs(value) < 1e-9 else 100 * value
    if 0 < abs(percent) < 0.005:
        return "<0.01 %"
    return f"{significant(percent)} %" if abs(percent) >= 1 or percent == 0 else f"{percent:.2f} %"


def duration(seconds: float | None) -> str:
    """Return a time span."""
    if seconds is None:
        return NOTHING
    if seconds < 120:
        return f"{significant(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def short_ids(run_ids: Sequence[str]) -> list[str]:
    """Return the beginning of each id that no other of them shares, of 13 characters or more."""
    ordered = sorted(set(run_ids))
    needed = dict.fromkeys(ordered, LEAST_ID)
    for one, other in pairwise(ordered):
        shared = _shared_start(one, other) + 1
        needed[one], needed[other] = max(needed[one], shared), max(needed[other], shared)
    return [run_id[: needed[run_id]].rstrip("-") for run_id in run_ids]


def _shared_start(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def moment(utc_text: object, *, is_short: bool = True) -> str:
    """Return a time of the log, UTC; short: without seconds."""
    try:
        found = datetime.fromisoformat(str(utc_text))
    except ValueError:
        return str(utc_text) if utc_text else NOTHING
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return f"{found:%Y-%m-%d %H:%M}" if is_short else f"{found:%Y-%m-%d %H:%M:%S} UTC"
