"""Gas boiler."""

from __future__ import annotations

from typing import ClassVar, Literal

from ecosystemiser.model.components.boiler import Boiler
from ecosystemiser.model.fields import Efficiency
from ecosystemiser.units import Carrier

__all__ = ["GasBoiler"]


class GasBoiler(Boiler):
    """Turns gas into heat at a constant efficiency."""

    input_carriers: ClassVar[frozenset[Carrier]] = frozenset({Carrier.GAS, Carrier.HYDROGEN})

    type: Literal["gas_boiler"]
    efficiency: Efficiency = 0.92
    """Heat per energy of gas, on the heating value that the gas is counted in."""
    input: str = "gas"
    """The bus it draws from."""
