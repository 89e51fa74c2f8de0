"""What it costs the rest of a system to bring an amount to a bus in each step: a convex curve, the merit order.

Each flow on the bus is a segment: so much, at a price that follows from the duals of all other rows. Sources,
purchases and discharging bring more for their price; selling, charging and demands that need not be met bring more by
taking less, for the price that they would have paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.milp.formulation import Formulation, Program

__all__ = ["SupplyCurve", "reduced_costs", "supply_curve"]


@dataclass(frozen=True, eq=False)
class SupplyCurve:
    """In each step `base` is there at a cost of `base_cost`; each further segment costs more than the one before."""

    base: Floats
    """What others leave on the bus when all that can take takes all. (steps,)"""
    base_cost: Floats
    cost: Floats
    """Per amount. (steps, segments), rising"""
    width: Floats
    """(steps, segments)"""

    def costs(self, amounts: Floats, penalty: float) -> Floats:
        """Return what `amounts` (steps, n) cost beyond those at the base; what cannot be, `penalty` an amount."""
        beyond = amounts - self.base[:, None]
        found = penalty * np.maximum(-beyond, 0.0)
        left = np.maximum(beyond, 0.0)
        for segment in range(self.cost.shape[1]):
            taken = np.minimum(left, self.width[:, segment, None])
            found = found + self.cost[:, segment, None] * taken
            left = left - taken
        return np.asarray(found + penalty * left)


def reduced_costs(program: Program, duals: Floats) -> Floats:
    """Return what each column costs beyond what the rows pay for it. (columns,)"""
    owners = np.repeat(np.arange(len(program.cost)), np.diff(program.starts))
    return program.cost - np.bincount(owners, program.values * duals[program.rows], minlength=len(program.cost))


def supply_curve(
    problem: Problem,
    form: Formulation,
    reduced: Floats,
    duals: Floats,
    bus: int,
    without: frozenset[int],
    fixed: Mapping[int, Floats],
) -> SupplyCurve:
    """Return the curve of `bus`: flows in `without` left out, those in `fixed` as they are. (steps,) each

    `duals` of all rows and `reduced` costs of all columns say what everything is worth elsewhere.
    """
    layout, steps = problem.layout, problem.steps
    price = duals[bus * steps : (bus + 1) * steps]
    base, base_cost = np.zeros(steps), np.zeros(steps)
    costs: list[Floats] = []
    widths: list[Floats] = []
    for flow, its in enumerate(layout.flows):
        if its.bus != bus or flow in without:
            continue
        if flow in fixed:
            base += its.sign * fixed[flow]
            continue
        must = flow in layout.sinks and layout.must_meet[layout.sinks.index(flow)]
        if must:
            base -= problem.limits(flow)
            continue
        column, share = _column_of(problem, form, flow)
        if column is None:
            continue
        owner = flow if flow not in layout.outputs else layout.inputs[_converter_of(problem, flow)]
        most = np.minimum(problem.limits(owner), _known_most(problem, flow)) * share
        # what it costs for each unit on the bus, were it paid nothing there
        cost = (reduced[column : column + steps] + its.sign * share * price) / share
        if its.sign > 0:
            costs.append(cost)
        else:
            base -= most
            base_cost += cost * most
            costs.append(-cost)
        widths.append(most)
    if not costs:
        return SupplyCurve(base, base_cost, np.zeros((steps, 0)), np.zeros((steps, 0)))
    cost, width = np.stack(costs, axis=1), np.stack(widths, axis=1)
    order = np.argsort(cost, axis=1, kind="stable")
    return SupplyCurve(base, base_cost, np.take_along_axis(cost, order, 1), np.take_along_axis(width, order, 1))


def _converter_of(problem: Problem, flow: int) -> int:
    layout = problem.layout
    return layout.output_converter[layout.outputs.index(flow)]


def _column_of(problem: Problem, form: Formulation, flow: int) -> tuple[int | None, Floats]:
    """Return the first column that moves a flow, and how much of it one unit moves. (steps,)"""
    layout = problem.layout
    if flow in layout.outputs:
        column = form.first_column.get(layout.inputs[_converter_of(problem, flow)])
        return column, np.maximum(problem.ratios(layout.outputs.index(flow)), 1e-12)
    return form.first_column.get(flow), np.ones(problem.steps)


def _known_most(problem: Problem, flow: int) -> Floats | float:
    """Return what bounds a flow beside its limit; where nothing does, more than any other flow could be."""
    layout, numbers = problem.layout, problem.coefficients
    if flow in layout.charges:
        at = layout.charges.index(flow)
        return float(numbers.capacity[at] / numbers.charge_efficiency[at])
    if flow in layout.discharges:
        at = layout.discharges.index(flow)
        return float(numbers.capacity[at] * numbers.discharge_efficiency[at])
    if np.isfinite(numbers.limit[layout.inputs[_converter_of(problem, flow)] if flow in layout.outputs else flow]):
        return np.inf
    finite = numbers.limit[np.isfinite(numbers.limit)] * problem.signals.max()
    return 2.0 * float(finite.sum() + numbers.capacity.sum())
