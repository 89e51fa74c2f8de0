"""A lower bound on what any plan costs that knows of least loads, starts and times.

The duals of the linear program price all rows but those of a device's bus and storage. What is left is a problem of one
device, its storage and whatever else stands on that bus: a dynamic program over cells of the level. A step from one
cell to another may use the best of all its pairs of levels, so its cost is never overrated. Levels are counted with
what their content is worth, so that what a cell blurs is worth little (a Lagrangian relaxation, tilted).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.solver.hybrid.circuits import Circuit
from ecosystemiser.solver.hybrid.merit import SupplyCurve, reduced_costs, supply_curve
from ecosystemiser.solver.hybrid.relaxation import Linear
from ecosystemiser.solver.milp.certificate import dual_bound, pressed
from ecosystemiser.solver.rule_based.compiled import compiled, inlined

__all__ = ["certified_bound"]

CELLS = 96
ROUNDING = 1e-9


def certified_bound(linear: Linear, circuits: Sequence[Circuit], duals: Floats) -> float:
    """Return what no plan costs less than, given any `duals` of the linear program's rows; -inf where they prove
    nothing."""
    program, problem = linear.program, linear.problem
    bound = dual_bound(program, duals) + program.offset
    if not np.isfinite(bound):
        return -np.inf
    reduced = reduced_costs(program, duals)
    for circuit in _apart(circuits):
        if _is_bounded(problem, circuit):
            of_linear = _in_the_dual(linear, circuit, duals, reduced)
            alone = _of_device(linear, circuit, duals, reduced)
            if np.isfinite(alone):  # else rounding has left no way through the cells
                bound += max(0.0, alone - of_linear)
    return float(bound)


def _apart(circuits: Sequence[Circuit]) -> list[Circuit]:
    """Return circuits that share no bus, the earlier first: only they can be taken out of the program one by one."""
    kept: list[Circuit] = []
    for one in circuits:
        if all(one.bus not in (other.bus, other.source) and other.bus != one.source for other in kept):
            kept.append(one)
    return kept


def _is_bounded(problem: Problem, circuit: Circuit) -> bool:
    """Return whether all that takes from the bus has a limit, the storage aside."""
    layout = problem.layout
    limit = problem.coefficients.limit
    takers = [at for at, flow in enumerate(layout.flows) if flow.bus == circuit.bus and flow.sign < 0]
    return all(np.isfinite(limit[at]) or at in layout.charges for at in takers)


def _in_the_dual(linear: Linear, circuit: Circuit, duals: Floats, reduced: Floats) -> float:
    """Return what the rows and columns of a circuit bring to the dual bound of the linear program."""
    form, problem, program = linear.form, linear.problem, linear.program
    layout, steps = problem.layout, form.steps
    rows = [np.arange(circuit.bus * steps, (circuit.bus + 1) * steps)]
    columns = []
    for flow, its in enumerate(layout.flows):
        owner = (
            flow if flow not in layout.outputs else layout.inputs[layout.output_converter[layout.outputs.index(flow)]]
        )
        if its.bus == circuit.bus and owner in form.first_column:
            columns.append(form.first_column[owner])
    ranges = [np.arange(first, first + steps) for first in dict.fromkeys(columns)]
    if circuit.storage is not None:
        first = form.bus_rows + circuit.storage * steps
        rows.append(np.arange(first, first + steps))
        level = form.first_level[circuit.storage]
        ranges.append(np.arange(level, level + steps))
        if form.has_shortfall:
            rows.append(np.array([form.storage_rows + circuit.storage]))
            ranges.append(np.array([form.first_short + circuit.storage]))
    row, column = np.concatenate(rows), np.concatenate(ranges)
    value = pressed(duals[row], program.row_lower[row], program.row_upper[row])
    return value + pressed(reduced[column], program.lower[column], program.upper[column])


class _Store(NamedTuple):
    """The storage of a circuit, or one of no size."""

    edges: Floats
    """Of its cells. (cells + 1,)"""
    keep: float
    fill: float
    draw: float
    most_in: Floats
    most_out: Floats
    """What it takes and gives at the bus. (steps,)"""
    cost_in: Floats
    cost_out: Floats
    """Of each unit at the bus. (steps,)"""
    worth: Floats
    """Of a unit of content at each step's end. (steps,)"""


def _store(linear: Linear, circuit: Circuit, duals: Floats, reduced: Floats) -> _Store:
    form, problem, steps = linear.form, linear.problem, linear.form.steps
    at, nothing = circuit.storage, np.zeros(linear.form.steps)
    if at is None:
        return _Store(np.zeros(2), 1.0, 1.0, 1.0, nothing, nothing, nothing, nothing, nothing)
    layout, numbers = problem.layout, problem.coefficients
    fill, draw = float(numbers.charge_efficiency[at]), float(numbers.discharge_efficiency[at])
    whole, row = float(numbers.capacity[at]), form.bus_rows + at * steps
    price, dual = duals[circuit.bus * steps : (circuit.bus + 1) * steps], duals[row : row + steps]
    return _Store(
        edges=np.linspace(0.0, whole, CELLS + 1),
        keep=float(numbers.keep[at]),
        fill=fill,
        draw=draw,
        most_in=np.minimum(problem.limits(layout.charges[at]), whole / fill),
        most_out=np.minimum(problem.limits(layout.discharges[at]), whole * draw),
        cost_in=_column(form.first_column, reduced, layout.charges[at], steps) - price - fill * dual,
        cost_out=_column(form.first_column, reduced, layout.discharges[at], steps) + price + dual / draw,
        worth=np.maximum(-dual, 0.0),
    )


def _of_device(linear: Linear, circuit: Circuit, duals: Floats, reduced: Floats) -> float:
    """Return the least cost of a circuit by itself, all else at its price: never overrated."""
    form, problem, steps = linear.form, linear.problem, linear.form.steps
    layout, at = problem.layout, circuit.storage
    own_flows = {layout.outputs[circuit.output]}
    if at is not None:
        own_flows |= {layout.charges[at], layout.discharges[at]}
    others = supply_curve(problem, form, reduced, duals, circuit.bus, frozenset(own_flows), {})
    price = duals[circuit.bus * steps : (circuit.bus + 1) * steps]
    ratio, column = problem.ratios(circuit.output), form.first_column[circuit.flow]
    own = reduced[column : column + steps] + ratio * price
    store, nothing = _store(linear, circuit, duals, reduced), np.zeros(steps)
    nodes = [
        _nodes(_with_device(others, least, most, ratio, own), store)
        for least, most in ((nothing, nothing), (circuit.least, circuit.most))
    ]
    tilt = np.concatenate([[store.keep * store.worth[0]], store.worth])
    if form.is_circular:
        tilt[0] = tilt[-1]
    table = _Table(
        place=np.stack([one[0] for one in nodes]),
        cost=np.stack([one[1] for one in nodes]),
        edges=store.edges,
        tilt=tilt,
        keep=store.keep,
        fill=store.fill,
        draw=store.draw,
        start_cost=circuit.start_cost,
        min_up=circuit.min_up,
        min_down=circuit.min_down,
    )
    first = _backward(table, _end_values(problem, at, store.edges, float(tilt[-1])))[-1]  # off for long
    if at is None:
        return float(first[0])
    if problem.end is EndRule.CYCLIC:
        return float(first.min())
    level = float(problem.coefficients.initial_level[at])
    inside = (store.edges[:-1] <= level) & (level <= store.edges[1:])
    return float(first[inside].min() - tilt[0] * level)


def _column(first_column: dict[int, int], values: Floats, flow: int, steps: int) -> Floats:
    first = first_column.get(flow)
    return np.zeros(steps) if first is None else values[first : first + steps]


def _with_device(others: SupplyCurve, least: Floats, most: Floats, ratio: Floats, own: Floats) -> SupplyCurve:
    """Return what stands on the bus with a device that draws from `least` to `most`, each unit at `own`. (steps,)"""
    cost = np.column_stack([others.cost, own / np.maximum(ratio, 1e-12)])
    width = np.column_stack([others.width, ratio * (most - least)])
    order = np.argsort(cost, axis=1, kind="stable")
    return SupplyCurve(
        base=others.base + ratio * least,
        base_cost=others.base_cost + own * least,
        cost=np.take_along_axis(cost, order, 1),
        width=np.take_along_axis(width, order, 1),
    )


def _nodes(curve: SupplyCurve, store: _Store) -> tuple[Floats, Floats]:
    """Return the corners of the cost of leaving an amount for the storage: amounts and costs. (steps, corners) each

    The storage's own cost, and what its content is worth at the step's end, are in it. Where what is left is too much
    or too little for the storage, whatever is chosen, the costs are infinite.
    """
    steps = len(curve.base)
    widths = np.minimum(curve.width, (store.most_in + store.most_out + np.abs(curve.base) + 1.0)[:, None])
    zero = np.zeros((steps, 1))
    place = curve.base[:, None] + np.concatenate([zero, np.cumsum(widths, axis=1)], axis=1)
    cost = curve.base_cost[:, None] + np.concatenate([zero, np.cumsum(widths * curve.cost, axis=1)], axis=1)
    lowest, highest = np.maximum(-store.most_out, place[:, 0]), np.minimum(store.most_in, place[:, -1])
    corners = np.clip(np.concatenate([place, zero], axis=1), lowest[:, None], np.maximum(highest, lowest)[:, None])
    cost = np.stack([_interpolated(place, cost, corners[:, each]) for each in range(corners.shape[1])], axis=1)
    cost = np.where((highest < lowest - ROUNDING)[:, None], np.inf, cost)
    filled, drawn = np.maximum(corners, 0.0), np.maximum(-corners, 0.0)
    cost = cost + filled * (store.cost_in - store.worth * store.fill)[:, None]
    cost = cost + drawn * (store.cost_out + store.worth / store.draw)[:, None]
    order = np.argsort(corners, axis=1, kind="stable")
    return np.take_along_axis(corners, order, 1), np.take_along_axis(cost, order, 1)


def _interpolated(place: Floats, cost: Floats, at: Floats) -> Floats:
    """Return the cost at one place of each step, which lies among the corners. (steps,)"""
    if place.shape[1] == 1:
        return cost[:, 0]
    rows = np.arange(len(place))
    above = np.clip((place < at[:, None]).sum(axis=1), 1, place.shape[1] - 1)
    low, high = place[rows, above - 1], place[rows, above]
    share = np.divide(at - low, high - low, out=np.zeros_like(at), where=high > low)
    return np.asarray(cost[rows, above - 1] + share * (cost[rows, above] - cost[rows, above - 1]))


def _end_values(problem: Problem, at: int | None, edges: Floats, tilt: float) -> Floats:
    """Return the least of what is to be paid at the end within each cell, with what its content is worth. (cells,)"""
    if at is None or problem.end is EndRule.CYCLIC:
        return np.zeros(len(edges) - 1)
    end = float(problem.coefficients.end_level[at])
    inside = (edges[:-1] <= end) & (end <= edges[1:])
    if problem.end is EndRule.FIXED:
        return np.where(inside, tilt * end, np.inf)
    price = float(problem.coefficients.end_price[at]) if problem.end is EndRule.SHORTFALL else 0.0
    value = price * np.maximum(end - edges, 0.0) + tilt * edges
    least = np.minimum(value[:-1], value[1:])
    return np.asarray(np.where(inside, np.minimum(least, tilt * end), least))


class _Table(NamedTuple):
    """What the dynamic program over cells reads. First axis: off, on."""

    place: Floats
    """What is left for the storage, rising. (2, steps, corners)"""
    cost: Floats
    edges: Floats
    """Of the cells. (cells + 1,)"""
    tilt: Floats
    """What a unit of content counts at each step's start, and at the end. (steps + 1,)"""
    keep: float
    fill: float
    draw: float
    start_cost: float
    min_up: int
    min_down: int


@inlined
def _left(table: _Table, content: float) -> float:
    """Return what has to be left on the bus for a change of content."""
    return content / table.fill if content >= 0.0 else content * table.draw


@inlined
def _least(place: Floats, cost: Floats, bottom: int, low: float, high: float) -> float:
    """Return the least cost between two amounts of a convex curve whose lowest corner is `bottom`."""
    if place[bottom] >= low and place[bottom] <= high:
        return cost[bottom]  # type: ignore[no-any-return]
    last = len(place) - 1
    if place[bottom] < low:
        for corner in range(bottom + 1, last + 1):
            if place[corner] >= low:
                if not np.isfinite(cost[corner]):
                    return np.inf
                share = (low - place[corner - 1]) / (place[corner] - place[corner - 1])
                return cost[corner - 1] + share * (cost[corner] - cost[corner - 1])  # type: ignore[no-any-return]
        return np.inf
    for back in range(bottom):
        corner = bottom - 1 - back
        if place[corner] <= high:
            if not np.isfinite(cost[corner]):
                return np.inf
            share = (high - place[corner]) / (place[corner + 1] - place[corner])
            return cost[corner] + share * (cost[corner + 1] - cost[corner])  # type: ignore[no-any-return]
    return np.inf


@inlined
def _follow(best: Floats, state: int, up: int, states: int, start_cost: float) -> float:
    """Return the least of what may follow a state: on for 1 to min_up steps or more, then off for 1 to min_down."""
    if state < up - 1 or up <= state < states - 1:
        return best[state + 1]  # type: ignore[no-any-return]
    if state == up - 1:
        return min(best[state], best[up])  # type: ignore[no-any-return]
    return min(best[state], start_cost + best[0])  # type: ignore[no-any-return]


@compiled
def _backward(table: _Table, ends: Floats) -> Floats:
    """Return the bounds of all states and cells at the first step. (states, cells)"""
    steps, cells = table.place.shape[1], len(table.edges) - 1
    up, states = table.min_up, table.min_up + table.min_down
    after = np.zeros((states, cells))
    for state in range(states):
        after[state] = ends
    best, before = np.zeros(states), np.zeros((states, cells))
    for back in range(steps):
        step = steps - 1 - back
        slope = table.tilt[step] - table.keep * table.tilt[step + 1]
        bottom = np.zeros(2, np.int64)
        for on in range(2):
            bottom[on] = np.argmin(table.cost[on, step])
        for cell in range(cells):
            low_level, high_level = table.edges[cell] * table.keep, table.edges[cell + 1] * table.keep
            best[:] = np.inf
            for target in range(cells):
                low = _left(table, table.edges[target] - high_level)
                high = _left(table, table.edges[target + 1] - low_level)
                for on in range(2):
                    places, costs = table.place[on, step], table.cost[on, step]
                    if low > places[-1] or high < places[0]:
                        continue
                    cost = _least(places, costs, bottom[on], low, high)
                    if cost == np.inf:
                        continue
                    for state in range(0 if on else up, up if on else states):
                        best[state] = min(best[state], cost + after[state, target])
            tilted = min(slope * table.edges[cell], slope * table.edges[cell + 1])
            for state in range(states):
                before[state, cell] = _follow(best, state, up, states, table.start_cost) + tilted
        after, before = before, after
    return after
