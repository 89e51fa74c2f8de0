"""Demand for electricity."""

from __future__ import annotations

from typing import ClassVar, Literal

from ecosystemiser.model.components.energy_demand import EnergyDemand
from ecosystemiser.units import Carrier

__all__ = ["ElectricityDemand"]


class ElectricityDemand(EnergyDemand):
    """Uses electricity by a profile."""

    carrier: ClassVar[Carrier] = Carrier.ELECTRICITY

    type: Literal["electricity_demand"]
