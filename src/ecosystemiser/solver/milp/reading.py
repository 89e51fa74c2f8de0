"""From the columns of a program back to a plan: flows, levels, and what is on."""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Ints, Problem
from ecosystemiser.results.switching import given_at
from ecosystemiser.solver.milp.formulation import Formulation
from ecosystemiser.solver.milp.metering import falling_meters

__all__ = ["cancel_circles", "flows_of", "levels_of", "units_on"]


def flows_of(problem: Problem, form: Formulation, columns: Floats, on: Ints) -> Floats:
    """Return all flows: free ones from their columns (kept within their bounds), the others as they follow."""
    layout, steps = problem.layout, problem.steps
    flows = np.zeros((len(layout.flows), steps))
    for flow, first in form.first_column.items():
        flows[flow] = np.clip(columns[first : first + steps], 0.0, problem.limits(flow))
    for flow, must in zip(layout.sinks, layout.must_meet, strict=True):
        if must:
            flows[flow] = problem.limits(flow)
    switched = form.switching.inputs(problem, columns)
    for at, drawn in switched.items():
        flow = layout.inputs[layout.committed[at].converter]
        flows[flow] = np.clip(drawn, 0.0, problem.limits(flow))
    given = {layout.committed[at].converter: given_at(problem, at, drawn, on[at]) for at, drawn in switched.items()}
    for output, (flow, converter) in enumerate(zip(layout.outputs, layout.output_converter, strict=True)):
        flows[flow] = given.get(converter, flows[layout.inputs[converter]]) * problem.ratios(output)
    return flows


def units_on(problem: Problem, form: Formulation, columns: Floats) -> Ints:
    """Return how many units of each committed converter are on. (committed, steps)"""
    on = np.zeros((len(problem.layout.committed), problem.steps), dtype=np.int64)
    for at, its_columns in form.switching.on.items():
        on[at] = np.round(columns[its_columns])
    return on


def levels_of(problem: Problem, form: Formulation, columns: Floats) -> Floats:
    """Return the levels, that at the start with them. (storages, steps + 1)"""
    numbers, steps = problem.coefficients, problem.steps
    levels = np.zeros((len(form.first_level), steps + 1))
    for storage, first in enumerate(form.first_level):
        levels[storage, 1:] = np.clip(columns[first : first + steps], 0.0, numbers.capacity[storage])
        is_cyclic = problem.end is EndRule.CYCLIC
        levels[storage, 0] = levels[storage, -1] if is_cyclic else numbers.initial_level[storage]
    return levels


def cancel_circles(problem: Problem, flows: Floats) -> None:
    """Take back what an exchange buys only to sell it in the same step, where that earns nothing.

    Where a price falls with the amount, buying more for sale may earn something; then it stays.
    """
    layout, costs = problem.layout, problem.unit_costs()
    falling = {row.exchange for row, falls in zip(layout.meters, falling_meters(problem), strict=True) if falls}
    for exchange, (bought, sold) in enumerate(zip(layout.imports, layout.exports, strict=True)):
        if exchange in falling:
            continue
        both = np.where(costs[bought] + costs[sold] >= 0, np.minimum(flows[bought], flows[sold]), 0.0)
        flows[bought] -= both
        flows[sold] -= both
