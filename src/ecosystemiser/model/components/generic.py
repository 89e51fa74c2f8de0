"""What the four generic components share: they take their units from the carrier of their bus."""

from __future__ import annotations

from typing import Any

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.components.base import Component, Site

__all__ = ["GenericComponent"]


class GenericComponent(Component):
    """A component of any carrier; energy buses read its fields in kWh and kW, water buses those in m3 and m3/h."""

    bus: str
    """The bus it stands on."""

    def _of_carrier(self, site: Site, energy_field: str, water_field: str) -> Any:
        """Return the value of whichever of two fields fits the bus; refuses the other one."""
        is_energy = site.carrier(self.bus, "bus").is_energy
        fitting, other = (energy_field, water_field) if is_energy else (water_field, energy_field)
        if getattr(self, other) is not None:
            found = getattr(self, other)
            message = f"does not fit bus {self.bus!r}, which carries {site.carrier(self.bus, 'bus')}"
            raise InputError([Finding(message, f"use {fitting}", other, found)])
        return getattr(self, fitting)
