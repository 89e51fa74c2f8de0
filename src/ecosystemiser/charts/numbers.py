"""Numbers for people in charts and pages: those of `wording`, and the scales and titles of axes."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecosystemiser.wording import (
    NOTHING,
    amount,
    duration,
    larger_unit,
    money,
    number_of,
    plain_unit,
    share,
    significant,
    size,
    told_apart,
)

__all__ = [
    "NOTHING",
    "Scale",
    "amount",
    "axis_title",
    "difference",
    "duration",
    "larger_unit",
    "money",
    "number_of",
    "plain",
    "plain_unit",
    "relative",
    "scale_of",
    "share",
    "significant",
    "size",
    "told_apart",
    "unit_name",
]

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Scale:
    """What values are divided by to be shown, and the unit in which they then are."""

    divisor: float
    unit: str
    """As it is shown; empty for a number without unit."""

    def of(self, values: ArrayLike | Sequence[float | None] | None) -> NDArray[np.float64]:
        """Return values in the unit of the scale; NaN for None."""
        known: Any = values
        return np.asarray(np.asarray(known, dtype=np.float64) / self.divisor)


def scale_of(unit: str, *values: Iterable[float | None], currency: str | None = None) -> Scale:
    """Return the scale on which all of `values` are shown together.

    `unit` is that of a KPI (`kWh`, `share`, `currency`, `1`) or of a field. Energies are shown in the unit that leaves
    the largest one to four digits, shares in per cent.
    """
    if unit == "share":
        return Scale(0.01, "%")
    if unit == "currency":
        return Scale(1.0, currency or "money")
    known = np.array([value for value in chain(*values) if value is not None], dtype=np.float64)
    known = np.abs(known[np.isfinite(known)])
    divisor, named = larger_unit(float(known.max()) if known.size else 0.0, unit)
    return Scale(divisor, plain_unit(named))


def unit_name(unit: str, currency: str | None = None) -> str:
    """Return a unit for the head of a column: per cent for shares, the currency for money, nothing for counts."""
    return scale_of(unit, currency=currency).unit


def axis_title(text: str, unit: str) -> str:
    """Return the title of an axis with its unit in brackets; a number without unit is said to be one."""
    return f"{plain(text)} [{plain(unit) or '1'}]"


def plain(text: object) -> str:
    """Return text that no chart takes for markup, on one line: names and notes of people are shown as they are."""
    one_line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    return html.escape(one_line, quote=False)


def difference(value: float | None, unit: str, currency: str | None = None) -> str:
    """Return a difference with its sign and unit; of shares in percentage points.

    >>> difference(1234.5, "kWh"), difference(0.031, "share")
    ('+1,230 kWh', '+3.10 pp')
    """
    if value is None:
        return NOTHING
    if unit == "share":
        return f"{_sign(value)}{significant(abs(100 * value))} pp"
    if value == 0:
        return amount(0.0, unit, currency)
    return f"{_sign(value)}{amount(abs(value), unit, currency)}"


def relative(value: float | None) -> str:
    """Return a relative difference in per cent with its sign."""
    if value is None:
        return NOTHING
    told = share(abs(value))
    return told if told.startswith("<") else f"{_sign(value)}{told}"


def _sign(value: float) -> str:
    return "" if value == 0 else "+" if value > 0 else MINUS
