"""Electric boiler."""

from __future__ import annotations

from typing import ClassVar, Literal

from ecosystemiser.model.components.boiler import Boiler
from ecosystemiser.model.fields import Efficiency
from ecosystemiser.units import Carrier

__all__ = ["ElectricBoiler"]


class ElectricBoiler(Boiler):
    """Turns electricity into heat at a constant efficiency."""

    input_carriers: ClassVar[frozenset[Carrier]] = frozenset({Carrier.ELECTRICITY})

    type: Literal["electric_boiler"]
    efficiency: Efficiency = 0.99
    """Heat per electricity."""
    input: str = "electricity"
    """The bus it draws from."""
