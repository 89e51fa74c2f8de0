"""What a kind can bring to its buses and take from them: what tells whether a system can work at all."""

from __future__ import annotations

from typing import NamedTuple

from ecosystemiser.model.kinds import Converter, Exchange, Kind, Sink, Source, Storage
from ecosystemiser.model.lanes import largest, smallest
from ecosystemiser.units import water_rank

__all__ = ["Links", "Reach", "reach_of"]


class Links(NamedTuple):
    """How a kind is tied to its buses."""

    name: str
    bus: str
    gives_to: tuple[str, ...] = ()
    takes_from: tuple[str, ...] = ()
    buys: bool = False
    is_store: bool = False
    is_unpriced: bool = False
    """Whether it is a storage that names no end price."""
    lifts: bool = False
    """Whether it leads to a bus that would be of better quality, were both of water."""


class Reach(NamedTuple):
    """What checks ask of a kind before they look at its hours."""

    links: Links
    least: tuple[tuple[str, float], ...] = ()
    """What at least could reach a bus in any step: quick to tell, and mostly enough to see no shortage."""
    demanded: float = 0.0
    """The highest step of a demand that must be met."""
    dearest: float = 0.0
    """The highest price of what is bought."""


def reach_of(kind: Kind) -> Reach:
    """Return what checks ask of `kind`."""
    name, bus = kind.name, kind.bus
    least: tuple[tuple[str, float], ...]
    match kind:
        case Source():
            least, is_bought = ((bus, largest(0.0, kind.available.lowest())),), kind.is_bought
            return Reach(Links(name, bus, (bus,), (), is_bought), least, 0.0, kind.cost.highest() if is_bought else 0.0)
        case Exchange():
            gives = (bus,) if kind.import_limit.highest() > 0 else ()
            takes = (bus,) if kind.export_limit.highest() > 0 else ()
            least = ((bus, largest(0.0, kind.import_limit.lowest())),)
            return Reach(Links(name, bus, gives, takes, buys=True), least, 0.0, kind.import_price.highest())
        case Sink():
            demanded = kind.demand.highest() if kind.unmet_cost is None else 0.0
            return Reach(Links(name, bus, (), (bus,)), demanded=demanded)
        case Storage():
            content = kind.capacity * kind.discharge_efficiency
            least = ((bus, largest(0.0, smallest(content, kind.discharge_limit.lowest()))),)
            return Reach(Links(name, bus, is_store=True, is_unpriced=kind.end_price is None), least)
        case Converter():
            limit, rank, given = kind.limit.lowest(), water_rank(bus), tuple([output.bus for output in kind.outputs])
            least = tuple([(output.bus, limit * output.ratio.lowest()) for output in kind.outputs])
            return Reach(Links(name, bus, given, (bus,), lifts=min(map(water_rank, given)) < rank), least)
