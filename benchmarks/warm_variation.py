"""Variations of the battery's capacity, re-solved from the last basis beside solved anew."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.measure import Effort, Limit, Pair, Row, seconds_of
from benchmarks.optimum import OPTIONS, cyclic
from benchmarks.systems import reference

from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.milp.solver import MilpSolver

__all__ = ["rows"]

CAPACITIES_KWH = (90.0, 100.0, 110.0, 120.0, 140.0, 130.0, 60.0, 70.0, 50.0, 40.0)


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    base = cyclic(reference(effort.steps))
    capacities = CAPACITIES_KWH if effort.is_full else CAPACITIES_KWH[:3]
    solver = MilpSolver(base, OPTIONS)
    solver.solve(base)
    warm, cold, worst = [], [], (0.0, 0.0, -1.0)
    for capacity in capacities:
        problem = with_battery(base, capacity)
        found: list[float] = []
        warm.append(seconds_of(lambda p=problem, into=found: _solve(solver, p, into)))  # type: ignore[misc]
        cold.append(seconds_of(lambda p=problem, into=found: _solve(MilpSolver(p, OPTIONS), p, into)))  # type: ignore[misc]
        distance = abs(found[0] - found[1]) / abs(found[1])
        worst = max(worst, (found[0], found[1], distance), key=lambda three: three[2])
    pair = Pair(tuple(warm), tuple(cold))
    details = {**pair.details(), "cold_repeats": solver.cold_repeats, "capacities_kwh": list(capacities)}
    note = f"{len(warm)} battery capacities; warm answers that failed their check: {solver.cold_repeats}"
    return [
        Row("warm_variation", pair.ours_s, pair.peer_s, spread=pair.spread, note=note, details=details),
        Row("warm_variation objective", worst[0], worst[1], "EUR", 1e-6, Limit.DIFFERENCE),
    ]


def with_battery(problem: Problem, capacity_kwh: float) -> Problem:
    """Return the reference system with another capacity of its battery."""
    at = problem.layout.storage_names.index("battery")
    capacity, level = problem.coefficients.capacity.copy(), problem.coefficients.initial_level.copy()
    level[at] *= capacity_kwh / capacity[at]
    capacity[at] = capacity_kwh
    return replace(problem, coefficients=replace(problem.coefficients, capacity=capacity, initial_level=level))


def _solve(solver: MilpSolver, problem: Problem, into: list[float]) -> None:
    objective = solver.solve(problem).report.objective
    assert objective is not None
    into.append(objective)
