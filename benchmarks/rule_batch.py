"""A batch of variations by rule, beside a loop written by hand for this one system."""

from __future__ import annotations

import numpy as np
from benchmarks import hand_loop
from benchmarks.measure import Effort, Limit, Row, by_turns, seconds_of
from benchmarks.systems import reference, variations

from ecosystemiser.config.solver_options import SolverOptions, Strategy
from ecosystemiser.kpis import KpiTotals
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Problem
from ecosystemiser.results import Totals
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack

__all__ = ["by_hand", "largest_difference", "rows"]

MOST, SAME, NAMED = 1.7, 1e-9, 2.0
SUMS = tuple(name for name, kind in vars(KpiTotals).items() if isinstance(kind, property))


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    problem = compile_problem(reference(effort.steps))
    singles = variations(problem, effort.lanes)
    stacking = seconds_of(lambda: stack(singles))
    batch = stack(singles)
    solver = RuleBasedSolver(batch, SolverOptions())
    hours, numbers = hand_loop.hours_of(batch), hand_loop.numbers_of(batch)
    pair = by_turns(lambda: solver.solve_batch(batch), lambda: _loop(hours, numbers), effort.short_repeats)
    name, difference = largest_difference(solver.solve_batch(batch), by_hand(batch))
    note = f"{effort.lanes} variations of {effort.steps} steps; stacking them takes {stacking:.2g} s, not counted"
    same = f"largest relative difference of {len(SUMS)} sums of Totals, of {name}"
    return [
        Row("rule_batch", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, note=note, details=pair.details()),
        Row("rule_batch difference", difference, None, "1", SAME, Limit.VALUE, note=same),
        *(_named(batch, strategy, effort) for strategy in ("time_of_use", "peak_shaving", "cycle_charging")),
    ]


def _named(batch: Problem, strategy: Strategy, effort: Effort) -> Row:
    """Return a named strategy beside self_consumption."""
    options = SolverOptions(strategy=strategy, peak_kw=20.0 if strategy == "peak_shaving" else None)
    named, plain = RuleBasedSolver(batch, options), RuleBasedSolver(batch, SolverOptions())
    pair = by_turns(lambda: named.solve_batch(batch), lambda: plain.solve_batch(batch), effort.short_repeats)
    return Row(f"rule_batch {strategy}", pair.ours_s, pair.peer_s, "s", NAMED, spread=pair.spread)


def by_hand(batch: Problem) -> Totals:
    """Return the Totals of a batch of the reference system by the hand-written loop."""
    return hand_loop.totals_of(batch, *_loop(hand_loop.hours_of(batch), hand_loop.numbers_of(batch)))


def largest_difference(ours: Totals, theirs: Totals) -> tuple[str, float]:
    """Return the sum of Totals that differs most in any variation, and by how much relative to its size.

    What is below a thousandth of the batch's largest counts as large as that: the rounding of a sum that is 0 is no
    difference.
    """
    found = []
    for name in SUMS:
        one, other = (np.broadcast_to(getattr(totals, name), ours.tally.local_use.shape) for totals in (ours, theirs))
        size = np.maximum(np.abs(other), 1e-3 * np.abs(other).max(initial=1e-9))
        difference = np.abs(one - other) / size
        found.append((float(np.where(np.isnan(difference), np.inf, difference).max()), name))
    difference, name = max(found)
    return name, difference


def _loop(hours: hand_loop.Hours, numbers: Floats) -> tuple[Floats, Floats]:
    lanes = numbers.shape[1]
    sums, peaks = np.zeros((lanes, hand_loop.SUMS)), np.zeros((lanes, 2, int(hours.months[-1]) + 1))
    hand_loop.years(*hours, numbers, sums, peaks)
    return sums, peaks
