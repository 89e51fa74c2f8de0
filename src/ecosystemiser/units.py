"""Carriers and the units their amounts and rates are counted in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["BUSES", "WATER_QUALITY", "Carrier", "Unit", "amount_unit", "rate_unit", "water_rank"]


class Carrier(StrEnum):
    """What flows on a bus."""

    ELECTRICITY = "electricity"
    HEAT = "heat"
    COOLING = "cooling"
    GAS = "gas"
    HYDROGEN = "hydrogen"
    WATER = "water"

    @property
    def is_energy(self) -> bool:
        """Whether amounts are energies (kWh) rather than volumes (m3)."""
        return self is not Carrier.WATER


@dataclass(frozen=True)
class Unit:
    """The unit of a field, as in `capacity_kwh: Annotated[float, Unit("kWh")]`."""

    symbol: str


BUSES: dict[str, Carrier] = {carrier.value: carrier for carrier in Carrier} | {
    "service_water": Carrier.WATER,
    "grey_water": Carrier.WATER,
    "waste_water": Carrier.WATER,
}
"""Buses that every system has without naming them; `water` is potable."""


WATER_QUALITY = ("water", "service_water", "grey_water", "waste_water")
"""Standing water buses from the best quality (potable) down; a water bus of a system's own counts as potable."""


def water_rank(bus: str) -> int:
    """Return the quality of a water bus: 0 potable, higher is worse."""
    return WATER_QUALITY.index(bus) if bus in WATER_QUALITY else 0


def amount_unit(carrier: Carrier) -> str:
    """Return the unit of an amount of `carrier`, as it ends a column name: `kwh` or `m3`."""
    return "kwh" if carrier.is_energy else "m3"


def rate_unit(carrier: Carrier) -> str:
    """Return the unit of a rate of `carrier`, as it ends a field name: `kw` or `m3_per_h`."""
    return "kw" if carrier.is_energy else "m3_per_h"
