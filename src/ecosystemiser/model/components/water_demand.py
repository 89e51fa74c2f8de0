"""Demand for water."""

from __future__ import annotations

from typing import Literal

from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.water_component import WaterComponent
from ecosystemiser.model.fields import M3, MoneyPerM3, SeriesSpec
from ecosystemiser.model.kinds import Series, Sink

__all__ = ["WaterDemand"]


class WaterDemand(WaterComponent):
    """Uses water of its bus's quality by a profile; must be met unless `unmet_cost_per_m3` prices what is missing."""

    type: Literal["water_demand"]
    profile: SeriesSpec
    """A packaged profile, a file's column or values; in m3/h where no annual_m3 is given."""
    annual_m3: M3 | None = None
    """Scales the full-year profile to this sum, before a run takes its part. [m3]"""
    unmet_cost_per_m3: MoneyPerM3 | None = None
    """Price of each m3 not met; if left out, all must be met."""

    @property
    def is_absent(self) -> bool:
        return self.annual_m3 == 0

    def kinds(self, name: str, site: Site) -> tuple[Sink, ...]:
        """Return a sink."""
        return (
            Sink(
                name=name,
                bus=self.own_bus,
                demand=site.profile(self.profile, self.annual_m3, "profile").times(self.count),
                unmet_cost=self.unmet_cost_per_m3,
                cost=Series(self.variable_cost_per_m3),
                co2_kg=Series(self.co2_kg_per_m3),
            ),
        )
