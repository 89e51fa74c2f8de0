"""A Problem: a System as plain arrays, which is all that a solver sees.

Every amount that may change with the step is `scale * signal`: signals are shared by all variations of a size or a
level, scales differ. So a variation is a handful of numbers, and a batch of variations is those numbers side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.model.kinds import Floats, MeterKind, Role
from ecosystemiser.units import Carrier

__all__ = [
    "Bus",
    "Coefficients",
    "Committed",
    "CostCategory",
    "EndRule",
    "Flow",
    "Layout",
    "MeterRow",
    "Problem",
    "Terms",
]

Ints = NDArray[np.int64]
ONES = 0
"""Row of `Problem.signals` that is 1 at every step."""


class EndRule(StrEnum):
    """What must hold at the last step's end; `definitions`: Start and end."""

    SHORTFALL = "shortfall"
    """Start at the initial level; each unit missing at the end is bought at the end price."""
    CYCLIC = "cyclic"
    """The start level is free and equals the end level."""
    FIXED = "fixed"
    """The end level equals the initial level."""
    FREE = "free"
    """Start at the initial level; the end level costs nothing."""


class CostCategory(StrEnum):
    """The line of the bill that a cost per amount belongs to."""

    PURCHASE = "purchase"
    VARIABLE = "variable"
    REVENUE = "revenue"
    """Enters the objective with a minus."""


@dataclass(frozen=True)
class Bus:
    """Where flows of one carrier must balance in every step."""

    name: str
    carrier: Carrier


@dataclass(frozen=True)
class Flow:
    """An amount per step between a component and a bus."""

    component: str
    name: str
    """`out`, `in`, `import`, `export`, `charge`, `discharge`."""
    bus: int
    sign: int
    """+1 onto the bus, -1 from it."""
    role: Role

    @property
    def path(self) -> str:
        """Its name in files and tables: component and flow, as `battery.charge`."""
        return f"{self.component}.{self.name}"


@dataclass(frozen=True)
class Terms:
    """Costs (or masses of CO2) per amount of a flow: term t is `scale[t] * signal[t]` on flow `flow[t]`."""

    flow: tuple[int, ...]
    category: tuple[CostCategory, ...] = ()


class MeterRow(NamedTuple):
    """A meter of an exchange; see `kinds.Meter`."""

    exchange: int
    kind: MeterKind
    months: tuple[int, ...]
    """The month of the run on whose bill each group stands."""
    pieces: int
    ratchet_groups: int

    @property
    def groups(self) -> int:
        """How many groups it has."""
        return len(self.months)


class Committed(NamedTuple):
    """A converter that is switched on and off; see `kinds.Commitment`."""

    converter: int
    units: int
    min_up: int
    min_down: int
    points: int
    """Of its curve."""

    @property
    def memory(self) -> int:
        """How many steps before a step decide what it may do."""
        return max(self.min_up, self.min_down)


@dataclass(frozen=True)
class Layout:
    """What all variations of a system share: which flows there are and what they belong to.

    Equal layouts can be solved by one prepared solver. All tuples of ints are indices into `flows`.
    """

    components: tuple[str, ...]
    buses: tuple[Bus, ...]
    flows: tuple[Flow, ...]
    sources: tuple[int, ...]
    bought_sources: tuple[bool, ...]
    imports: tuple[int, ...]
    exports: tuple[int, ...]
    """Exchange x buys by flow imports[x] and sells by exports[x]."""
    sinks: tuple[int, ...]
    must_meet: tuple[bool, ...]
    """Whether sink d has to be met."""
    charges: tuple[int, ...]
    discharges: tuple[int, ...]
    """Storage s is filled by flow charges[s] and emptied by discharges[s]."""
    overflows: tuple[bool, ...]
    """Whether storage s collects what free sources on its bus offer, and overflows only when full."""
    inputs: tuple[int, ...]
    """Converter c draws by flow inputs[c]."""
    outputs: tuple[int, ...]
    """Output o of a converter."""
    output_converter: tuple[int, ...]
    """The converter of output o; rising."""
    costs: Terms
    co2: Terms
    steps: int
    meters: tuple[MeterRow, ...] = ()
    committed: tuple[Committed, ...] = ()

    @cached_property
    def flow_bus(self) -> Ints:
        """Bus of each flow. (flows,)"""
        return np.array([flow.bus for flow in self.flows], dtype=np.int64)

    @cached_property
    def flow_sign(self) -> Ints:
        """+1 onto the bus, -1 from it. (flows,)"""
        return np.array([flow.sign for flow in self.flows], dtype=np.int64)

    @cached_property
    def storage_names(self) -> tuple[str, ...]:
        """Component of each storage."""
        return tuple(self.flows[flow].component for flow in self.charges)

    @cached_property
    def free_sources(self) -> tuple[int, ...]:
        """Sources that are not bought."""
        return tuple(flow for flow, bought in zip(self.sources, self.bought_sources, strict=True) if not bought)

    @cached_property
    def local_sources(self) -> tuple[int, ...]:
        """Sources that count as local: all of electricity (it is generated here), elsewhere those not bought."""
        return tuple(f for f in self.sources if self.carrier(f) is Carrier.ELECTRICITY or f in self.free_sources)

    @cached_property
    def meter_groups(self) -> tuple[slice, ...]:
        """Of each meter its rows among the groups of all meters."""
        return _slices([meter.groups for meter in self.meters])

    @cached_property
    def meter_prices(self) -> tuple[slice, ...]:
        """Of each meter its rows of `Coefficients.meter_price`: groups x pieces."""
        return _slices([meter.groups * meter.pieces for meter in self.meters])

    @cached_property
    def meter_bounds(self) -> tuple[slice, ...]:
        """Of each meter its rows of `Coefficients.meter_bound`: groups x (pieces - 1)."""
        return _slices([meter.groups * (meter.pieces - 1) for meter in self.meters])

    @cached_property
    def curves(self) -> tuple[slice, ...]:
        """Of each committed converter its rows of `Coefficients.curve_load` and `curve_given`."""
        return _slices([one.points for one in self.committed])

    def outputs_of(self, converter: int) -> list[int]:
        """Return the flows that a converter gives."""
        pairs = zip(self.outputs, self.output_converter, strict=True)
        return [flow for flow, owner in pairs if owner == converter]

    def is_internal(self, converter: int) -> bool:
        """Whether a converter only moves electricity between electricity buses, which count as one."""
        flows = [self.inputs[converter], *self.outputs_of(converter)]
        return all(self.carrier(flow) is Carrier.ELECTRICITY for flow in flows)

    def carrier(self, flow: int) -> Carrier:
        """Return what flow `flow` carries."""
        return self.buses[self.flows[flow].bus].carrier


@dataclass(frozen=True, eq=False)
class Coefficients:
    """The numbers of one variation, (n,) each, or of a batch of them side by side, (n, batch)."""

    limit: Floats
    """Most of each flow in a step is limit * signal; a sink's is its demand; inf where there is none. (flows,)"""
    ratio: Floats
    """Output per input, times its signal. (outputs,)"""
    cost: Floats
    """(cost terms,)"""
    co2: Floats
    """(CO2 terms,)"""
    unmet_cost: Floats
    """Price of a unit not met; 0 where it must be met. (sinks,)"""
    renewable: Floats
    """Share of renewable origin of what each source and import brings. (flows,)"""
    capacity: Floats
    charge_efficiency: Floats
    discharge_efficiency: Floats
    keep: Floats
    """Share of a level that is left after a step. (storages,)"""
    initial_level: Floats
    """Amount at the start. (storages,)"""
    end_level: Floats
    """What the end rules `shortfall` and `fixed` measure the last level against; that at the start. (storages,)"""
    end_price: Floats
    meter_price: Floats
    meter_bound: Floats
    meter_floor: Floats
    meter_ratchet: Floats
    """(meters,)"""
    start_cost: Floats
    """Of each unit switched on. (committed,)"""
    curve_load: Floats
    curve_given: Floats
    """Input and output at the points of each committed converter's curve, as shares of full load. (points of all,)"""
    capital_per_year: Floats
    """Annuity of each component. (components,)"""
    fixed_per_year: Floats
    embodied_per_year: Floats
    """Embodied CO2 over lifetime. [kg/a]"""
    co2_price: Floats
    """() or (batch,)"""
    co2_limit: Floats
    """Most total_co2 of the run; inf where there is none. () or (batch,) [kg]"""


@dataclass(frozen=True, eq=False)
class Problem:
    """One system over N steps as arrays; `coefficients` may hold a batch of variations.

    `*_signal` are rows of `signals`, the same for a whole batch; only prices may have shapes of their own:
    `cost_signal` is then (cost terms, batch).
    """

    layout: Layout
    signals: Floats
    """(signals, steps); row 0 is 1."""
    limit_signal: Ints
    ratio_signal: Ints
    cost_signal: Ints
    co2_signal: Ints
    meter_signal: Ints
    """Of each meter the signal that numbers its groups, -1: none. (meters,)"""
    coefficients: Coefficients
    months: Ints
    """Month of each step, from 0. (steps,)"""
    step_h: float
    year_share: float
    is_full_year: bool
    end: EndRule = EndRule.SHORTFALL
    on_before: Ints | None = None
    """How many units of each committed converter were on in the steps before the first; before these all were off.
    (committed, some steps)"""
    peak_before: Floats | None = None
    """What each group of PEAK meters has reached before the first step; None: nothing. (groups of all meters,)"""

    @property
    def steps(self) -> int:
        """Number of steps."""
        return self.layout.steps

    @cached_property
    def signal_means(self) -> Floats:
        """Mean of each signal over the run. (signals,)"""
        return np.asarray(self.signals.mean(axis=1))

    def limits(self, flow: int) -> Floats:
        """Return the most of a flow in each step; for a sink its demand. (steps,)"""
        scale = float(self.coefficients.limit[flow])
        if scale == np.inf:
            return np.full(self.steps, np.inf)
        return np.asarray(scale * self.signals[self.limit_signal[flow]])

    def ratios(self, output: int) -> Floats:
        """Return output per input of a converter's output in each step. (steps,)"""
        return np.asarray(self.coefficients.ratio[output] * self.signals[self.ratio_signal[output]])

    def unit_costs(self) -> Floats:
        """Return what one more unit of each flow adds to total_cost, CO2 price included. (flows, steps)"""
        costs = np.zeros((len(self.layout.flows), self.steps))
        for term, (flow, category) in enumerate(zip(self.layout.costs.flow, self.layout.costs.category, strict=True)):
            sign = -1.0 if category is CostCategory.REVENUE else 1.0
            _add(costs[flow], sign * self.coefficients.cost[term], self.signals, self.cost_signal[term])
        for term, flow in enumerate(self.layout.co2.flow):
            priced = self.coefficients.co2_price * self.coefficients.co2[term]
            _add(costs[flow], float(priced), self.signals, self.co2_signal[term])
        for sink, flow in enumerate(self.layout.sinks):
            costs[flow] -= self.coefficients.unmet_cost[sink]
        return costs

    def emissions(self) -> Floats:
        """Return the operational CO2 of one more unit of each flow. (flows, steps) [kg]"""
        found = np.zeros((len(self.layout.flows), self.steps))
        for term, flow in enumerate(self.layout.co2.flow):
            _add(found[flow], float(self.coefficients.co2[term]), self.signals, self.co2_signal[term])
        return found

    def fixed_costs(self) -> float:
        """Return the part of total_cost that no plan changes: capital, fixed operation, unmet cost of all demand.

        Standing charges belong to what meters bill.
        """
        held = self.coefficients.capital_per_year.sum() + self.coefficients.fixed_per_year.sum()
        unmet = sum(
            self.coefficients.unmet_cost[sink] * self.limits(flow).sum()
            for sink, flow in enumerate(self.layout.sinks)
            if self.coefficients.unmet_cost[sink] > 0
        )
        return float(self.year_share * held + unmet)


def _slices(sizes: list[int]) -> tuple[slice, ...]:
    ends = np.cumsum(sizes, dtype=np.int64).tolist()
    return tuple([slice(end - size, end) for end, size in zip(ends, sizes, strict=True)])


def _add(row: Floats, scale: float, signals: Floats, signal: int) -> None:
    if scale == 0.0:
        return
    if signal == ONES:
        row += scale
    else:
        row += scale * signals[signal]
