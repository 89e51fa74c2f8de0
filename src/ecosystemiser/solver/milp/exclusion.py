"""The part of a program that forbids opposites: a storage that charges and discharges, an exchange that buys and sells.

No linear program can say so. A plan that wants both at once, because losing energy pays or because selling is dearer
than buying, is seldom found; so binary columns stand only for the steps in which a plan without them did both.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints, Problem
from ecosystemiser.solver.milp.part import Bounds, Entries, Numbers, Part, infinite, zeros

__all__ = ["Exclusion", "Strict", "opposites"]

BOTH = 1e-6
"""Share of the larger limit that both flows must exceed to count."""


@dataclass(frozen=True)
class Strict:
    """What a program forbids that its relaxation allowed."""

    storages: dict[int, Ints] = field(default_factory=dict)
    """Steps in which a storage may not charge and discharge at once."""
    exchanges: dict[int, Ints] = field(default_factory=dict)
    """Steps in which an exchange may not buy and sell at once."""
    curves: frozenset[int] = frozenset()
    """Committed converters whose pieces are filled from below."""

    def __bool__(self) -> bool:
        return bool(self.storages or self.exchanges or self.curves)

    @property
    def size(self) -> int:
        """How much it forbids."""
        steps = [*self.storages.values(), *self.exchanges.values()]
        return len(self.curves) + sum(len(some) for some in steps)

    def with_more(self, other: Strict) -> Strict:
        """Return both together."""
        return Strict(
            _joined(self.storages, other.storages),
            _joined(self.exchanges, other.exchanges),
            self.curves | other.curves,
        )

    def words(self, problem: Problem) -> tuple[str, ...]:
        """Return what is forbidden, as a reader of the result should know it."""
        layout = problem.layout
        found = [
            f"{layout.storage_names[at]} may not charge and discharge at once: a rule added in {len(steps)} steps"
            for at, steps in self.storages.items()
        ]
        found += [
            f"{layout.flows[layout.imports[at]].component} may not buy and sell at once: "
            f"a rule added in {len(steps)} steps"
            for at, steps in self.exchanges.items()
        ]
        return tuple(found)


def _joined(one: dict[int, Ints], other: dict[int, Ints]) -> dict[int, Ints]:
    keys = [*one, *(key for key in other if key not in one)]
    none = np.zeros(0, dtype=np.int64)
    return {key: np.union1d(one.get(key, none), other.get(key, none)) for key in keys}


def opposites(problem: Problem, flows: Floats) -> Strict:
    """Return where a plan does opposites at once that can be forbidden: where a limit of both flows is known."""
    layout = problem.layout
    storages, exchanges = {}, {}
    for at, pair in enumerate(zip(layout.charges, layout.discharges, strict=True)):
        if not layout.overflows[at]:
            steps = _both(flows, *pair)
            if len(steps):
                storages[at] = steps
    for at, pair in enumerate(zip(layout.imports, layout.exports, strict=True)):
        if np.isfinite(_trade_limit(problem, pair[0])).all() and np.isfinite(_trade_limit(problem, pair[1])).all():
            steps = _both(flows, *pair)
            if len(steps):
                exchanges[at] = steps
    return Strict(storages, exchanges)


def _both(flows: Floats, one: int, other: int) -> Ints:
    floor = BOTH * max(1.0, float(flows[one].max(initial=0.0)), float(flows[other].max(initial=0.0)))
    return np.flatnonzero((flows[one] > floor) & (flows[other] > floor))


class Exclusion(Part):
    """Binary columns: 1 where the first of two opposite flows may run, 0 where the second may."""

    def __init__(
        self, problem: Problem, strict: Strict, flow_columns: dict[int, int], first_column: int, first_row: int
    ) -> None:
        super().__init__(first_column, first_row)
        layout = problem.layout
        for at, steps in strict.storages.items():
            charge, discharge = layout.charges[at], layout.discharges[at]
            limits = (_fill_limit(at, charge, steps), _draw_limit(at, discharge, steps))
            self._exclude((charge, discharge), limits, steps, flow_columns)
        for at, steps in strict.exchanges.items():
            bought, sold = layout.imports[at], layout.exports[at]
            limits = (_at(bought, steps), _at(sold, steps))
            self._exclude((bought, sold), limits, steps, flow_columns)

    def _exclude(
        self, pair: tuple[int, int], limits: tuple[Numbers, Numbers], steps: Ints, flow_columns: dict[int, int]
    ) -> None:
        count = len(steps)
        is_first, ones = self.add_columns(count), np.ones(count)
        self.integers = np.concatenate([self.integers, is_first.astype(np.int32)])
        self.column_bounds.append(Bounds(is_first, zeros(count), lambda _: ones))
        # first <= limit x binary; second <= limit x (1 - binary); as rows from below
        first, second = limits
        rows = self.add_rows(count, zeros(count), infinite(count))
        self.enter(rows, flow_columns[pair[0]] + steps, -1.0)
        self.entries.append(Entries(rows, is_first, first))
        rows = self.add_rows(count, lambda problem: -second(problem), infinite(count))
        self.enter(rows, flow_columns[pair[1]] + steps, -1.0)
        self.entries.append(Entries(rows, is_first, lambda problem: -second(problem)))


def _fill_limit(storage: int, flow: int, steps: Ints) -> Numbers:
    """Return the most that an empty storage takes in a step."""

    def most(problem: Problem) -> Floats:
        numbers = problem.coefficients
        whole = numbers.capacity[storage] / numbers.charge_efficiency[storage]
        return np.asarray(np.minimum(problem.limits(flow)[steps], whole))

    return most


def _draw_limit(storage: int, flow: int, steps: Ints) -> Numbers:
    """Return the most that a full storage gives in a step."""

    def most(problem: Problem) -> Floats:
        numbers = problem.coefficients
        whole = numbers.capacity[storage] * numbers.discharge_efficiency[storage]
        return np.asarray(np.minimum(problem.limits(flow)[steps], whole))

    return most


def _at(flow: int, steps: Ints) -> Numbers:
    return lambda problem: _trade_limit(problem, flow)[steps]


def _trade_limit(problem: Problem, flow: int) -> Floats:
    """Return the most that an exchange can buy or sell in a step: its limit, or all that its bus can use or bring."""
    limits = problem.limits(flow)
    if np.isfinite(limits).all():
        return limits
    layout = problem.layout
    sign = -layout.flow_sign[flow]
    others = [
        other
        for other, its in enumerate(layout.flows)
        if its.bus == layout.flows[flow].bus and its.sign == sign and other not in (*layout.exports, *layout.imports)
    ]
    total = np.zeros(problem.steps)
    for other in others:
        total = total + _most(problem, other)
    return np.minimum(limits, total)


def _most(problem: Problem, flow: int) -> Floats:
    """Return the most of a flow in each step: by its limit, its storage's content, or its converter's input."""
    layout, numbers = problem.layout, problem.coefficients
    most = problem.limits(flow)
    if flow in layout.charges:
        at = layout.charges.index(flow)
        return np.asarray(np.minimum(most, numbers.capacity[at] / numbers.charge_efficiency[at]))
    if flow in layout.discharges:
        at = layout.discharges.index(flow)
        return np.asarray(np.minimum(most, numbers.capacity[at] * numbers.discharge_efficiency[at]))
    if flow in layout.outputs:
        output = layout.outputs.index(flow)
        drawn = problem.limits(layout.inputs[layout.output_converter[output]])
        return drawn * problem.ratios(output) if np.isfinite(drawn).all() else most
    return most
