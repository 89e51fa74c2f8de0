"""From a System to a Problem: kinds laid out as flows, series as scaled signals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ecosystemiser.model.kinds import (
    Converter,
    Exchange,
    Floats,
    Investment,
    Kind,
    Role,
    Series,
    Sink,
    Source,
    Storage,
)
from ecosystemiser.model.problem import (
    ONES,
    Bus,
    Coefficients,
    CostCategory,
    EndRule,
    Flow,
    Ints,
    Layout,
    Problem,
    Terms,
)
from ecosystemiser.model.system import System

__all__ = ["capital_recovery_factor", "compile_problem"]


def capital_recovery_factor(rate: float, years: float) -> float:
    """Return the yearly payment that repays 1 over `years` at real `rate`: r / (1 - (1 + r)^-n), 1/n at r = 0."""
    return 1 / years if rate == 0 else rate / (1 - (1 + rate) ** -years)


def compile_problem(system: System, end: EndRule = EndRule.SHORTFALL) -> Problem:
    """Return `system` as arrays. Equal structures give equal layouts, whatever their numbers."""
    rows = _Rows(system)
    for kind in system.kinds:
        _add(rows, kind)
    investments = system.investments()
    rate = system.economics.discount_rate
    return Problem(
        layout=rows.layout(system),
        signals=rows.signals.matrix(system.clock.steps),
        limit_signal=_ints(rows.limit.signal),
        ratio_signal=_ints(rows.ratio.signal),
        cost_signal=_ints(rows.cost.signal),
        co2_signal=_ints(rows.co2.signal),
        coefficients=rows.coefficients(investments, rate, system.economics.co2_price_per_kg),
        months=system.clock.months,
        step_h=system.clock.step_h,
        year_share=system.clock.year_share,
        is_full_year=system.clock.is_full_year,
        end=end,
    )


class _Signals:
    """Shapes, each kept once: equal asks share one array, so identity tells them apart."""

    def __init__(self) -> None:
        self._rows: list[Floats] = []
        self._by_identity: dict[int, int] = {}

    def row(self, shape: Floats | None) -> int:
        if shape is None:
            return ONES
        found = self._by_identity.setdefault(id(shape), len(self._rows) + 1)
        if found > len(self._rows):
            self._rows.append(shape)
        return found

    def matrix(self, steps: int) -> Floats:
        return np.vstack([np.ones(steps), *self._rows])


@dataclass
class _Scaled:
    """Series as scales and rows of signals."""

    signals: _Signals
    scale: list[float] = field(default_factory=list)
    signal: list[int] = field(default_factory=list)

    def add(self, series: Series) -> None:
        self.scale.append(series.scale)
        self.signal.append(self.signals.row(series.shape))


class _Rows:
    """The tables of a Problem while they are filled, kind after kind."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.buses = tuple(Bus(name, carrier) for name, carrier in system.buses.items())
        self._bus_index = {bus.name: at for at, bus in enumerate(self.buses)}
        self.signals = _Signals()
        self.flows: list[Flow] = []
        self.limit, self.ratio = _Scaled(self.signals), _Scaled(self.signals)
        self.cost, self.co2 = _Scaled(self.signals), _Scaled(self.signals)
        self.cost_flow: list[int] = []
        self.cost_category: list[CostCategory] = []
        self.co2_flow: list[int] = []
        self.renewable: list[float] = []
        self.sources: list[tuple[int, bool]] = []
        self.exchanges: list[tuple[int, int]] = []
        self.sinks: list[tuple[int, float | None]] = []
        self.storages: list[tuple[int, int, Storage]] = []
        self.inputs: list[int] = []
        self.outputs: list[tuple[int, int]] = []

    def flow(self, path: tuple[str, str, str], sign: int, role: Role, limit: Series, renewable: float = 0.0) -> int:
        component, name, bus = path
        self.flows.append(Flow(component, name, self._bus_index[bus], sign, role))
        self.limit.add(limit)
        self.renewable.append(renewable)
        return len(self.flows) - 1

    def price(self, flow: int, category: CostCategory, price: Series) -> None:
        self.cost_flow.append(flow)
        self.cost_category.append(category)
        self.cost.add(price)

    def emit(self, flow: int, co2: Series) -> None:
        self.co2_flow.append(flow)
        self.co2.add(co2)

    def layout(self, system: System) -> Layout:
        return Layout(
            components=tuple(system.components),
            buses=self.buses,
            flows=tuple(self.flows),
            sources=tuple(flow for flow, _ in self.sources),
            bought_sources=tuple(bought for _, bought in self.sources),
            imports=tuple(bought for bought, _ in self.exchanges),
            exports=tuple(sold for _, sold in self.exchanges),
            sinks=tuple(flow for flow, _ in self.sinks),
            must_meet=tuple(cost is None for _, cost in self.sinks),
            charges=tuple(charge for charge, _, _ in self.storages),
            discharges=tuple(discharge for _, discharge, _ in self.storages),
            overflows=tuple(storage.overflows for _, _, storage in self.storages),
            inputs=tuple(self.inputs),
            outputs=tuple(flow for _, flow in self.outputs),
            output_converter=tuple(converter for converter, _ in self.outputs),
            costs=Terms(tuple(self.cost_flow), tuple(self.cost_category)),
            co2=Terms(tuple(self.co2_flow)),
            steps=system.clock.steps,
        )

    def coefficients(self, investments: dict[str, Investment], rate: float, co2_price: float) -> Coefficients:
        storages = [storage for _, _, storage in self.storages]
        held = list(investments.values())
        annuities = [one.capital * capital_recovery_factor(rate, one.lifetime_years) for one in held]
        return Coefficients(
            limit=_floats(self.limit.scale),
            ratio=_floats(self.ratio.scale),
            cost=_floats(self.cost.scale),
            co2=_floats(self.co2.scale),
            unmet_cost=_floats([cost or 0.0 for _, cost in self.sinks]),
            renewable=_floats(self.renewable),
            capacity=_floats([storage.capacity for storage in storages]),
            charge_efficiency=_floats([storage.charge_efficiency for storage in storages]),
            discharge_efficiency=_floats([storage.discharge_efficiency for storage in storages]),
            keep=_floats([1 - storage.loss for storage in storages]),
            initial_level=_floats([storage.initial_level * storage.capacity for storage in storages]),
            end_level=_floats([storage.initial_level * storage.capacity for storage in storages]),
            end_price=_floats([self._end_price(storage) for storage in storages]),
            capital_per_year=_floats(annuities),
            fixed_per_year=_floats([one.fixed_per_year for one in held]),
            embodied_per_year=_floats([one.embodied_co2_kg / one.lifetime_years for one in held]),
            co2_price=np.array(co2_price),
        )

    def _end_price(self, storage: Storage) -> float:
        if storage.end_price is not None:
            return storage.end_price
        return self.system.end_price(storage.bus) or 0.0


def _add(rows: _Rows, kind: Kind) -> None:
    match kind:
        case Source():
            _add_source(rows, kind)
        case Exchange():
            _add_exchange(rows, kind)
        case Sink():
            _add_sink(rows, kind)
        case Storage():
            _add_storage(rows, kind)
        case Converter():
            _add_converter(rows, kind)


def _add_source(rows: _Rows, kind: Source) -> None:
    flow = rows.flow((kind.name, "out", kind.bus), +1, kind.role, kind.available, kind.renewable_share)
    rows.sources.append((flow, kind.is_bought))
    rows.price(flow, CostCategory.PURCHASE if kind.is_bought else CostCategory.VARIABLE, kind.cost)
    rows.price(flow, CostCategory.VARIABLE, kind.variable_cost)
    rows.emit(flow, kind.co2_kg)


def _add_exchange(rows: _Rows, kind: Exchange) -> None:
    bought = rows.flow((kind.name, "import", kind.bus), +1, Role.BOUGHT, kind.import_limit, kind.renewable_share)
    sold = rows.flow((kind.name, "export", kind.bus), -1, Role.SOLD, kind.export_limit)
    rows.exchanges.append((bought, sold))
    rows.price(bought, CostCategory.PURCHASE, kind.import_price)
    rows.price(bought, CostCategory.VARIABLE, kind.variable_cost)
    rows.price(sold, CostCategory.REVENUE, kind.export_price)
    rows.emit(bought, kind.co2_kg)


def _add_sink(rows: _Rows, kind: Sink) -> None:
    flow = rows.flow((kind.name, "in", kind.bus), -1, Role.USED, kind.demand)
    rows.sinks.append((flow, kind.unmet_cost))
    rows.price(flow, CostCategory.VARIABLE, kind.cost)
    rows.emit(flow, kind.co2_kg)


def _add_storage(rows: _Rows, kind: Storage) -> None:
    charge = rows.flow((kind.name, "charge", kind.bus), -1, Role.STORED, kind.charge_limit)
    discharge = rows.flow((kind.name, "discharge", kind.bus), +1, Role.STORED, kind.discharge_limit)
    rows.storages.append((charge, discharge, kind))
    rows.price(discharge, CostCategory.VARIABLE, kind.cost)
    rows.emit(discharge, kind.co2_kg)


def _add_converter(rows: _Rows, kind: Converter) -> None:
    drawn = rows.flow((kind.name, "in", kind.bus), -1, Role.CONVERTED, kind.limit)
    rows.inputs.append(drawn)
    for position, output in enumerate(kind.outputs):
        name = "out" if position == 0 else f"out_{output.bus}"
        given = rows.flow((kind.name, name, output.bus), +1, Role.CONVERTED, Series(np.inf))
        rows.outputs.append((len(rows.inputs) - 1, given))
        rows.ratio.add(output.ratio)
        if position == 0:
            rows.price(given, CostCategory.VARIABLE, kind.cost)
            rows.emit(given, kind.co2_kg)


def _floats(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)
