"""From the unit of a file's column to that of the field that it serves."""

from __future__ import annotations

from typing import NamedTuple

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.fields import FileUnit
from ecosystemiser.model.kinds import Floats

__all__ = ["in_field_unit"]


class _Unit(NamedTuple):
    quantity: str
    factor: float
    """To the field's unit: kW, m3/h, money per kWh (m3), degrees C, mm/h, a share."""
    offset: float = 0.0
    is_amount: bool = False
    """Whether it is what a step holds, rather than a rate."""


_UNITS: dict[str, _Unit] = {
    "W": _Unit("power", 1e-3),
    "kW": _Unit("power", 1.0),
    "MW": _Unit("power", 1e3),
    "Wh": _Unit("power", 1e-3, is_amount=True),
    "kWh": _Unit("power", 1.0, is_amount=True),
    "MWh": _Unit("power", 1e3, is_amount=True),
    "m3/h": _Unit("flow", 1.0),
    "l/h": _Unit("flow", 1e-3),
    "l/min": _Unit("flow", 0.06),
    "l/s": _Unit("flow", 3.6),
    "m3": _Unit("flow", 1.0, is_amount=True),
    "l": _Unit("flow", 1e-3, is_amount=True),
    "per kWh": _Unit("price", 1.0),
    "ct per kWh": _Unit("price", 1e-2),
    "per MWh": _Unit("price", 1e-3),
    "per m3": _Unit("price", 1.0),
    "ct per m3": _Unit("price", 1e-2),
    "degC": _Unit("temperature", 1.0),
    "K": _Unit("temperature", 1.0, -273.15),
    "degF": _Unit("temperature", 5.0 / 9.0, -160.0 / 9.0),
    "mm/h": _Unit("rain", 1.0),
    "mm": _Unit("rain", 1.0, is_amount=True),
    "1": _Unit("share", 1.0),
    "%": _Unit("share", 1e-2),
}


def in_field_unit(values: Floats, unit: FileUnit | None, step_h: float, key: str) -> Floats:
    """Return the values of a column in the unit of the field `key`. Raises InputError for one that does not fit."""
    if unit is None:
        return values
    found, expected = _UNITS[unit], _quantities(key)
    if found.quantity not in expected:
        fitting = ", ".join(name for name, one in _UNITS.items() if one.quantity in expected)
        raise InputError([Finding("is no unit of this field", f"use one of {fitting}", f"{key}.unit", unit)])
    return values * (found.factor / step_h if found.is_amount else found.factor) + found.offset


def _quantities(key: str) -> tuple[str, ...]:
    """Return what a field may hold, told by its name."""
    if "price" in key or "cost" in key:
        return ("price",)
    if "temperature" in key:
        return ("temperature",)
    if key.endswith(("cop", "ratio")):
        return ("share",)
    return ("power", "flow", "rain", "share")
