"""Which committed devices there are, what each of them feeds, and whether the hybrid's way fits them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints, Problem
from ecosystemiser.solver.milp.metering import falling_meters

__all__ = ["Circuit", "circuits_of", "misfit"]

ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Circuit:
    """A committed device with the bus that it feeds and the storage that stands there."""

    committed: int
    """Its position in `Layout.committed`."""
    flow: int
    """Its input."""
    source: int
    """The bus that it draws from."""
    bus: int
    """The bus that it feeds: of several outputs the one with the largest storage."""
    output: int
    """Its output onto that bus."""
    storage: int | None
    """The largest storage on that bus."""
    least: Floats
    most: Floats
    """Input when it is on. (steps,)"""
    start_cost: float
    min_up: int
    min_down: int


def misfit(problem: Problem) -> str | None:
    """Return why a dynamic program for each device cannot plan `problem`; None where it can."""
    layout = problem.layout
    if any(falling_meters(problem)):
        return "a price falls with the amount"
    for one, rows in zip(layout.committed, layout.curves, strict=True):
        name = layout.flows[layout.inputs[one.converter]].component
        if one.units > 1:
            return f"{name} has several units"
        loads, given = problem.coefficients.curve_load[rows], problem.coefficients.curve_given[rows]
        if np.any(np.abs(loads - given) > ROUNDING):
            return f"the efficiency of {name} changes with its load"
        if not np.all(np.isfinite(problem.limits(layout.inputs[one.converter]))):
            return f"{name} has no limit"
    return None


def circuits_of(problem: Problem) -> tuple[Circuit, ...]:
    """Return the circuits of all devices whose limit is above 0."""
    return tuple(
        _circuit(problem, at)
        for at, one in enumerate(problem.layout.committed)
        if problem.coefficients.limit[problem.layout.inputs[one.converter]] > 0
    )


def _circuit(problem: Problem, at: int) -> Circuit:
    layout, one = problem.layout, problem.layout.committed[at]
    flow = layout.inputs[one.converter]
    outputs = [output for output, converter in enumerate(layout.output_converter) if converter == one.converter]
    stores = {output: _largest_store(problem, layout.flows[layout.outputs[output]].bus) for output in outputs}
    capacity = problem.coefficients.capacity
    output = max(outputs, key=lambda each: -1.0 if stores[each] is None else float(capacity[stores[each]]))
    most = problem.limits(flow)
    return Circuit(
        committed=at,
        flow=flow,
        source=layout.flows[flow].bus,
        bus=layout.flows[layout.outputs[output]].bus,
        output=output,
        storage=stores[output],
        least=problem.coefficients.curve_load[layout.curves[at].start] * most,
        most=most,
        start_cost=float(problem.coefficients.start_cost[at]),
        min_up=one.min_up,
        min_down=one.min_down,
    )


def _largest_store(problem: Problem, bus: int) -> int | None:
    layout = problem.layout
    there = [at for at, flow in enumerate(layout.charges) if layout.flows[flow].bus == bus and not layout.overflows[at]]
    return max(there, key=lambda at: float(problem.coefficients.capacity[at]), default=None)


def on_limits(circuits: tuple[Circuit, ...], on: Ints) -> dict[int, tuple[Floats, Floats]]:
    """Return the least and the most input of each device, by its flow, when this is on. (committed, steps)"""
    return {
        one.flow: (np.where(on[one.committed], one.least, 0.0), np.where(on[one.committed], one.most, 0.0))
        for one in circuits
    }
