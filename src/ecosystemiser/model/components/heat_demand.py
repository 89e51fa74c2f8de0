"""Demand for heat."""

from __future__ import annotations

from typing import ClassVar, Literal

from ecosystemiser.model.components.energy_demand import EnergyDemand
from ecosystemiser.units import Carrier

__all__ = ["HeatDemand"]


class HeatDemand(EnergyDemand):
    """Uses heat by a profile."""

    carrier: ClassVar[Carrier] = Carrier.HEAT

    type: Literal["heat_demand"]
