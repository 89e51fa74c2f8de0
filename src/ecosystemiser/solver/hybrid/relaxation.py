"""The linear program of all hours: without on and off a lower bound and the price of everything, with them a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.milp.formulation import Formulation, Program, formulate
from ecosystemiser.solver.milp.highs import HighsSession
from ecosystemiser.solver.milp.reading import flows_of, levels_of

__all__ = ["Linear", "LinearPlan", "tight_relaxation", "unswitched"]


def unswitched(problem: Problem) -> Problem:
    """Return `problem` with converters that run at any load, for nothing."""
    none = np.zeros(0)
    numbers = replace(problem.coefficients, start_cost=none, curve_load=none, curve_given=none)
    layout = replace(problem.layout, committed=())
    return replace(problem, layout=layout, coefficients=numbers, on_before=None)


@dataclass(frozen=True, eq=False)
class LinearPlan:
    """The optimum of the linear program, within some limits of the devices."""

    cost: float
    """Starts left out."""
    flows: Floats
    levels: Floats
    duals: Floats
    """Of each row: what one more unit of its right-hand side would cost."""
    iterations: int


def tight_relaxation(
    problem: Problem, options: SolverOptions, should_stop: Callable[[], bool] | None
) -> tuple[float, Floats]:
    """Return the optimum of the whole-number program with parts of units allowed, and the duals of all its rows.

    It knows a part of what starts and least loads cost, and takes longer than `Linear`, whose rows are its first ones.
    """
    program = formulate(Formulation(problem), problem)
    session = HighsSession(options)
    session.load(replace(program, integers=program.integers[:0]))
    outcome = session.run(should_stop)
    return outcome.objective, outcome.row_duals


class Linear:
    """One program, solved again and again with other limits of the devices, warm."""

    def __init__(self, problem: Problem, options: SolverOptions) -> None:
        self.problem = unswitched(problem)
        self.form = Formulation(self.problem)
        self.program: Program = formulate(self.form, self.problem)
        self._session = HighsSession(options)

    def solve(
        self,
        limits: dict[int, tuple[Floats, Floats]] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> LinearPlan:
        """Return the optimum with flows between `limits`. (steps,) each. Raises SolveError."""
        lower, upper = self.program.lower.copy(), self.program.upper.copy()
        for flow, (least, most) in (limits or {}).items():
            first = self.form.first_column[flow]
            columns = slice(first, first + self.form.steps)
            lower[columns], upper[columns] = least, most
        self._session.load(replace(self.program, lower=lower, upper=upper))
        outcome = self._session.run(should_stop)
        nothing_on = np.zeros((0, self.form.steps), dtype=np.int64)
        return LinearPlan(
            cost=outcome.objective,
            flows=flows_of(self.problem, self.form, outcome.columns, nothing_on),
            levels=levels_of(self.problem, self.form, outcome.columns),
            duals=outcome.row_duals,
            iterations=outcome.iterations,
        )
