"""What all energy storages share."""

from __future__ import annotations

from ecosystemiser.model.components.base import EnergySized, Site
from ecosystemiser.model.fields import Kwh, Money, Share
from ecosystemiser.model.kinds import UNLIMITED, Series, Storage

__all__ = ["EnergyStorage"]


class EnergyStorage(EnergySized):
    """Stores energy: a kWh charged adds its charge efficiency, a kWh discharged takes 1 / its discharge efficiency."""

    capacity_kwh: Kwh
    """Usable capacity of one unit. [kWh]"""
    loss_per_hour: Share = 0.0
    """Share of the content lost in an hour."""
    initial_level: Share = 0.5
    """Content at the start, as a share of the capacity."""
    end_price: Money | None = None
    """Price of each kWh missing at the end; by default the highest price in the run of the carrier
    (heat and cold: of electricity or fuel)."""

    @property
    def size_kwh(self) -> float:
        return self.capacity_kwh

    def _storage(self, name: str, site: Site, power_kw: float | None, efficiencies: tuple[float, float]) -> Storage:
        """Return the storage of all units; `power_kw` of one unit, `efficiencies` of charging and discharging."""
        limit = UNLIMITED if power_kw is None else Series(power_kw * self.count * site.clock.step_h)
        return Storage(
            name=name,
            bus=self.own_bus,
            capacity=self.capacity_kwh * self.count,
            charge_limit=limit,
            discharge_limit=limit,
            charge_efficiency=efficiencies[0],
            discharge_efficiency=efficiencies[1],
            loss=1 - (1 - self.loss_per_hour) ** site.clock.step_h,
            initial_level=self.initial_level,
            end_price=self.end_price,
            cost=Series(self.variable_cost_per_kwh),
            co2_kg=Series(self.co2_kg_per_kwh),
        )
