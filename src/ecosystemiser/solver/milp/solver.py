"""The optimiser: the cheapest plan of all hours at once, with its bound."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.problem import Problem
from ecosystemiser.results import Solution, SolverReport
from ecosystemiser.solver.milp.certificate import is_certified
from ecosystemiser.solver.milp.exclusion import Strict, opposites
from ecosystemiser.solver.milp.formulation import Formulation, Program, formulate
from ecosystemiser.solver.milp.highs import HighsSession, Outcome
from ecosystemiser.solver.milp.overflow import collect
from ecosystemiser.solver.milp.reading import cancel_circles, flows_of, levels_of, units_on
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
        on = units_on(problem, form, outcome.columns)
        flows, levels = flows_of(problem, form, outcome.columns, on), levels_of(problem, form, outcome.columns)
        collect(problem, flows, levels)
        cancel_circles(problem, flows)
        report = SolverReport(
            solver="milp",
            status="optimal" if outcome.is_proved else "stopped by its time limit",
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


def _broken(problem: Problem, form: Formulation, outcome: Outcome, plan: Solution) -> Strict:
    """Return what a plan does that no machine can."""
    return replace(opposites(problem, plan.flows), curves=form.switching.unordered(problem, outcome.columns))
