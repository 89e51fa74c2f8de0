"""Rain that an optimiser left beside a tank with room: collected, since a tank overflows only when full."""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Problem

__all__ = ["collect"]


def collect(problem: Problem, flows: Floats, levels: Floats) -> None:
    """Fill tanks, step by step, with what costless sources on their bus still offer; no demand is served otherwise.

    Changes `flows` and `levels` in place, at no cost; levels only rise. What a tank takes and gives in one step goes
    past it. Where it is full earlier than planned, later rain overflows instead; what was planned to be bought still
    finds its room. Where the end level is given (`cyclic`, `fixed`), what is above it overflows in the last step.
    """
    layout = problem.layout
    free = [flow for flow in layout.free_sources if not np.any(problem.unit_costs()[flow] > 0)]
    for storage, overflows in enumerate(layout.overflows):
        if overflows:
            bus = layout.flows[layout.charges[storage]].bus
            sources = [flow for flow in free if layout.flows[flow].bus == bus]
            if sources:
                _fill(problem, storage, sources, flows, levels)
            _pass_by(problem, storage, flows)


def _pass_by(problem: Problem, storage: int, flows: Floats) -> None:
    """Let what a storage without losses would take and give at once go straight past it."""
    numbers, layout = problem.coefficients, problem.layout
    charge, discharge = layout.charges[storage], layout.discharges[storage]
    if numbers.charge_efficiency[storage] == numbers.discharge_efficiency[storage] == 1:
        both = np.minimum(flows[charge], flows[discharge])
        flows[charge] -= both
        flows[discharge] -= both


def _fill(problem: Problem, storage: int, sources: list[int], flows: Floats, levels: Floats) -> None:
    numbers, charge = problem.coefficients, problem.layout.charges[storage]
    keep, efficiency = float(numbers.keep[storage]), float(numbers.charge_efficiency[storage])
    drawn = flows[problem.layout.discharges[storage]] / numbers.discharge_efficiency[storage]
    spare = np.maximum(np.sum([problem.limits(flow) - flows[flow] for flow in sources], axis=0), 0.0)
    spare = np.minimum(spare, np.maximum(problem.limits(charge) - flows[charge], 0.0))
    replaceable = np.minimum(flows[charge], flows[sources].sum(axis=0))
    bought = flows[charge] - replaceable
    room = _room(problem, storage, efficiency * bought - drawn)
    planned_end, added = float(levels[storage, -1]), np.zeros(problem.steps)
    level = float(levels[storage, 0])
    for step in range(problem.steps):
        level = level * keep + efficiency * flows[charge, step] - drawn[step]
        change = (room[step] - level) / efficiency
        added[step] = min(max(change, -float(replaceable[step])), float(spare[step]))
        level = min(max(level + efficiency * added[step], 0.0), float(numbers.capacity[storage]))
        levels[storage, step + 1] = level
    if problem.end in (EndRule.CYCLIC, EndRule.FIXED):
        levels[storage, -1] = planned_end
    flows[charge] += added
    for flow in sources:
        part = np.clip(added, -flows[flow], np.maximum(problem.limits(flow) - flows[flow], 0.0))
        flows[flow] += part
        added = added - part


def _room(problem: Problem, storage: int, change: Floats) -> Floats:
    """Return how high each step may end so that what follows, `change` at least, stays within the capacity. (steps,)"""
    capacity, keep = float(problem.coefficients.capacity[storage]), float(problem.coefficients.keep[storage])
    room = np.full(problem.steps, capacity)
    for step in range(problem.steps - 1, 0, -1):
        before = (room[step] - change[step]) / keep if keep > 0 else capacity
        room[step - 1] = min(capacity, before)
    return room
