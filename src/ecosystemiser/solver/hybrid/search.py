"""The search for what runs when: relaxation, commitment and polish in turn, then the bound; see `solver.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints, Problem
from ecosystemiser.results import Solution, SolverReport
from ecosystemiser.results.switching import starts_of
from ecosystemiser.solver.hybrid.bound import certified_bound
from ecosystemiser.solver.hybrid.circuits import circuits_of, on_limits
from ecosystemiser.solver.hybrid.commitment import committed
from ecosystemiser.solver.hybrid.pieces import improved
from ecosystemiser.solver.hybrid.relaxation import Linear, LinearPlan, tight_relaxation
from ecosystemiser.solver.milp.overflow import collect
from ecosystemiser.solver.milp.reading import cancel_circles

__all__ = ["Search"]

MOST_PASSES, PATIENCE = 8, 2
"""Passes at most, and how many in a row may find nothing cheaper."""
CLOSE = 0.01
"""Gap at which the search ends; above it a tighter relaxation is worth its time."""


@dataclass(frozen=True, eq=False)
class _Found:
    """A plan with what is on in it."""

    cost: float
    plan: LinearPlan
    on: Ints


class Search:
    """One search, on one problem."""

    def __init__(self, problem: Problem, options: SolverOptions, begin: float) -> None:
        self._problem, self._options = problem, options
        self._linear = Linear(problem, options)
        self._circuits = circuits_of(problem)
        self._ends = None if options.time_limit_s is None else begin + options.time_limit_s
        self._iterations = self._count = 0

    def relaxed_levels(self, should_stop: Callable[[], bool] | None = None) -> Floats:
        """Return the levels of the plan without on and off. (storages, steps + 1)"""
        return self._linear.solve(should_stop=should_stop).levels

    def run(self, should_stop: Callable[[], bool] | None = None) -> Solution | None:
        """Return the best plan and the bound; None where no pass found a plan. Raises SolveError, KeyboardInterrupt."""
        relaxed = self._solved(None, should_stop)
        if not self._circuits:
            nothing = np.zeros((len(self._problem.layout.committed), self._problem.steps), dtype=np.int64)
            return self._solution(_Found(relaxed.cost, relaxed, nothing), relaxed.cost, ("nothing can be on",))
        best = self._passes(relaxed, relaxed.duals, None, should_stop)
        if best is None:
            return None
        bound = max(relaxed.cost, certified_bound(self._linear, self._circuits, relaxed.duals))
        if best.cost - bound > CLOSE * abs(best.cost):
            cost, duals = tight_relaxation(self._problem, self._options, should_stop)
            duals = duals[: self._linear.form.rows]
            bound = max(bound, cost, certified_bound(self._linear, self._circuits, duals))
            best = self._passes(best.plan, duals, best, should_stop) or best
        notes = [f"relaxation {relaxed.cost:.2f}, {self._count} passes of commitment and polish"]
        if self._ends is not None and best.cost - bound > self._options.gap * abs(best.cost):
            on, count = improved(self._problem, self._options, best.plan, best.on, self._ends, should_stop)
            better = self._polished(on, should_stop)
            if better is not None and better.cost < best.cost:
                notes.append(f"{count} days planned anew, {best.cost - better.cost:.2f} cheaper")
                best = better
        return self._solution(best, min(bound, best.cost), tuple(notes))

    def _passes(
        self, last: LinearPlan, duals: Floats, best: _Found | None, should_stop: Callable[[], bool] | None
    ) -> _Found | None:
        """Return the cheapest plan of all passes, or `best`.

        Prices are the running mean of `duals` and those of each plan: without it they swing.
        """
        seen, idle, first_levels = [duals], 0, last.levels[:, 0]
        for _ in range(MOST_PASSES):
            if idle == PATIENCE or self._is_out_of_time():
                break
            mean = np.mean(seen, axis=0)
            on = committed(self._linear, self._circuits, mean, last.flows, first_levels)
            found = self._polished(on, should_stop)
            self._count += 1
            if found is None:
                break
            last, idle = found.plan, idle + 1
            seen.append(found.plan.duals)
            if best is None or found.cost < best.cost:
                best, idle = found, 0
        return best

    def _polished(self, on: Ints, should_stop: Callable[[], bool] | None) -> _Found | None:
        """Return the cheapest plan with `on`; None where there is none."""
        try:
            plan = self._solved(on_limits(self._circuits, on), should_stop)
        except SolveError as error:
            if error.cause is FailureCause.INFEASIBLE:
                return None
            raise
        starts = starts_of(self._problem, on).sum(axis=1)
        return _Found(plan.cost + float(self._problem.coefficients.start_cost @ starts), plan, on)

    def _solved(
        self, limits: dict[int, tuple[Floats, Floats]] | None, should_stop: Callable[[], bool] | None
    ) -> LinearPlan:
        plan = self._linear.solve(limits, should_stop)
        self._iterations += plan.iterations
        return plan

    def _is_out_of_time(self) -> bool:
        return self._ends is not None and time.perf_counter() > self._ends

    def _solution(self, found: _Found, bound: float, notes: tuple[str, ...]) -> Solution:
        problem, steps = self._linear.problem, self._problem.steps
        flows, levels = found.plan.flows, found.plan.levels
        collect(problem, flows, levels)
        cancel_circles(problem, flows)
        form, duals = self._linear.form, found.plan.duals
        report = SolverReport(
            solver="hybrid",
            status="committed",
            objective=found.cost,
            bound=bound,
            iterations=self._iterations,
            notes=notes,
        )
        prices = duals[: form.bus_rows].reshape(-1, steps), duals[form.bus_rows : form.storage_rows].reshape(-1, steps)
        return Solution(flows, levels, report, *prices, found.on)
