"""Whether an answer is optimal, from our own arrays: HiGHS may call a warm-started LP optimal at a wrong objective."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.model.kinds import Floats
from ecosystemiser.solver.milp.formulation import Program
from ecosystemiser.solver.milp.highs import Outcome

__all__ = ["dual_bound", "is_certified", "pressed"]

TOLERANCE = 1e-6
DUAL_TOLERANCE = 1e-6
"""Reduced costs this near 0 press on no infinite bound; HiGHS itself allows 1e-7."""


def is_certified(program: Program, outcome: Outcome) -> bool:
    """Return whether the answer is feasible and a dual bound of our own reaches its cost, to 1e-6 of total_cost."""
    columns, owner = outcome.columns, _owners(program)
    terms = program.values * columns[owner]
    activity = np.bincount(program.rows, terms, minlength=len(program.row_lower)).astype(np.float64)
    if _violation(columns, program.lower, program.upper) > TOLERANCE * _scale(columns):
        return False
    if _violation(activity, program.row_lower, program.row_upper) > TOLERANCE * _scale(activity):
        return False
    objective = float(program.cost @ columns)
    bound = dual_bound(program, outcome.row_duals)
    return abs(objective - bound) <= TOLERANCE * max(1.0, abs(objective + program.offset))


def dual_bound(program: Program, row_duals: Floats) -> float:
    """Return a bound below the cost (offset left out) of every feasible point, valid for any `row_duals`.

    Weak duality: the sum of each dual times the row bound it presses on, plus each column's reduced cost times the
    column bound it presses on; -inf where one presses on no bound.
    """
    priced = np.bincount(_owners(program), program.values * row_duals[program.rows], minlength=len(program.cost))
    reduced = program.cost - priced
    return pressed(row_duals, program.row_lower, program.row_upper) + pressed(reduced, program.lower, program.upper)


def _owners(program: Program) -> NDArray[np.int64]:
    """Return the column of each matrix entry."""
    return np.repeat(np.arange(len(program.cost)), np.diff(program.starts))


def _scale(values: Floats) -> float:
    return max(1.0, float(np.abs(values).max(initial=0.0)))


def _violation(values: Floats, lower: Floats, upper: Floats) -> float:
    return float(np.maximum(lower - values, values - upper).max(initial=0.0))


def pressed(duals: Floats, lower: Floats, upper: Floats) -> float:
    """Return what duals are worth at the bounds that they press on; -inf where one presses on no bound."""
    bounds = np.where(duals > 0, lower, upper)
    is_free = np.isinf(bounds) & (np.abs(duals) <= DUAL_TOLERANCE)
    active = (duals != 0) & ~is_free
    return float(np.sum(duals[active] * bounds[active]))
