"""What is wrong with a system as a whole, found before anything is solved."""

from __future__ import annotations

from math import inf

import numpy as np

from ecosystemiser.errors import Finding
from ecosystemiser.model.kinds import Converter, Exchange, Floats, Kind, Series, Sink, Source, Storage
from ecosystemiser.model.system import System
from ecosystemiser.units import WATER_QUALITY, Carrier, amount_unit, rate_unit, water_rank

__all__ = ["check_system"]


def check_system(system: System) -> list[Finding]:
    """Return all that keeps `system` from being solved; keys are paths such as `components.pv`."""
    return [
        *_unconnected(system),
        *_demands_above_supply(system),
        *_storages_without_end_price(system),
        *_water_flowing_up(system),
    ]


def _gives_to(kind: Kind) -> list[str]:
    if isinstance(kind, Converter):
        return [output.bus for output in kind.outputs]
    if isinstance(kind, Exchange):
        return [kind.bus] if kind.import_limit.highest() > 0 else []
    return [kind.bus] if isinstance(kind, Source) else []


def _takes_from(kind: Kind) -> list[str]:
    if isinstance(kind, Exchange):
        return [kind.bus] if kind.export_limit.highest() > 0 else []
    return [kind.bus] if isinstance(kind, Converter | Sink) else []


def _unconnected(system: System) -> list[Finding]:
    """Find buses on which everything gives or everything takes, and storages that cannot be filled or emptied."""
    findings = []
    for bus, carrier in system.buses.items():
        givers = [kind.name for kind in system.kinds if bus in _gives_to(kind)]
        takers = [kind.name for kind in system.kinds if bus in _takes_from(kind)]
        stores = [kind.name for kind in system.kinds if isinstance(kind, Storage) and kind.bus == bus]
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


def _demands_above_supply(system: System) -> list[Finding]:
    """Find buses whose demands that must be met exceed, in some step, all that could be delivered at once."""
    findings = []
    for bus, carrier in system.buses.items():
        must = [kind for kind in system.kinds if isinstance(kind, Sink) and kind.bus == bus and kind.unmet_cost is None]
        if not must or not any(bus in _gives_to(kind) for kind in system.kinds):  # the latter is told already
            continue
        if sum(kind.demand.highest() for kind in must) <= _least_supply(system, bus):
            continue
        demand = sum((kind.demand.values(system.clock.steps) for kind in must), np.zeros(system.clock.steps))
        short = demand - _most_supply(system, bus)
        worst = int(np.argmax(short))
        if short[worst] <= 1e-9 * max(1.0, float(demand.max())):
            continue
        findings.append(_shortage(system, must, carrier, worst, (float(demand[worst]), float(short[worst]))))
    return findings


def _shortage(
    system: System, must: list[Sink], carrier: Carrier, step: int, amounts: tuple[float, float]
) -> Finding:
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


def _least_supply(system: System, bus: str) -> float:
    """Return what at least could reach `bus` in any step: quick to tell, and mostly enough to see no shortage."""
    least = 0.0
    for kind in system.kinds:
        least += sum(max(0.0, series.lowest()) for series in _supplies(kind, bus))
        if isinstance(kind, Converter):
            outputs = [output for output in kind.outputs if output.bus == bus]
            least += sum(kind.limit.lowest() * output.ratio.lowest() for output in outputs)
    return least


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


def _storages_without_end_price(system: System) -> list[Finding]:
    return [
        Finding(
            "needs an end_price: nothing in the system sells its carrier",
            "add end_price, what a missing unit costs at the end (0 for nothing)",
            f"components.{kind.name}.end_price",
        )
        for kind in system.kinds
        if isinstance(kind, Storage) and kind.end_price is None and system.end_price(kind.bus) is None
    ]


def _water_flowing_up(system: System) -> list[Finding]:
    """Find converters that make better water of worse without treating it."""
    return [
        Finding(
            f"makes {output.bus} of {kind.bus}, which is of lower quality",
            f"water flows down ({' > '.join(WATER_QUALITY)}) and up only through treatment; exchange input and output",
            f"components.{kind.name}.output",
            output.bus,
        )
        for kind in system.kinds
        if isinstance(kind, Converter) and system.buses[kind.bus] is Carrier.WATER
        for output in kind.outputs
        if system.buses[output.bus] is Carrier.WATER and water_rank(output.bus) < water_rank(kind.bus)
    ]
