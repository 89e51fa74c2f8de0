"""What switching converters on and off costs, and what a plan without it would be. The one home of this arithmetic."""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints, Problem

__all__ = ["given_at", "least_loads", "on_with_history", "starts_of"]


def on_with_history(problem: Problem, on: Ints) -> Ints:
    """Return the units that are on, with the steps before the first. (committed, memory + steps)

    The memory is as long as the longest time that a unit has to stay on or off, or one step. Before what the problem
    knows of, all units were off.
    """
    layout = problem.layout
    memory = max([one.memory for one in layout.committed], default=1)
    before = np.zeros((len(layout.committed), memory), dtype=np.int64)
    if problem.on_before is not None:
        known = problem.on_before[:, -memory:]
        before[:, memory - known.shape[1] :] = known
    return np.concatenate([before, on], axis=1)


def starts_of(problem: Problem, on: Ints) -> Ints:
    """Return how many units are switched on at each step, given how many are on. (committed, steps)"""
    return np.maximum(np.diff(on_with_history(problem, on)[:, -problem.steps - 1 :], axis=1), 0)


def least_loads(problem: Problem) -> Floats:
    """Return the least load of a unit that is on, as a share of its full load. (committed,)"""
    return np.array([problem.coefficients.curve_load[rows.start] for rows in problem.layout.curves])


def given_at(problem: Problem, committed: int, drawn: Floats, on: Ints) -> Floats:
    """Return what a committed converter gives of each output, over its ratio: input as its curve counts it. (steps,)

    The units that are on share the input equally.
    """
    rows, row = problem.layout.curves[committed], problem.layout.committed[committed]
    most = problem.limits(problem.layout.inputs[row.converter]) / row.units
    full = most * on
    load = np.divide(drawn, full, out=np.zeros_like(drawn), where=full > 0)
    loads, given = problem.coefficients.curve_load[rows], problem.coefficients.curve_given[rows]
    return np.asarray(np.where(on > 0, full * np.interp(load, loads, given), 0.0))
