"""Rain that an optimiser left beside a tank with room: collected, since a tank overflows only when full."""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Problem

__all__ = ["collect"]


def collect(problem: Problem, flows: Floats, levels: Floats) -> None:
    """Fill tanks, step by step, with what free sources on their bus still offer; draws stay as planned.

    Changes `flows` and `levels` in place; levels only rise. Where the end level is given (`cyclic`, `fixed`), what is
    above it overflows in the last step.
    """
    layout = problem.layout
    for storage, overflows in enumerate(layout.overflows):
        if overflows:
            bus = layout.flows[layout.charges[storage]].bus
            sources = [flow for flow in layout.free_sources if layout.flows[flow].bus == bus]
            if sources:
                _fill(problem, storage, sources, flows, levels)


def _fill(problem: Problem, storage: int, sources: list[int], flows: Floats, levels: Floats) -> None:
    numbers, charge = problem.coefficients, problem.layout.charges[storage]
    capacity, keep = float(numbers.capacity[storage]), float(numbers.keep[storage])
    efficiency = float(numbers.charge_efficiency[storage])
    drawn = flows[problem.layout.discharges[storage]] / numbers.discharge_efficiency[storage]
    spare = np.maximum(np.sum([problem.limits(flow) - flows[flow] for flow in sources], axis=0), 0.0)
    spare = np.minimum(spare, np.maximum(problem.limits(charge) - flows[charge], 0.0))
    level, added = float(levels[storage, 0]), np.zeros(problem.steps)
    planned_end = float(levels[storage, -1])
    for step in range(problem.steps):
        level = level * keep + efficiency * flows[charge, step] - drawn[step]
        added[step] = min(float(spare[step]), max(0.0, (capacity - level) / efficiency))
        level = min(max(level + efficiency * added[step], 0.0), capacity)
        levels[storage, step + 1] = level
    if problem.end in (EndRule.CYCLIC, EndRule.FIXED):
        levels[storage, -1] = planned_end
    flows[charge] += added
    for flow in sources:
        part = np.minimum(added, np.maximum(problem.limits(flow) - flows[flow], 0.0))
        flows[flow] += part
        added = added - part
