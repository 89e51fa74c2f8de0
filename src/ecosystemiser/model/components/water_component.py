"""What all water components share."""

from __future__ import annotations

from typing import ClassVar

from ecosystemiser.model.components.base import Component
from ecosystemiser.model.fields import KgPerM3, MoneyPerM3
from ecosystemiser.units import Carrier

__all__ = ["WaterComponent"]


class WaterComponent(Component):
    """A component that handles water."""

    carrier: ClassVar[Carrier | None] = Carrier.WATER

    variable_cost_per_m3: MoneyPerM3 = 0.0
    """Wear and consumables per m3 that it delivers (a demand: receives)."""
    co2_kg_per_m3: KgPerM3 = 0.0
    """CO2 emitted per m3 that it delivers (a demand: receives)."""
