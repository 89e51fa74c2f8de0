"""The formulas of an investment: present values, rates of return, paybacks, loans, replacements, salvage.

Money of year 0 is paid at the start, that of year t at the end of the year t. All rates are real, a year. The sources
of these formulas stand in docs/economics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

import numpy as np

__all__ = [
    "discounted_payback",
    "internal_rate_of_return",
    "levelised_cost",
    "loan_payment",
    "present_value",
    "replacement_years",
    "salvage_value",
    "simple_payback",
]

HIGHEST_RATE, LOWEST_RATE = 10.0, -0.99
"""Rates of return are looked for within these."""
ROUNDING = 1e-9


def present_value(rate: float, cash: Sequence[float]) -> float:
    """Return the present value of a cash flow: the sum of cash[t] / (1 + rate)^t, t = 0, 1, ...

    >>> round(present_value(0.1, [-100.0, 60.0, 60.0]), 6)
    4.132231
    """
    years = np.arange(len(cash))
    return float(np.sum(np.asarray(cash, dtype=np.float64) / (1.0 + rate) ** years))


def internal_rate_of_return(cash: Sequence[float]) -> float | None:
    """Return the rate at which the present value is 0; of several the nearest to 0; None where there is none.

    >>> round(internal_rate_of_return([-100.0, 60.0, 60.0]), 6)
    0.130662
    """
    if not (max(cash, default=0.0) > 0 > min(cash, default=0.0)):
        return None
    rates = np.concatenate([np.linspace(LOWEST_RATE, 1.0, 1000), np.linspace(1.0, HIGHEST_RATE, 1000)[1:]])
    discounted = np.asarray(cash) / (1.0 + rates[:, None]) ** np.arange(len(cash))
    values = discounted.sum(axis=1).tolist()
    roots = [float(rate) for rate, value in zip(rates, values, strict=True) if value == 0]
    crossings = [at for at in range(len(rates) - 1) if values[at] * values[at + 1] < 0]
    roots += [_root(cash, float(rates[at]), float(rates[at + 1])) for at in crossings]
    return min(roots, key=abs, default=None)


def _root(cash: Sequence[float], low: float, high: float) -> float:
    """Return where the present value crosses 0 between two rates, by halving."""
    is_falling = present_value(low, cash) > 0
    for _ in range(200):
        middle = (low + high) / 2
        if (present_value(middle, cash) > 0) == is_falling:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def simple_payback(cash: Sequence[float]) -> float | None:
    """Return the years after which the sum of a cash flow is no longer below 0, straight within a year; None: never.

    >>> simple_payback([-100.0, 40.0, 40.0, 40.0])
    2.5
    """
    return discounted_payback(0.0, cash)


def discounted_payback(rate: float, cash: Sequence[float]) -> float | None:
    """Return the years after which the sum of a discounted cash flow stays at or above 0; None: never.

    >>> discounted_payback(0.0, [-100.0, 50.0, 50.0])
    2.0
    """
    discounted = np.asarray(cash, dtype=np.float64) / (1.0 + rate) ** np.arange(len(cash))
    sums = np.cumsum(discounted)
    tolerance = ROUNDING * max(1.0, float(np.abs(discounted).max(initial=0.0)))
    below = np.flatnonzero(sums < -tolerance)
    if not len(below):
        return 0.0
    last = int(below[-1])  # a later replacement may bring it below once more
    if last + 1 == len(sums):
        return None
    return float(last + min(1.0, -sums[last] / discounted[last + 1]))


def loan_payment(principal: float, rate: float, years: int) -> float:
    """Return the yearly payment that repays a loan in equal parts: principal x rate / (1 - (1 + rate)^-years).

    >>> loan_payment(1000.0, 0.0, 4)
    250.0
    """
    return principal / years if rate == 0 else principal * rate / (1 - (1 + rate) ** -years)


def replacement_years(lifetime: float, project_years: int) -> list[int]:
    """Return the years at whose end something is bought anew: when its life is over, and the project is not.

    >>> replacement_years(7.5, 20)
    [8, 15]
    """
    count = ceil(project_years / lifetime - ROUNDING) - 1
    return [min(project_years, ceil(at * lifetime - ROUNDING)) for at in range(1, count + 1)]


def salvage_value(capital: float, lifetime: float, project_years: int) -> float:
    """Return what is left at the end of the project of what was bought last: its price by the life that it has left.

    >>> salvage_value(300.0, 15.0, 20)
    200.0
    """
    used = project_years - lifetime * floor(project_years / lifetime + ROUNDING)
    return 0.0 if used <= ROUNDING * lifetime else capital * (1.0 - used / lifetime)


def levelised_cost(rate: float, costs: Sequence[float], amounts: Sequence[float]) -> float | None:
    """Return the present value of costs over that of amounts, year by year; None where there is no amount.

    >>> levelised_cost(0.0, [100.0, 10.0], [0.0, 55.0])
    2.0
    """
    amount = present_value(rate, amounts)
    return present_value(rate, costs) / amount if amount else None
