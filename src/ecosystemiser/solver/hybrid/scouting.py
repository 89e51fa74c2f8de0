"""The scout: a rule-based plan to fall back on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.results import Solution, SolverReport
from ecosystemiser.solver.rolling_horizon import plan_cost
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver
from ecosystemiser.solver.unseen import unseen_charges

__all__ = ["scouted"]

SHORT = 1e-6
"""Share of a demand that a scout may leave short and still count as feasible."""


def scouted(problem: Problem, options: SolverOptions, reason: str) -> Solution:
    """Return the rule-based plan of `problem`. Raises SolveError where it breaks a rule, InputError where it has none.

    `reason`: why it is asked for.
    """
    bare = SolverOptions(end="shortfall" if problem.end is not EndRule.FREE else "free", threads=options.threads)
    asked = problem if problem.end is EndRule.FREE else replace(problem, end=EndRule.SHORTFALL)
    plan = RuleBasedSolver(asked, bare).solve(asked)
    if not _is_feasible(problem, plan):
        raise SolveError(FailureCause.UNMET, "the rule-based scout leaves a demand short or a storage elsewhere")
    report = SolverReport(
        solver="hybrid",
        status="scouted",
        objective=plan_cost(problem, plan.flows, plan.levels),
        notes=(f"the rule-based scout's plan: {reason}", *unseen_charges(problem)),
    )
    return replace(plan, report=report)


def _is_feasible(problem: Problem, plan: Solution) -> bool:
    """Return whether a scout's plan meets what must be met and the end rule of `problem`."""
    layout = problem.layout
    for flow, must in zip(layout.sinks, layout.must_meet, strict=True):
        demand = problem.limits(flow)
        if must and np.any(demand - plan.flows[flow] > SHORT * demand.max(initial=0.0)):
            return False
    if problem.end in (EndRule.SHORTFALL, EndRule.FREE):
        return True
    drift = np.abs(plan.levels[:, -1] - plan.levels[:, 0])
    return bool(np.all(drift <= SHORT * problem.coefficients.capacity))
