"""A supply of fuel gas."""

from __future__ import annotations

from typing import ClassVar, Literal

from ecosystemiser.model.components.base import EnergyComponent, Site
from ecosystemiser.model.fields import Kw, PriceSpec, Share
from ecosystemiser.model.kinds import UNLIMITED, Exchange, Series
from ecosystemiser.model.tariffs import Ask, EnergyTariff, supply_of
from ecosystemiser.units import Carrier

__all__ = ["GasSupply"]


class GasSupply(EnergyComponent):
    """Buys gas; energies are of the heating value that its price is stated for."""

    carrier: ClassVar[Carrier] = Carrier.GAS

    type: Literal["gas_supply"]
    price_per_kwh: PriceSpec
    """What a kWh costs: a number, a time-of-use table, a series."""
    limit_kw: Kw | None = None
    """Most that can be drawn; no limit if left out. [kW]"""
    renewable_share: Share = 0.0
    """Share of renewable origin, as for biogas 1."""
    tariff: EnergyTariff | None = None
    """What the supplier bills beyond the price of each kWh."""

    def kinds(self, name: str, site: Site) -> tuple[Exchange, ...]:
        """Return an exchange that buys only."""
        limit = UNLIMITED if self.limit_kw is None else Series(self.limit_kw * self.count * site.clock.step_h)
        supply = supply_of(self.tariff, Ask(self.price_per_kwh, "price_per_kwh", count=self.count), site)
        return (
            Exchange(
                name=name,
                bus=self.own_bus,
                import_limit=limit,
                import_price=supply.import_price,
                variable_cost=Series(self.variable_cost_per_kwh),
                co2_kg=Series(self.co2_kg_per_kwh),
                renewable_share=self.renewable_share,
                meters=supply.meters,
            ),
        )
