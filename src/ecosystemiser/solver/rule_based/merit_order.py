"""The merit order: which supply serves which use first, through which converters.

A strategy (`strategies`) says which supplies serve which uses, line after line. Within a line, what is bought comes
cheapest per unit delivered first (mean price of the run); then come routes through fewer converters, those that deliver
more per unit drawn, demands that must be met, the order of the file. Nothing is sold where selling costs money on
average (what is sold earns less than making and converting it cost).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import CostCategory, EndRule, Ints, Layout, Problem
from ecosystemiser.solver.rule_based.strategies import ALWAYS, Condition, Hours, Line, Supply, Use
from ecosystemiser.units import Carrier

__all__ = ["MeritOrder", "Route", "Step", "check_capable", "merit_orders", "routes"]

MOST_CONVERTERS = 3
"""Longest chain of converters that a route takes."""


NEVER = 1_000
"""Line of a sale that costs money on average."""


@dataclass(frozen=True)
class Step:
    """Move as much as supply, converters and use allow, from flow `supply` to flow `use`."""

    supply: int
    outputs: tuple[int, ...]
    """The converters' outputs (indices of `Layout.outputs`) passed on the way; none if both stand on one bus."""
    use: int
    condition: Condition = ALWAYS


MeritOrder = tuple[Step, ...]


class Route(NamedTuple):
    """A step and the line of the strategy that it belongs to."""

    at: int
    line: Line
    step: Step


def check_capable(problem: Problem) -> None:
    """Raise InputError, with what to do, for what this solver cannot do."""
    findings = []
    if problem.end not in (EndRule.SHORTFALL, EndRule.FREE):
        remedy = "use end: shortfall or free, or solver_type: milp"
        message = "cannot be promised by rule_based, which does not look ahead"
        findings.append(Finding(message, remedy, "end", str(problem.end)))
    for converter, flow in enumerate(problem.layout.inputs):
        if len(problem.layout.outputs_of(converter)) > 1:
            name = problem.layout.flows[flow].component
            findings.append(Finding("has several outputs, which rule_based cannot", "use solver_type: milp", name))
    if np.isfinite(problem.coefficients.co2_limit).any():
        message = "cannot be promised by rule_based, which does not look ahead"
        findings.append(Finding(message, "use solver_type: milp or hybrid", "economics.co2_limit_kg"))
    for one in problem.layout.committed:
        name = problem.layout.flows[problem.layout.inputs[one.converter]].component
        message = "has a least load, starts or part-load efficiency, which rule_based cannot plan"
        findings.append(Finding(message, "use solver_type: milp or hybrid", name))
    if findings:
        raise InputError(findings)


def routes(layout: Layout, lines: Sequence[Line]) -> tuple[Route, ...]:
    """Return every way from a supply to a use, line after line, in the order of the file."""
    must = dict(zip(layout.sinks, layout.must_meet, strict=True))
    bought = [flow for flow, is_bought in zip(layout.sources, layout.bought_sources, strict=True) if is_bought]
    supplies: dict[Supply, Sequence[int]] = {
        Supply.LOCAL: layout.free_sources,
        Supply.STORED: layout.discharges,
        Supply.BOUGHT: sorted([*bought, *layout.imports]),
        Supply.GRIDS: layout.imports,
        Supply.UNITS: sorted([*bought, *layout.imports]),
    }
    uses: dict[Use, Sequence[int]] = {
        Use.DEMAND: sorted(layout.sinks, key=lambda flow: not must[flow]),
        Use.STORAGE: layout.charges,
        Use.SALE: layout.exports,
    }
    return tuple(
        Route(at, line, Step(supply, outputs, use, line.condition))
        for at, line in enumerate(lines, 1)
        for supply in supplies[line.supply]
        for use in uses[line.use]
        for outputs in _chains(layout, layout.flows[supply].bus, layout.flows[use].bus)
        if _is_meant(layout, line, supply, outputs)
    )


def _is_meant(layout: Layout, line: Line, supply: int, outputs: tuple[int, ...]) -> bool:
    """Return whether a way is one that its line speaks of."""
    if line.supply is Supply.UNITS:  # what burns: a converter of anything but electricity
        return bool(outputs) and layout.carrier(supply) is not Carrier.ELECTRICITY
    if line.condition.is_capped:
        return layout.carrier(supply) is Carrier.ELECTRICITY
    return True


def merit_orders(problem: Problem, ways: Sequence[Route]) -> list[tuple[MeritOrder, Ints]]:
    """Return each merit order among the lanes of a problem, and the lanes that follow it."""
    costs, ratios = _mean_costs(problem), _mean_ratios(problem)
    shape = (len(ways), costs.shape[1])
    line, cost, ratio = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for at, (number, way_line, step) in enumerate(ways):
        outputs = list(step.outputs)
        line[at], ratio[at] = number, np.prod(ratios[outputs], axis=0)
        if way_line.supply in (Supply.BOUGHT, Supply.GRIDS, Supply.UNITS):
            cost[at] = _delivered_cost(problem.layout, costs, ratios, step)
        if way_line.use is Use.SALE:
            sold = _delivered_cost(problem.layout, costs, ratios, step) + costs[step.use]
            line[at] = np.where(sold > 0, NEVER, number)
    converters = np.array([len(way.step.outputs) for way in ways])[:, None] * np.ones(shape)
    positions = np.arange(len(ways))[:, None] * np.ones(shape)
    order = np.lexsort((positions, -ratio, converters, cost, line), axis=0)
    order = np.where(np.take_along_axis(line, order, axis=0) == NEVER, -1, order)
    told_apart = np.vstack([order, _price_shapes(problem, ways)])
    distinct, lane_order = np.unique(told_apart, axis=1, return_inverse=True)
    count = len(ways)
    return [
        (
            tuple(ways[at].step for at in distinct[:count, group] if at >= 0),
            np.flatnonzero(lane_order.ravel() == group),
        )
        for group in range(distinct.shape[1])
    ]


def _price_shapes(problem: Problem, ways: Sequence[Route]) -> Ints:
    """Return what tells lanes apart whose cheap hours are others: the shapes of prices, where hours matter."""
    lanes = _lanes(problem)
    if all(way.line.condition.hours is Hours.ALWAYS for way in ways):
        return np.zeros((0, lanes), dtype=np.int64)
    imports = problem.layout.imports
    terms = [at for at, flow in enumerate(problem.layout.costs.flow) if flow in imports]
    return np.broadcast_to(problem.cost_signal[terms].reshape(len(terms), -1), (len(terms), lanes))


def _chains(layout: Layout, bus: int, goal: int, passed: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Yield the outputs passed on every way from `bus` to `goal` that visits no bus twice."""
    if bus == goal:
        yield ()
        return
    if len(passed) == MOST_CONVERTERS:
        return
    for output, (flow, converter) in enumerate(zip(layout.outputs, layout.output_converter, strict=True)):
        following = layout.flows[flow].bus
        if layout.flows[layout.inputs[converter]].bus == bus and following not in (*passed, bus):
            for rest in _chains(layout, following, goal, (*passed, bus)):
                yield (output, *rest)


def _mean_costs(problem: Problem) -> Floats:
    """Return the mean cost over the run of one more unit of each flow, CO2 price included. (flows, lanes)"""
    layout, numbers, means = problem.layout, problem.coefficients, problem.signal_means
    costs = np.zeros((len(layout.flows), _lanes(problem)))
    for term, (flow, category) in enumerate(zip(layout.costs.flow, layout.costs.category, strict=True)):
        sign = -1.0 if category is CostCategory.REVENUE else 1.0
        costs[flow] += sign * numbers.cost[term] * means[problem.cost_signal[term]]
    for term, flow in enumerate(layout.co2.flow):
        costs[flow] += numbers.co2_price * numbers.co2[term] * means[problem.co2_signal[term]]
    return costs


def _mean_ratios(problem: Problem) -> Floats:
    """Return the mean output per input. (outputs, lanes)"""
    means = problem.signal_means[problem.ratio_signal]
    return problem.coefficients.ratio.reshape(len(means), _lanes(problem)) * means[:, None]


def _lanes(problem: Problem) -> int:
    """Return how many variations stand side by side."""
    limit = problem.coefficients.limit
    return 1 if limit.ndim == 1 else limit.shape[1]


def _delivered_cost(layout: Layout, costs: Floats, ratios: Floats, step: Step) -> Floats:
    """Return the mean cost of a unit delivered: what the supply and each converter on the way cost. (lanes,)"""
    cost = np.asarray(costs[step.supply])
    for output in step.outputs:
        drawn = layout.inputs[layout.output_converter[output]]
        cost = (cost + costs[drawn]) / ratios[output] + costs[layout.outputs[output]]
    return cost
