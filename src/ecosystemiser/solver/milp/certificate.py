"""Whether an answer is optimal, from our own arrays: HiGHS may call a warm-started LP optimal at a wrong objective."""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.solver.milp.formulation import Program
from ecosystemiser.solver.milp.highs import Outcome

__all__ = ["is_certified"]

TOLERANCE = 1e-6


def is_certified(program: Program, outcome: Outcome) -> bool:
    """Return whether the answer is feasible and a dual bound of our own reaches its objective, to 1e-6 relative.

    The bound is valid for any row duals y: sum of y x (the row bound that y presses on) plus, for each column, its
    reduced cost times the column bound it presses on; infinite where a reduced cost presses on no bound.
    """
    columns, owner = outcome.columns, np.repeat(np.arange(len(program.cost)), np.diff(program.starts))
    terms = program.values * columns[owner]
    activity = np.bincount(program.rows, terms, minlength=len(program.row_lower)).astype(np.float64)
    if _violation(columns, program.lower, program.upper) > TOLERANCE * _scale(columns):
        return False
    if _violation(activity, program.row_lower, program.row_upper) > TOLERANCE * _scale(activity):
        return False
    objective = float(program.cost @ columns)
    priced = np.bincount(owner, program.values * outcome.row_duals[program.rows], minlength=len(program.cost))
    reduced = program.cost - priced
    bound = _pressed(outcome.row_duals, program.row_lower, program.row_upper)
    bound += _pressed(reduced, program.lower, program.upper)
    return abs(objective - bound) <= TOLERANCE * max(1.0, abs(objective), abs(program.offset))


def _scale(values: Floats) -> float:
    return max(1.0, float(np.abs(values).max(initial=0.0)))


def _violation(values: Floats, lower: Floats, upper: Floats) -> float:
    return float(np.maximum(lower - values, values - upper).max(initial=0.0))


def _pressed(duals: Floats, lower: Floats, upper: Floats) -> float:
    """Return the sum of dual times bound; a dual at the rounding of zero presses on nothing infinite."""
    duals = np.where(np.abs(duals) < 1e-9 * _scale(duals), 0.0, duals)
    bounds = np.where(duals > 0, lower, upper)
    active = duals != 0
    return float(np.sum(duals[active] * bounds[active]))
