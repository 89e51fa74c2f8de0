"""The optimiser: the cheapest plan of all hours at once, with its bound."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Ints, Problem
from ecosystemiser.results import Solution, SolverReport
from ecosystemiser.results.switching import given_at
from ecosystemiser.solver.milp.certificate import is_certified
from ecosystemiser.solver.milp.exclusion import Strict, opposites
from ecosystemiser.solver.milp.formulation import Formulation, Program, formulate
from ecosystemiser.solver.milp.highs import HighsSession, Outcome
from ecosystemiser.solver.milp.metering import falling_meters
from ecosystemiser.solver.milp.overflow import collect
from ecosystemiser.solver.numbers import check_coefficients, check_signals

__all__ = ["MilpSolver"]


class MilpSolver:
    """Keeps its HiGHS model: a variation changes what differs and starts from the last basis.

    A warm answer is checked against duals and objective from our own arrays; where it fails, or where the warm run
    claims that there is no answer, it is solved cold and `cold_repeats` counts it.
    """

    def __init__(self, problem: Problem, options: SolverOptions) -> None:
        self._options = options
        self._key = Formulation.key(problem)
        self._form = Formulation(problem)
        self._session = HighsSession(options)
        self._base: Problem | None = None
        self.cold_repeats = 0

    def solve(self, problem: Problem, *, should_stop: Callable[[], bool] | None = None) -> Solution:
        """Return the cheapest plan. Raises SolveError with its cause."""
        check_signals(problem)
        self._prepare_if_other(problem)
        program = formulate(self._form, problem)
        if len(program.integers):
            self._session.forget()  # no basis tells where to start a search
        is_warm = self._session.is_warm
        self._session.load(program)
        outcome = self._warm_outcome(program, should_stop) if is_warm else self._session.run(should_stop)
        start = "warm" if is_warm else "cold"
        if outcome is None:
            self.cold_repeats += 1
            self._session.forget()
            self._session.load(program)
            outcome, start = self._session.run(should_stop), "warm, then cold"
        plan = self._solution(problem, self._form, outcome, start)
        broken = _broken(problem, self._form, outcome, plan)
        return self._solve_strictly(problem, plan, broken, should_stop) if broken else plan

    def _solve_strictly(
        self, problem: Problem, plan: Solution, broken: Strict, should_stop: Callable[[], bool] | None
    ) -> Solution:
        """Return a plan that does no opposites at once, found by forbidding them where plans did them.

        The program and basis that variations start from stay as they are.
        """
        strict, iterations, seconds = Strict(), plan.report.iterations, plan.report.solve_seconds
        while broken:
            strict, before = strict.with_more(broken), strict
            if strict.size == before.size:
                break  # it is forbidden already: what is left is rounding, which the audit judges
            form, session = Formulation(problem, strict), HighsSession(self._options)
            session.load(formulate(form, problem))
            outcome = session.run(should_stop)
            iterations, seconds = iterations + outcome.iterations, seconds + outcome.seconds
            plan = self._solution(problem, form, outcome, plan.report.start)
            broken = _broken(problem, form, outcome, plan)
        notes = (*plan.report.notes, *strict.words(problem))
        report = replace(plan.report, iterations=iterations, solve_seconds=seconds, notes=notes)
        return replace(plan, report=report)

    def start_from(self, base: Problem | None, *, should_stop: Callable[[], bool] | None = None) -> None:
        """Let what follows start from the optimum of `base`, whatever was solved before; None: of the last base.

        `base` is solved the first time only. Without one, or where it has no optimum, what follows starts cold.
        """
        if base is not None and self._base is not base:
            self._base, self._session = base, HighsSession(self._options)
            with suppress(SolveError):
                self.solve(base, should_stop=should_stop)
                self._session.keep_start()
        self._session.rewind()

    def forget(self) -> None:
        """Let the next answer depend on its problem alone, not on what was solved before."""
        self._session.forget()

    def _warm_outcome(self, program: Program, should_stop: Callable[[], bool] | None) -> Outcome | None:
        """Return the answer from the last basis; None where it is not to be trusted."""
        try:
            outcome = self._session.run(should_stop)
        except SolveError as error:
            if error.cause in (FailureCause.TIMEOUT, FailureCause.MEMORY):
                raise
            return None
        return outcome if is_certified(program, outcome) else None

    def _prepare_if_other(self, problem: Problem) -> None:
        key = Formulation.key(problem)
        if key != self._key:
            self._key, self._form, self._session = key, Formulation(problem), HighsSession(self._options)

    def _solution(self, problem: Problem, form: Formulation, outcome: Outcome, start: str) -> Solution:
        check_coefficients(problem)  # those that no program holds are read by results
        on = _on(problem, form, outcome.columns)
        flows, levels = _flows(problem, form, outcome.columns, on), _levels(problem, form, outcome.columns)
        collect(problem, flows, levels)
        _cancel_circles(problem, flows)
        report = SolverReport(
            solver="milp",
            status="optimal",
            objective=outcome.objective,
            bound=outcome.bound,
            solve_seconds=outcome.seconds,
            iterations=outcome.iterations,
            start=start,
        )
        steps = problem.steps
        return Solution(
            flows,
            levels,
            report,
            bus_prices=outcome.row_duals[: form.bus_rows].reshape(-1, steps),
            storage_prices=outcome.row_duals[form.bus_rows : form.storage_rows].reshape(-1, steps),
            on=on if len(on) else None,
        )


def _flows(problem: Problem, form: Formulation, columns: Floats, on: Ints) -> Floats:
    """Return all flows: free ones from their columns (kept within their bounds), the others as they follow."""
    layout, steps = problem.layout, problem.steps
    flows = np.zeros((len(layout.flows), steps))
    for flow, first in form.first_column.items():
        flows[flow] = np.clip(columns[first : first + steps], 0.0, problem.limits(flow))
    for flow, must in zip(layout.sinks, layout.must_meet, strict=True):
        if must:
            flows[flow] = problem.limits(flow)
    switched = form.switching.inputs(problem, columns)
    for at, drawn in switched.items():
        flow = layout.inputs[layout.committed[at].converter]
        flows[flow] = np.clip(drawn, 0.0, problem.limits(flow))
    given = {layout.committed[at].converter: given_at(problem, at, drawn, on[at]) for at, drawn in switched.items()}
    for output, (flow, converter) in enumerate(zip(layout.outputs, layout.output_converter, strict=True)):
        flows[flow] = given.get(converter, flows[layout.inputs[converter]]) * problem.ratios(output)
    return flows


def _on(problem: Problem, form: Formulation, columns: Floats) -> Ints:
    """Return how many units of each committed converter are on. (committed, steps)"""
    on = np.zeros((len(problem.layout.committed), problem.steps), dtype=np.int64)
    for at, its_columns in form.switching.on.items():
        on[at] = np.round(columns[its_columns])
    return on


def _levels(problem: Problem, form: Formulation, columns: Floats) -> Floats:
    numbers, steps = problem.coefficients, problem.steps
    levels = np.zeros((len(form.first_level), steps + 1))
    for storage, first in enumerate(form.first_level):
        levels[storage, 1:] = np.clip(columns[first : first + steps], 0.0, numbers.capacity[storage])
        is_cyclic = problem.end is EndRule.CYCLIC
        levels[storage, 0] = levels[storage, -1] if is_cyclic else numbers.initial_level[storage]
    return levels


def _broken(problem: Problem, form: Formulation, outcome: Outcome, plan: Solution) -> Strict:
    """Return what a plan does that no machine can."""
    return replace(opposites(problem, plan.flows), curves=form.switching.unordered(problem, outcome.columns))


def _cancel_circles(problem: Problem, flows: Floats) -> None:
    """Take back what an exchange buys only to sell it in the same step, where that earns nothing.

    Where a price falls with the amount, buying more for sale may earn something; then it stays.
    """
    layout, costs = problem.layout, problem.unit_costs()
    falling = {row.exchange for row, falls in zip(layout.meters, falling_meters(problem), strict=True) if falls}
    for exchange, (bought, sold) in enumerate(zip(layout.imports, layout.exports, strict=True)):
        if exchange in falling:
            continue
        both = np.where(costs[bought] + costs[sold] >= 0, np.minimum(flows[bought], flows[sold]), 0.0)
        flows[bought] -= both
        flows[sold] -= both
