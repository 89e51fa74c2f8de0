"""From a System to a Problem: kinds laid out as flows, series as scaled signals; one system, or many side by side."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ecosystemiser.model.frame import Frame, frame_of, numbers_of
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.lanes import Lanes
from ecosystemiser.model.placed import Placed
from ecosystemiser.model.problem import Coefficients, EndRule, Ints, Problem
from ecosystemiser.model.system import System, SystemHead
from ecosystemiser.model.variations import Group

__all__ = ["Batch", "Compiler", "capital_recovery_factor", "compile_problem"]

KEPT_FRAMES = 16
"""Structures that a compiler remembers."""


@lru_cache(maxsize=1024)
def capital_recovery_factor(rate: float, years: float) -> float:
    """Return the yearly payment that repays 1 over `years` at real `rate`: r / (1 - (1 + r)^-n), 1/n at r = 0."""
    return 1 / years if rate == 0 else rate / (1 - (1 + rate) ** -years)


def compile_problem(system: System, end: EndRule = EndRule.SHORTFALL) -> Problem:
    """Return `system` as arrays. Equal structures give equal layouts, whatever their numbers."""
    return Compiler().compile(system, end)


@dataclass(frozen=True, eq=False)
class Batch:
    """Variations of one structure side by side."""

    problem: Problem
    """Its coefficients are (n, batch); so is `cost_signal` where variations have prices of other shapes."""
    members: tuple[int, ...]
    """Positions of the variations in what was asked for."""
    first: System
    """The first of them by itself."""
    heads: tuple[SystemHead, ...]
    """Of each of them."""


class Compiler:
    """Compiles systems, one after the other.

    What variations share is the same object in all their Problems, layout and signals among them: so solvers see at a
    glance that nothing but numbers changed.
    """

    def __init__(self) -> None:
        self._frames: OrderedDict[Hashable, Frame] = OrderedDict()
        self._signals: dict[int, _Signals] = {}

    def compile(self, system: System, end: EndRule = EndRule.SHORTFALL) -> Problem:
        """Return `system` as arrays."""
        frame = self._frame(system)
        values = np.array([number for placed in system.placed for number in numbers_of(placed)], dtype=np.float64)
        coefficients = _coefficients(frame, values[frame.order], [system.head], [(system, 1)])
        return _problem(frame, self._signals_of(frame, system), coefficients, system, end)

    def batches(self, groups: Sequence[Group], end: EndRule = EndRule.SHORTFALL) -> list[Batch]:
        """Return variations side by side, together those that differ in nothing but coefficients and prices' shapes."""
        structure = _Codes(_structure_key())
        alike: dict[Hashable, list[Group]] = {}
        for group in groups:
            system = group.system
            codes = tuple([structure[placed] for placed in system.placed])
            alike.setdefault((codes, tuple(system.buses.items()), system.clock), []).append(group)
        return [self._side_by_side(some, end) for some in alike.values()]

    def _side_by_side(self, groups: Sequence[Group], end: EndRule) -> Batch:
        systems, sizes = [group.system for group in groups], [len(group.members) for group in groups]
        frame = self._frame(systems[0])
        columns = zip(*[system.placed for system in systems], strict=True)
        values = np.concatenate([_numbers_side_by_side(column, sizes) for column in columns])[frame.order]
        prices = _Codes(_price_key)
        codes = [tuple([prices[placed] for placed in system.placed]) for system in systems]
        distinct = dict(zip(codes, systems, strict=True))
        if len(distinct) == 1:
            signals = self._signals_of(frame, systems[0])
        else:
            place = {code: at for at, code in enumerate(distinct)}
            signals = _signals(frame, list(distinct.values())).mixed(np.repeat([place[code] for code in codes], sizes))
        heads = [head for group in groups for head in group.heads]
        coefficients = _coefficients(frame, values, heads, [*zip(systems, sizes, strict=True)])
        members = tuple([member for group in groups for member in group.members])
        return Batch(_problem(frame, signals, coefficients, systems[0], end), members, groups[0].first, tuple(heads))

    def _frame(self, system: System) -> Frame:
        outlines = tuple([(placed.name, placed.rows.outlines) for placed in system.placed])
        key = (outlines, tuple(system.buses.items()), system.clock.steps)
        frame = self._frames.pop(key, None) or frame_of(system)
        self._frames[key] = frame
        while len(self._frames) > KEPT_FRAMES:
            _, dropped = self._frames.popitem(last=False)
            self._signals.pop(id(dropped), None)
        return frame

    def _signals_of(self, frame: Frame, system: System) -> _Signals:
        """Return the signals of a system: the last ones of its structure where they are the same."""
        known, shapes = self._signals.get(id(frame)), _shapes(system)
        if known is None or [*map(id, known.shapes)] != [*map(id, shapes)]:
            known = self._signals[id(frame)] = _signals(frame, [system])
        return known


class _Codes(dict[Placed, int]):
    """A number for each component, the same for those of equal key."""

    def __init__(self, key: Callable[[Placed], Hashable]) -> None:
        super().__init__()
        self._key = key
        self._by_key: dict[Hashable, int] = {}

    def __missing__(self, placed: Placed) -> int:
        code = self[placed] = self._by_key.setdefault(self._key(placed), len(self._by_key))
        return code


def _structure_key() -> Callable[[Placed], Hashable]:
    """Return what tells a component's outline and the content of its shapes, prices left out."""
    by_identity: dict[int, int] = {}
    by_content: dict[bytes, int] = {}

    def content(shape: Floats) -> int:
        found = by_identity.get(id(shape))
        if found is None:
            found = by_identity[id(shape)] = by_content.setdefault(shape.tobytes(), len(by_content))
        return found

    def key(placed: Placed) -> Hashable:
        shapes = tuple([None if shape is None else content(shape) for shape in placed.rows.shapes])
        return placed.name, placed.rows.outlines, shapes

    return key


def _price_key(placed: Placed) -> Hashable:
    return tuple([None if shape is None else id(shape) for shape in placed.rows.price_shapes])


def _numbers_side_by_side(column: Sequence[Placed], sizes: Sequence[int]) -> Floats:
    """Return the numbers of one component in groups of such sizes. (numbers, batch)"""
    known = {placed: _table(numbers_of(placed)) for placed in dict.fromkeys(column)}
    if len(known) == 1 == len(sizes):
        return np.broadcast_to(known[column[0]], (len(known[column[0]]), sizes[0]))
    tables = [known[placed] for placed in column]
    if all(size == 1 for size in sizes):
        return np.concatenate(tables, axis=1)
    return np.concatenate(
        [np.broadcast_to(table, (len(table), size)) for table, size in zip(tables, sizes, strict=True)], axis=1
    )


def _table(numbers: Sequence[float]) -> Floats:
    """Return numbers that may be lanes as a table. (numbers, 1 or lanes)"""
    lanes = [number.values for number in numbers if isinstance(number, Lanes)]
    if not lanes:
        return np.array(numbers, dtype=np.float64)[:, None]
    table = np.empty((len(numbers), len(lanes[0])))
    for row, number in zip(table, numbers, strict=True):
        row[:] = number.values if isinstance(number, Lanes) else number
    return table


def _shapes(system: System) -> list[Floats | None]:
    return [shape for placed in system.placed for shape in (*placed.rows.shapes, *placed.rows.price_shapes)]


@dataclass(frozen=True, eq=False)
class _Signals:
    """Shapes, each kept once, and which of them each scaled number is of."""

    matrix: Floats
    limit: Ints
    ratio: Ints
    co2: Ints
    meter: Ints
    cost: Ints
    """(cost terms,), or one column for each of several systems"""
    shapes: Sequence[Floats | None]
    """Of the first system; kept so that their identity tells them apart."""

    def mixed(self, lanes: Ints) -> _Signals:
        """Return the signals of variations, given which of the systems has the prices of each. (cost terms, batch)"""
        return replace(self, cost=self.cost[:, lanes])


def _signals(frame: Frame, systems: Sequence[System]) -> _Signals:
    """Return the signals of systems of equal structure: equal asks share one array, so identity tells them apart."""
    first, *others = [_shapes(system) for system in systems]
    rows: dict[int, int] = {id(None): 0}
    kept: list[Floats] = []

    def row(shape: Floats | None) -> int:
        found = rows.setdefault(id(shape), len(kept) + 1)
        if shape is not None and found > len(kept):
            kept.append(shape)
        return found

    own = np.array([row(shape) for shape in first], dtype=np.int64)
    of = {name: own[positions] for name, positions in frame.shapes.items()}
    if others:
        prices = frame.shapes["cost"].tolist()
        columns = [of["cost"].tolist(), *([row(shapes[at]) for at in prices] for shapes in others)]
        of["cost"] = np.array(columns, dtype=np.int64).T
    return _Signals(np.vstack([np.ones(frame.layout.steps), *kept]), **of, shapes=first)


def _problem(frame: Frame, signals: _Signals, coefficients: Coefficients, system: System, end: EndRule) -> Problem:
    return Problem(
        layout=frame.layout,
        signals=signals.matrix,
        limit_signal=signals.limit,
        ratio_signal=signals.ratio,
        cost_signal=signals.cost,
        co2_signal=signals.co2,
        meter_signal=signals.meter,
        coefficients=coefficients,
        months=system.clock.months,
        step_h=system.clock.step_h,
        year_share=system.clock.year_share,
        is_full_year=system.clock.is_full_year,
        end=end,
    )


def _coefficients(
    frame: Frame, values: Floats, heads: Sequence[SystemHead], systems: Sequence[tuple[System, int]]
) -> Coefficients:
    """Return the coefficients of one system, (n,), or of many, (n, batch), from their numbers in the frame's order.

    `systems`: each with the number of variations that it stands for; `heads`: of each variation.
    """

    def of(name: str) -> Floats:
        return values[frame.tables[name]]

    rates = [head.economics.discount_rate for head in heads]
    limits = [head.economics.co2_limit_kg for head in heads]
    co2_limits = [np.inf if limit is None else limit for limit in limits]
    co2_prices = [head.economics.co2_price_per_kg for head in heads]
    return Coefficients(
        limit=of("limit"),
        ratio=of("ratio"),
        cost=of("cost"),
        co2=of("co2"),
        unmet_cost=of("unmet_cost"),
        renewable=of("renewable"),
        capacity=of("capacity"),
        charge_efficiency=of("charge_efficiency"),
        discharge_efficiency=of("discharge_efficiency"),
        keep=of("keep"),
        initial_level=of("initial_level"),
        end_level=of("initial_level"),
        end_price=_end_prices(frame, of("end_price"), systems),
        meter_price=of("meter_price"),
        meter_bound=of("meter_bound"),
        meter_floor=of("meter_floor"),
        meter_ratchet=of("meter_ratchet"),
        start_cost=of("start_cost"),
        curve_load=of("curve_load"),
        curve_given=of("curve_given"),
        capital_per_year=of("capital") * _recovery_factors(of("lifetime_years"), rates),
        fixed_per_year=of("fixed_per_year"),
        embodied_per_year=of("embodied_per_year"),
        co2_price=np.array(co2_prices[0] if values.ndim == 1 else co2_prices),
        co2_limit=np.array(co2_limits[0] if values.ndim == 1 else co2_limits, dtype=np.float64),
    )


def _end_prices(frame: Frame, prices: Floats, systems: Sequence[tuple[System, int]]) -> Floats:
    """Return what a missing unit costs: where a storage names no price (NaN), that of the system's rule."""
    filled = prices.reshape(len(prices), sum(size for _, size in systems)).copy()
    for storage in np.flatnonzero(np.isnan(filled).any(axis=1)).tolist():
        bus = frame.layout.buses[frame.layout.flows[frame.layout.charges[storage]].bus].name
        rules = [np.broadcast_to(_values_of(system.end_price(bus)), size) for system, size in systems]
        filled[storage] = np.where(np.isnan(filled[storage]), np.concatenate(rules), filled[storage])
    return filled.reshape(prices.shape)


def _values_of(price: float | None) -> Floats:
    return price.values if isinstance(price, Lanes) else np.array(price or 0.0)


def _recovery_factors(lifetimes: Floats, rates: Sequence[float]) -> Floats:
    """Return the factor that makes capital an annuity, at each variation's own discount rate."""
    years = lifetimes.reshape(len(lifetimes), len(rates))
    factors = np.empty_like(years)
    for rate in set(rates):
        lanes = [at for at, other in enumerate(rates) if other == rate]
        values, place = np.unique(years[:, lanes], return_inverse=True)
        found = np.array([capital_recovery_factor(rate, year) for year in values.tolist()])
        factors[:, lanes] = found[place].reshape(len(years), len(lanes))
    return factors.reshape(lifetimes.shape)
