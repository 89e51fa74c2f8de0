"""The hybrid solver: linear programs as they are; where devices are switched, prices and dynamic programs in turn.

1. relaxation   the linear program of all hours, without on and off: what everything is worth, and a lower bound
2. commitment   for each device a dynamic program over on, off and its storage, against the merit order of each hour
3. polish       the linear program again, with on and off fixed: a plan, and better prices
   2 and 3 repeat while they find something cheaper
4. bound        the prices once more, with a dynamic program over cells of the level: no plan costs less
5. pieces       where a time limit leaves time: a day at a time as a whole-number program, all else as it is

What does not fit, or finds no plan this way, is planned in windows of whole-number programs; where a window has no
plan, or time is out, the rule-based scout's plan stands. The result says which way was taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError, SolveError
from ecosystemiser.model.problem import Problem
from ecosystemiser.results import Solution, SolverReport
from ecosystemiser.solver.hybrid.circuits import misfit
from ecosystemiser.solver.hybrid.scouting import scouted
from ecosystemiser.solver.hybrid.search import Search
from ecosystemiser.solver.milp.bound import lower_bound
from ecosystemiser.solver.milp.solver import MilpSolver
from ecosystemiser.solver.numbers import check_coefficients, check_signals
from ecosystemiser.solver.rolling_horizon import check_windows, plan_cost, plan_windows
from ecosystemiser.solver.unseen import unseen_charges

__all__ = ["HybridSolver"]

StopAsked = Callable[[], bool] | None
GIVES_WAY = (FailureCause.TIMEOUT, FailureCause.INFEASIBLE, FailureCause.UNMET)
"""Failures of windows that leave the word to the scout."""


class HybridSolver:
    """The optimum of linear programs; of others a plan with a certified gap, in a small part of the time."""

    def __init__(self, problem: Problem, options: SolverOptions) -> None:
        check_windows(options)
        self._options = options
        self._milp = MilpSolver(problem, options)

    def start_from(self, base: Problem | None, *, should_stop: StopAsked = None) -> None:
        """Let linear programs that follow start from the optimum of `base`, as `MilpSolver` does.

        A search over switched devices starts from its own relaxation, whatever was solved before.
        """
        is_linear = base is not None and not base.layout.committed
        self._milp.start_from(base if is_linear else None, should_stop=should_stop)

    def solve(self, problem: Problem, *, should_stop: StopAsked = None) -> Solution:
        """Return the best plan that was found, with a bound where there is one. Raises SolveError without a plan."""
        begin = time.perf_counter()
        check_coefficients(problem)
        check_signals(problem)
        try:
            solution = self._planned(problem, begin, should_stop)
        except SolveError as error:
            solution = self._after(error, problem)
        seconds = time.perf_counter() - begin
        return replace(solution, report=replace(solution.report, solver="hybrid", solve_seconds=seconds))

    def _planned(self, problem: Problem, begin: float, should_stop: StopAsked) -> Solution:
        if not problem.layout.committed:
            return self._milp.solve(problem, should_stop=should_stop)
        reason = misfit(problem)
        if reason is None:
            search = Search(problem, self._options, begin)
            found = search.run(should_stop)
            if found is not None:
                return found
            reason = "no plan was found at the prices of the linear program"
        return self._in_windows(problem, reason, should_stop)

    def _in_windows(self, problem: Problem, reason: str, should_stop: StopAsked) -> Solution:
        """Return the plan of windows, each asked to leave behind what the linear program would.

        Windows cannot keep a limit of CO2 of the whole run: then all hours are planned at once.
        """
        if np.isfinite(problem.coefficients.co2_limit):
            return self._milp.solve(problem, should_stop=should_stop)
        targets = Search(problem, self._options, time.perf_counter()).relaxed_levels(should_stop)
        plan = plan_windows(self._milp, problem, targets, self._options, should_stop)
        report = SolverReport(
            solver="hybrid",
            status="planned in windows",
            objective=plan_cost(problem, plan.flows, plan.levels, plan.on),
            bound=lower_bound(problem, plan.bus_prices, plan.storage_prices),
            iterations=plan.iterations,
            notes=(f"the plan of {plan.windows} windows, because {reason}", *unseen_charges(problem, sees_peaks=True)),
        )
        return Solution(plan.flows, plan.levels, report, plan.bus_prices, plan.storage_prices, plan.on)

    def _after(self, error: SolveError, problem: Problem) -> Solution:
        """Return the scout's plan where the optimiser's `error` leaves the word to it; raises that error otherwise."""
        if error.cause not in GIVES_WAY:
            raise error
        try:
            return scouted(problem, self._options, f"the optimiser found no plan ({error})")
        except (InputError, SolveError):
            raise error from None
