"""What all energy demands share."""

from __future__ import annotations

from ecosystemiser.model.components.base import EnergyComponent, Site
from ecosystemiser.model.fields import Kwh, MoneyPerKwh, SeriesSpec
from ecosystemiser.model.kinds import Series, Sink

__all__ = ["EnergyDemand"]


class EnergyDemand(EnergyComponent):
    """Uses energy by a profile; must be met unless `unmet_cost_per_kwh` prices what is missing."""

    profile: SeriesSpec
    """A packaged profile, a file's column or values; in kW where no annual_kwh is given."""
    annual_kwh: Kwh | None = None
    """Scales the full-year profile to this sum, before a run takes its part. [kWh]"""
    unmet_cost_per_kwh: MoneyPerKwh | None = None
    """Price of each kWh not met; if left out, all must be met."""

    @property
    def is_absent(self) -> bool:
        return self.annual_kwh == 0

    def kinds(self, name: str, site: Site) -> tuple[Sink, ...]:
        """Return a sink."""
        return (
            Sink(
                name=name,
                bus=self.own_bus,
                demand=site.profile(self.profile, self.annual_kwh, "profile").times(self.count),
                unmet_cost=self.unmet_cost_per_kwh,
                cost=Series(self.variable_cost_per_kwh),
                co2_kg=Series(self.co2_kg_per_kwh),
            ),
        )
