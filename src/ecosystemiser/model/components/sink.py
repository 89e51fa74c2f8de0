"""Generic sink."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.generic import GenericComponent
from ecosystemiser.model.fields import Kwh, MoneyPerKwh, SeriesSpec
from ecosystemiser.model.kinds import Series, Sink
from ecosystemiser.units import Unit

__all__ = ["GenericSink"]


class GenericSink(GenericComponent):
    """Uses an amount each step; must be met unless its unmet cost prices what is missing."""

    type: Literal["sink"]
    profile: SeriesSpec
    """A packaged profile, a file's column or values; in kW (m3/h) where no annual sum is given."""
    annual_kwh: Kwh | None = None
    """Scales the full-year profile to this sum, on an energy bus. [kWh]"""
    annual_m3: Annotated[float, Field(ge=0), Unit("m3")] | None = None
    """Scales the full-year profile to this sum, on a water bus. [m3]"""
    unmet_cost_per_kwh: MoneyPerKwh | None = None
    """Price of each kWh not met; if left out, all must be met."""
    unmet_cost_per_m3: Annotated[float, Field(ge=0), Unit("currency/m3")] | None = None
    """Price of each m3 not met; if left out, all must be met."""

    @property
    def is_absent(self) -> bool:
        return self.annual_kwh == 0 or self.annual_m3 == 0

    def kinds(self, name: str, site: Site) -> tuple[Sink, ...]:
        """Return a sink."""
        annual = self._of_carrier(site, "annual_kwh", "annual_m3")
        return (
            Sink(
                name=name,
                bus=self.bus,
                demand=site.profile(self.profile, annual, "profile").times(self.count),
                unmet_cost=self._of_carrier(site, "unmet_cost_per_kwh", "unmet_cost_per_m3"),
                cost=Series(self.variable_cost),
                co2_kg=Series(self.co2_kg),
            ),
        )
