"""Why a run came to no answer, in the words of whoever described its system."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.problem import Problem
from ecosystemiser.model.system import System
from ecosystemiser.results import SolvedSystem

__all__ = ["explained", "limits_told"]


def explained(error: SolveError, system: System, problem: Problem, *, is_brief: bool = False) -> str:
    """Return what a solver said, and why: what is short, when, at which limits, or which prices earn without end.

    `is_brief`: without looking for the change that would do, which takes longer than most solves.
    """
    found: list[str] = []
    with suppress(SolveError):  # the explanation of a failure may fail as it did
        if error.cause in (FailureCause.INFEASIBLE, FailureCause.UNMET):
            found = _shortages(system, problem, is_brief=is_brief)
        elif error.cause is FailureCause.UNBOUNDED:
            found = _endless(system, problem)
    return ". ".join([str(error), *found])


def _shortages(system: System, problem: Problem, *, is_brief: bool) -> list[str]:
    from ecosystemiser.solver.explaining import least_emissions, shortages_of, told_shortages

    found = shortages_of(problem, is_brief=is_brief)
    told = list(told_shortages(problem, found, lambda step: _moment(system, step)))
    if told:
        return told
    limit = problem.coefficients.co2_limit
    if np.isfinite(limit):
        least = least_emissions(problem)
        if least > float(limit):
            return [f"co2_limit_kg is {float(limit):.6g}, and no plan emits less than {least:.6g} kg"]
    switched = [
        problem.layout.flows[problem.layout.inputs[one.converter]].component for one in problem.layout.committed
    ]
    if switched:
        names = ", ".join(switched)
        return [f"At any load there would be a plan: minimum_load, min_up_h or min_down_h stand in its way ({names})"]
    return []


def _endless(system: System, problem: Problem) -> list[str]:
    from ecosystemiser.solver.explaining import endless_gains, told_endless

    found = endless_gains(problem)
    return [] if found is None else [told_endless(problem, found, lambda step: _moment(system, step))]


def limits_told(solved: SolvedSystem, component: str, step: int) -> str:
    """Return what gives no more to the bus of a demand in a step of a plan that leaves it short; empty: nothing."""
    from ecosystemiser.solver.explaining import told_limits

    layout = solved.problem.layout
    bus = next(layout.flows[flow].bus for flow in layout.sinks if layout.flows[flow].component == component)
    return told_limits(solved.problem, solved.solution.flows, solved.solution.levels, bus, step)


def _moment(system: System, step: int) -> str:
    return str(system.clock.local[step]).replace("T", " ")[:16]
