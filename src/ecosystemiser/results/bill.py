"""The bill of a run: total_cost by component and kind of cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ecosystemiser.model.kinds import MeterKind
from ecosystemiser.model.problem import CostCategory
from ecosystemiser.results.solution import SolvedSystem

__all__ = ["BillLine", "CostKind", "bill_of"]


class CostKind(StrEnum):
    """What a line of the bill is for, in the order in which lines are shown."""

    CAPITAL = "capital"
    FIXED = "fixed operation"
    VARIABLE = "variable operation"
    STARTS = "starts"
    PURCHASE = "purchases"
    DEMAND = "demand charges"
    STANDING = "standing charges"
    """By the month, and to reach a minimum bill."""
    CO2 = "CO2 price"
    UNMET = "unmet demand"
    END = "refilling of storages"
    REVENUE = "sales"
    """What is earned: below zero."""


@dataclass(frozen=True)
class BillLine:
    """What one component costs over the run, of one kind. In the system's currency."""

    component: str
    kind: CostKind
    amount: float


def bill_of(solved: SolvedSystem) -> tuple[BillLine, ...]:
    """Return the lines of the bill that are not 0, by component in the order of the file; their sum is total_cost."""
    sums: dict[tuple[str, CostKind], float] = {}
    for component, kind, amount in _entries(solved):
        sums[component, kind] = sums.get((component, kind), 0.0) + float(amount)
    order, kinds = list(solved.problem.layout.components), list(CostKind)
    ordered = sorted(sums, key=lambda key: (order.index(key[0]), kinds.index(key[1])))
    return tuple(BillLine(*key, sums[key]) for key in ordered if sums[key])


_METERED = {
    MeterKind.PEAK: CostKind.DEMAND,
    MeterKind.SUM: CostKind.PURCHASE,
    MeterKind.NET: CostKind.REVENUE,
    MeterKind.STANDING: CostKind.STANDING,
    MeterKind.MINIMUM: CostKind.STANDING,
}
_KINDS = {
    CostCategory.PURCHASE: CostKind.PURCHASE,
    CostCategory.VARIABLE: CostKind.VARIABLE,
    CostCategory.REVENUE: CostKind.REVENUE,
}


def _entries(solved: SolvedSystem) -> Iterator[tuple[str, CostKind, float]]:
    problem, totals = solved.problem, solved.totals
    layout, numbers = problem.layout, problem.coefficients
    for at, component in enumerate(layout.components):
        yield component, CostKind.CAPITAL, problem.year_share * numbers.capital_per_year[at]
        yield component, CostKind.FIXED, problem.year_share * numbers.fixed_per_year[at]
    for term, (flow, category) in enumerate(zip(layout.costs.flow, layout.costs.category, strict=True)):
        sign = -1.0 if category is CostCategory.REVENUE else 1.0
        yield layout.flows[flow].component, _KINDS[category], sign * totals.cost_term(term)
    for charge in totals.charges:
        meter = layout.meters[charge.meter]
        component = layout.flows[layout.imports[meter.exchange]].component
        yield component, _METERED[meter.kind], charge.cost.sum()
    for one, cost in zip(layout.committed, totals.start_costs, strict=True):
        yield layout.flows[layout.inputs[one.converter]].component, CostKind.STARTS, cost
    for term, flow in enumerate(layout.co2.flow):
        yield layout.flows[flow].component, CostKind.CO2, float(numbers.co2_price) * totals.co2_term(term)
    for sink, flow in enumerate(layout.sinks):
        yield layout.flows[flow].component, CostKind.UNMET, numbers.unmet_cost[sink] * solved.tally.unmet[sink]
    for storage, component in enumerate(layout.storage_names):
        yield component, CostKind.END, totals.end_shortfall_costs[storage]
