"""Connection to the public electricity grid."""

from __future__ import annotations

from typing import ClassVar, Literal

from ecosystemiser.model.components.base import EnergyComponent, Site
from ecosystemiser.model.fields import Kw, PriceSpec, Share
from ecosystemiser.model.kinds import UNLIMITED, Exchange, Series
from ecosystemiser.model.tariffs import Ask, ElectricityTariff, supply_of
from ecosystemiser.units import Carrier

__all__ = ["Grid"]


class Grid(EnergyComponent):
    """Buys electricity at `import_price_per_kwh` and sells it at `export_price_per_kwh`."""

    carrier: ClassVar[Carrier] = Carrier.ELECTRICITY

    type: Literal["grid"]
    import_price_per_kwh: PriceSpec
    """What a kWh bought costs: a number, a time-of-use table, a series."""
    import_limit_kw: Kw | None = None
    """Most that can be bought; no limit if left out. 0: nothing can be bought. [kW]"""
    export_price_per_kwh: PriceSpec = 0.0
    """What a kWh sold earns."""
    export_limit_kw: Kw | None = None
    """Most that can be sold; no limit if left out. 0: nothing can be sold. [kW]"""
    renewable_share: Share = 0.0
    """Share of renewable origin in what is bought."""
    tariff: ElectricityTariff | None = None
    """What the supplier bills beyond the price of each kWh."""

    def kinds(self, name: str, site: Site) -> tuple[Exchange, ...]:
        """Return the exchange; limits of `count` connections add up."""
        ask = Ask(
            self.import_price_per_kwh,
            "import_price_per_kwh",
            self.export_price_per_kwh,
            "export_price_per_kwh",
            self.count,
        )
        supply = supply_of(self.tariff, ask, site)
        return (
            Exchange(
                name=name,
                bus=self.own_bus,
                import_limit=self._per_step(self.import_limit_kw, site),
                import_price=supply.import_price,
                export_limit=self._per_step(self.export_limit_kw, site),
                export_price=supply.export_price,
                variable_cost=Series(self.variable_cost_per_kwh),
                co2_kg=Series(self.co2_kg_per_kwh),
                renewable_share=self.renewable_share,
                meters=supply.meters,
            ),
        )

    def _per_step(self, limit_kw: float | None, site: Site) -> Series:
        return UNLIMITED if limit_kw is None else Series(limit_kw * self.count * site.clock.step_h)
