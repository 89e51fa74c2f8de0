"""The hybrid: a rule-based scout finds a feasible plan, windows of optimisation improve it.

The scout's levels are what each window is asked to leave behind, so a window knows what the hours beyond it need. The
cheaper of the two plans is the answer; where a window has no plan, the scout's is, and the result says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import SolveError
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.results import Solution, SolverReport
from ecosystemiser.solver.milp.bound import lower_bound
from ecosystemiser.solver.milp.solver import MilpSolver
from ecosystemiser.solver.rolling_horizon import check_windows, plan_cost, plan_windows
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver
from ecosystemiser.solver.unseen import unseen_charges

__all__ = ["HybridSolver"]

SHORT = 1e-6
"""Share of a demand that a scout may leave short and still count as feasible."""


class HybridSolver:
    """Rule-based scout, then windows of MILP started from it; never costs more than a scout that is feasible."""

    def __init__(self, problem: Problem, options: SolverOptions) -> None:
        check_windows(options)
        self._options = options
        self._scout = RuleBasedSolver(_for_scout(problem), options)
        self._milp = MilpSolver(problem, options)

    def start_from(self, base: Problem | None, *, should_stop: Callable[[], bool] | None = None) -> None:
        """Do nothing: each plan starts from its own scout."""

    def solve(self, problem: Problem, *, should_stop: Callable[[], bool] | None = None) -> Solution:
        """Return the cheaper of the scout's and the windows' plan. Raises SolveError where neither is one."""
        begin, unseen = time.perf_counter(), unseen_charges(problem)
        scout = self._scout.solve(_for_scout(problem), should_stop=should_stop)
        scout_cost = plan_cost(problem, scout.flows, scout.levels) if _is_feasible(problem, scout) else np.inf
        try:
            plan = plan_windows(self._milp, problem, scout.levels, self._options, should_stop)
        except SolveError as error:
            if scout_cost == np.inf:
                raise
            note = f"a window has no plan ({error}); this is the scout's"
            return self._answer(scout, scout_cost, None, begin, (note, *unseen))
        cost = plan_cost(problem, plan.flows, plan.levels)
        bound = lower_bound(problem, plan.bus_prices, plan.storage_prices)
        if scout_cost < cost:
            note = f"the scout's plan: {cost - scout_cost:.2f} cheaper than that of {plan.windows} windows"
            return self._answer(scout, scout_cost, bound, begin, (note, *unseen))
        saved = "" if scout_cost == np.inf else f", {scout_cost - cost:.2f} cheaper than the scout"
        windows = Solution(plan.flows, plan.levels, scout.report, plan.bus_prices, plan.storage_prices)
        note = f"the plan of {plan.windows} windows{saved}"
        return self._answer(windows, cost, bound, begin, (note, *unseen))

    def _answer(
        self, solution: Solution, cost: float, bound: float | None, begin: float, notes: tuple[str, ...]
    ) -> Solution:
        report = SolverReport(
            solver="hybrid",
            status="improved" if notes[0].startswith("the plan of") else "scouted",
            objective=cost,
            bound=bound,
            solve_seconds=time.perf_counter() - begin,
            notes=notes,
        )
        return replace(solution, report=report)


def _for_scout(problem: Problem) -> Problem:
    """Return the problem under an end rule that a solver without look-ahead can promise."""
    return problem if problem.end is EndRule.FREE else replace(problem, end=EndRule.SHORTFALL)


def _is_feasible(problem: Problem, scout: Solution) -> bool:
    """Return whether a scout's plan meets what must be met and the end rule of `problem`."""
    layout = problem.layout
    for flow, must in zip(layout.sinks, layout.must_meet, strict=True):
        demand = problem.limits(flow)
        if must and np.any(demand - scout.flows[flow] > SHORT * demand.max(initial=0.0)):
            return False
    if problem.end in (EndRule.SHORTFALL, EndRule.FREE):
        return True
    drift = np.abs(scout.levels[:, -1] - scout.levels[:, 0])
    return bool(np.all(drift <= SHORT * problem.coefficients.capacity))
