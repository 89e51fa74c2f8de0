"""A batch of variations by rule, beside a loop written by hand for this one system."""

from __future__ import annotations

import numpy as np
from benchmarks import hand_loop
from benchmarks.measure import Effort, Limit, Row, by_turns, seconds_of
from benchmarks.systems import reference, variations

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.kpis import KpiTotals
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.problem import Problem
from ecosystemiser.results import Totals
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack

__all__ = ["by_hand", "largest_difference", "rows"]

MOST, SAME = 2.5, 1e-9
SUMS = tuple(name for name, kind in vars(KpiTotals).items() if isinstance(kind, property))


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    problem = compile_problem(reference(effort.steps))
    singles = variations(problem, effort.lanes)
    stacking = seconds_of(lambda: stack(singles))
    batch = stack(singles)
    solver, hours, numbers = RuleBasedSolver(batch, SolverOptions()), hand_loop.hours_of(batch), hand_loop.numbers_of(batch)
    pair = by_turns(
        lambda: solver.solve_batch(batch), lambda: _loop(hours, numbers), effort.short_repeats
    )
    name, ours, theirs = largest_difference(solver.solve_batch(batch), by_hand(batch))
    years = f"{effort.lanes} variations of {effort.steps} steps; stacking them takes {stacking:.2g} s, not counted"
    return [
        Row("rule_batch", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, note=years, details=pair.details()),
        Row("rule_batch sums", ours, theirs, name, SAME, Limit.DIFFERENCE, note=f"of {len(SUMS)} sums {name} differs most"),
    ]


def by_hand(batch: Problem) -> Totals:
    """Return the Totals of a batch of the reference system by the hand-written loop."""
    return hand_loop.totals_of(batch, *_loop(hand_loop.hours_of(batch), hand_loop.numbers_of(batch)))


def largest_difference(ours: Totals, theirs: Totals) -> tuple[str, float, float]:
    """Return the sum of Totals that differs most, relative to the largest of its kind in the batch, and both values."""
    worst = ("", 0.0, 0.0)
    largest = -1.0
    for name in SUMS:
        one, other = (np.broadcast_to(getattr(totals, name), ours.tally.local_use.shape) for totals in (ours, theirs))
        distance = np.abs(one - other) / np.maximum(np.abs(other), 1e-9 * max(1.0, float(np.abs(other).max())))
        at = int(np.argmax(np.where(np.isnan(distance), np.inf, distance)))
        if not distance[at] <= largest:
            largest, worst = float(distance[at]), (name, float(one[at]), float(other[at]))
    return worst


def _loop(hours: hand_loop.Hours, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lanes = numbers.shape[1]
    sums, peaks = np.zeros((lanes, hand_loop.SUMS)), np.zeros((lanes, 2, int(hours.months[-1]) + 1))
    hand_loop.years(*hours, numbers, sums, peaks)
    return sums, peaks
