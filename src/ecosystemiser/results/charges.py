"""What meters bill: quantities gathered from the hours, and what they cost. The one home of this arithmetic.

`definitions`: demand and fixed charges. One run, or a batch with one more axis at the end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ecosystemiser.model.kinds import Floats, MeterKind
from ecosystemiser.model.problem import CostCategory, Problem

__all__ = ["Charge", "charges_of", "gathered"]

Amount = Any
"""A float for one run, (batch,) for a batch."""


class Charge(NamedTuple):
    """What one meter bills, group by group."""

    meter: int
    """Its position in `Layout.meters`."""
    quantity: Floats
    """What is billed: a peak with its floor and ratchet. (groups,)"""
    cost: Floats
    """(groups,)"""


def gathered(problem: Problem, flows: Floats) -> Floats:
    """Return what meters gather from the flows of one run, meter after meter. (groups of all meters,)

    A MINIMUM meter gathers what amounts bought and sold cost in each month, at the prices of the exchange.
    """
    layout = problem.layout
    found = np.zeros(sum(meter.groups for meter in layout.meters))
    for at, (meter, rows) in enumerate(zip(layout.meters, layout.meter_groups, strict=True)):
        bought, sold = flows[layout.imports[meter.exchange]], flows[layout.exports[meter.exchange]]
        if meter.kind is MeterKind.MINIMUM:
            amounts, groups = _traded(problem, meter.exchange, flows), problem.months
        else:
            amounts = bought - sold if meter.kind is MeterKind.NET else bought
            groups = problem.signals[problem.meter_signal[at]].astype(np.int64)
        inside = groups >= 0
        if meter.kind is MeterKind.PEAK:
            np.maximum.at(found[rows], groups[inside], amounts[inside])
        elif meter.kind is not MeterKind.STANDING:
            found[rows] = np.bincount(groups[inside], amounts[inside], minlength=meter.groups)
    return found


def charges_of(problem: Problem, quantities: Floats) -> list[Charge]:
    """Return what each meter bills, given what all of them gathered."""
    layout, numbers = problem.layout, problem.coefficients
    charges: list[Charge] = []
    for at, (meter, rows) in enumerate(zip(layout.meters, layout.meter_groups, strict=True)):
        quantity = quantities[rows]
        if meter.kind is MeterKind.PEAK:
            quantity = _billed_peaks(quantity, numbers.meter_floor[at], numbers.meter_ratchet[at], meter.ratchet_groups)
        shape = (meter.groups, meter.pieces, *quantity.shape[1:])
        prices = numbers.meter_price[layout.meter_prices[at]].reshape(shape)
        bounds = numbers.meter_bound[layout.meter_bounds[at]].reshape(meter.groups, meter.pieces - 1, *shape[2:])
        if meter.kind in (MeterKind.STANDING, MeterKind.MINIMUM):
            cost = prices[:, 0].copy()
        else:
            cost = _integral(quantity, prices, bounds, goes_below=meter.kind is MeterKind.NET)
        charges.append(Charge(at, quantity, cost))
    return [_lacking(problem, charge, charges) for charge in charges]


def _billed_peaks(peaks: Floats, floor: Amount, ratchet: Amount, groups: int) -> Floats:
    """Return the peaks that are billed: at least `floor`, and `ratchet` of the highest of the `groups` before."""
    billed = np.maximum(peaks, floor)
    for at in range(1, len(peaks) if groups else 0):
        before = peaks[max(0, at - groups) : at].max(axis=0)
        billed[at] = np.maximum(billed[at], ratchet * before)
    return billed


def _integral(quantity: Floats, prices: Floats, bounds: Floats, *, goes_below: bool) -> Floats:
    """Return the integral of a price from 0 to each quantity; it changes at `bounds`."""
    lowest = np.full_like(quantity, -np.inf if goes_below else 0.0)[:, None]
    edges = np.concatenate([lowest, bounds, np.full_like(lowest, np.inf)], axis=1)
    first, last = edges[:, :-1], edges[:, 1:]
    return np.asarray((prices * (np.clip(quantity[:, None], first, last) - np.clip(0.0, first, last))).sum(axis=1))


def _lacking(problem: Problem, charge: Charge, charges: list[Charge]) -> Charge:
    """Return a MINIMUM meter's charge as what its exchange's other lines lack to it; others as they are."""
    layout = problem.layout
    meter = layout.meters[charge.meter]
    if meter.kind is not MeterKind.MINIMUM:
        return charge
    lines = charge.quantity.copy()
    for other in charges:
        row = layout.meters[other.meter]
        if row.exchange == meter.exchange and row.kind is not MeterKind.MINIMUM:
            np.add.at(lines, list(row.months), other.cost)
    return Charge(charge.meter, lines, np.maximum(charge.cost - lines, 0.0))


def _traded(problem: Problem, exchange: int, flows: Floats) -> Floats:
    """Return what an exchange's purchases cost less what its sales earn, by step. (steps,)"""
    layout = problem.layout
    money = np.zeros(problem.steps)
    for term, (flow, category) in enumerate(zip(layout.costs.flow, layout.costs.category, strict=True)):
        if category is CostCategory.VARIABLE or flow not in (layout.imports[exchange], layout.exports[exchange]):
            continue
        sign = -1.0 if category is CostCategory.REVENUE else 1.0
        price = problem.coefficients.cost[term] * problem.signals[int(problem.cost_signal[term])]
        money += sign * price * flows[flow]
    return money
