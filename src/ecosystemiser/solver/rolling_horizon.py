"""Rolling horizon: plan a look-ahead, keep its beginning, carry the levels, go on.

Every window is a variation of one prepared Problem. What a plan of windows costs beyond the optimum is bounded by the
windows' own prices, put together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, Finding, InputError, SolveError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Ints, Problem
from ecosystemiser.results import Solution, SolverReport
from ecosystemiser.results.charges import charges_of, gathered
from ecosystemiser.results.switching import starts_of
from ecosystemiser.solver.milp.bound import lower_bound
from ecosystemiser.solver.milp.solver import MilpSolver
from ecosystemiser.solver.numbers import check_coefficients, check_signals
from ecosystemiser.solver.unseen import unseen_charges
from ecosystemiser.solver.windows import Past, Window, seen_by_windows, window_problem, windows_of

__all__ = ["RollingHorizonSolver", "WindowPlan", "check_windows", "plan_cost", "plan_windows"]


@dataclass(frozen=True, eq=False)
class WindowPlan:
    """What the windows decided, joined."""

    flows: Floats
    levels: Floats
    on: Ints | None
    bus_prices: Floats
    storage_prices: Floats
    windows: int
    iterations: int


class RollingHorizonSolver:
    """Solves windows of `lookahead_h` one after the other and keeps `commit_h` of each."""

    def __init__(self, problem: Problem, options: SolverOptions) -> None:
        check_windows(options)
        _check_capable(problem)
        self._options = options
        self._milp = MilpSolver(problem, options)

    def start_from(self, base: Problem | None, *, should_stop: Callable[[], bool] | None = None) -> None:
        """Do nothing: each plan starts cold, from its first window."""

    def solve(self, problem: Problem, *, should_stop: Callable[[], bool] | None = None) -> Solution:
        """Return the joined plan of the windows. Raises SolveError naming the window that has none."""
        begin = time.perf_counter()
        _check_capable(problem)
        check_coefficients(problem)  # no window holds all of them
        check_signals(problem)
        # What lies beyond a window is unknown: it is asked to leave its storages as they began.
        targets = np.tile(problem.coefficients.initial_level[:, None], problem.steps + 1)
        plan = plan_windows(self._milp, problem, targets, self._options, should_stop)
        report = SolverReport(
            solver="rolling_horizon",
            status="rolled",
            objective=plan_cost(problem, plan.flows, plan.levels, plan.on),
            bound=lower_bound(problem, plan.bus_prices, plan.storage_prices),
            solve_seconds=time.perf_counter() - begin,
            iterations=plan.iterations,
            notes=(
                f"{plan.windows} windows of {self._options.lookahead_h} h, {self._options.commit_h} h kept",
                *unseen_charges(problem, sees_peaks=True),
            ),
        )
        return Solution(plan.flows, plan.levels, report, plan.bus_prices, plan.storage_prices, plan.on)


def plan_windows(
    milp: MilpSolver,
    problem: Problem,
    targets: Floats,
    options: SolverOptions,
    should_stop: Callable[[], bool] | None,
) -> WindowPlan:
    """Return the joined plan of all windows; each is asked to end at the `targets` of its end. (storages, steps + 1)"""
    milp.forget()  # of two equal optima, the one that the last basis favours would lead to other windows
    layout, steps, seen = problem.layout, problem.steps, seen_by_windows(problem)
    on = np.zeros((len(layout.committed), steps), dtype=np.int64)
    flows, levels = np.zeros((len(layout.flows), steps)), np.zeros((len(layout.charges), steps + 1))
    bus_prices, storage_prices = np.zeros((len(layout.buses), steps)), np.zeros((len(layout.charges), steps))
    levels[:, 0] = problem.coefficients.initial_level
    count = iterations = 0
    for window in windows_of(steps, *_window_steps(options, problem.step_h)):
        past = Past(levels[:, window.first], on[:, : window.first], flows[:, : window.first])
        part = window_problem(seen, window, past, targets[:, window.seen])
        solution = _solved(milp, problem, part, window, should_stop)
        kept = window.committed - window.first
        own = slice(window.first, window.committed)
        flows[:, own] = solution.flows[:, :kept]
        levels[:, window.first + 1 : window.committed + 1] = solution.levels[:, 1 : kept + 1]
        bus_prices[:, own] = solution.bus_prices[:, :kept] if solution.bus_prices is not None else 0.0
        storage_prices[:, own] = solution.storage_prices[:, :kept] if solution.storage_prices is not None else 0.0
        if solution.on is not None:
            on[:, own] = solution.on[:, :kept]
        count, iterations = count + 1, iterations + solution.report.iterations
    return WindowPlan(flows, levels, on if len(on) else None, bus_prices, storage_prices, count, iterations)


def plan_cost(problem: Problem, flows: Floats, levels: Floats, on: Ints | None = None) -> float:
    """Return the total_cost of a plan."""
    costs = float(np.sum(problem.unit_costs() * flows)) + problem.fixed_costs()
    costs += float(sum(charge.cost.sum() for charge in charges_of(problem, gathered(problem, flows))))
    if on is not None:
        costs += float(problem.coefficients.start_cost @ starts_of(problem, on).sum(axis=1))
    if problem.end == "shortfall":
        short = np.maximum(problem.coefficients.end_level - levels[:, -1], 0.0)
        costs += float(problem.coefficients.end_price @ short)
    return costs


def _check_capable(problem: Problem) -> None:
    if np.isfinite(problem.coefficients.co2_limit):
        message = "cannot be promised by rolling_horizon, whose windows do not see the whole run"
        raise InputError([Finding(message, "use solver_type: milp or hybrid", "economics.co2_limit_kg")])


def check_windows(options: SolverOptions) -> None:
    """Raise InputError where a window would keep more than it sees."""
    if options.commit_h > options.lookahead_h:
        remedy = f"take commit_h of at most lookahead_h ({options.lookahead_h})"
        raise InputError([Finding("is longer than the look-ahead", remedy, "solver.commit_h", options.commit_h)])


def _window_steps(options: SolverOptions, step_h: float) -> tuple[int, int]:
    return max(1, round(options.lookahead_h / step_h)), max(1, round(options.commit_h / step_h))


def _solved(
    milp: MilpSolver, problem: Problem, part: Problem, window: Window, should_stop: Callable[[], bool] | None
) -> Solution:
    try:
        return milp.solve(part, should_stop=should_stop)
    except SolveError as error:
        cause, message = error.cause, f"steps {window.first} to {window.seen - 1}: {error}"
        if cause is FailureCause.INFEASIBLE and not _is_proof(problem, window):
            cause = FailureCause.UNMET
            message += "; other plans for the steps before may have left one: raise lookahead_h, or use milp"
        raise SolveError(cause, message) from error


def _is_proof(problem: Problem, window: Window) -> bool:
    """Return whether no plan for a window means none for the horizon: it asks no more, and nothing went before."""
    return window.first == 0 and problem.end is not EndRule.CYCLIC
