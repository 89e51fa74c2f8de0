"""The curves of one run, all that charts ask of it: made from a solved system, or from hours that were stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecosystemiser.charts.tokens import Theme, shades, tokens_of
from ecosystemiser.errors import InputError
from ecosystemiser.model.clock import Clock
from ecosystemiser.model.kinds import Floats, Role
from ecosystemiser.model.problem import ONES, CostCategory
from ecosystemiser.results import (
    BillLine,
    ComponentFacts,
    InvestmentCase,
    MonthLine,
    SolvedSystem,
    bill_of,
    case_of,
    inventory_of,
    monthly_bill,
)
from ecosystemiser.results.tally import NEGLIGIBLE
from ecosystemiser.units import Carrier

__all__ = ["Curve", "Level", "Price", "RunCurves", "as_curves", "curves_of"]


@dataclass(frozen=True, eq=False)
class Curve:
    """An amount a step between a component and a bus: a flow, or what was lost or missed beside one."""

    component: str
    name: str
    """`out`, `in`, `import`, `export`, `charge`, `discharge`; `curtailed`, `unmet`."""
    bus: str
    carrier: Carrier
    role: Role
    sign: int
    """+1 onto the bus, -1 from it, 0 for what did not flow."""
    values: Floats
    """kWh or m3 per step, not below 0. (steps,)"""

    @property
    def path(self) -> str:
        """Its name: component and flow, as `battery.charge`."""
        return f"{self.component}.{self.name}"


@dataclass(frozen=True, eq=False)
class Level:
    """The content of a storage at the end of each step."""

    component: str
    bus: str
    carrier: Carrier
    values: Floats
    """kWh or m3. (steps,)"""
    capacity: float | None = None

    @property
    def path(self) -> str:
        """Its name, as `battery.level`."""
        return f"{self.component}.level"


@dataclass(frozen=True, eq=False)
class Price:
    """What one more unit costs in each step: a tariff, or the price that the solver found."""

    name: str
    bus: str
    carrier: Carrier
    values: Floats
    """Currency per kWh or m3. (steps,)"""
    is_marginal: bool = False


@dataclass(frozen=True, eq=False)
class RunCurves:
    """A run as charts see it."""

    title: str
    clock: Clock
    currency: str
    curves: tuple[Curve, ...]
    """In the order of the system file."""
    levels: tuple[Level, ...] = ()
    prices: tuple[Price, ...] = ()
    bill: tuple[BillLine, ...] = ()
    inventory: tuple[ComponentFacts, ...] = ()
    months: tuple[MonthLine, ...] = ()
    """The bills of suppliers, month by month."""
    case: InvestmentCase | None = None
    """Its cash flow over the project; None where it is no whole year, or nothing in it is bought."""
    notes: tuple[str, ...] = ()
    """What a reader should know of where the curves come from."""

    @cached_property
    def buses(self) -> dict[str, Carrier]:
        """The buses on which anything flows, electricity first, and their carriers."""
        found = {curve.bus: curve.carrier for curve in self.curves}
        order = list(Carrier)
        return dict(sorted(found.items(), key=lambda each: order.index(each[1])))

    @cached_property
    def components(self) -> tuple[str, ...]:
        """Components with curves, in the order of the file."""
        return tuple(dict.fromkeys(curve.component for curve in self.curves))

    @cached_property
    def flows(self) -> tuple[Curve, ...]:
        """The curves of what flows between components and buses, without what was lost or missed."""
        return tuple(curve for curve in self.curves if curve.sign)

    def on(self, bus: str) -> tuple[Curve, ...]:
        """Return the curves of a bus."""
        return tuple(curve for curve in self.curves if curve.bus == bus)

    def colours(self, theme: Theme) -> dict[tuple[str, Role], str]:
        """Return the colour of every component in each of its roles: shades of the role's, in the order of the file.

        The same on every bus and page, whatever of the run is shown.
        """
        by_role: dict[Role, list[str]] = {}
        for curve in self.curves:
            names = by_role.setdefault(curve.role, [])
            if curve.component not in names:
                names.append(curve.component)
        roles = tokens_of(theme).roles
        return {
            (name, role): colour
            for role, names in by_role.items()
            for name, colour in zip(names, shades(roles[role], len(names), theme), strict=True)
        }

    def series(self) -> dict[str, Curve | Level]:
        """Return all curves and levels by their paths: what may be chosen for an overlay."""
        chosen: list[Curve | Level] = [*self.curves, *self.levels]
        return {each.path: each for each in chosen}


def as_curves(run: RunCurves | SolvedSystem) -> RunCurves:
    """Return the curves of a run, whatever it is given as."""
    return run if isinstance(run, RunCurves) else curves_of(run)


def curves_of(solved: SolvedSystem, title: str | None = None) -> RunCurves:
    """Return the curves of a solved system; `title` is its id unless given."""
    system, bill = solved.system, bill_of(solved)
    return RunCurves(
        title=title or system.system_id,
        clock=system.clock,
        currency=system.economics.currency,
        curves=tuple(_curves(solved)),
        levels=tuple(_levels(solved)),
        prices=tuple(_prices(solved)),
        bill=bill,
        inventory=inventory_of(solved, bill),
        months=monthly_bill(solved),
        case=_case(solved),
    )


def _case(solved: SolvedSystem) -> InvestmentCase | None:
    try:
        case = case_of(solved)
    except InputError:  # no whole year
        return None
    return case if case.years[0].capital else None


def _curves(solved: SolvedSystem) -> Iterator[Curve]:
    problem, flows = solved.problem, solved.solution.flows
    layout = problem.layout
    for at, flow in enumerate(layout.flows):
        if at in layout.exports and not problem.coefficients.limit[at]:  # it buys only
            continue
        bus = layout.buses[flow.bus]
        # A converter's draw or a plan's rounding may lie a hair below 0.
        values = np.maximum(flows[at], 0.0)
        yield Curve(flow.component, flow.name, bus.name, bus.carrier, flow.role, flow.sign, values)
        if at in layout.sinks:
            missing = _left(problem.limits(at), values)
            yield Curve(flow.component, "unmet", bus.name, bus.carrier, Role.UNMET, 0, missing)
        if at in layout.free_sources and np.all(np.isfinite(problem.limits(at))):
            unused = _left(problem.limits(at), values)
            yield Curve(flow.component, "curtailed", bus.name, bus.carrier, Role.LOST, 0, unused)


def _left(offered: Floats, taken: Floats) -> Floats:
    """Return what of an offer was not taken; rounding is nothing."""
    left = offered - taken
    return np.where(left > NEGLIGIBLE * np.maximum(offered, 1.0), left, 0.0)


def _levels(solved: SolvedSystem) -> Iterator[Level]:
    layout = solved.problem.layout
    for at, flow in enumerate(layout.charges):
        bus = layout.buses[layout.flows[flow].bus]
        capacity = float(solved.problem.coefficients.capacity[at])
        levels = np.asarray(solved.solution.levels[at, 1:])
        yield Level(layout.flows[flow].component, bus.name, bus.carrier, levels, capacity)


def _prices(solved: SolvedSystem) -> Iterator[Price]:
    problem = solved.problem
    costs = problem.layout.costs
    for term, (flow, category) in enumerate(zip(costs.flow, costs.category, strict=True)):
        scale = float(problem.coefficients.cost[term])
        if category is CostCategory.VARIABLE or not scale:
            continue
        signal = int(problem.cost_signal[term])
        shape = np.ones(problem.steps) if signal == ONES else problem.signals[signal]
        bus = problem.layout.buses[problem.layout.flows[flow].bus]
        yield Price(_price_name(problem.layout.flows[flow].path), bus.name, bus.carrier, scale * shape)
    marginal = solved.solution.bus_prices
    if marginal is not None:
        for bus, values in zip(problem.layout.buses, marginal, strict=True):
            yield Price("marginal price", bus.name, bus.carrier, np.asarray(values), is_marginal=True)


def _price_name(path: str) -> str:
    component, _, name = path.rpartition(".")
    return f"price, {component} {'sold' if name == 'export' else 'bought'}"
