"""Connection to the water mains."""

from __future__ import annotations

from typing import Literal

from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.water_component import WaterComponent
from ecosystemiser.model.fields import M3PerH, PriceSpec
from ecosystemiser.model.kinds import UNLIMITED, Exchange, Series
from ecosystemiser.model.tariffs import Ask, WaterTariff, supply_of

__all__ = ["WaterGrid"]


class WaterGrid(WaterComponent):
    """Buys potable water; what it delivers may flow down to any quality through a converter."""

    type: Literal["water_grid"]
    import_price_per_m3: PriceSpec
    """What a m3 costs: a number, a time-of-use table, a series."""
    import_limit_m3_per_h: M3PerH | None = None
    """Most that can be drawn; no limit if left out. [m3/h]"""
    tariff: WaterTariff | None = None
    """What the supplier bills beyond the price of each m3."""

    def kinds(self, name: str, site: Site) -> tuple[Exchange, ...]:
        """Return an exchange that buys only."""
        most = self.import_limit_m3_per_h
        supply = supply_of(self.tariff, Ask(self.import_price_per_m3, "import_price_per_m3", count=self.count), site)
        return (
            Exchange(
                name=name,
                bus=self.own_bus,
                import_limit=UNLIMITED if most is None else Series(most * self.count * site.clock.step_h),
                import_price=supply.import_price,
                variable_cost=Series(self.variable_cost_per_m3),
                co2_kg=Series(self.co2_kg_per_m3),
                meters=supply.meters,
            ),
        )
