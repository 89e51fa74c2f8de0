"""Our way from a system to an audited optimum, as several measurements take it."""

from __future__ import annotations

from ecosystemiser.analyser.audit import audit
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.model.system import System
from ecosystemiser.results import SolvedSystem
from ecosystemiser.solver.milp.solver import MilpSolver

__all__ = ["OPTIONS", "audited", "cyclic", "running_cost"]

OPTIONS = SolverOptions(end="cyclic", threads=1)


def cyclic(system: System) -> Problem:
    """Return the problem whose stores end as they began: the rule that all peers know."""
    return compile_problem(system, EndRule.CYCLIC)


def audited(system: System, problem: Problem) -> SolvedSystem:
    """Return the optimum, solved by a new solver and audited. Raises RuntimeError where the audit finds anything."""
    solved = SolvedSystem(system, problem, MilpSolver(problem, OPTIONS).solve(problem))
    found = audit(solved)
    if not found.has_passed:
        raise RuntimeError(f"the optimum does not pass its audit: {found.violations[0]}")
    return solved


def running_cost(solved: SolvedSystem) -> float:
    """Return the objective without what no plan changes."""
    objective = solved.report.objective
    assert objective is not None
    return objective - solved.problem.fixed_costs()
