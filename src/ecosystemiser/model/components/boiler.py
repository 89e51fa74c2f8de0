"""What all boilers share."""

from __future__ import annotations

from typing import ClassVar

from ecosystemiser.model.components.base import PowerSized, Site
from ecosystemiser.model.components.switched import Switched
from ecosystemiser.model.fields import Efficiency, Kw
from ecosystemiser.model.kinds import Converter, Output, Series
from ecosystemiser.units import Carrier

__all__ = ["Boiler"]


class Boiler(PowerSized, Switched):
    """Turns what it draws into heat at a constant efficiency."""

    carrier: ClassVar[Carrier] = Carrier.HEAT

    power_kw: Kw
    """Most heat that one unit gives. [kW]"""
    efficiency: Efficiency
    """Heat per energy drawn."""
    input: str
    """The bus it draws from."""

    @property
    def size_kw(self) -> float:
        return self.power_kw

    def kinds(self, name: str, site: Site) -> tuple[Converter, ...]:
        """Return a converter; its limit at the input is the heat limit over the efficiency."""
        return (
            Converter(
                name=name,
                bus=self.input,
                outputs=(Output(self.own_bus, Series(self.efficiency)),),
                limit=Series(self.power_kw * self.count * site.clock.step_h / self.efficiency),
                cost=Series(self.variable_cost_per_kwh),
                co2_kg=Series(self.co2_kg_per_kwh),
                commitment=self.commitment(site),
            ),
        )
