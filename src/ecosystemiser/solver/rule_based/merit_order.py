"""The merit order: which supply serves which use first, through which converters.

The rule (strategy `self_consumption`), best first:

1. what local sources give, to demands: directly, then through converters;
2. what storages hold, to demands: directly, then through converters;
3. what is bought, to demands, cheapest per unit delivered first (mean price of the run);
4. what local sources still have, into storages: directly, then through converters;
5. what local sources still have, sold: directly, then through converters, unless selling costs money on average
   (what is sold earns less than making and converting it cost).

Storages never serve sales or other storages and are never charged with what is bought. Within a line, routes through
fewer converters come first, then those that deliver more per unit drawn, then demands that must be met, then the order
of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import CostCategory, EndRule, Ints, Layout, Problem

__all__ = ["MeritOrder", "Route", "Step", "check_capable", "merit_orders", "routes"]

MOST_CONVERTERS = 3
"""Longest chain of converters that a route takes."""


class Line(IntEnum):
    """The lines of the rule, in order."""

    LOCAL_TO_DEMAND = 1
    STORED_TO_DEMAND = 2
    BOUGHT_TO_DEMAND = 3
    LOCAL_TO_STORAGE = 4
    LOCAL_TO_SALE = 5
    NEVER = 6
    """A sale that costs money on average."""


@dataclass(frozen=True)
class Step:
    """Move as much as supply, converters and use allow, from flow `supply` to flow `use`."""

    supply: int
    outputs: tuple[int, ...]
    """The converters' outputs (indices of `Layout.outputs`) passed on the way; none if both stand on one bus."""
    use: int


MeritOrder = tuple[Step, ...]


class Route(NamedTuple):
    """A step and the line of the rule that it belongs to."""

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


def routes(layout: Layout) -> tuple[Route, ...]:
    """Return every way from a supply to a use, line after line, in the order of the file."""
    local = layout.free_sources
    must = dict(zip(layout.sinks, layout.must_meet, strict=True))
    sinks = sorted(layout.sinks, key=lambda flow: not must[flow])
    bought = [flow for flow, is_bought in zip(layout.sources, layout.bought_sources, strict=True) if is_bought]
    lines: list[tuple[Line, Sequence[int], Sequence[int]]] = [
        (Line.LOCAL_TO_DEMAND, local, sinks),
        (Line.STORED_TO_DEMAND, layout.discharges, sinks),
        (Line.BOUGHT_TO_DEMAND, sorted([*bought, *layout.imports]), sinks),
        (Line.LOCAL_TO_STORAGE, local, layout.charges),
        (Line.LOCAL_TO_SALE, local, layout.exports),
    ]
    return tuple(
        Route(line, Step(supply, outputs, use))
        for line, supplies, uses in lines
        for supply in supplies
        for use in uses
        for outputs in _chains(layout, layout.flows[supply].bus, layout.flows[use].bus)
    )


def merit_orders(problem: Problem, ways: Sequence[Route]) -> list[tuple[MeritOrder, Ints]]:
    """Return each merit order among the lanes of a problem, and the lanes that follow it."""
    costs, ratios = _mean_costs(problem), _mean_ratios(problem)
    shape = (len(ways), costs.shape[1])
    line, cost, ratio = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for at, (way_line, step) in enumerate(ways):
        outputs = list(step.outputs)
        line[at], ratio[at] = way_line, np.prod(ratios[outputs], axis=0)
        if way_line is Line.BOUGHT_TO_DEMAND:
            cost[at] = _delivered_cost(problem.layout, costs, ratios, step)
        if way_line is Line.LOCAL_TO_SALE:
            sold = _delivered_cost(problem.layout, costs, ratios, step) + costs[step.use]
            line[at] = np.where(sold > 0, Line.NEVER, way_line)
    converters = np.array([len(way.step.outputs) for way in ways])[:, None] * np.ones(shape)
    positions = np.arange(len(ways))[:, None] * np.ones(shape)
    order = np.lexsort((positions, -ratio, converters, cost, line), axis=0)
    order = np.where(np.take_along_axis(line, order, axis=0) == Line.NEVER, -1, order)
    distinct, lane_order = np.unique(order, axis=1, return_inverse=True)
    return [
        (tuple(ways[at].step for at in distinct[:, group] if at >= 0), np.flatnonzero(lane_order.ravel() == group))
        for group in range(distinct.shape[1])
    ]


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
