"""The one door to all solvers: prepare a Problem once, then solve it and variations of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ecosystemiser.config.solver_options import SOLVER_TYPES, SolverOptions
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.problem import Problem
from ecosystemiser.results import Solution

__all__ = ["Prepared", "prepare"]


class Prepared(Protocol):
    """A Problem made ready by one solver.

    Promises: never changes a problem; an answer closes every balance and keeps every bound to 1e-6 of the largest
    flow or capacity; raises only SolveError (with its cause) and InputError (a problem of another structure that it
    was not prepared for is prepared anew, not refused).
    """

    def solve(self, problem: Problem, *, should_stop: Callable[[], bool] | None = None) -> Solution:
        """Return a plan for `problem`, a variation of the one that was prepared. `should_stop` is polled; True ends
        the work with KeyboardInterrupt."""

    def start_from(self, base: Problem | None, *, should_stop: Callable[[], bool] | None = None) -> None:
        """Let what follows depend on `base` and on itself alone, not on what was solved before.

        None: on the base that was given last, if any.
        """


def prepare(solver_type: str, problem: Problem, options: SolverOptions | None = None) -> Prepared:
    """Return `problem` made ready by the solver named `solver_type`. Raises InputError for what it cannot do."""
    options = options or SolverOptions()
    if solver_type == "rule_based":
        from ecosystemiser.solver.rule_based.solver import RuleBasedSolver

        return RuleBasedSolver(problem, options)
    _check_no_strategy(solver_type, options)
    if solver_type == "milp":
        from ecosystemiser.solver.milp.solver import MilpSolver

        return MilpSolver(problem, options)
    if solver_type == "rolling_horizon":
        from ecosystemiser.solver.rolling_horizon import RollingHorizonSolver

        return RollingHorizonSolver(problem, options)
    if solver_type == "hybrid":
        from ecosystemiser.solver.hybrid import HybridSolver

        return HybridSolver(problem, options)
    remedy = f"use one of {', '.join(SOLVER_TYPES)}"
    raise InputError([Finding("is no solver", remedy, "solver_type", solver_type)])


def _check_no_strategy(solver_type: str, options: SolverOptions) -> None:
    """Raise InputError for a strategy of rules that is given to an optimiser."""
    if options.strategy != "self_consumption" and solver_type in SOLVER_TYPES:
        remedy = "use solver_type: rule_based, or leave it out"
        raise InputError([Finding(f"means nothing to {solver_type}", remedy, "solver.strategy", options.strategy)])
