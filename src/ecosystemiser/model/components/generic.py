"""What the four generic components share: they take their units from the carrier of their bus."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.components.base import Component, Site
from ecosystemiser.model.fields import LARGEST
from ecosystemiser.units import Unit

__all__ = ["GenericComponent"]


class GenericComponent(Component):
    """A component of any carrier; energy buses read its fields in kWh and kW, water buses those in m3 and m3/h."""

    bus: str
    """The bus it stands on."""
    variable_cost: Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/kWh or m3")] = 0.0
    """Wear and consumables per kWh (m3) that it delivers (a sink: receives)."""
    co2_kg: Annotated[float, Field(ge=0, le=LARGEST), Unit("kg/kWh or m3")] = 0.0
    """CO2 emitted per kWh (m3) that it delivers (a sink: receives)."""

    def _of_carrier(self, site: Site, energy_field: str, water_field: str) -> Any:
        """Return the value of whichever of two fields fits the bus; refuses the other one."""
        is_energy = site.carrier(self.bus, "bus").is_energy
        fitting, other = (energy_field, water_field) if is_energy else (water_field, energy_field)
        if getattr(self, other) is not None:
            found = getattr(self, other)
            message = f"does not fit bus {self.bus!r}, which carries {site.carrier(self.bus, 'bus')}"
            raise InputError([Finding(message, f"use {fitting}", other, found)])
        return getattr(self, fitting)
