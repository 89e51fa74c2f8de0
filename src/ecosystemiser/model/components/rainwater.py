"""Rain from a roof."""

from __future__ import annotations

from typing import Literal

from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.water_component import WaterComponent
from ecosystemiser.model.fields import M2, Efficiency, MoneyPerM2, SeriesSpec
from ecosystemiser.model.kinds import Investment, Role, Series, Source

__all__ = ["Rainwater"]

MM_PER_M = 1000.0


class Rainwater(WaterComponent):
    """Gives area x runoff x filter_efficiency x rain in each step: to demand, then into tanks; the rest overflows."""

    type: Literal["rainwater"]
    area_m2: M2
    """Catchment: plan area of one unit. [m2]"""
    runoff: Efficiency = 0.85
    """Share of the rain that runs off; 0.8 to 0.9 for pitched hard roofs."""
    filter_efficiency: Efficiency = 0.9
    """Share of the runoff that passes the filter."""
    profile: SeriesSpec | None = None
    """Rain in mm per hour; by default that of the site's weather."""
    capex_per_m2: MoneyPerM2 = 0.0
    """Price per m2 of its area."""

    @property
    def is_absent(self) -> bool:
        return self.area_m2 == 0

    def investment(self) -> Investment:
        return self._investment(self.area_m2, self.capex_per_m2, 0.0, 0.0)

    def kinds(self, name: str, site: Site) -> tuple[Source, ...]:
        """Return a source of rain."""
        return (
            Source(
                name=name,
                bus=self.own_bus,
                available=self._yield(site),
                cost=Series(self.variable_cost_per_m3),
                co2_kg=Series(self.co2_kg_per_m3),
                role=Role.SKY,
            ),
        )

    def _yield(self, site: Site) -> Series:
        rain = site.rain_mm_per_h("profile") if self.profile is None else site.shares(self.profile, "profile")
        m3_per_mm = self.area_m2 * self.count * self.runoff * self.filter_efficiency / MM_PER_M
        return rain.times(m3_per_mm * site.clock.step_h)
