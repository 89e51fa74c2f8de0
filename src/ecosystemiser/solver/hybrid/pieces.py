"""Fix and optimise: a day at a time is planned anew as a whole-number program, what lies around it stays.

A piece begins with the levels and units that the plan has there, and ends with them, so any piece may be taken over by
itself. Pieces of a second round lie across the ends of those of the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import SolveError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Ints, Problem
from ecosystemiser.results.charges import gathered
from ecosystemiser.solver.hybrid.relaxation import LinearPlan
from ecosystemiser.solver.milp.formulation import Formulation, formulate
from ecosystemiser.solver.milp.highs import HighsSession
from ecosystemiser.solver.milp.reading import flows_of, levels_of, units_on
from ecosystemiser.solver.rolling_horizon import plan_cost
from ecosystemiser.solver.windows import Past, Window, seen_by_windows, window_problem

__all__ = ["improved"]

PIECE_H = 24.0
WORTH = 1e-9
"""Share of a piece's cost by which a new plan of it must be cheaper."""


def improved(
    problem: Problem,
    options: SolverOptions,
    plan: LinearPlan,
    on: Ints,
    ends: float,
    should_stop: Callable[[], bool] | None,
) -> tuple[Ints, int]:
    """Return what is on in a plan that is no dearer, and how many days were planned anew until `ends`. [s]

    `ends` is told by time.perf_counter. Raises KeyboardInterrupt.
    """
    seen = seen_by_windows(problem)
    flows, levels, on = plan.flows.copy(), plan.levels.copy(), on.copy()
    count = 0
    for window in _pieces(problem):
        left = ends - time.perf_counter()
        if left <= 0:
            break
        limited = options.model_copy(update={"time_limit_s": left})
        try:
            count += _replan(seen, limited, window, (flows, levels, on), should_stop)
        except SolveError:
            continue  # the piece stays as it is
    return on, count


def _pieces(problem: Problem) -> Iterator[Window]:
    """Yield the pieces of one round, then of one that lies across their ends."""
    size = max(2, round(PIECE_H / problem.step_h))
    for offset in (0, size // 2):
        for first in range(offset, problem.steps - 1, size):
            last = min(first + size, problem.steps)
            yield Window(first, last, last)


def _replan(
    seen: Problem,
    options: SolverOptions,
    window: Window,
    plan: tuple[Floats, Floats, Ints],
    should_stop: Callable[[], bool] | None,
) -> bool:
    """Plan a piece anew and put it into `plan` where it is cheaper; return whether it was."""
    flows, levels, on = plan
    own = slice(window.first, window.seen)
    past = Past(levels[:, window.first], on[:, : window.first], flows[:, : window.first])
    part = window_problem(seen, window, past, levels[:, window.seen])
    outside = flows.copy()
    outside[:, own] = 0.0
    numbers = replace(part.coefficients, end_level=levels[:, window.seen])
    reached = gathered(seen, outside) if seen.layout.meters else None
    part = replace(part, end=EndRule.FIXED, coefficients=numbers, peak_before=reached)
    form = Formulation(part)
    program = formulate(form, part)
    lower, upper = program.lower.copy(), program.upper.copy()
    memory = max(one.memory for one in part.layout.committed)
    if window.seen < seen.steps:
        for at, columns in form.switching.on.items():
            pinned = columns[-memory:]
            lower[pinned] = upper[pinned] = on[at, own][-memory:]
    session = HighsSession(options)
    session.load(replace(program, lower=lower, upper=upper))
    outcome = session.run(should_stop)
    found_on = units_on(part, form, outcome.columns)
    found = flows_of(part, form, outcome.columns, found_on)
    before = plan_cost(part, flows[:, own], levels[:, window.first : window.seen + 1], on[:, own])
    after = plan_cost(part, found, levels_of(part, form, outcome.columns), found_on)
    if not after < before - WORTH * max(1.0, abs(before)):
        return False
    flows[:, own], on[:, own] = found, found_on
    levels[:, window.first : window.seen + 1] = levels_of(part, form, outcome.columns)
    return True
