"""What is wrong with a system as a whole, found before anything is solved."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from ecosystemiser.errors import Finding
from ecosystemiser.model.kinds import Converter, Exchange, Floats, Kind, Series, Sink, Source, Storage
from ecosystemiser.model.reach import Links
from ecosystemiser.model.system import System
from ecosystemiser.units import WATER_QUALITY, Carrier, amount_unit, rate_unit, water_rank

__all__ = ["check_system", "is_supplied"]


def check_system(system: System) -> list[Finding]:
    """Return all that keeps `system` from being solved; keys are paths such as `components.pv`."""
    links = [reach.links for placed in system.placed for reach in placed.reaches]
    return [
        *_unconnected(system, links),
        *(found for bus in _maybe_short(system) for found in _demand_above_supply(system, bus)),
        *(found for one in links if one.is_unpriced for found in _storage_without_end_price(system, one)),
        *(found for one in links if one.lifts for found in _water_flowing_up(system, one)),
    ]


def is_supplied(system: System) -> bool:
    """Return whether a look at the limits alone tells that no demand exceeds what supplies it.

    Of all that `check_system` looks at, only this depends on more than the links of the components.
    """
    return not _maybe_short(system)


def _maybe_short(system: System) -> list[str]:
    """Return the buses whose demands that must be met may exceed, in some step, what supplies them."""
    demanded: dict[str, float] = {}
    least: dict[str, float] = {}
    for placed in system.placed:
        for reach in placed.reaches:
            if reach.demanded:
                bus = reach.links.bus
                demanded[bus] = demanded.get(bus, 0.0) + reach.demanded
            for bus, amount in reach.least:
                least[bus] = least.get(bus, 0.0) + amount
    return [bus for bus in demanded if not demanded[bus] <= least.get(bus, 0.0)]


def _unconnected(system: System, links: Sequence[Links]) -> list[Finding]:
    """Find buses on which everything gives or everything takes, and storages that cannot be filled or emptied."""
    given = {bus for one in links for bus in one.gives_to}
    taken = {bus for one in links for bus in one.takes_from}
    findings = []
    for bus, carrier in system.buses.items():
        if bus in given and bus in taken:
            continue
        givers = [one.name for one in links if bus in one.gives_to]
        takers = [one.name for one in links if bus in one.takes_from]
        stores = [one.name for one in links if one.is_store and one.bus == bus]
        if not givers and (takers or stores):
            remedy = f"add what supplies {_phrase(bus, carrier)}, or name another bus"
            names = takers + stores
            message = f"stands on bus {bus!r}, which nothing supplies"
            findings += [Finding(message, remedy, f"components.{name}") for name in names]
        if not takers and (givers or stores):
            remedy = f"add what uses {bus}, or name another bus"
            message = f"stands on bus {bus!r}, from which nothing draws"
            findings += [Finding(message, remedy, f"components.{name}") for name in givers + stores]
    return findings


SUPPLIERS = {
    Carrier.ELECTRICITY: "grid, pv",
    Carrier.HEAT: "heat_pump, gas_boiler",
    Carrier.GAS: "gas_supply",
    Carrier.WATER: "water_grid, rainwater",
}


def _phrase(bus: str, carrier: Carrier) -> str:
    examples = SUPPLIERS.get(carrier)
    return f"{bus} (for example {examples})" if examples else bus


def _demand_above_supply(system: System, bus: str) -> list[Finding]:
    """Find whether demands that must be met exceed, in some step, all that could be delivered to `bus` at once."""
    if not any(bus in reach.links.gives_to for placed in system.placed for reach in placed.reaches):
        return []  # told already
    must = [kind for kind in system.kinds if isinstance(kind, Sink) and kind.bus == bus and kind.unmet_cost is None]
    demand = sum((kind.demand.values(system.clock.steps) for kind in must), np.zeros(system.clock.steps))
    short = demand - _most_supply(system, bus)
    worst = int(np.argmax(short))
    if short[worst] <= 1e-9 * max(1.0, float(demand.max())):
        return []
    return [_shortage(system, must, system.buses[bus], worst, (float(demand[worst]), float(short[worst])))]


def _shortage(system: System, must: list[Sink], carrier: Carrier, step: int, amounts: tuple[float, float]) -> Finding:
    demand, short = (amount / system.clock.step_h for amount in amounts)
    unit = rate_unit(carrier).replace("_per_", "/").replace("kw", "kW")
    when = np.datetime_as_string(system.clock.local[step], unit="m").replace("T", " ")
    names = " and ".join(kind.name for kind in must)
    field = f"unmet_cost_per_{amount_unit(carrier)}"
    return Finding(
        f"asks on {when} for {demand:.4g} {unit} that must be met ({names}), "
        f"{short:.4g} {unit} above all supply limits",
        f"raise the limits of what supplies it, or give a demand {field}",
        f"components.{must[-1].name}",
    )


def _most_supply(system: System, bus: str) -> Floats:
    """Return the most that could reach `bus` in each step, whatever happens elsewhere. (steps,)"""
    most = np.zeros(system.clock.steps)
    for kind in system.kinds:
        for series in _supplies(kind, bus):
            most = most + series.values(system.clock.steps)
        if isinstance(kind, Converter):
            for output in kind.outputs:
                if output.bus == bus and kind.limit.highest() < inf:
                    most = most + kind.limit.values(system.clock.steps) * output.ratio.values(system.clock.steps)
                elif output.bus == bus:
                    most = most + inf
    return most


def _supplies(kind: Kind, bus: str) -> list[Series]:
    if kind.bus != bus:
        return []
    if isinstance(kind, Source):
        return [kind.available]
    if isinstance(kind, Exchange):
        return [kind.import_limit]
    if isinstance(kind, Storage):
        content = Series(kind.capacity * kind.discharge_efficiency)
        return [min(content, kind.discharge_limit, key=Series.highest)]
    return []


def _storage_without_end_price(system: System, links: Links) -> list[Finding]:
    if system.end_price(links.bus) is not None:
        return []
    message = "needs an end_price: nothing in the system sells its carrier"
    remedy = "add end_price, what a missing unit costs at the end (0 for nothing)"
    return [Finding(message, remedy, f"components.{links.name}.end_price")]


def _water_flowing_up(system: System, links: Links) -> list[Finding]:
    """Find what makes better water of worse without treating it."""
    if system.buses[links.bus] is not Carrier.WATER:
        return []
    return [
        Finding(
            f"makes {better} of {links.bus}, which is of lower quality",
            f"water flows down ({' > '.join(WATER_QUALITY)}) and up only through treatment; exchange input and output",
            f"components.{links.name}.output",
            better,
        )
        for better in links.gives_to
        if system.buses[better] is Carrier.WATER and water_rank(better) < water_rank(links.bus)
    ]
