"""Hot-water buffer store."""

from __future__ import annotations

from typing import ClassVar, Literal

from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.energy_storage import EnergyStorage
from ecosystemiser.model.fields import Efficiency, Kw, Share
from ecosystemiser.model.kinds import Storage
from ecosystemiser.units import Carrier

__all__ = ["HeatStorage"]


class HeatStorage(EnergyStorage):
    """Stores heat, fully mixed: it loses a fixed share of its content an hour."""

    carrier: ClassVar[Carrier] = Carrier.HEAT

    type: Literal["heat_storage"]
    power_kw: Kw | None = None
    """Most that one unit takes or gives; no limit if left out. [kW]"""
    efficiency: Efficiency = 1.0
    """One way, charging and discharging alike."""
    loss_per_hour: Share = 0.005
    """Share of the content lost in an hour."""

    def kinds(self, name: str, site: Site) -> tuple[Storage, ...]:
        """Return a storage."""
        return (self._storage(name, site, self.power_kw, (self.efficiency, self.efficiency)),)
