"""Generic source."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.generic import GenericComponent
from ecosystemiser.model.fields import Kw, MoneyPerKw, MoneyPerKwYear, PriceSpec, SeriesSpec, Share
from ecosystemiser.model.kinds import UNLIMITED, Investment, Role, Series, Source
from ecosystemiser.units import Unit

__all__ = ["GenericSource"]


class GenericSource(GenericComponent):
    """Offers an amount each step; what nobody takes is curtailed."""

    type: Literal["source"]
    power_kw: Kw | None = None
    """Most that one unit gives, on an energy bus; no limit if left out. [kW]"""
    flow_m3_per_h: Annotated[float, Field(ge=0), Unit("m3/h")] | None = None
    """Most that one unit gives, on a water bus; no limit if left out. [m3/h]"""
    profile: SeriesSpec | None = None
    """Share of that most which is there by hour."""
    cost_per_kwh: PriceSpec | None = None
    """What a kWh taken costs; a source without a cost counts as local: it may fill storages and be sold."""
    cost_per_m3: PriceSpec | None = None
    """What a m3 taken costs."""
    renewable_share: Share = 0.0
    """Share of renewable origin."""
    capex_per_kw: MoneyPerKw = 0.0
    """Price per kW of its size."""
    fixed_cost_per_kw_year: MoneyPerKwYear = 0.0
    """Fixed operation per kW of its size and year."""

    @property
    def is_absent(self) -> bool:
        return self.power_kw == 0 or self.flow_m3_per_h == 0

    @model_validator(mode="after")
    def _has_what_its_costs_are_per(self) -> Self:
        if self.power_kw is None and (self.capex_per_kw or self.fixed_cost_per_kw_year):
            raise ValueError("has costs per kW of no power_kw; add it, or write capex and fixed_cost_per_year")
        return self

    def investment(self) -> Investment:
        return self._investment(self.power_kw or 0.0, self.capex_per_kw, self.fixed_cost_per_kw_year, 0.0)

    def kinds(self, name: str, site: Site) -> tuple[Source, ...]:
        """Return a source: bought where it has a cost, local where it has none."""
        price = self._of_carrier(site, "cost_per_kwh", "cost_per_m3")
        price_key = "cost_per_kwh" if self.cost_per_m3 is None else "cost_per_m3"
        return (
            Source(
                name=name,
                bus=self.bus,
                available=self._available(site),
                cost=Series(0.0) if price is None else site.price(price, price_key),
                co2_kg=Series(self.co2_kg),
                variable_cost=Series(self.variable_cost),
                renewable_share=self.renewable_share,
                role=Role.SKY if self.renewable_share > 0 else Role.BOUGHT,
                is_bought=price is not None,
            ),
        )

    def _available(self, site: Site) -> Series:
        most = self._of_carrier(site, "power_kw", "flow_m3_per_h")
        if self.profile is None:
            return UNLIMITED if most is None else Series(most * self.count * site.clock.step_h)
        if most is None:
            remedy = "add power_kw or flow_m3_per_h"
            raise InputError([Finding("needs a size that it is a share of", remedy, "profile")])
        return site.shares(self.profile, "profile").times(most * self.count * site.clock.step_h)
