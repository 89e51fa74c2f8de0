"""The rule-based solver: dispatch by merit order, one year or a batch of years at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, replace

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.kinds import Floats, MeterKind
from ecosystemiser.model.problem import Coefficients, Ints, Layout, Problem
from ecosystemiser.results import Solution, SolverReport, Tally, Totals
from ecosystemiser.solver.numbers import check_coefficients, check_signals
from ecosystemiser.solver.rule_based.compiled import threads_of_numba
from ecosystemiser.solver.rule_based.conditional import dispatch_hours_under, dispatch_sums_under
from ecosystemiser.solver.rule_based.kernel import dispatch_hours, dispatch_sums
from ecosystemiser.solver.rule_based.merit_order import MeritOrder, check_capable, merit_orders, routes
from ecosystemiser.solver.rule_based.nodes import has_circle
from ecosystemiser.solver.rule_based.strategies import Hours, check_strategy, lines_of
from ecosystemiser.solver.rule_based.sums import Sums, empty_sums
from ecosystemiser.solver.rule_based.tables import Numbers, Plan, numbers_of, plan_of
from ecosystemiser.solver.unseen import unseen_charges

__all__ = ["RuleBasedSolver", "dispatch_alike", "needs_hours", "share_tables", "stack"]

ORIGINS = ("local_use", "renewable_delivered", "local_water", "rain_delivered")
LANES = 64
"""Variations side by side: enough to fill vector units, few enough to stay in the first cache."""


class RuleBasedSolver:
    """Dispatches a Problem and its variations hour by hour, never looking ahead."""

    def __init__(self, problem: Problem, options: SolverOptions) -> None:
        check_strategy(options)
        self._options, self._lines = options, lines_of(options)
        self._take(problem)

    def start_from(self, base: Problem | None, *, should_stop: Callable[[], bool] | None = None) -> None:
        """Do nothing: a rule remembers nothing."""

    def solve(self, problem: Problem, *, should_stop: Callable[[], bool] | None = None) -> Solution:
        """Return the plan of the rule. Raises SolveError (data) for numbers that are none."""
        if should_stop is not None and should_stop():
            raise KeyboardInterrupt
        self._take(problem)
        numbers = numbers_of(problem, self._options)
        check_coefficients(problem)
        check_signals(problem)
        flows = np.empty((len(problem.layout.flows), problem.steps))
        levels = np.empty((len(problem.layout.charges), problem.steps + 1))
        ((order, _),) = merit_orders(problem, self._routes)
        begin = time.perf_counter()
        plan = self._plan(problem, order)
        (dispatch_hours_under if plan.is_conditional else dispatch_hours)(plan, numbers, flows, levels)
        seconds = time.perf_counter() - begin
        notes = unseen_charges(problem)
        if self._options.strategy != "self_consumption":
            notes = (f"strategy {self._options.strategy}", *notes)
        return Solution(flows, levels, SolverReport("rule_based", "dispatched", solve_seconds=seconds, notes=notes))

    def solve_batch(self, batch: Problem) -> Totals:
        """Return the Totals of a batch of variations, (batch,) each, without keeping hours.

        `batch` is what `stack` returns: variations that share layout and signals. Raises SolveError (data), and
        InputError for a structure whose totals need the hours.
        """
        self._take(batch)
        check_coefficients(batch)
        check_signals(batch)
        reason = needs_hours(batch.layout)
        if reason is not None:
            raise InputError([Finding(reason, "solve its variations one by one")])
        numbers = numbers_of(batch, self._options)
        pieces = [
            (self._plan(batch, order, int(lanes[0])), lanes[first : first + LANES])
            for order, lanes in merit_orders(batch, self._routes)
            for first in range(0, len(lanes), LANES)
        ]
        tally: dict[str, Floats] = {}

        def dispatched(piece: tuple[Plan, Ints]) -> Sums:
            return _dispatched(piece[0], numbers, piece[1])

        with _side_by_side(len(pieces)) as apply:
            for (_, lanes), sums in zip(pieces, apply(dispatched, pieces), strict=True):
                _scatter(tally, sums, lanes, numbers.limit.shape[1])
        return Totals(batch, _tally(numbers, tally))

    def lanes_by_order(self, batch: Problem) -> list[tuple[MeritOrder, Ints]]:
        """Return each merit order among the variations of a batch, and which of them follow it."""
        self._take(batch)
        return merit_orders(batch, self._routes)

    def _take(self, problem: Problem) -> None:
        """Make the tables anew where structure, signals or calendar differ from the last problem's."""
        known = getattr(self, "_problem", None)
        if known is not None and share_tables(known, problem):
            return
        check_capable(problem)
        self._problem, self._routes = problem, routes(problem.layout, self._lines)
        self._plans: dict[tuple[MeritOrder, tuple[int, ...]], Plan] = {}

    def _plan(self, problem: Problem, order: MeritOrder, lane: int = 0) -> Plan:
        signals = problem.cost_signal
        prices = tuple((signals if signals.ndim == 1 else signals[:, lane]).tolist())
        has_hours = any(line.condition.hours is not Hours.ALWAYS for line in self._lines)
        key = (order, prices if has_hours else ())
        if key not in self._plans:
            self._plans[key] = plan_of(problem, order, self._options, lane)
        return self._plans[key]


def needs_hours(layout: Layout) -> str | None:
    """Return why the totals of a structure do not come without its hours; None where they do."""
    if has_circle(layout):
        return "holds converters in a circle, which a batch cannot trace"
    if any(meter.kind is MeterKind.MINIMUM for meter in layout.meters):
        return "has a minimum bill, which takes the cost of each month"
    return None


def stack(problems: Sequence[Problem]) -> Problem:
    """Return variations as one batch. Raises InputError where they differ in more than coefficients."""
    first = problems[0]
    for at, other in enumerate(problems):
        if not (share_tables(first, other) and first.year_share == other.year_share):
            remedy = "put variations of another structure into another batch"
            message = "does not share layout, signals, calendar and end rule with the first of its batch"
            raise InputError([Finding(message, remedy, str(at))])
    names = [one.name for one in fields(Coefficients)]
    columns = {name: np.stack([getattr(one.coefficients, name) for one in problems], axis=-1) for name in names}
    return replace(first, coefficients=Coefficients(**columns))


def share_tables(one: Problem, other: Problem) -> bool:
    """Return whether two problems differ in nothing but coefficients and the share of the year."""
    if (one.layout, one.end, one.step_h) != (other.layout, other.end, other.step_h):
        return False
    rows = ("signals", "limit_signal", "ratio_signal", "cost_signal", "co2_signal", "meter_signal", "months")
    return all(_are_equal(getattr(one, name), getattr(other, name)) for name in rows)


def dispatch_alike(one: Problem, other: Problem) -> bool:
    """Return whether two problems move energy by the same tables: all but coefficients and shapes of prices."""
    if (one.layout, one.end, one.step_h) != (other.layout, other.end, other.step_h):
        return False
    pairs = [
        (one.signals[row], other.signals[other_row])
        for name in ("limit_signal", "ratio_signal")
        for row, other_row in {*zip(getattr(one, name).tolist(), getattr(other, name).tolist(), strict=True)}
        if one.signals is not other.signals or row != other_row
    ]
    return _are_equal(one.months, other.months) and all(np.array_equal(*pair) for pair in pairs)


def _are_equal(one: Floats | Ints, other: Floats | Ints) -> bool:
    return one is other or np.array_equal(one, other)


@contextmanager
def _side_by_side(pieces: int) -> Iterator[Callable[..., Iterable[Sums]]]:
    """Yield a `map` over as many threads as numba has here: all in a study's own process, one in a worker's."""
    threads = min(pieces, threads_of_numba())
    if threads <= 1:
        yield map
        return
    with ThreadPoolExecutor(threads) as pool:
        yield pool.map


def _dispatched(plan: Plan, numbers: Numbers, lanes: Ints) -> Sums:
    part = Numbers._make(np.ascontiguousarray(rows[:, lanes]) for rows in numbers)
    sums = empty_sums(plan, len(lanes))
    (dispatch_sums_under if plan.is_conditional else dispatch_sums)(plan, part, sums)
    return sums


def _scatter(tally: dict[str, Floats], sums: Sums, lanes: Ints, count: int) -> None:
    for name, rows in sums._asdict().items():
        tally.setdefault(name, np.zeros((*rows.shape[:-1], count)))[..., lanes] = rows


def _tally(numbers: Numbers, rows: dict[str, Floats]) -> Tally:
    scalars = {name: rows.pop(name)[0] for name in ORIGINS}
    return Tally(
        level_first=numbers.initial_level,
        **rows,
        **scalars,
        spilled=np.zeros_like(rows["level_last"]),
        starts=np.zeros((0, rows["level_last"].shape[1])),
    )
