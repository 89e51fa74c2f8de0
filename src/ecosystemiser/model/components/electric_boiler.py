"""Electric boiler."""

from __future__ import annotations

from typing import ClassVar, Literal

from ecosystemiser.model.components.base import PowerSized, Site
from ecosystemiser.model.fields import Efficiency, Kw
from ecosystemiser.model.kinds import Converter, Output, Series
from ecosystemiser.units import Carrier

__all__ = ["ElectricBoiler"]


class ElectricBoiler(PowerSized):
    """Turns electricity into heat at a constant efficiency."""

    carrier: ClassVar[Carrier] = Carrier.HEAT
    input_carriers: ClassVar[frozenset[Carrier]] = frozenset({Carrier.ELECTRICITY})

    type: Literal["electric_boiler"]
    power_kw: Kw
    """Most heat that one unit gives. [kW]"""
    efficiency: Efficiency = 0.99
    """Heat per electricity."""
    input: str = "electricity"
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
            ),
        )
