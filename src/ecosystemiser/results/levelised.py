"""What a unit of each carrier costs, all costs told to the carriers that they serve.

A component's costs (its part of total_cost, less what it earns) belong to the carrier that it gives: those of grids, PV
and batteries to electricity, those of a heat pump to heat, those of a demand to what it takes. What a converter draws
it buys at the levelised cost of that carrier, so the costs of all carriers follow from one small linear system.

    delivered:  u(c) x D(c) = own(c) + sum over carriers d of X(d, c) x u(d)
    produced:   (own(local sources and converters of c) + sum over d of X(d, c) x u(d)) / made(c)

D(c) is what demands receive and converters to other carriers draw, X(d, c) what converters to c draw of d.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosystemiser.model.problem import Layout
from ecosystemiser.results.bill import bill_of
from ecosystemiser.results.solution import SolvedSystem
from ecosystemiser.units import Carrier, amount_unit

__all__ = ["LevelisedCost", "levelised_costs"]


@dataclass(frozen=True)
class LevelisedCost:
    """What a unit of one carrier costs over the run."""

    carrier: Carrier
    unit: str
    """kWh or m3."""
    per_delivered: float | None
    """Of each unit that is used; None where nothing is."""
    per_produced: float | None
    """Of each unit that local sources and converters make; None where they make nothing."""


def levelised_costs(solved: SolvedSystem) -> tuple[LevelisedCost, ...]:
    """Return the costs of the carriers that anybody uses or makes."""
    layout = solved.problem.layout
    sums = [float(value) for value in solved.tally.flow]
    carriers = list(Carrier)
    used, drawn, made = np.zeros(len(carriers)), np.zeros((len(carriers), len(carriers))), np.zeros(len(carriers))
    for flow in layout.sinks:
        used[carriers.index(layout.carrier(flow))] += sums[flow]
    for flow in layout.local_sources:
        made[carriers.index(layout.carrier(flow))] += sums[flow]
    for converter, flow in enumerate(layout.inputs):
        outputs = layout.outputs_of(converter)
        source, target = (carriers.index(layout.carrier(at)) for at in (flow, outputs[0]))
        if source != target:
            drawn[source, target] += sums[flow]
            used[source] += sums[flow]
            made[target] += sum(sums[at] for at in outputs if carriers.index(layout.carrier(at)) == target)
    own, local = _own_costs(solved, carriers)
    unit_costs = _solved_costs(used, drawn, own)
    found = []
    for at, carrier in enumerate(carriers):
        if used[at] <= 0 and made[at] <= 0:
            continue
        fuel = sum(drawn[other, at] * unit_costs[other] for other in range(len(carriers)) if drawn[other, at])
        delivered = float(unit_costs[at]) if used[at] > 0 else None
        produced = float((local[at] + fuel) / made[at]) if made[at] > 0 else None
        unit = amount_unit(carrier).replace("kwh", "kWh")
        found.append(LevelisedCost(carrier, unit, delivered, produced))
    return tuple(found)


def _own_costs(solved: SolvedSystem, carriers: list[Carrier]) -> tuple[np.ndarray, np.ndarray]:
    """Return the costs of each carrier's components, and of its local sources and converters alone. (carriers,)"""
    layout = solved.problem.layout
    own, local = np.zeros(len(carriers)), np.zeros(len(carriers))
    for line in bill_of(solved):
        flow = _giving_flow(layout, line.component)
        if flow is None:
            continue
        at = carriers.index(layout.carrier(flow))
        own[at] += line.amount
        if flow in layout.local_sources or (flow in layout.outputs and not _is_within(layout, flow)):
            local[at] += line.amount
    return own, local


def _giving_flow(layout: Layout, component: str) -> int | None:
    """Return the flow by which a component gives; of a demand the one by which it takes."""
    own = [at for at, flow in enumerate(layout.flows) if flow.component == component]
    giving = [at for at in own if layout.flows[at].sign > 0]
    return next(iter([*giving, *own]), None)


def _is_within(layout: Layout, output: int) -> bool:
    """Whether a converter's output carries what its input carries."""
    converter = layout.output_converter[layout.outputs.index(output)]
    return layout.carrier(layout.inputs[converter]) is layout.carrier(output)


def _solved_costs(used: np.ndarray, drawn: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the cost of a unit of each carrier; 0 of what nobody uses. (carriers,)"""
    is_used = used > 0
    matrix = np.diag(np.where(is_used, used, 1.0)) - np.where(is_used[:, None], drawn.T, 0.0)
    return np.asarray(np.linalg.solve(matrix, np.where(is_used, own, 0.0)))
