"""The part of a program that keeps total_co2 below a limit: one row over all that emits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.milp.part import Entries, Part

__all__ = ["EmissionLimit", "of_met_demands"]


class EmissionLimit(Part):
    """A row where there is a limit."""

    def __init__(
        self, problem: Problem, of_columns: Callable[[Problem, Floats], Floats], first_column: int, first_row: int
    ) -> None:
        """`of_columns`: what each column brings, given what each unit of each flow does."""
        super().__init__(first_column, first_row)
        if not np.isfinite(problem.coefficients.co2_limit):
            return
        (row,) = self.add_rows(1, lambda _: np.array([-np.inf]), _left_for_plans)
        marks = np.zeros((len(problem.layout.flows), problem.steps))
        marks[list(problem.layout.co2.flow)] = 1.0
        columns = np.flatnonzero(of_columns(problem, marks))

        def values(problem: Problem) -> Floats:
            return of_columns(problem, problem.emissions())[columns]

        self.entries.append(Entries(np.full(len(columns), row), columns, values))


def of_met_demands(problem: Problem, of_flows: Floats) -> float:
    """Return what demands that must be met bring whatever the plan, given what each unit of each flow does."""
    layout = problem.layout
    met = [flow for flow, must in zip(layout.sinks, layout.must_meet, strict=True) if must]
    return float(sum(of_flows[flow] @ problem.limits(flow) for flow in met if np.any(of_flows[flow])))


def _left_for_plans(problem: Problem) -> Floats:
    """Return what of the limit is left after what no plan changes."""
    numbers = problem.coefficients
    embodied = problem.year_share * float(numbers.embodied_per_year.sum())
    return np.array([float(numbers.co2_limit) - embodied - of_met_demands(problem, problem.emissions())])
