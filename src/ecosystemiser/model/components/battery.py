"""Electric battery with its inverter."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.energy_storage import EnergyStorage
from ecosystemiser.model.fields import Efficiency, Kw, Years
from ecosystemiser.model.kinds import Storage
from ecosystemiser.units import Carrier, Unit

__all__ = ["Battery"]


class Battery(EnergyStorage):
    """Stores electricity."""

    carrier: ClassVar[Carrier] = Carrier.ELECTRICITY

    type: Literal["battery"]
    power_kw: Kw | None = None
    """Most that one unit charges or discharges, at the bus. [kW]"""
    duration_h: Annotated[float, Field(gt=0), Unit("h")] | None = None
    """Stands for power_kw: hours to move the capacity at full power. [h]"""
    efficiency: Efficiency = 0.95
    """One way, charging and discharging alike: 0.95 makes a round trip of 0.9025."""
    charge_efficiency: Efficiency | None = None
    """Of charging, where it differs."""
    discharge_efficiency: Efficiency | None = None
    """Of discharging, where it differs."""
    lifetime_years: Years = 15.0
    """Years until it is replaced."""
    throughput_lifetime_kwh: Annotated[float, Field(gt=0), Unit("kWh")] | None = None
    """Content that one unit gives over its life: in the investment case it is replaced after it, if that is sooner."""

    @model_validator(mode="after")
    def _has_one_power(self) -> Self:
        if (self.power_kw is None) == (self.duration_h is None):
            raise ValueError("needs exactly one of power_kw and duration_h; give the one you know")
        return self

    def kinds(self, name: str, site: Site) -> tuple[Storage, ...]:
        """Return a storage."""
        power = self.power_kw if self.duration_h is None else self.capacity_kwh / self.duration_h
        charge = self.charge_efficiency or self.efficiency
        discharge = self.discharge_efficiency or self.efficiency
        return (self._storage(name, site, power, (charge, discharge)),)
