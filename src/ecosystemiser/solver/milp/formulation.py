"""A Problem as a linear program: columns, rows, bounds, costs and the matrix, straight as arrays.

Columns: a block of `steps` for every flow that is free to choose, then one for every storage's level at each step's
end, then one a storage for what is missing at the end (rule `shortfall`), then those of meters (`metering`), of
converters that are switched (`switching`) and of opposites that are forbidden (`exclusion`). A demand that must be met
is a right-hand side; a converter's output is its input times its ratio, so neither has columns; a flow whose limit is
0 has none.
Rows: the balance of every bus and step, the balance of every storage and step, the end rule, and those of the parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.solver.milp.emission import EmissionLimit, of_met_demands
from ecosystemiser.solver.milp.exclusion import Exclusion, Strict
from ecosystemiser.solver.milp.metering import Metering, falling_meters
from ecosystemiser.solver.milp.part import Part
from ecosystemiser.solver.milp.switching import Switching, rising_curves

__all__ = ["Formulation", "Program", "formulate"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Program:
    """min cost x, lower <= x <= upper, row_lower <= A x <= row_upper; A in compressed columns."""

    cost: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    starts: NDArray[np.int32]
    rows: NDArray[np.int32]
    values: Floats
    offset: float
    """Cost that no plan changes."""
    integers: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    """Columns that take whole numbers."""


class Formulation:
    """Which column and row means what: the same for all variations with the same `key`."""

    def __init__(self, problem: Problem, strict: Strict | None = None) -> None:
        strict = strict or Strict()
        self.layout = layout = problem.layout
        self.steps = steps = problem.steps
        self.end = problem.end
        zero = problem.coefficients.limit == 0
        switched = {layout.inputs[one.converter] for one in layout.committed}
        dependent = {
            *layout.outputs,
            *switched,
            *(f for f, must in zip(layout.sinks, layout.must_meet, strict=True) if must),
        }
        free = [flow for flow in range(len(layout.flows)) if flow not in dependent and not zero[flow]]
        self.first_column = {flow: at * steps for at, flow in enumerate(free)}
        storages = len(layout.charges)
        self.first_level = [(len(free) + at) * steps for at in range(storages)]
        self.is_circular = self.end is EndRule.CYCLIC and steps > 1
        self.has_shortfall = self.end is EndRule.SHORTFALL
        self.first_short = (len(free) + storages) * steps
        self.bus_rows = len(layout.buses) * steps
        self.storage_rows = self.bus_rows + storages * steps
        shorts = storages if self.has_shortfall else 0
        self.end_rows = self.storage_rows + shorts
        self.metering = Metering(problem, self.first_column, self.first_short + shorts, self.end_rows)
        self.switching = Switching(problem, self.metering.columns, self.metering.rows, strict.curves)
        columns, rows = self.switching.columns, self.switching.rows
        self._exclusion = Exclusion(problem, strict, self.first_column, columns, rows)
        self.columns, self.rows = self._exclusion.columns, self._exclusion.rows
        self._emission = EmissionLimit(problem, self.of_columns, self._exclusion.columns, self._exclusion.rows)
        self.columns, self.rows = self._emission.columns, self._emission.rows

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is added behind flows, levels and the end rule."""
        return self.metering, self.switching, self._exclusion, self._emission

    @staticmethod
    def key(problem: Problem) -> tuple[object, ...]:
        """Return what two problems must share to be solved by one prepared model."""
        numbers = problem.coefficients
        has_co2_limit = bool(np.isfinite(numbers.co2_limit))
        key = (problem.layout, problem.end, (numbers.limit == 0).tobytes(), rising_curves(problem), has_co2_limit)
        if not problem.layout.meters:
            return key
        return *key, problem.signals[problem.meter_signal].tobytes(), problem.months.tobytes(), falling_meters(problem)

    def of_columns(self, problem: Problem, of_flows: Floats) -> Floats:
        """Return what each column brings, given what each unit of each flow does. (flows, steps) to (columns,)

        A converter's output is brought by its input.
        """
        found, layout, steps = np.zeros(self.columns), self.layout, self.steps
        for flow, first in self.first_column.items():
            found[first : first + steps] = of_flows[flow]
        for output, (flow, converter) in enumerate(zip(layout.outputs, layout.output_converter, strict=True)):
            at = self.first_column.get(layout.inputs[converter])
            if at is not None:
                found[at : at + steps] += of_flows[flow] * problem.ratios(output)
        self.switching.bring(problem, of_flows, found)
        return found

    @cached_property
    def entries(self) -> _Pattern:
        """Where the matrix has entries."""
        return _Pattern(self)


class _Pattern:
    """Rows and columns of the entries, in the order in which `_values` makes their values, and as sorted columns."""

    def __init__(self, form: Formulation) -> None:
        rows, columns = [], []
        for row, column in _blocks(form):
            rows.append(row)
            columns.append(column)
        row, column = np.concatenate(rows), np.concatenate(columns)
        self.order = np.lexsort((row, column))
        self.rows = row[self.order].astype(np.int32)
        counts = np.bincount(column, minlength=form.columns)
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def _blocks(form: Formulation) -> list[tuple[Ints, Ints]]:
    """Return the (rows, columns) of each block of entries; `_values` gives their values in the same order."""
    layout, span = form.layout, np.arange(form.steps)
    columns = form.first_column
    blocks = [(layout.flow_bus[flow] * form.steps + span, first + span) for flow, first in columns.items()]
    blocks += [
        (layout.flow_bus[output] * form.steps + span, columns[layout.inputs[converter]] + span)
        for output, converter in zip(layout.outputs, layout.output_converter, strict=True)
        if layout.inputs[converter] in columns
    ]
    for storage, level in enumerate(form.first_level):
        row = form.bus_rows + storage * form.steps
        blocks.append((row + span, level + span))
        blocks.append((row + span[1:], level + span[:-1]))
        if form.is_circular:
            blocks.append((np.array([row]), np.array([level + form.steps - 1])))
        for flow in (layout.charges[storage], layout.discharges[storage]):
            if flow in columns:
                blocks.append((row + span, columns[flow] + span))
        if form.has_shortfall:
            end = np.array([form.storage_rows + storage] * 2)
            blocks.append((end, np.array([level + form.steps - 1, form.first_short + storage])))
    return blocks + [block for part in form.parts for block in part.blocks()]


def _values(form: Formulation, problem: Problem) -> list[Floats]:
    """Return the values of each block of `_blocks`."""
    layout, numbers, ones = form.layout, problem.coefficients, np.ones(form.steps)
    values = [layout.flow_sign[flow] * ones for flow in form.first_column]
    values += [
        problem.ratios(output)
        for output, converter in enumerate(layout.output_converter)
        if layout.inputs[converter] in form.first_column
    ]
    for storage in range(len(form.first_level)):
        keep = numbers.keep[storage]
        is_own_predecessor = form.end is EndRule.CYCLIC and not form.is_circular
        values += [ones - keep if is_own_predecessor else ones, -keep * ones[1:]]
        if form.is_circular:
            values.append(np.array([-keep]))
        if layout.charges[storage] in form.first_column:
            values.append(-numbers.charge_efficiency[storage] * ones)
        if layout.discharges[storage] in form.first_column:
            values.append(ones / numbers.discharge_efficiency[storage])
        if form.has_shortfall:
            values.append(np.ones(2))
    return values + [some for part in form.parts for some in part.values(problem)]


def formulate(form: Formulation, problem: Problem) -> Program:
    """Return the program of `problem`, whose `Formulation.key` is that of `form`."""
    numbers, steps = problem.coefficients, form.steps
    unit_costs = problem.unit_costs()
    cost, upper, lower = form.of_columns(problem, unit_costs), np.full(form.columns, np.inf), np.zeros(form.columns)
    for flow, first in form.first_column.items():
        upper[first : first + steps] = problem.limits(flow)
    for storage, first in enumerate(form.first_level):
        upper[first : first + steps] = numbers.capacity[storage]
        if form.end is EndRule.FIXED:
            last = first + steps - 1
            lower[last] = upper[last] = numbers.end_level[storage]
        if form.has_shortfall:
            cost[form.first_short + storage] = numbers.end_price[storage]
    form.switching.fill_starts(problem, cost)
    for part in form.parts:
        part.fill(problem, cost, lower, upper)
    right, row_upper = _right_sides(form, problem)
    pattern = form.entries
    values = np.concatenate(_values(form, problem))[pattern.order]
    offset = problem.fixed_costs() + of_met_demands(problem, unit_costs) + form.metering.offset(problem)
    integers = np.concatenate([part.integers for part in form.parts])
    return Program(cost, lower, upper, right, row_upper, pattern.starts, pattern.rows, values, offset, integers)


def _right_sides(form: Formulation, problem: Problem) -> tuple[Floats, Floats]:
    layout, numbers = form.layout, problem.coefficients
    lower = np.zeros(form.rows)
    for flow, must in zip(layout.sinks, layout.must_meet, strict=True):
        if must:
            first = layout.flow_bus[flow] * form.steps
            lower[first : first + form.steps] += problem.limits(flow)
    if form.end is not EndRule.CYCLIC:
        first_rows = form.bus_rows + form.steps * np.arange(len(form.first_level))
        lower[first_rows] = numbers.keep * numbers.initial_level
    upper = lower.copy()
    if form.has_shortfall:
        lower[form.storage_rows : form.end_rows] = numbers.end_level
        upper[form.storage_rows : form.end_rows] = np.inf
    for part in form.parts:
        part.fill_rows(problem, lower, upper)
    return lower, upper
