"""The five kinds that every component is made of, and the numbers each yields.

Solvers, audit and KPIs know kinds only; a component (one file in `components/`) says which kinds it is.
Amounts are kWh (m3 for water) per step, prices are per kWh (m3). A `Series` may stand wherever a number may
change with the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf

import numpy as np
from numpy.typing import NDArray

__all__ = ["Converter", "Exchange", "Investment", "Kind", "Output", "Role", "Series", "Sink", "Source", "Storage"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """`scale * shape`, one value a step; a `shape` of None is 1 at every step.

    Variations of a size or a level share the shape and differ in scale, which is what makes them cheap.
    """

    scale: float
    shape: Floats | None = None

    def values(self, steps: int) -> Floats:
        """Return the values. (steps,)"""
        return np.full(steps, self.scale) if self.shape is None else self.scale * self.shape

    def times(self, factor: float) -> Series:
        """Return the series times `factor`, on the same shape."""
        return Series(self.scale * factor, self.shape)

    def highest(self) -> float:
        """Return the highest value."""
        if self.shape is None:
            return self.scale
        return self.scale * float(self.shape.max() if self.scale >= 0 else self.shape.min())

    def lowest(self) -> float:
        """Return the lowest value."""
        if self.shape is None:
            return self.scale
        return self.scale * float(self.shape.min() if self.scale >= 0 else self.shape.max())


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


@dataclass(frozen=True)
class Investment:
    """What a component costs and carries before it runs: money and embodied CO2, of all its units."""

    capital: float = 0.0
    fixed_per_year: float = 0.0
    embodied_co2_kg: float = 0.0
    lifetime_years: float = 20.0


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
class Output:
    """What a converter gives for each unit of input: `ratio` units onto `bus`."""

    bus: str
    ratio: Series


@dataclass(frozen=True, eq=False)
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


Kind = Source | Exchange | Sink | Storage | Converter
