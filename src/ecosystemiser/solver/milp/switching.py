"""The part of a program that switches converters on and off: columns, rows and entries behind those of meters.

A committed converter has no column for its input. It has, for each step, how many units are on, how many are switched
on, and for each piece of its curve how much is drawn beyond the least load:

    input  = limit x (load_0 x on) + sum of pieces            piece_k <= limit x (load_k - load_k-1) x on
    output = ratio x (limit x given_0 x on + sum of slope_k x piece_k)
    on_t - on_t-1 <= start_t
    starts of the last min_up steps <= on                     (Rajan and Takriti 2005)
    starts of the last min_down steps <= units - on min_down steps ago

where `limit` is that of one unit. Where a piece gives more for its input than the one below, or where a plan has left
one below unfilled because losing energy pays, a whole-number column says how many units have filled the one below.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Committed, Ints, Problem
from ecosystemiser.results.switching import on_with_history
from ecosystemiser.solver.milp.part import Bounds, Entries, Numbers, Part, zeros

__all__ = ["Switching", "rising_curves"]

ROUNDING = 1e-9
TOLERANCE = 1e-6


def rising_curves(problem: Problem) -> tuple[bool, ...]:
    """Return of each committed converter whether a piece of its curve gives more for its input than the one below."""
    return tuple([bool(np.any(np.diff(_slopes(problem, at)) > ROUNDING)) for at in range(len(problem.layout.curves))])


class Switching(Part):
    """Which columns and rows switch what: the same for all variations of a structure."""

    def __init__(self, problem: Problem, first_column: int, first_row: int, ordered: frozenset[int]) -> None:
        super().__init__(first_column, first_row)
        self._layout, self._steps = problem.layout, problem.steps
        self.on: dict[int, Ints] = {}
        """Of each committed converter that is there: how many units are on. (steps,)"""
        self.start: dict[int, Ints] = {}
        self.pieces: dict[int, NDArray[np.int64]] = {}
        """(pieces, steps)"""
        is_rising = rising_curves(problem)
        for at, row in enumerate(self._layout.committed):
            if problem.coefficients.limit[self._layout.inputs[row.converter]] > 0:
                self._add(at, row, is_ordered=is_rising[at] or at in ordered)

    def fill_starts(self, problem: Problem, cost: Floats) -> None:
        """Set what starts cost."""
        for at, start in self.start.items():
            cost[start] = problem.coefficients.start_cost[at]

    def bring(self, problem: Problem, of_flows: Floats, of_columns: Floats) -> None:
        """Set what the columns bring, given what each unit of each flow does. (flows, steps), (columns,)"""
        for at, on in self.on.items():
            row = self._layout.committed[at]
            drawn, given = of_flows[self._layout.inputs[row.converter]], np.zeros(self._steps)
            for output in self._outputs(row):
                given += problem.ratios(output) * of_flows[self._layout.outputs[output]]
            loads, shares = _curve(problem, at)
            of_columns[on] = _unit_limit(problem, at) * (loads[0] * drawn + shares[0] * given)
            for columns, slope in zip(self.pieces[at], _slopes(problem, at), strict=True):
                of_columns[columns] = drawn + slope * given

    def inputs(self, problem: Problem, columns: Floats) -> dict[int, Floats]:
        """Return what each converter that is there draws in a plan, by its position among the committed. (steps,)"""
        return {
            at: _unit_limit(problem, at) * _curve(problem, at)[0][0] * columns[on]
            + columns[self.pieces[at]].sum(axis=0)
            for at, on in self.on.items()
        }

    def unordered(self, problem: Problem, columns: Floats) -> frozenset[int]:
        """Return the committed converters of which a plan uses a piece while one below is not full."""
        found = []
        for at, on in self.on.items():
            used = columns[self.pieces[at]]
            full = np.array([_room(at, piece, 1)(problem) * columns[on] for piece in range(len(used))])
            slack = TOLERANCE * np.maximum(1.0, full.max(initial=0.0))
            if np.any((used[1:] > slack) & (used[:-1] < full[:-1] - slack)):
                found.append(at)
        return frozenset(found)

    def _add(self, at: int, row: Committed, *, is_ordered: bool) -> None:
        layout, steps = self._layout, self._steps
        span, units = np.arange(steps), np.full(steps, float(row.units))
        on, start = self.add_columns(steps), self.add_columns(steps)
        pieces = self.add_columns((row.points - 1) * steps).reshape(-1, steps)
        self.on[at], self.start[at], self.pieces[at] = on, start, pieces
        self.integers = np.concatenate([self.integers, on.astype(np.int32)])
        for columns in (on, start):
            self.column_bounds.append(Bounds(columns, zeros(steps), lambda _: units))
        for piece, columns in enumerate(pieces):
            most = _room(at, piece, row.units)
            self.column_bounds.append(Bounds(columns, zeros(steps), most))
            rows = self.add_rows(steps, _below(steps), zeros(steps))
            self.enter(rows, columns, 1.0)
            self.entries.append(Entries(rows, on, _room(at, piece, -1)))
        self._balance(layout.flow_bus[layout.inputs[row.converter]], at, None)
        for output in self._outputs(row):
            self._balance(layout.flow_bus[layout.outputs[output]], at, output)
        rows = self.add_rows(steps, _below(steps), lambda problem: _first(problem, at))
        self.enter(rows, on, 1.0)
        self.enter(rows[1:], on[:-1], -1.0)
        self.enter(rows, start, -1.0)
        if row.min_up > 1:
            rows = self.add_rows(steps, _below(steps), lambda problem: -_starts_before(problem, at, row.min_up))
            self._sum_of_starts(rows, start, row.min_up)
            self.enter(rows, on, -1.0)
        if row.min_down > 1:
            rows = self.add_rows(steps, _below(steps), lambda problem: _room_to_start(problem, at))
            self._sum_of_starts(rows, start, row.min_down)
            self.enter(rows[row.min_down :], on[: -row.min_down], 1.0)
        if is_ordered:
            self._order(at, pieces, span, units)

    def _balance(self, bus: int, at: int, output: int | None) -> None:
        """Enter what is drawn, or given by an output, into the balance of its bus."""
        rows = bus * self._steps + np.arange(self._steps)

        def least(problem: Problem) -> Floats:
            loads, given = _curve(problem, at)
            limit = _unit_limit(problem, at)
            return np.asarray(-limit * loads[0] if output is None else limit * given[0] * problem.ratios(output))

        self.entries.append(Entries(rows, self.on[at], least))
        for piece, columns in enumerate(self.pieces[at]):
            self.entries.append(Entries(rows, columns, _yield(at, piece, output, self._steps)))

    def _sum_of_starts(self, rows: Ints, start: Ints, span: int) -> None:
        """Enter the starts of the last `span` steps into the row of each step."""
        for back in range(min(span, self._steps)):
            self.enter(rows[back:], start[: self._steps - back], 1.0)

    def _order(self, at: int, pieces: NDArray[np.int64], span: Ints, units: Floats) -> None:
        """Let a piece be used only where the one below it is full."""
        for piece, (below, above) in enumerate(pairwise(pieces)):
            is_full = self.add_columns(len(span))
            self.integers = np.concatenate([self.integers, is_full.astype(np.int32)])
            self.column_bounds.append(Bounds(is_full, zeros(len(span)), lambda _: units))
            for columns, value, at_piece, sign in ((above, 1.0, piece + 1, -1), (below, -1.0, piece, 1)):
                rows = self.add_rows(len(span), _below(len(span)), zeros(len(span)))
                self.enter(rows, columns, value)
                self.entries.append(Entries(rows, is_full, _room(at, at_piece, sign)))

    def _outputs(self, row: Committed) -> list[int]:
        return [at for at, converter in enumerate(self._layout.output_converter) if converter == row.converter]


def _unit_limit(problem: Problem, at: int) -> Floats:
    """Return the most input of one unit. (steps,)"""
    row = problem.layout.committed[at]
    return problem.limits(problem.layout.inputs[row.converter]) / row.units


def _curve(problem: Problem, at: int) -> tuple[Floats, Floats]:
    rows = problem.layout.curves[at]
    return problem.coefficients.curve_load[rows], problem.coefficients.curve_given[rows]


def _slopes(problem: Problem, at: int) -> Floats:
    """Return output per input on each piece of a curve, as shares of that at full load. A piece of no width: 1."""
    loads, given = _curve(problem, at)
    widths = np.diff(loads)
    return np.divide(np.diff(given), widths, out=np.ones_like(widths), where=widths > 0)


def _room(at: int, piece: int, units: int) -> Numbers:
    """Return how much `units` may draw on a piece."""

    def room(problem: Problem) -> Floats:
        return units * float(np.diff(_curve(problem, at)[0])[piece]) * _unit_limit(problem, at)

    return room


def _yield(at: int, piece: int, output: int | None, steps: int) -> Numbers:
    """Return what a unit drawn on a piece gives to an output; None: takes from the input's bus."""

    def given(problem: Problem) -> Floats:
        if output is None:
            return np.full(steps, -1.0)
        return float(_slopes(problem, at)[piece]) * problem.ratios(output)

    return given


def _first(problem: Problem, at: int) -> Floats:
    """Return how many units were on before each step, as far as no column says so."""
    before = np.zeros(problem.steps)
    before[0] = _history(problem)[at, -1]
    return before


def _starts_before(problem: Problem, at: int, span: int) -> Floats:
    """Return how many units were switched on within the last `span` steps, before the first step. (steps,)"""
    starts = np.maximum(np.diff(_history(problem)[at], prepend=0), 0)[1:]  # what it did before its memory is over
    found = np.zeros(problem.steps)
    for step in range(min(span - 1, problem.steps)):
        since = span - 1 - step
        found[step] = starts[max(0, len(starts) - since) :].sum()
    return found


def _room_to_start(problem: Problem, at: int) -> Floats:
    """Return how many units may have been switched on in the last min_down steps, as the past has it. (steps,)"""
    row, history = problem.layout.committed[at], _history(problem)[at]
    room = row.units - _starts_before(problem, at, row.min_down)
    for step in range(min(row.min_down, problem.steps)):
        room[step] -= history[len(history) - row.min_down + step]
    return room


def _history(problem: Problem) -> Ints:
    none = np.zeros((len(problem.layout.committed), 0), dtype=np.int64)
    return on_with_history(problem, none)


def _below(count: int) -> Numbers:
    values = np.full(count, -np.inf)
    return lambda _: values
