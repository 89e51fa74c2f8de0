"""A plan for every hour, and the report of the solver that made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints, Layout, Problem
from ecosystemiser.model.system import System
from ecosystemiser.results.tally import Tally, tally_of
from ecosystemiser.results.totals import Totals
from ecosystemiser.units import amount_unit

__all__ = ["Solution", "SolvedSystem", "SolverReport", "on_columns", "price_columns"]


@dataclass(frozen=True)
class SolverReport:
    """What the solver says of its work."""

    solver: str
    """`rule_based` or `milp`."""
    status: str
    """The solver's own word, such as `optimal` or `dispatched`."""
    objective: float | None = None
    """total_cost as the solver counts it; None where it has no objective."""
    bound: float | None = None
    """No plan costs less; None where nothing is known."""
    solve_seconds: float = 0.0
    iterations: int = 0
    start: str = "cold"
    """`cold`, `warm`, or `warm, then cold` where the check of a warm answer failed."""
    notes: tuple[str, ...] = ()
    """What a reader of the result should know."""

    @property
    def gap(self) -> float | None:
        """(objective - bound) / |objective|; None where there is no bound."""
        if self.objective is None or self.bound is None:
            return None
        distance = max(0.0, self.objective - self.bound)
        return distance / abs(self.objective) if self.objective else distance


@dataclass(frozen=True, eq=False)
class Solution:
    """Amounts of every flow in every step, levels of every storage, and the solver's report."""

    flows: Floats
    """kWh or m3 per step, in the order of `Layout.flows`. (flows, steps)"""
    levels: Floats
    """kWh or m3 at the start of each step and at the end of the last. (storages, steps + 1)"""
    report: SolverReport
    bus_prices: Floats | None = None
    """What one more unit on each bus would cost in each step, where the solver knows. (buses, steps)"""
    storage_prices: Floats | None = None
    """What one unit less in each storage during each step would cost, where the solver knows. (storages, steps)"""
    on: Ints | None = None
    """How many units of each committed converter are on; None where there are none. (committed, steps)"""


@dataclass(frozen=True, eq=False)
class SolvedSystem:
    """A system with a plan. `problem` is what was solved; `flows` and `levels` are read-only by convention."""

    system: System
    problem: Problem
    solution: Solution
    notes: tuple[str, ...] = field(default=())

    @property
    def report(self) -> SolverReport:
        """The solver's report."""
        return self.solution.report

    @cached_property
    def tally(self) -> Tally:
        """Sums over the hours."""
        return tally_of(self.problem, self.solution.flows, self.solution.levels, self.solution.on)

    @property
    def on(self) -> Ints:
        """How many units of each committed converter are on. (committed, steps)"""
        if self.solution.on is None:
            return np.zeros((len(self.problem.layout.committed), self.problem.steps), dtype=np.int64)
        return self.solution.on

    @cached_property
    def totals(self) -> Totals:
        """The sums that KPIs are made of."""
        return Totals(self.problem, self.tally)

    def flow(self, path: str) -> Floats:
        """Return the flow named `path`, such as `battery.charge`. Raises KeyError. (steps,)"""
        paths = [flow.path for flow in self.problem.layout.flows]
        if path not in paths:
            raise KeyError(f"no flow {path!r}; there are {', '.join(paths)}")
        return np.asarray(self.solution.flows[paths.index(path)])

    def level(self, component: str) -> Floats:
        """Return the levels of a storage, first step's start to last step's end. Raises KeyError. (steps + 1,)"""
        names = self.problem.layout.storage_names
        if component not in names:
            raise KeyError(f"no storage {component!r}; there are {', '.join(names) or 'none'}")
        return np.asarray(self.solution.levels[names.index(component)])

    def hourly(self) -> dict[str, Floats]:
        """Return every flow and level (at each step's end) by its column name, as `battery.charge_kwh`. (steps,)

        What one more unit on a bus would have cost, where the solver knows, is `electricity.marginal_price_per_kwh`;
        how many units of a converter are on, where that matters, `heat_pump.units_on`.
        """
        layout = self.problem.layout
        columns = {
            f"{flow.path}_{amount_unit(layout.carrier(at))}": self.solution.flows[at]
            for at, flow in enumerate(layout.flows)
        }
        for at, flow in enumerate(layout.charges):
            unit = amount_unit(layout.carrier(flow))
            columns[f"{layout.flows[flow].component}.level_{unit}"] = np.asarray(self.solution.levels[at, 1:])
        if self.solution.bus_prices is not None:
            columns |= dict(zip(price_columns(layout), self.solution.bus_prices, strict=True))
        return columns | dict(zip(on_columns(layout), self.on.astype(np.float64), strict=True))

    def column_facts(self) -> dict[str, dict[str, object]]:
        """Return of each flow among the hours where it is: bus, carrier, role, and +1 onto the bus or -1 from it.

        So that a reader of the hours needs no system to add up a balance.
        """
        layout = self.problem.layout
        return {
            f"{flow.path}_{amount_unit(layout.carrier(at))}": {
                "bus": layout.buses[flow.bus].name,
                "carrier": str(layout.carrier(at)),
                "role": str(flow.role),
                "sign": flow.sign,
            }
            for at, flow in enumerate(layout.flows)
        }


def on_columns(layout: Layout) -> list[str]:
    """Return the names of how many units are on among the hours, in the order of the committed converters."""
    return [f"{layout.flows[layout.inputs[one.converter]].component}.units_on" for one in layout.committed]


def price_columns(layout: Layout) -> list[str]:
    """Return the names that the prices of the buses have among the hours, in the order of the buses."""
    return [f"{bus.name}.marginal_price_per_{amount_unit(bus.carrier)}" for bus in layout.buses]
