"""A lower bound on the cost of any plan, from prices that any solver may have found."""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.milp.certificate import dual_bound
from ecosystemiser.solver.milp.formulation import Formulation, formulate

__all__ = ["lower_bound"]


def lower_bound(problem: Problem, bus_prices: Floats, storage_prices: Floats) -> float | None:
    """Return what no plan of `problem` can cost less than; None where the prices prove nothing.

    By weak duality any prices give a valid bound: what the demands are worth at `bus_prices` (buses, steps), less what
    every flow and level could earn at most between its bounds, given also `storage_prices` (storages, steps).
    """
    form = Formulation(problem)
    program = formulate(form, problem)
    duals = np.concatenate([bus_prices.ravel(), storage_prices.ravel()])
    if form.has_shortfall:
        worth = -storage_prices[:, -1]
        duals = np.concatenate([duals, np.clip(worth, 0.0, problem.coefficients.end_price)])
    duals = np.concatenate([duals, np.zeros(form.rows - len(duals))])  # what meters bill counts as its least
    bound = dual_bound(program, duals) + program.offset
    return bound if np.isfinite(bound) else None
