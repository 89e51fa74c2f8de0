"""The system without the investment: the same demands, served from grids, boilers and mains alone.

What buys is kept, with its prices and tariffs, without limits and without selling; what stores, makes, harvests or
turns is left out, but for what leads from one bus to another of the same carrier. Heat comes from the file's own boiler
where it has one, else from a boiler without a price, on gas where gas is bought, else on electricity.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.kinds import Converter, Exchange, Kind, Sink, Source
from ecosystemiser.model.system import System
from ecosystemiser.reader import Document
from ecosystemiser.units import Carrier

__all__ = ["NAME", "baseline_of"]

NAME = "baseline"
"""Tag of baseline runs; components that a baseline adds begin with it."""

_LIMITS = ("import_limit_kw", "limit_kw", "import_limit_m3_per_h", "power_kw", "flow_m3_per_h")
_SALES = ("export_price_per_kwh", "export_limit_kw")
_REMEDY = "name a run to compare with: --baseline RUN"


def baseline_of(document: Document, system: System) -> Document:
    """Return the baseline of `system`, which `document` describes, as a document in the same place.

    Raises InputError where a demand cannot be served from outside.
    """
    sections: dict[str, dict[str, Any]] = document.data["components"]
    kinds = {placed.name: placed.kinds for placed in system.placed}
    kept = {name: dict(sections[name]) for name in kinds if all(isinstance(kind, Sink) for kind in kinds[name])}
    suppliers = {name: _open(sections[name], kinds[name]) for name in kinds if any(map(_buys, kinds[name]))}
    passages = {name: _open(sections[name], kinds[name]) for name in kinds if _leads_within(system, kinds[name])}
    added = dict(_boilers(document, system, [kind for name in suppliers for kind in kinds[name]]))
    needed = {kind.bus for name in kept for kind in kinds[name]} | {boiler["input"] for boiler in added.values()}
    for name in passages:  # twice: one may lead to another
        needed |= {kind.bus for other in (name, *passages) for kind in kinds[other] if _gives_to(kind, needed)}
    serving = {
        name: section
        for name, section in {**suppliers, **passages}.items()
        if any(_gives_to(kind, needed) for kind in kinds[name])
    }
    head = {key: value for key, value in document.data.items() if key != "components"}
    head["description"] = f"Baseline of {system.system_id}: its demands from grids, boilers and mains, without limits"
    return Document({**head, "components": {**serving, **added, **kept}}, document.file)


def _gives_to(kind: Kind, buses: set[str]) -> bool:
    if isinstance(kind, Converter):
        return any(output.bus in buses for output in kind.outputs)
    return kind.bus in buses


def _buys(kind: Kind) -> bool:
    return isinstance(kind, Exchange) or (isinstance(kind, Source) and kind.is_bought)


def _leads_within(system: System, kinds: tuple[Kind, ...]) -> bool:
    """Whether a component only leads from a bus to another of its carrier."""
    return all(
        isinstance(kind, Converter)
        and all(system.buses[output.bus] is system.buses[kind.bus] for output in kind.outputs)
        for kind in kinds
    )


def _open(section: dict[str, Any], kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Return a section without limits and, of a grid, without selling."""
    is_exchange = any(isinstance(kind, Exchange) for kind in kinds)
    left = {key: value for key, value in section.items() if key not in _LIMITS and not (is_exchange and key in _SALES)}
    if section["type"] == "grid":
        left["export_limit_kw"] = 0
        if isinstance(left.get("tariff"), dict):
            left["tariff"] = {key: value for key, value in left["tariff"].items() if key != "net_metering"}
    return left


def _boilers(document: Document, system: System, suppliers: list[Kind]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what serves each bus of heat that nobody sells to. Raises InputError for buses that nothing can serve."""
    supplied = {kind.bus for kind in suppliers}
    by_carrier = {system.buses[bus]: bus for bus in supplied}
    fuel = by_carrier.get(Carrier.GAS) or by_carrier.get(Carrier.ELECTRICITY)
    for bus in dict.fromkeys(kind.bus for kind in system.kinds if isinstance(kind, Sink)):
        carrier = system.buses[bus]
        if bus in supplied or _is_led_to(system, bus, supplied):
            continue
        if carrier is not Carrier.HEAT or fuel is None:
            message = f"asks for {carrier} on bus {bus}, which grids, boilers and mains of this file cannot serve"
            raise InputError([Finding(f"has no baseline: it {message}", _REMEDY, "baseline")])
        own = _own_boiler(document, system, bus, fuel)
        peak = _peak(system, bus)
        word = "gas_boiler" if system.buses[fuel] is Carrier.GAS else "electric_boiler"
        yield f"{NAME}_boiler_{bus}", {"type": word, **own, "bus": bus, "input": fuel, "power_kw": peak, "count": 1}


def _is_led_to(system: System, bus: str, supplied: set[str]) -> bool:
    """Whether a passage leads to `bus` from one that is supplied."""
    return any(
        isinstance(kind, Converter)
        and system.buses[kind.bus] is system.buses[bus]
        and kind.bus in supplied
        and any(output.bus == bus for output in kind.outputs)
        for kind in system.kinds
    )


def _own_boiler(document: Document, system: System, bus: str, fuel: str) -> dict[str, Any]:
    """Return the section of the file's own boiler from `fuel` to `bus`; empty without one."""
    for placed in system.placed:
        if placed.component.type in ("gas_boiler", "electric_boiler"):
            (kind,) = placed.kinds
            if isinstance(kind, Converter) and (kind.bus, kind.outputs[0].bus) == (fuel, bus):
                return dict(document.data["components"][placed.name])
    return {}


def _peak(system: System, bus: str) -> float:
    """Return the highest demand on a bus, a little more than that against rounding. [kW]"""
    steps = system.clock.steps
    demands = [kind.demand.values(steps) for kind in system.kinds if isinstance(kind, Sink) and kind.bus == bus]
    return 1.001 * float(sum(demands).max()) / system.clock.step_h  # type: ignore[union-attr]  # there is one at least
