"""Generic storage."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.generic import GenericComponent
from ecosystemiser.model.fields import Efficiency, Kw, Kwh, Money, MoneyPerKwh, Share
from ecosystemiser.model.kinds import UNLIMITED, Investment, Series, Storage
from ecosystemiser.units import Unit

__all__ = ["GenericStorage"]


class GenericStorage(GenericComponent):
    """Keeps any carrier."""

    type: Literal["storage"]
    capacity_kwh: Kwh | None = None
    """Usable capacity of one unit, on an energy bus. [kWh]"""
    capacity_m3: Annotated[float, Field(ge=0), Unit("m3")] | None = None
    """Usable capacity of one unit, on a water bus. [m3]"""
    power_kw: Kw | None = None
    """Most that one unit takes or gives, on an energy bus; no limit if left out. [kW]"""
    flow_m3_per_h: Annotated[float, Field(ge=0), Unit("m3/h")] | None = None
    """Most that one unit takes or gives, on a water bus; no limit if left out. [m3/h]"""
    charge_efficiency: Efficiency = 1.0
    """Share of what is charged that arrives."""
    discharge_efficiency: Efficiency = 1.0
    """Share of what is drawn that leaves."""
    loss_per_hour: Share = 0.0
    """Share of the content lost in an hour."""
    initial_level: Share = 0.5
    """Content at the start, as a share of the capacity."""
    end_price: Money | None = None
    """Price of each kWh (m3) missing at the end; by default the highest price of the carrier in the run."""
    capex_per_kwh: MoneyPerKwh | None = None
    """Price per kWh of its capacity."""
    capex_per_m3: Annotated[float, Field(ge=0), Unit("currency/m3")] | None = None
    """Price per m3 of its capacity."""

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if (self.capacity_kwh is None) == (self.capacity_m3 is None):
            raise ValueError("needs exactly one of capacity_kwh and capacity_m3; give the one that fits its bus")
        return self

    @property
    def is_absent(self) -> bool:
        return self.capacity_kwh == 0 or self.capacity_m3 == 0

    def investment(self) -> Investment:
        size = self.capacity_kwh or self.capacity_m3 or 0.0
        return self._investment(size, self.capex_per_kwh or self.capex_per_m3 or 0.0, 0.0, 0.0)

    def kinds(self, name: str, site: Site) -> tuple[Storage, ...]:
        """Return a storage."""
        most = self._of_carrier(site, "power_kw", "flow_m3_per_h")
        self._of_carrier(site, "capex_per_kwh", "capex_per_m3")
        limit = UNLIMITED if most is None else Series(most * self.count * site.clock.step_h)
        return (
            Storage(
                name=name,
                bus=self.bus,
                capacity=self._of_carrier(site, "capacity_kwh", "capacity_m3") * self.count,
                charge_limit=limit,
                discharge_limit=limit,
                charge_efficiency=self.charge_efficiency,
                discharge_efficiency=self.discharge_efficiency,
                loss=1 - (1 - self.loss_per_hour) ** site.clock.step_h,
                initial_level=self.initial_level,
                end_price=self.end_price,
                cost=Series(self.variable_cost),
                co2_kg=Series(self.co2_kg),
            ),
        )
