"""The part of a program that bills what meters gather: columns, rows and entries behind those of flows and levels.

A PEAK, SUM or NET meter has a column for each group and piece, the amount billed at that piece's price, in the order of
`Coefficients.meter_price`. A peak is at or above every purchase of its group; where it is carried on (ratchet) or cut
into pieces, it has a column of its own. A MINIMUM meter has a column for what each month lacks. Where a price falls
with the amount, a binary column for each bound says whether the piece below is full.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.kinds import Floats, MeterKind
from ecosystemiser.model.problem import CostCategory, Ints, MeterRow, Problem
from ecosystemiser.solver.milp.part import Bounds, Entries, Numbers, Part, infinite, zeros

__all__ = ["Metering", "falling_meters"]


def falling_meters(problem: Problem) -> tuple[bool, ...]:
    """Return of each meter whether a price of its falls with the amount, which no linear program can follow."""
    layout = problem.layout
    falls = []
    for meter, rows in zip(layout.meters, layout.meter_prices, strict=True):
        prices = problem.coefficients.meter_price[rows].reshape(meter.groups, meter.pieces)
        falls.append(bool(np.any(np.diff(prices, axis=1) < 0)))
    return tuple(falls)


class Metering(Part):
    """Which columns and rows bill what: the same for all variations of a structure with the same groups of steps."""

    def __init__(self, problem: Problem, flow_columns: Mapping[int, int], first_column: int, first_row: int) -> None:
        super().__init__(first_column, first_row)
        self._flow_columns, self._steps = flow_columns, problem.steps
        self._layout = problem.layout
        self._priced: list[tuple[int, slice]] = []
        self._unit_costs: list[Ints] = []
        falling = falling_meters(problem)
        of_exchange: dict[int, list[tuple[int, Ints]]] = {}
        for at, meter in enumerate(self._layout.meters):
            if meter.kind in (MeterKind.PEAK, MeterKind.SUM, MeterKind.NET):
                pieces = self._add_pieces(at, meter)
                groups = problem.signals[problem.meter_signal[at]].astype(np.int64)
                self._gather(at, meter, groups, pieces)
                if falling[at]:
                    self._order(at, meter, groups, pieces)
                of_exchange.setdefault(meter.exchange, []).append((at, pieces))
        for at, meter in enumerate(self._layout.meters):
            if meter.kind is MeterKind.MINIMUM:
                self._add_minimum(at, meter, problem.months, of_exchange.get(meter.exchange, []))

    def fill(self, problem: Problem, cost: Floats, lower: Floats, upper: Floats) -> None:
        """Set costs and bounds of the columns."""
        for first, rows in self._priced:
            cost[first : first + rows.stop - rows.start] = problem.coefficients.meter_price[rows]
        for columns in self._unit_costs:
            cost[columns] = 1.0
        super().fill(problem, cost, lower, upper)

    def offset(self, problem: Problem) -> float:
        """Return what is charged whatever the plan."""
        pairs = zip(self._layout.meters, self._layout.meter_prices, strict=True)
        standing = [rows for meter, rows in pairs if meter.kind is MeterKind.STANDING]
        return float(sum(problem.coefficients.meter_price[rows].sum() for rows in standing))

    def _add_pieces(self, at: int, meter: MeterRow) -> Ints:
        """Add the columns of what is billed at each price. (groups, pieces)"""
        pieces = self.add_columns(meter.groups * meter.pieces)
        self._priced.append((int(pieces[0]), self._layout.meter_prices[at]))
        least = np.zeros((meter.groups, meter.pieces))
        least[:, 0] = -np.inf if meter.kind is MeterKind.NET else 0.0
        lower = least.ravel()
        self.column_bounds.append(Bounds(pieces, lambda _: lower, lambda problem: _widths(problem, at).ravel()))
        return pieces.reshape(least.shape)

    def _gather(self, at: int, meter: MeterRow, groups: Ints, pieces: Ints) -> None:
        """Tie what is billed to the flows."""
        steps = np.flatnonzero(groups >= 0)
        group = groups[steps]
        bought, sold = (self._flow_columns.get(flow) for flow in self._flows(meter))
        if meter.kind is MeterKind.PEAK:
            peaks = pieces[:, 0]
            if meter.pieces > 1 or meter.ratchet_groups:
                peaks = self.add_columns(meter.groups)
                self.column_bounds.append(Bounds(peaks, self._reached(at), infinite(meter.groups)))
                self._bill_peaks(at, meter, pieces, peaks)
            else:
                least, reached = _floors(at, meter.groups), self._reached(at)
                lower = lambda problem: np.maximum(least(problem), reached(problem))  # noqa: E731
                self.column_bounds.append(Bounds(peaks, lower, infinite(meter.groups)))
            if bought is not None:
                rows = self.add_rows(len(steps), zeros(len(steps)), infinite(len(steps)))
                self.enter(rows, peaks[group], 1.0)
                self.enter(rows, bought + steps, -1.0)
            return
        rows = self.add_rows(meter.groups, zeros(meter.groups), zeros(meter.groups))
        self.enter(np.repeat(rows, meter.pieces), pieces.ravel(), -1.0)
        if bought is not None:
            self.enter(rows[group], bought + steps, 1.0)
        if sold is not None and meter.kind is MeterKind.NET:
            self.enter(rows[group], sold + steps, -1.0)

    def _reached(self, at: int) -> Numbers:
        """Return the peak that each group has reached before the first step."""
        rows = self._layout.meter_groups[at]
        none = np.zeros(rows.stop - rows.start)
        return lambda problem: none if problem.peak_before is None else problem.peak_before[rows]

    def _bill_peaks(self, at: int, meter: MeterRow, pieces: Ints, peaks: Ints) -> None:
        """Let what is billed be at or above its group's peak, the floor, and a share of the peaks before."""
        count = meter.groups
        rows = self.add_rows(count, zeros(count), infinite(count))
        self.enter(np.repeat(rows, meter.pieces), pieces.ravel(), 1.0)
        self.enter(rows, peaks, -1.0)
        rows = self.add_rows(count, _floors(at, count), infinite(count))
        self.enter(np.repeat(rows, meter.pieces), pieces.ravel(), 1.0)
        every = np.arange(count)
        distance = every[:, None] - every
        later, earlier = np.nonzero((distance > 0) & (distance <= meter.ratchet_groups))
        rows = self.add_rows(len(later), zeros(len(later)), infinite(len(later)))
        self.enter(np.repeat(rows, meter.pieces), pieces[later].ravel(), 1.0)
        self.entries.append(
            Entries(rows, peaks[earlier], lambda problem: np.full(len(later), -problem.coefficients.meter_ratchet[at]))
        )

    def _order(self, at: int, meter: MeterRow, groups: Ints, pieces: Ints) -> None:
        """Let a piece be used only where the one below it is full."""
        above, below = pieces[:, 1:].ravel(), pieces[:, :-1].ravel()
        is_full = self.add_columns(len(above))
        self.integers = np.concatenate([self.integers, is_full.astype(np.int32)])
        ones = np.ones(len(above))
        self.column_bounds.append(Bounds(is_full, zeros(len(above)), lambda _: ones))
        most = _most(self._layout.imports[meter.exchange], meter.kind, groups, meter.groups)

        def room(problem: Problem) -> Floats:
            """Return the most of each piece above."""
            widths = _widths(problem, at)[:, 1:]
            return np.where(np.isinf(widths), most(problem)[:, None], widths).ravel()

        def width(problem: Problem) -> Floats:
            return -_widths(problem, at)[:, :-1].ravel()

        for columns, value, of_binary in ((above, -1.0, room), (below, 1.0, width)):
            rows = self.add_rows(len(above), zeros(len(above)), infinite(len(above)))
            self.enter(rows, columns, value)
            self.entries.append(Entries(rows, is_full, of_binary))

    def _add_minimum(self, at: int, meter: MeterRow, months: Ints, others: list[tuple[int, Ints]]) -> None:
        """Add what each month's bill lacks to its least one."""
        lacking = self.add_columns(meter.groups)
        self._unit_costs.append(lacking)
        self.column_bounds.append(Bounds(lacking, zeros(meter.groups), infinite(meter.groups)))
        own, layout = self._layout.meter_prices[at], self._layout

        def least(problem: Problem) -> Floats:
            """Return what each month's bill is to reach, less what is charged whatever the plan."""
            wanted = problem.coefficients.meter_price[own].copy()
            for row, prices in zip(layout.meters, layout.meter_prices, strict=True):
                if row.kind is MeterKind.STANDING and row.exchange == meter.exchange:
                    np.subtract.at(wanted, list(row.months), problem.coefficients.meter_price[prices])
            return wanted

        rows = self.add_rows(meter.groups, least, infinite(meter.groups))
        self.enter(rows, lacking, 1.0)
        for term, (flow, category) in enumerate(zip(layout.costs.flow, layout.costs.category, strict=True)):
            column = self._flow_columns.get(flow)
            if flow in self._flows(meter) and category is not CostCategory.VARIABLE and column is not None:
                sign = -1.0 if category is CostCategory.REVENUE else 1.0
                self.entries.append(Entries(rows[months], column + np.arange(self._steps), _prices(term, sign)))
        for other, pieces in others:
            row = layout.meters[other]
            where = np.repeat(rows[list(row.months)], row.pieces)
            self.entries.append(Entries(where, pieces.ravel(), _meter_prices(layout.meter_prices[other])))

    def _flows(self, meter: MeterRow) -> tuple[int, int]:
        return self._layout.imports[meter.exchange], self._layout.exports[meter.exchange]


def _widths(problem: Problem, at: int) -> Floats:
    """Return how much fits into each piece of a meter; of NET what is above 0. (groups, pieces)"""
    meter = problem.layout.meters[at]
    bounds = problem.coefficients.meter_bound[problem.layout.meter_bounds[at]].reshape(meter.groups, -1)
    ends = np.full((meter.groups, 1), np.inf)
    if meter.kind is MeterKind.NET:  # its first piece lies below 0, where its first bound is
        return np.concatenate([bounds[:, :1], np.diff(bounds, axis=1), ends], axis=1)
    return np.diff(np.concatenate([np.zeros((meter.groups, 1)), bounds, ends], axis=1), axis=1)


def _most(flow: int, kind: MeterKind, groups: Ints, count: int) -> Numbers:
    """Return a function that gives the most a meter may gather in each group, which a falling price must know."""

    def most(problem: Problem) -> Floats:
        limits, inside = problem.limits(flow), groups >= 0
        if not np.all(np.isfinite(limits[inside])):
            name = problem.layout.flows[flow].component
            message = f"a price of {name} falls with the amount: give {name} an import limit, which the optimiser needs"
            raise SolveError(FailureCause.DATA, message)
        found = np.zeros(count)
        if kind is MeterKind.PEAK:
            np.maximum.at(found, groups[inside], limits[inside])
        else:
            np.add.at(found, groups[inside], limits[inside])
        return found

    return most


def _prices(term: int, sign: float) -> Numbers:
    def prices(problem: Problem) -> Floats:
        return np.asarray(sign * problem.coefficients.cost[term] * problem.signals[int(problem.cost_signal[term])])

    return prices


def _meter_prices(rows: slice) -> Numbers:
    return lambda problem: problem.coefficients.meter_price[rows]


def _floors(at: int, count: int) -> Numbers:
    return lambda problem: np.full(count, problem.coefficients.meter_floor[at])
