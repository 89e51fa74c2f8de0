"""What the meters of an exchange bill, told once more for the audit: group by group, piece by piece, from the kinds."""

from __future__ import annotations

from math import inf

import numpy as np

from ecosystemiser.model.kinds import Exchange, Floats, Meter, MeterKind
from ecosystemiser.model.problem import Ints

__all__ = ["metered_cost"]


def metered_cost(kind: Exchange, bought: Floats, sold: Floats, traded: Floats, months: Ints) -> float:
    """Return what the meters of `kind` bill beyond `traded`, the cost of amounts by step less what sales earn."""
    bills = {month: float(traded[months == month].sum()) for month in range(int(months[-1]) + 1)}
    total = 0.0
    for meter in kind.meters:
        if meter.kind is not MeterKind.MINIMUM:
            for group, month in enumerate(meter.months):
                cost = _cost(meter, group, bought, sold)
                bills[month] += cost
                total += cost
    for meter in kind.meters:
        if meter.kind is MeterKind.MINIMUM:
            total += sum(max(0.0, meter.prices[at][0] - bills[month]) for at, month in enumerate(meter.months))
    return total


def _cost(meter: Meter, group: int, bought: Floats, sold: Floats) -> float:
    if meter.kind is MeterKind.STANDING or meter.groups is None:
        return meter.prices[group][0]
    if meter.kind is MeterKind.PEAK:
        peaks = [_peak(meter, at, bought) for at in range(max(0, group - meter.ratchet_groups), group + 1)]
        quantity = max(peaks[-1], meter.floor, *[meter.ratchet * peak for peak in peaks[:-1]])
    else:
        inside = meter.groups == group
        quantity = float(bought[inside].sum()) - (float(sold[inside].sum()) if meter.kind is MeterKind.NET else 0.0)
    edges = [-inf if meter.kind is MeterKind.NET else 0.0, *meter.bounds[group], inf]
    cost = 0.0
    for price, first, last in zip(meter.prices[group], edges, edges[1:], strict=False):
        cost += price * (float(np.clip(quantity, first, last)) - float(np.clip(0.0, first, last)))
    return cost


def _peak(meter: Meter, group: int, bought: Floats) -> float:
    return float(bought[meter.groups == group].max(initial=0.0))
