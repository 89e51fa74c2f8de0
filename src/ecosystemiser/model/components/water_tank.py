"""Tank for rain or other water."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.water_component import WaterComponent
from ecosystemiser.model.fields import M2, M3, KgPerM3, MoneyPerM3, MoneyPerM3Year, Share
from ecosystemiser.model.kinds import Investment, Series, Storage
from ecosystemiser.units import Unit

__all__ = ["WaterTank"]

HOURS_PER_DAY, MM_PER_M = 24.0, 1000.0


class WaterTank(WaterComponent):
    """Keeps water; overflows only when full. An open tank loses, whatever the plan, a share of its content each step.

    Evaporation is forced: k x level at the step's start, k = mm per day x days per step x surface / 1000 / capacity.
    """

    type: Literal["water_tank"]
    capacity_m3: M3
    """Usable capacity of one unit. [m3]"""
    evaporation_mm_per_day: Annotated[float, Field(ge=0, le=100), Unit("mm/d")] = 0.0
    """Evaporation from a full open tank; 0 for a closed one. [mm/d]"""
    surface_m2: M2 = 0.0
    """Open water surface of one unit. [m2]"""
    initial_level: Share = 0.5
    """Content at the start, as a share of the capacity."""
    end_price: MoneyPerM3 | None = None
    """Price of each m3 missing at the end; by default the highest price of mains water in the run."""
    capex_per_m3: MoneyPerM3 = 0.0
    """Price per m3 of its capacity."""
    fixed_cost_per_m3_year: MoneyPerM3Year = 0.0
    """Fixed operation per m3 of its capacity and year."""
    embodied_co2_kg_per_m3: KgPerM3 = 0.0
    """CO2 of making it per m3 of its capacity."""

    @property
    def is_absent(self) -> bool:
        return self.capacity_m3 == 0

    def investment(self) -> Investment:
        return self._investment(
            self.capacity_m3, self.capex_per_m3, self.fixed_cost_per_m3_year, self.embodied_co2_kg_per_m3
        )

    def kinds(self, name: str, site: Site) -> tuple[Storage, ...]:
        """Return a storage that collects what rain its bus does not use."""
        return (
            Storage(
                name=name,
                bus=self.own_bus,
                capacity=self.capacity_m3 * self.count,
                loss=self._evaporated_share(site.clock.step_h / HOURS_PER_DAY),
                initial_level=self.initial_level,
                end_price=self.end_price,
                cost=Series(self.variable_cost_per_m3),
                co2_kg=Series(self.co2_kg_per_m3),
                overflows=True,
            ),
        )

    def _evaporated_share(self, days: float) -> float:
        share = self.evaporation_mm_per_day * days * self.surface_m2 / MM_PER_M / self.capacity_m3
        if share >= 1:
            found = f"{share:.3g} of the capacity a step"
            remedy = "make surface_m2 or evaporation_mm_per_day smaller, or the tank larger"
            raise InputError([Finding(f"evaporates {found}", remedy, "surface_m2", self.surface_m2)])
        return share
