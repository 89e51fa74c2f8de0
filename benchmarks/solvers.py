"""All four solvers on the packaged example: what their plans cost beyond the best bound, and how long they take."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from benchmarks.measure import Effort, Limit, Row, seconds_of

from ecosystemiser.analyser.audit import audit
from ecosystemiser.analyser.kpi_calculator import KPICalculator
from ecosystemiser.config import DEFAULT_SYSTEM, SOLVER_TYPES, SimulationConfig, SolverOptions
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.model.system import System
from ecosystemiser.results import SolvedSystem
from ecosystemiser.services.simulation_service import load
from ecosystemiser.solver.door import prepare

__all__ = ["rows"]

MOST = {"hybrid": 0.005}
"""The most that a plan may cost beyond the bound, as a share of it."""
REPEATS = 3


@dataclass
class Solver:
    """One solver and what it has done so far."""

    name: str
    seconds: list[float] = field(default_factory=list)
    plans: list[SolvedSystem] = field(default_factory=list)

    def solve(self, system: System, problem: Problem) -> None:
        """Solve with a new solver, as a single run does."""
        options = SolverOptions(end="shortfall", threads=1)
        found: list[SolvedSystem] = []

        def work() -> None:
            found.append(SolvedSystem(system, problem, prepare(self.name, problem, options).solve(problem)))

        self.seconds.append(seconds_of(work))
        self.plans = found

    @property
    def median_s(self) -> float:
        """Median time, the first left out: it compiles. [s]"""
        return statistics.median(self.seconds[1:])

    @property
    def cost(self) -> float:
        """Total cost of the plan. Raises RuntimeError for a plan that does not pass its audit."""
        (plan,) = self.plans
        found = audit(plan)
        if not found.has_passed:
            raise RuntimeError(f"the plan of {self.name} does not pass its audit: {found.violations[0]}")
        cost = KPICalculator().calculate_from_system(plan)["total_cost"]
        assert cost is not None
        return cost

    @property
    def bound(self) -> float | None:
        """Its own bound of the cost."""
        return self.plans[0].report.bound


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    system = load(SimulationConfig(system=DEFAULT_SYSTEM, timesteps=effort.steps))
    problem = compile_problem(system, EndRule.SHORTFALL)
    solvers = [Solver(name) for name in SOLVER_TYPES]
    for _ in range(1 + min(REPEATS, effort.long_repeats)):
        for solver in solvers:
            solver.solve(system, problem)
    optimal = next(solver for solver in solvers if solver.name == "milp")
    assert optimal.bound is not None
    return [row for solver in solvers for row in _rows(solver, optimal, optimal.bound)]


def _rows(solver: Solver, optimal: Solver, bound: float) -> list[Row]:
    own = solver.bound
    said = "gives no bound" if own is None else f"own bound {own:.2f}, own gap {(solver.cost - own) / abs(own):.2%}"
    note = f"cost beside the bound of milp: {(solver.cost - bound) / abs(bound):+.3%}; {said}"
    details = {"seconds": solver.seconds, "own_bound": own, "notes": list(solver.plans[0].report.notes)}
    most, what = MOST.get(solver.name), f"solvers {solver.name}"
    return [
        Row(what, solver.cost, bound, "EUR", most, Limit.DIFFERENCE, note=note, details=details),
        Row(f"{what} time", solver.median_s, optimal.median_s),
    ]
