"""What all components share: the closed table of attributes, its investment, and the way to kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, Protocol

from pydantic import Field

from ecosystemiser.model.clock import Clock
from ecosystemiser.model.fields import (
    ClosedModel,
    Kg,
    KgPerKw,
    KgPerKwh,
    Money,
    MoneyPerKw,
    MoneyPerKwh,
    MoneyPerKwhYear,
    MoneyPerKwYear,
    MoneyPerYear,
    NumberSeries,
    PriceSpec,
    SeriesSpec,
    Years,
)
from ecosystemiser.model.kinds import Floats, Investment, Kind, Series
from ecosystemiser.units import Carrier, Unit

__all__ = ["Component", "EnergyComponent", "EnergySized", "PowerSized", "Site"]


class Site(Protocol):
    """What a component may ask of the system it stands in. Every method raises InputError naming the field."""

    @property
    def clock(self) -> Clock:
        """The hours of the run."""

    def carrier(self, bus: str, key: str) -> Carrier:
        """Return the carrier of `bus`; refuses unknown ones."""

    def price(self, spec: PriceSpec, key: str) -> Series:
        """Return prices per kWh (m3) by step."""

    def numbers(self, spec: NumberSeries, key: str) -> Series:
        """Return a number or a series as it stands, by step."""

    def profile(self, spec: SeriesSpec, annual: float | None, key: str) -> Series:
        """Return amounts per step: the full-year profile scaled to `annual`, or a series in kW (m3/h) as it stands."""

    def outdoor_temperature_c(self, key: str) -> Floats:
        """Return the air temperature of the site's weather. (steps,)"""

    def mean_outdoor_temperature_c(self, key: str) -> float:
        """Return the mean air temperature of the whole year, whatever part of it is run."""

    def wind_speed_m_s(self, key: str) -> Floats:
        """Return the wind speed at 10 m of the site's weather. (steps,)"""

    def rain_mm_per_h(self, key: str) -> Series:
        """Return the rain of the site's weather."""

    def once(self, follows_from: tuple[object, ...], make: Callable[[], Floats]) -> Series:
        """Return the series that follows from what is given, values and specifications; it is made at the first ask.

        So variations that change a size share it. The first thing given is a word of the component's own.
        """

    def shares(self, spec: SeriesSpec, key: str) -> Series:
        """Return a series that scales a size: refuses values below 0."""

    def pv_yield(self, tilt_deg: float, azimuth_deg: float, losses: float, key: str) -> Series:
        """Return AC kW per kWp from the site's weather."""


class Component(ClosedModel):
    """A thing of the system. Sizes are of one unit; `count` units stand side by side."""

    carrier: ClassVar[Carrier | None] = None
    """The carrier whose bus it stands on unless it names one."""
    input_carriers: ClassVar[frozenset[Carrier] | None] = None
    """What the bus of its `input` may carry; None where any may be."""

    type: str
    """Which component it is."""
    bus: str | None = None
    """The bus it stands on; by default that of its carrier."""
    count: Annotated[int, Field(ge=1), Unit("1")] = 1
    """Number of equal units."""
    lifetime_years: Years = 20.0
    """Years until it is replaced."""
    capex: Money = 0.0
    """Price of one unit, whatever its size."""
    fixed_cost_per_year: MoneyPerYear = 0.0
    """Maintenance, insurance, rent of one unit a year."""
    embodied_co2_kg: Kg = 0.0
    """CO2 of making one unit, whatever its size."""

    @property
    def is_absent(self) -> bool:
        """Whether its size is 0, which removes it with its costs."""
        return False

    @property
    def own_bus(self) -> str:
        """The bus it stands on."""
        return self.bus or str(self.carrier)

    def investment(self) -> Investment:
        """Return money and embodied CO2 of all units."""
        return self._investment(0.0, 0.0, 0.0, 0.0)

    def kinds(self, name: str, site: Site) -> tuple[Kind, ...]:
        """Return the kinds it is made of. Raises InputError with keys relative to the component."""
        raise NotImplementedError

    def _investment(self, size: float, capex: float, fixed: float, embodied: float) -> Investment:
        """Return the investment of `count` units of `size`, given each figure per unit of size."""
        return Investment(
            capital=self.count * (self.capex + size * capex),
            fixed_per_year=self.count * (self.fixed_cost_per_year + size * fixed),
            embodied_co2_kg=self.count * (self.embodied_co2_kg + size * embodied),
            lifetime_years=self.lifetime_years,
        )


class EnergyComponent(Component):
    """A component that handles energy."""

    variable_cost_per_kwh: MoneyPerKwh = 0.0
    """Wear and consumables per kWh that it delivers (a demand: receives)."""
    co2_kg_per_kwh: KgPerKwh = 0.0
    """CO2 emitted per kWh that it delivers (a demand: receives)."""


class PowerSized(EnergyComponent):
    """An energy component whose size is a power."""

    capex_per_kw: MoneyPerKw = 0.0
    """Price per kW of its size."""
    fixed_cost_per_kw_year: MoneyPerKwYear = 0.0
    """Fixed operation per kW of its size and year."""
    embodied_co2_kg_per_kw: KgPerKw = 0.0
    """CO2 of making it per kW of its size."""

    @property
    def size_kw(self) -> float:
        """Its size of one unit. [kW]"""
        raise NotImplementedError

    @property
    def is_absent(self) -> bool:
        return self.size_kw == 0

    def investment(self) -> Investment:
        return self._investment(
            self.size_kw, self.capex_per_kw, self.fixed_cost_per_kw_year, self.embodied_co2_kg_per_kw
        )


class EnergySized(EnergyComponent):
    """An energy component whose size is a content."""

    capex_per_kwh: MoneyPerKwh = 0.0
    """Price per kWh of its capacity."""
    fixed_cost_per_kwh_year: MoneyPerKwhYear = 0.0
    """Fixed operation per kWh of its capacity and year."""
    embodied_co2_kg_per_kwh: KgPerKwh = 0.0
    """CO2 of making it per kWh of its capacity."""

    @property
    def size_kwh(self) -> float:
        """Its capacity of one unit. [kWh]"""
        raise NotImplementedError

    @property
    def is_absent(self) -> bool:
        return self.size_kwh == 0

    def investment(self) -> Investment:
        return self._investment(
            self.size_kwh, self.capex_per_kwh, self.fixed_cost_per_kwh_year, self.embodied_co2_kg_per_kwh
        )
