"""The elastic program: the program of a problem in which every bus may be helped and every end rule be missed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import SolveError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Ints, Problem
from ecosystemiser.solver.milp.formulation import Formulation, Program, formulate
from ecosystemiser.solver.milp.highs import HighsSession
from ecosystemiser.solver.milp.reading import flows_of, levels_of

__all__ = ["Elastic", "Helped"]

TIME_LIMIT_S = 20.0
LATER = 1e-5
"""By so much help is dearer in the first step than in the last: what is stored is used up before anything is short."""


@dataclass(frozen=True, eq=False)
class Helped:
    """The plan that needs least help."""

    short: Floats
    """What is brought onto each bus from nowhere. (buses, steps)"""
    drift: Floats
    """By how much each storage misses its end level. (storages,)"""
    flows: Floats
    levels: Floats


class Elastic:
    """The elastic program of a problem, switching and the limit of CO2 left out."""

    def __init__(self, problem: Problem) -> None:
        none = np.zeros(0)
        numbers = replace(
            problem.coefficients, start_cost=none, curve_load=none, curve_given=none, co2_limit=np.array(np.inf)
        )
        layout = replace(problem.layout, committed=(), meters=())
        self.problem = replace(
            problem,
            layout=layout,
            coefficients=numbers,
            on_before=None,
            peak_before=None,
            meter_signal=problem.meter_signal[:0],
        )
        self.form = Formulation(self.problem)
        self._program = formulate(self.form, self.problem)
        self.buses = tuple(sorted({layout.flows[flow].bus for flow in layout.sinks}))
        """Buses that may be helped: those with demands."""

    def helped(self) -> Helped:
        """Return the plan with the least help, in kWh and m3 together. Raises SolveError."""
        program, shorts, drifts = self._with_help()
        columns = self._solved(program)
        nothing_on = np.zeros((0, self.problem.steps), dtype=np.int64)
        short = np.zeros((len(self.problem.layout.buses), self.problem.steps))
        for bus, at in shorts.items():
            short[bus] = columns[at]
        return Helped(
            short=short,
            drift=columns[drifts].reshape(2, -1).sum(axis=0) if len(drifts) else np.zeros(0),
            flows=flows_of(self.problem, self.form, columns, nothing_on),
            levels=levels_of(self.problem, self.form, columns),
        )

    def least_peak(self) -> dict[int, float]:
        """Return the smallest steady help that each bus would need, all of them together as little as can be.

        In kWh or m3 per step, by bus. Raises SolveError.
        """
        program, shorts, _ = self._with_help()
        steps, first = self.problem.steps, len(program.cost)
        peaks = {bus: first + at for at, bus in enumerate(shorts)}
        rows = np.arange(len(program.row_lower), len(program.row_lower) + steps * len(shorts)).reshape(-1, steps)
        program = replace(program, cost=np.where(np.arange(first) < self.form.columns, 0.0, program.cost))
        for helped in shorts.values():
            program.cost[helped] = 0.0
        program = _widened(program, np.ones(len(peaks)), rows.size)
        for (bus, helped), row in zip(shorts.items(), rows, strict=True):
            program = _entered(program, row, helped, 1.0)
            program = _entered(program, row, np.full(steps, peaks[bus]), -1.0)
        columns = self._solved(program)
        return {bus: float(columns[at]) for bus, at in peaks.items()}

    def least_size(self, flow: int) -> float | None:
        """Return how many times its limit a flow would need for a plan without help; None where none is enough."""
        at = self.form.first_column.get(flow)
        if at is None:
            return None
        steps = self.problem.steps
        limits = self.problem.limits(flow)
        columns = np.arange(at, at + steps)
        upper = self._program.upper.copy()
        upper[columns] = np.inf
        program = replace(self._program, cost=np.zeros(len(self._program.cost)), upper=upper)
        size = len(program.cost)
        rows = np.arange(len(program.row_lower), len(program.row_lower) + steps)
        program = _widened(program, np.ones(1), steps)
        program = _entered(program, rows, columns, 1.0)
        program = _entered_values(program, rows, np.full(steps, size), -limits)
        try:
            return float(self._solved(program)[size])
        except SolveError:
            return None

    def _with_help(self) -> tuple[Program, dict[int, Ints], Ints]:
        """Return the program with help at a price of 1, the columns of help by bus, and those of missed ends."""
        form, steps = self.form, self.problem.steps
        program = replace(self._program, cost=np.zeros(form.columns), integers=self._program.integers[:0])
        shorts = {
            bus: np.arange(form.columns + at * steps, form.columns + (at + 1) * steps)
            for at, bus in enumerate(self.buses)
        }
        storages = len(form.first_level) if self.problem.end in (EndRule.FIXED, EndRule.CYCLIC) else 0
        first = form.columns + steps * len(shorts)
        drifts = np.arange(first, first + 2 * storages)
        later = 1.0 + LATER * (1.0 - np.arange(steps) / steps)
        program = _widened(program, np.concatenate([np.tile(later, len(shorts)), np.ones(2 * storages)]), 0)
        for bus, columns in shorts.items():
            program = _entered(program, np.arange(bus * steps, (bus + 1) * steps), columns, 1.0)
        last = form.bus_rows + np.arange(storages) * steps + steps - 1
        program = _entered(program, last, drifts[:storages], 1.0)
        program = _entered(program, last, drifts[storages:], -1.0)
        return program, shorts, drifts

    def _solved(self, program: Program) -> Floats:
        session = HighsSession(SolverOptions(time_limit_s=TIME_LIMIT_S))
        session.load(program)
        return session.run().columns


def _widened(program: Program, cost: Floats, rows: int) -> Program:
    """Return a program with more columns from 0 up, of such costs and without entries, and more rows at most 0."""
    count = len(cost)
    return replace(
        program,
        cost=np.concatenate([program.cost, cost]),
        lower=np.concatenate([program.lower, np.zeros(count)]),
        upper=np.concatenate([program.upper, np.full(count, np.inf)]),
        starts=np.concatenate([program.starts, np.full(count, program.starts[-1], dtype=np.int32)]),
        row_lower=np.concatenate([program.row_lower, np.full(rows, -np.inf)]),
        row_upper=np.concatenate([program.row_upper, np.zeros(rows)]),
    )


def _entered(program: Program, rows: Ints, columns: Ints, value: float) -> Program:
    return _entered_values(program, rows, columns, np.full(len(rows), value))


def _entered_values(program: Program, rows: Ints, columns: Ints, values: Floats) -> Program:
    """Return a program with more entries."""
    owner = np.repeat(np.arange(len(program.cost)), np.diff(program.starts))
    row = np.concatenate([program.rows, rows]).astype(np.int64)
    column = np.concatenate([owner, columns])
    order = np.lexsort((row, column))
    starts = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=len(program.cost)))]).astype(np.int32)
    return replace(
        program,
        rows=row[order].astype(np.int32),
        values=np.concatenate([program.values, values])[order],
        starts=starts,
    )
