"""Numbers and names as people read them: three significant digits, thousands separated, units behind."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

__all__ = [
    "NOTHING",
    "SIGNS",
    "amount",
    "duration",
    "local_time",
    "money",
    "printable",
    "share",
    "sign",
    "significant",
    "told_apart",
    "wrapped",
]

NOTHING = "–"  # noqa: RUF001 - a dash is what people expect
"""Stands for a value that there is none of."""

SIGNS = {"running": "●", "completed": "✓", "failed": "✕", "interrupted": "◌", "cancelled": NOTHING}

_LARGER = {"kWh": ("MWh", "GWh"), "kW": ("MW", "GW")}
"""Units of a thousand and a million of these."""

_PLAIN_UNITS = {"m3": "m³", "m3/h": "m³/h", "1": ""}


def printable(text: object) -> str:
    """Return `text` on one line, with everything that could steer a terminal made visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(text))


def sign(status: object) -> str:
    """Return the sign of a run's status."""
    return SIGNS.get(str(status), "?")


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


def amount(value: float | None, unit: str, currency: str | None = None) -> str:
    """Return `value` with its unit; energies in the unit that leaves one to four digits, shares in per cent."""
    if value is None:
        return NOTHING
    if unit == "share":
        return share(value)
    if unit == "currency":
        return money(value, currency)
    for larger in _LARGER.get(unit, ()):
        if abs(value) < 9_999.5:
            break
        value, unit = value / 1000, larger
    return f"{significant(value)} {_PLAIN_UNITS.get(unit, unit)}".strip()


def money(value: float | None, currency: str | None) -> str:
    """Return an amount of money with its currency, where that is known."""
    return NOTHING if value is None else f"{significant(value)} {printable(currency or '')}".strip()


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


def local_time(utc_text: object, *, is_short: bool = False) -> str:
    """Return a time of the database on this machine's clock; short: without year and zone."""
    try:
        moment = datetime.fromisoformat(str(utc_text))
    except ValueError:
        return printable(utc_text) if utc_text else NOTHING
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone()
    return f"{moment:%m-%d %H:%M}" if is_short else f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def wrapped(text: str, width: int, indent: str = "") -> str:
    """Return `text` in lines of at most `width`, each indented."""
    return textwrap.fill(printable(text), width, initial_indent=indent, subsequent_indent=indent)
