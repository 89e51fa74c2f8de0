"""Which devices run when: a dynamic program for each, one after the other, at the prices of a linear program."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Ints, Problem
from ecosystemiser.solver.hybrid.circuits import Circuit
from ecosystemiser.solver.hybrid.dynamic import Course, Device, course_of
from ecosystemiser.solver.hybrid.merit import reduced_costs, supply_curve
from ecosystemiser.solver.hybrid.relaxation import Linear

__all__ = ["committed"]

LOADS, LEVELS = 16, 101
"""From which a dynamic program chooses."""
PENALTY = 20.0
"""Times the highest price, for what is short or too much."""
UNBOUND = 1e12


def committed(linear: Linear, circuits: Sequence[Circuit], duals: Floats, flows: Floats, first_levels: Floats) -> Ints:
    """Return what is on. (committed, steps)

    `duals` of the linear program's rows are the prices, `flows` the last plan: what devices not yet decided do.
    `first_levels`: (storages,).
    """
    problem = linear.problem
    on = np.zeros((1 + max(one.committed for one in circuits), problem.steps), dtype=np.int64)
    reduced, flows = reduced_costs(linear.program, duals), flows.copy()
    for circuit in circuits:
        switched = frozenset(one.flow for one in circuits)
        prices = _Prices(linear, duals, reduced, switched)
        course = course_of(prices.device(circuit, flows, first_levels))
        on[circuit.committed] = course.on
        _put(problem, circuit, course, flows)
    return on


class _Prices:
    """What everything is worth, and what is taken as given."""

    def __init__(self, linear: Linear, duals: Floats, reduced: Floats, switched: frozenset[int]) -> None:
        self._linear, self._duals, self._reduced, self._switched = linear, duals, reduced, switched
        form = linear.form
        self._penalty = PENALTY * max(1e-3, float(np.abs(duals[: form.bus_rows]).max(initial=0.0)))

    def device(self, circuit: Circuit, flows: Floats, first_levels: Floats) -> Device:
        """Return what the dynamic program of a circuit's device is to know."""
        problem, form, steps = self._linear.problem, self._linear.form, self._linear.form.steps
        layout, numbers, at = problem.layout, problem.coefficients, circuit.storage
        own = frozenset({circuit.flow, *_outputs(problem, circuit.flow)})
        others = self._switched - {circuit.flow}
        fixed = {flow: flows[flow] for other in others for flow in (other, *_outputs(problem, other))}
        shares = np.linspace(0.0, 1.0, LOADS)
        loads = circuit.least[:, None] + shares * (circuit.most - circuit.least)[:, None]
        drawn, ratio = np.column_stack([np.zeros(steps), loads]), problem.ratios(circuit.output)
        curve = supply_curve(problem, form, self._reduced, self._duals, circuit.source, own, fixed)
        column = form.first_column[circuit.flow]
        price = self._reduced[column : column + steps] - self._bus(circuit.source) + ratio * self._bus(circuit.bus)
        limits, stored = (np.zeros(steps), np.zeros(steps)), frozenset[int]()
        if at is not None:
            charge, discharge = layout.charges[at], layout.discharges[at]
            limits, stored = (problem.limits(charge), problem.limits(discharge)), frozenset({charge, discharge})
        rest = supply_curve(problem, form, self._reduced, self._duals, circuit.bus, own | stored, fixed)
        first = 0.0 if at is None else float(first_levels[at])
        levels, ends = _levels(problem, at, first, self._penalty)
        return Device(
            drawn=drawn,
            drawn_cost=curve.costs(drawn, self._penalty) + price[:, None] * drawn,
            given=drawn * ratio[:, None],
            base=rest.base,
            cost=rest.cost,
            width=rest.width,
            fill_limit=np.minimum(limits[0], UNBOUND),
            draw_limit=np.minimum(limits[1], UNBOUND),
            fill_efficiency=1.0 if at is None else float(numbers.charge_efficiency[at]),
            draw_efficiency=1.0 if at is None else float(numbers.discharge_efficiency[at]),
            keep=1.0 if at is None else float(numbers.keep[at]),
            levels=levels,
            end_values=ends,
            first_level=first,
            start_cost=circuit.start_cost,
            min_up=circuit.min_up,
            min_down=circuit.min_down,
            penalty=self._penalty,
        )

    def _bus(self, bus: int) -> Floats:
        steps = self._linear.form.steps
        return self._duals[bus * steps : (bus + 1) * steps]


def _outputs(problem: Problem, flow: int) -> list[int]:
    """Return the flows that the converter with input `flow` gives."""
    return problem.layout.outputs_of(problem.layout.inputs.index(flow))


def _put(problem: Problem, circuit: Circuit, course: Course, flows: Floats) -> None:
    """Set what a device draws and gives."""
    layout = problem.layout
    flows[circuit.flow] = course.drawn
    for flow in _outputs(problem, circuit.flow):
        flows[flow] = course.drawn * problem.ratios(layout.outputs.index(flow))


def _levels(problem: Problem, at: int | None, first: float, penalty: float) -> tuple[Floats, Floats]:
    """Return the levels to choose from, and what is to be paid at the end at each."""
    if at is None:
        return np.zeros(1), np.zeros(1)
    numbers = problem.coefficients
    levels = np.linspace(0.0, float(numbers.capacity[at]), LEVELS)
    if problem.end is EndRule.FREE:
        return levels, np.zeros(LEVELS)
    if problem.end is EndRule.SHORTFALL:
        return levels, float(numbers.end_price[at]) * np.maximum(float(numbers.end_level[at]) - levels, 0.0)
    return levels, penalty * np.abs(levels - (first if problem.end is EndRule.CYCLIC else numbers.end_level[at]))
