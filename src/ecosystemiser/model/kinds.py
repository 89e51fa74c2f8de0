"""The five kinds that every component is made of, and the numbers each yields.

Solvers, audit and KPIs know kinds only; a component (one file in `components/`) says which kinds it is.
Amounts are kWh (m3 for water) per step, prices are per kWh (m3). A `Series` may stand wherever a number may
change with the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Commitment",
    "Converter",
    "Exchange",
    "Investment",
    "Kind",
    "Meter",
    "MeterKind",
    "Output",
    "Role",
    "Series",
    "Sink",
    "Source",
    "Storage",
    "buses_of",
]

Floats = NDArray[np.float64]


class Series:
    """`scale * shape`, one value a step; a `shape` of None is 1 at every step. Never changes.

    Variations of a size or a level share the shape and differ in scale, which is what makes them cheap.
    """

    __slots__ = ("_ends", "scale", "shape")

    def __init__(self, scale: float, shape: Floats | None = None) -> None:
        self.scale: Final = scale
        self.shape: Final = shape
        self._ends: tuple[float, float] | None = None

    def values(self, steps: int) -> Floats:
        """Return the values. (steps,)"""
        return np.full(steps, self.scale) if self.shape is None else self.scale * self.shape

    def times(self, factor: float) -> Series:
        """Return the series times `factor`, on the same shape."""
        scaled = Series(self.scale * factor, self.shape)
        if self.shape is not None:
            scaled._ends = self._ends_of(self.shape)  # looked for once for all multiples
        return scaled

    def highest(self) -> float:
        """Return the highest value."""
        if self.shape is None:
            return self.scale
        return self.scale * self._ends_of(self.shape)[1 if self.scale >= 0 else 0]

    def lowest(self) -> float:
        """Return the lowest value."""
        if self.shape is None:
            return self.scale
        return self.scale * self._ends_of(self.shape)[0 if self.scale >= 0 else 1]

    def _ends_of(self, shape: Floats) -> tuple[float, float]:
        """Return the lowest and the highest value of its shape."""
        if self._ends is None:
            self._ends = (float(shape.min()), float(shape.max()))
        return self._ends


ZERO = Series(0.0)
UNLIMITED = Series(inf)


class Role(StrEnum):
    """What a flow is to a person who looks at it; charts take their colours from it."""

    BOUGHT = "bought"
    SUN = "sun"
    SKY = "sky"
    STORED = "stored"
    CONVERTED = "converted"
    USED = "used"
    SOLD = "sold"
    LOST = "lost"
    UNMET = "unmet"


class MeterKind(StrEnum):
    """What a meter gathers in each of its groups of steps, and so what its line of the bill is for."""

    PEAK = "peak"
    """The largest amount bought in a step: a demand charge."""
    SUM = "sum"
    """All that is bought: tiers."""
    NET = "net"
    """All that is bought less all that is sold: net metering."""
    STANDING = "standing"
    """Nothing: a fixed charge."""
    MINIMUM = "minimum"
    """What its month's bill lacks to a least one."""


@dataclass(frozen=True, eq=False, slots=True)
class Meter:
    """What the supplier of an exchange bills beyond a price per amount, for groups of steps.

    A quantity q is gathered in each group and costs the integral of a price from 0 to q, which changes at `bounds`.
    A STANDING meter costs its price, a MINIMUM meter what the other lines of the exchange lack to its price (wear and
    CO2 do not count).
    """

    kind: MeterKind
    months: tuple[int, ...]
    """The month of the run (from 0) on whose bill each group stands."""
    prices: tuple[tuple[float, ...], ...]
    """Of each group from the lowest piece up; one more than `bounds`. Per amount (PEAK: amount in a step)."""
    bounds: tuple[tuple[float, ...], ...]
    """Of each group, rising: where the next price begins. For NET the first is 0."""
    groups: Floats | None = None
    """Number of the group of each step, -1: in none. (steps,)"""
    floor: float = 0.0
    """PEAK: the least quantity that is billed."""
    ratchet: float = 0.0
    """PEAK: so much of the highest quantity of the groups before is billed at least."""
    ratchet_groups: int = 0
    """How many groups a ratchet looks back."""

    @property
    def pieces(self) -> int:
        """Prices of each group."""
        return len(self.prices[0])


class Investment(NamedTuple):
    """What a component costs and carries before it runs: money and embodied CO2, of all its units."""

    capital: float = 0.0
    fixed_per_year: float = 0.0
    embodied_co2_kg: float = 0.0
    lifetime_years: float = 20.0


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """Puts up to `available` on a bus each step; what nobody takes is curtailed."""

    name: str
    bus: str
    available: Series
    cost: Series = ZERO
    """Per amount delivered."""
    co2_kg: Series = ZERO
    """Per amount delivered."""
    variable_cost: Series = ZERO
    """Per amount delivered, beyond `cost`."""
    renewable_share: float = 1.0
    role: Role = Role.SUN
    is_bought: bool = False
    """Whether `cost` is a purchase (energy cost) rather than variable operation."""


@dataclass(frozen=True, eq=False, slots=True)
class Exchange:
    """A connection across the boundary of the system: buys and, where `export_limit` allows, sells."""

    name: str
    bus: str
    import_limit: Series
    import_price: Series
    export_limit: Series = ZERO
    export_price: Series = ZERO
    variable_cost: Series = ZERO
    """Per amount bought, beyond the price."""
    co2_kg: Series = ZERO
    """Per amount bought."""
    renewable_share: float = 0.0
    meters: tuple[Meter, ...] = ()
    """What is billed beyond these prices."""


@dataclass(frozen=True, eq=False, slots=True)
class Sink:
    """Takes `demand` each step; it must be met unless `unmet_cost` prices what is missing."""

    name: str
    bus: str
    demand: Series
    unmet_cost: float | None = None
    cost: Series = ZERO
    """Per amount received."""
    co2_kg: Series = ZERO
    """Per amount received."""


@dataclass(frozen=True, eq=False, slots=True)
class Storage:
    """Keeps an amount: level' = level x (1 - loss) + charge_efficiency x charge - discharge / discharge_efficiency.

    `loss` is the share of the step's first level that is lost in the step; the level stays within 0 and `capacity`.
    """

    name: str
    bus: str
    capacity: float
    charge_limit: Series = UNLIMITED
    discharge_limit: Series = UNLIMITED
    """Limits at the bus, per step."""
    charge_efficiency: float = 1.0
    discharge_efficiency: float = 1.0
    loss: float = 0.0
    initial_level: float = 0.5
    """Share of the capacity."""
    end_price: float | None = None
    """Price of each unit of level missing at the end; None: the system's rule decides."""
    cost: Series = ZERO
    """Per amount discharged."""
    co2_kg: Series = ZERO
    """Per amount discharged."""
    overflows: bool = False
    """Whether it takes all that free sources on its bus offer and nobody uses, and overflows only when full."""


@dataclass(frozen=True, eq=False, slots=True)
class Output:
    """What a converter gives for each unit of input: `ratio` units onto `bus`."""

    bus: str
    ratio: Series


@dataclass(frozen=True, eq=False, slots=True)
class Commitment:
    """What switching a converter on and off means: `units` equal units share its limit, each either on or off.

    A unit that is on draws at least the first load of its `curve`. Before the first step all units are off, and have
    been for long.
    """

    curve: tuple[tuple[float, float], ...]
    """Points (load, given), rising: at an input of `load` x limit the output is `given` x limit x ratio, straight
    between the points. From the least load to (1, 1)."""
    units: int = 1
    start_cost: float = 0.0
    """For each unit switched on."""
    min_up: int = 1
    """Steps that a unit stays on at least."""
    min_down: int = 1
    """Steps that a unit stays off at least."""


@dataclass(frozen=True, eq=False, slots=True)
class Converter:
    """Turns up to `limit` of one carrier a step into others at fixed or changing ratios."""

    name: str
    bus: str
    """Where the metered input comes from."""
    outputs: tuple[Output, ...]
    limit: Series = UNLIMITED
    """Of the input, per step."""
    cost: Series = ZERO
    """Per amount of the first output."""
    co2_kg: Series = ZERO
    """Per amount of the first output."""
    commitment: Commitment | None = None
    """None: it may run at any load, and change it for nothing."""


Kind = Source | Exchange | Sink | Storage | Converter


def buses_of(kind: Kind) -> tuple[str, ...]:
    """Return the bus that `kind` stands on, and those that a converter gives to."""
    return (kind.bus, *[output.bus for output in kind.outputs]) if isinstance(kind, Converter) else (kind.bus,)
