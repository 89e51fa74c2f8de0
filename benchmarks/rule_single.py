"""One year by rule, from a prepared solver: the wait of a person who moves a slider."""

from __future__ import annotations

import statistics
import time

from benchmarks.measure import Effort, Limit, Row, quartiles, seconds_of
from benchmarks.systems import reference

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver

__all__ = ["rows"]

MOST_S = 2e-3


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    system = reference(effort.steps)
    problem = compile_problem(system)
    solver = RuleBasedSolver(problem, SolverOptions())
    solver.solve(problem)
    begin = time.process_time()
    seconds = [seconds_of(lambda: solver.solve(problem), tidy=False) for _ in range(effort.many_repeats)]
    compiling = [seconds_of(lambda: compile_problem(system), tidy=False) for _ in range(effort.many_repeats)]
    kernel = [solver.solve(problem).report.solve_seconds for _ in range(effort.many_repeats)]
    low, high = quartiles(seconds)
    note = (
        f"quartiles {1e3 * low:.2f} and {1e3 * high:.2f} ms, best {1e3 * min(seconds):.2f} ms; "
        f"{1e3 * statistics.median(kernel):.2f} ms of it in the kernel"
    )
    details = {"seconds": seconds, "kernel_s": kernel, "compile_s": compiling, "cpu_s": time.process_time() - begin}
    return [
        Row("rule_single", statistics.median(seconds), None, "s", MOST_S, Limit.VALUE, note=note, details=details),
        Row("rule_single compile_problem", statistics.median(compiling)),
    ]
