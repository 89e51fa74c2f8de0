"""What is odd about a system that can be solved all the same: seldom meant, so told with a remedy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ecosystemiser.errors import Finding
from ecosystemiser.model.components import Component
from ecosystemiser.model.components.battery import Battery
from ecosystemiser.model.kinds import Exchange, Floats, MeterKind, Series, Sink, Source, Storage
from ecosystemiser.model.system import System
from ecosystemiser.model.typical import C_RATE, CURRENCIES, TYPICAL, Typical
from ecosystemiser.reader import Document
from ecosystemiser.units import Carrier

__all__ = ["oddities_in", "oddities_of"]

NIGHT_SHARE = 0.02
"""So much of a year's sun may shine between 22 and 4 o'clock: in summer, far from the equator."""
MOST_SUPPLY = 5.0
"""Local sources that could give this many times what demands ask for are seldom meant."""
NOTHING_KEPT = 0.5
"""Share of a content that is lost in a step."""


def oddities_in(document: Document, system: System) -> tuple[Finding, ...]:
    """Return what is odd about the system of a document, each with file and line."""
    return tuple(
        document.finding(tuple(found.key.split(".")), found.message, found.remedy, found.value)
        for found in oddities_of(system)
    )


def oddities_of(system: System) -> tuple[Finding, ...]:
    """Return what is odd; keys are paths such as `components.battery.capex_per_kwh`."""
    found = [
        *(finding for placed in system.placed for finding in _untypical(system, placed.name, placed.component)),
        *_circles_that_pay(system),
        *(finding for kind in system.kinds if isinstance(kind, Source) for finding in _sun_at_night(system, kind)),
        *_far_more_than_needed(system),
        *(finding for kind in system.kinds for finding in _useless(system, kind)),
    ]
    return tuple(found)


def _untypical(system: System, name: str, component: Component) -> Iterator[Finding]:
    """Yield fields that lie outside what is usual."""
    for (kind, field), typical in TYPICAL.items():
        if kind != component.type or (typical.is_price and system.economics.currency not in CURRENCIES):
            continue
        value = getattr(component, field)
        value = (
            _price_of(system, name, field) if isinstance(value, list | str) or hasattr(value, "model_dump") else value
        )
        if value and not typical.low <= value <= typical.high:
            yield _outside(system, f"components.{name}.{field}", float(value), typical)
    if isinstance(component, Battery) and component.power_kw and component.capacity_kwh:
        rate = component.power_kw / component.capacity_kwh
        if not C_RATE.low <= rate <= C_RATE.high:
            yield _outside(system, f"components.{name}.power_kw", rate, C_RATE)


def _price_of(system: System, name: str, field: str) -> float | None:
    """Return the mean price that a series or table comes to, of an exchange; None of anything else."""
    for kind in system.kinds:
        if isinstance(kind, Exchange) and kind.name == name:
            price = kind.export_price if field.startswith("export") else kind.import_price
            return float(price.values(system.clock.steps).mean())
    return None


def _outside(system: System, key: str, value: float, typical: Typical) -> Finding:
    currency = f"{system.economics.currency} " if typical.is_price else ""
    usual = f"{typical.low:g} to {typical.high:g} {currency}{typical.unit}"
    message = f"is {value:g}, {'above' if value > typical.high else 'below'} what is usual ({usual}; {typical.source})"
    return Finding(message, _unit_hint(value, typical), key, value)


def _unit_hint(value: float, typical: Typical) -> str:
    """Return what was perhaps meant: another unit of money, energy or mass."""
    for factor, words in typical.mistaken_units:
        if typical.low <= value / factor <= typical.high and value > typical.high:
            return f"it looks as if given {words}: that would be {value / factor:g}"
    if value < typical.low and typical.low <= value * 1000.0 <= typical.high:
        return f"it looks a thousand times too small: that would be {value * 1000:g}"
    return "if it is meant, nothing is to be done; else mend it, or its unit"


def _circles_that_pay(system: System) -> Iterator[Finding]:
    """Yield buses on which something is sold dearer, in the same step, than it is bought."""
    steps = system.clock.steps
    for bus in system.buses:
        exchanges = [kind for kind in system.kinds if isinstance(kind, Exchange) and kind.bus == bus]
        buyers = [kind for kind in exchanges if kind.import_limit.highest() > 0]
        sellers = [kind for kind in exchanges if kind.export_limit.highest() > 0 and not _is_netted(kind)]
        if not (buyers and sellers):
            continue
        cheapest = np.min([_sum(kind.import_price, kind.variable_cost, steps) for kind in buyers], axis=0)
        for seller in sellers:
            gain = seller.export_price.values(steps) - cheapest
            paying = np.flatnonzero(gain > 1e-9)
            if len(paying):
                when = np.datetime_as_string(system.clock.local[paying[0]], unit="m").replace("T", " ")
                is_endless = any(kind.import_limit.highest() == np.inf for kind in buyers)
                is_endless = is_endless and seller.export_limit.highest() == np.inf
                end = "an optimiser finds no end" if is_endless else "an optimiser will do it"
                message = (
                    f"sells on {bus} above the price bought at, in {len(paying):,} steps, first on {when}, "
                    f"by up to {gain.max():.4g} {system.economics.currency}: buying to sell pays, and {end}"
                )
                remedy = "lower export_price_per_kwh, or set limits; what is sold under net metering needs no price"
                yield Finding(message, remedy, f"components.{seller.name}.export_price_per_kwh")


def _sum(price: Series, more: Series, steps: int) -> Floats:
    return np.asarray(price.values(steps) + more.values(steps))


def _is_netted(kind: Exchange) -> bool:
    return any(meter.kind is MeterKind.NET for meter in kind.meters)


def _sun_at_night(system: System, kind: Source) -> Iterator[Finding]:
    """Yield PV whose series gives at night: most likely of another time zone."""
    if system.components[kind.name].type != "pv" or kind.available.shape is None:
        return
    if system.clock.step_h > 1 or abs(system.head.site.latitude or 0.0) > 60:
        return
    values, hours = kind.available.values(system.clock.steps), system.clock.local_hours
    at_night = float(values[(hours >= 22) | (hours < 4)].sum())
    if at_night > NIGHT_SHARE * float(values.sum()):
        message = (
            f"gives {at_night / float(values.sum()):.0%} of its energy between 22 and 4 o'clock of the local clock"
        )
        remedy = f"see whether its series is of the time zone {system.clock.timezone}, and begins at New Year"
        yield Finding(message, remedy, f"components.{kind.name}")


def _far_more_than_needed(system: System) -> Iterator[Finding]:
    """Yield whether local sources of electricity could give many times what all demands of energy ask for."""
    steps = system.clock.steps
    sources = [
        kind
        for kind in system.kinds
        if isinstance(kind, Source) and not kind.is_bought and system.buses[kind.bus] is Carrier.ELECTRICITY
    ]
    demands = [kind for kind in system.kinds if isinstance(kind, Sink) and system.buses[kind.bus].is_energy]
    given = sum(float(kind.available.values(steps).sum()) for kind in sources)
    asked = sum(float(kind.demand.values(steps).sum()) for kind in demands)
    if sources and 0 < asked < np.inf and MOST_SUPPLY * asked < given < np.inf:
        message = f"and its like could give {given / asked:.3g} times what all demands of energy ask for"
        largest = max(sources, key=lambda kind: float(kind.available.values(steps).sum()))
        remedy = "see whether sizes are in kW and annual sums in kWh"
        yield Finding(message, remedy, f"components.{largest.name}")


def _useless(system: System, kind: object) -> Iterator[Finding]:
    """Yield what can do nothing."""
    if isinstance(kind, Exchange) and kind.import_limit.highest() <= 0 and kind.export_limit.highest() <= 0:
        yield Finding("can neither buy nor sell", "raise a limit, or leave it out", f"components.{kind.name}")
    if isinstance(kind, Storage) and kind.loss >= NOTHING_KEPT:
        message = f"loses {kind.loss:.0%} of its content in a step"
        yield Finding(message, "see whether the loss is a share an hour, as 0.005", f"components.{kind.name}")
    if isinstance(kind, Sink) and kind.demand.highest() <= 0:
        field = "profile" if hasattr(system.components[kind.name], "profile") else "type"
        yield Finding("asks for nothing in this run", "see its profile", f"components.{kind.name}.{field}")
