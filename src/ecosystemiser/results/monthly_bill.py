"""The bills of suppliers, month by month and line by line, as utilities write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

import numpy as np

from ecosystemiser.model.kinds import Floats, MeterKind
from ecosystemiser.model.problem import CostCategory, Ints
from ecosystemiser.model.tariffs import Tariff
from ecosystemiser.results.solution import SolvedSystem
from ecosystemiser.units import amount_unit, rate_unit

__all__ = ["MonthLine", "MonthlyItem", "amounts_by_month", "monthly_bill"]


class MonthlyItem(StrEnum):
    """What a line of a month's bill is for, in the order in which lines are shown."""

    BOUGHT = "bought"
    """All amounts at the price of their hour, with fees and the first tier."""
    TIERS = "tiers"
    """What higher tiers cost more."""
    DEMAND = "demand charge"
    STANDING = "fixed charge"
    SOLD = "sold"
    """Below zero."""
    SURPLUS = "surplus"
    """What surplus earns less than was credited; under yearly settlement on the last bill. With tiers what they add."""
    MINIMUM = "to the minimum"


@dataclass(frozen=True)
class MonthLine:
    """A line of the bill of one month, in the system's currency. Lines of an exchange sum to its part of total_cost
    without wear, CO2 and capital."""

    component: str
    month: str
    """Of the local clock, as 2018-02."""
    item: MonthlyItem
    quantity: float | None
    """What was bought, sold or billed as a peak; None where nothing is measured."""
    unit: str
    """kWh or m3, of a peak kW or m3/h; empty without a quantity."""
    amount: float
    """Tax included; below zero for what is earned."""
    tax: float
    """The part of it that is tax."""


_ITEMS = {
    MeterKind.PEAK: MonthlyItem.DEMAND,
    MeterKind.SUM: MonthlyItem.TIERS,
    MeterKind.NET: MonthlyItem.SURPLUS,
    MeterKind.STANDING: MonthlyItem.STANDING,
    MeterKind.MINIMUM: MonthlyItem.MINIMUM,
}


def monthly_bill(solved: SolvedSystem) -> tuple[MonthLine, ...]:
    """Return the lines that are not 0, exchange by exchange and month by month."""
    problem = solved.problem
    first = solved.system.clock.local[0].astype("datetime64[M]")
    names = [str(first + month) for month in range(int(problem.months[-1]) + 1)]
    lines: list[MonthLine] = []
    for exchange in range(len(problem.layout.imports)):
        own = [*_amounts(solved, exchange), *_charges(solved, exchange)]
        component = problem.layout.flows[problem.layout.imports[exchange]].component
        for (month, item, _), parts in groupby(sorted(own, key=_Part.place), key=_Part.place):
            some = list(parts)
            unit, quantity = some[0].unit, sum(part.quantity for part in some)
            amount, tax = sum(part.amount for part in some), sum(part.tax for part in some)
            if amount or quantity:
                measured = quantity if unit else None
                lines.append(MonthLine(component, names[month], ITEMS[item], measured, unit, amount, tax))
    return tuple(lines)


def amounts_by_month(lines: Sequence[MonthLine]) -> dict[MonthlyItem, dict[str, float]]:
    """Return what each kind of line that is not 0 comes to in each month, in the order in which they are shown."""
    months = dict.fromkeys(line.month for line in lines)
    found = {}
    for item in MonthlyItem:
        own = [line for line in lines if line.item is item]
        if any(line.amount for line in own):
            found[item] = {month: sum(line.amount for line in own if line.month == month) for month in months}
    return found


ITEMS = tuple(MonthlyItem)


class _Part(NamedTuple):
    """A part of a line."""

    month: int
    item: MonthlyItem
    quantity: float
    unit: str
    """Empty: nothing is measured."""
    amount: float
    tax: float
    """The part of the amount that is tax."""
    meter: int = 0
    """Tells demand charges apart, each of which is a line."""

    def place(self) -> tuple[int, int, int]:
        """Return what tells lines apart, in their order."""
        return self.month, ITEMS.index(self.item), self.meter


def _amounts(solved: SolvedSystem, exchange: int) -> Iterator[_Part]:
    """Yield what was bought and sold in each month."""
    problem = solved.problem
    layout, numbers = problem.layout, problem.coefficients
    tariff = _tariff(solved, exchange)
    taxed = _tax_in(tariff)
    for term, (flow, category) in enumerate(zip(layout.costs.flow, layout.costs.category, strict=True)):
        if category is CostCategory.VARIABLE or flow not in (layout.imports[exchange], layout.exports[exchange]):
            continue
        values = solved.solution.flows[flow]
        price = numbers.cost[term] * problem.signals[int(problem.cost_signal[term])]
        is_sold = category is CostCategory.REVENUE
        item, sign = (MonthlyItem.SOLD, -1.0) if is_sold else (MonthlyItem.BOUGHT, 1.0)
        unit = amount_unit(layout.carrier(flow)).replace("kwh", "kWh")
        is_credit = tariff is not None and tariff.netting is not None  # sold at the price bought at, tax and all
        part = 0.0 if is_sold and not is_credit else taxed
        sums = zip(_by_month(values, problem.months), _by_month(values * price, problem.months), strict=True)
        for month, (quantity, money) in enumerate(sums):
            yield _Part(month, item, quantity, unit, sign * money, sign * money * part)


def _charges(solved: SolvedSystem, exchange: int) -> Iterator[_Part]:
    """Yield what meters bill. Peaks of several demand charges are lines of their own."""
    layout, step_h = solved.problem.layout, solved.problem.step_h
    flow, tariff = layout.imports[exchange], _tariff(solved, exchange)
    surplus = 0.0 if tariff is None or tariff.netting is None else tariff.netting.surplus_price_per_kwh
    unit = rate_unit(layout.carrier(flow)).replace("kw", "kW").replace("_per_", "/")
    for charge in solved.totals.charges:
        meter = layout.meters[charge.meter]
        if meter.exchange != exchange:
            continue
        is_peak = meter.kind is MeterKind.PEAK
        for month, quantity, cost in zip(meter.months, charge.quantity, charge.cost, strict=True):
            shown = (float(quantity) / step_h, unit) if is_peak and cost else (0.0, "")
            earned = surplus * max(0.0, -float(quantity)) if meter.kind is MeterKind.NET else 0.0  # without tax
            tax = (float(cost) + earned) * _tax_in(tariff)
            yield _Part(month, _ITEMS[meter.kind], *shown, float(cost), tax, charge.meter if is_peak else 0)


def _by_month(values: Floats, months: Ints) -> list[float]:
    return [float(each) for each in np.bincount(months, values)]


def _tariff(solved: SolvedSystem, exchange: int) -> Tariff | None:
    layout = solved.problem.layout
    component = solved.system.components[layout.flows[layout.imports[exchange]].component]
    return getattr(component, "tariff", None)


def _tax_in(tariff: Tariff | None) -> float:
    """Return the part of a price that is tax."""
    return 0.0 if tariff is None else tariff.tax_share / (1.0 + tariff.tax_share)
