"""The rows that kinds fill in the tables of a Problem: which they are, and what stands in them.

An `Outline` says which rows there are: all variations of a size, a price or a level share it. `Rows` are the scales
and shapes in these rows, table after table in the order of `TABLES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, nan
from typing import NamedTuple, TypeVar

from ecosystemiser.model.kinds import (
    Commitment,
    Converter,
    Exchange,
    Floats,
    Kind,
    Meter,
    MeterKind,
    Role,
    Sink,
    Source,
    Storage,
)

__all__ = ["TABLES", "CommitmentOutline", "MeterOutline", "Outline", "Rows", "outline_of", "rows_of", "sizes_of"]

T = TypeVar("T")
TABLES = (
    "limit", "ratio", "cost", "co2", "unmet_cost", "renewable",
    "capacity", "charge_efficiency", "discharge_efficiency", "keep", "initial_level", "end_price",
    "meter_price", "meter_bound", "meter_floor", "meter_ratchet",
    "start_cost", "curve_load", "curve_given",
)  # fmt: skip
"""Fields of `Coefficients` that kinds fill; the first four are scales of signals, then come six about storages."""


class MeterOutline(NamedTuple):
    """What decides which rows a meter fills: a price for each group and piece, group after group."""

    kind: MeterKind
    months: tuple[int, ...]
    pieces: int
    ratchet_groups: int


class CommitmentOutline(NamedTuple):
    """What decides which rows a commitment fills, and which plans it allows whatever its numbers."""

    units: int
    min_up: int
    min_down: int
    points: int
    """Of its curve."""


class Outline(NamedTuple):
    """What decides which rows a kind fills. What does not apply to the kind stays as it is here."""

    kind: type[Kind]
    name: str
    bus: str
    role: Role | None = None
    """Of a source."""
    is_bought: bool = False
    """Of a source."""
    must_be_met: bool = False
    """Of a sink."""
    overflows: bool = False
    """Of a storage."""
    outputs: tuple[str, ...] = ()
    """Buses that a converter gives to."""
    meters: tuple[MeterOutline, ...] = ()
    """Of an exchange."""
    commitment: CommitmentOutline | None = None
    """Of a converter."""


class Rows(NamedTuple):
    """What stands in the rows of some kinds, kind after kind."""

    outlines: tuple[Outline, ...]
    numbers: tuple[float, ...]
    """Of each table the scales or numbers. A storage's end price is NaN where the system's rule decides."""
    shapes: tuple[Floats | None, ...]
    """Of limits, ratios, CO2 and groups of meters: plans may follow from them."""
    price_shapes: tuple[Floats | None, ...]
    """Of costs: a plan by rule follows from their means alone."""


def outline_of(kind: Kind) -> Outline:
    """Return which rows `kind` fills."""
    match kind:
        case Source():
            return Outline(Source, kind.name, kind.bus, role=kind.role, is_bought=kind.is_bought)
        case Sink():
            return Outline(Sink, kind.name, kind.bus, must_be_met=kind.unmet_cost is None)
        case Storage():
            return Outline(Storage, kind.name, kind.bus, overflows=kind.overflows)
        case Converter():
            outputs, switched = tuple([output.bus for output in kind.outputs]), None
            if kind.commitment is not None:
                one = kind.commitment
                switched = CommitmentOutline(one.units, one.min_up, one.min_down, len(one.curve))
            return Outline(Converter, kind.name, kind.bus, outputs=outputs, commitment=switched)
        case Exchange():
            meters = [MeterOutline(one.kind, one.months, one.pieces, one.ratchet_groups) for one in kind.meters]
            return Outline(Exchange, kind.name, kind.bus, meters=tuple(meters))


def rows_of(kinds: Sequence[Kind]) -> Rows:
    """Return what stands in the rows of `kinds`."""
    filled = [_filled(kind) for kind in kinds]
    numbers, shapes, price_shapes = filled[0] if len(filled) == 1 else map(_joined, zip(*filled, strict=True))
    return Rows(tuple([outline_of(kind) for kind in kinds]), numbers, shapes, price_shapes)


def sizes_of(outline: Outline) -> tuple[int, ...]:
    """Return how many rows a kind fills in each of `TABLES`."""
    outputs = len(outline.outputs)
    first = {
        Source: (1, 0, 2, 1, 0, 1),
        Exchange: (2, 0, 3, 1, 0, 2),
        Sink: (1, 0, 1, 1, 1, 1),
        Storage: (2, 0, 1, 1, 0, 2),
        Converter: (1 + outputs, outputs, 1, 1, 0, 1 + outputs),
    }[outline.kind]
    pieces = [len(meter.months) * meter.pieces for meter in outline.meters]
    bounds = [len(meter.months) * (meter.pieces - 1) for meter in outline.meters]
    meters = (sum(pieces), sum(bounds), len(outline.meters), len(outline.meters))
    points = 0 if outline.commitment is None else outline.commitment.points
    committed = (0 if outline.commitment is None else 1, points, points)
    return (*first, *([1 if outline.kind is Storage else 0] * 6), *meters, *committed)


def _joined(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple([each for part in parts for each in part])


Shapes = tuple[Floats | None, ...]


def _filled(kind: Kind) -> tuple[tuple[float, ...], Shapes, Shapes]:
    """Return the numbers of a kind's rows, table after table; shapes of limits, ratios, CO2; those of costs."""
    co2 = kind.co2_kg
    match kind:
        case Source():
            limit, cost, variable = kind.available, kind.cost, kind.variable_cost
            numbers: tuple[float, ...]
            numbers = (limit.scale, cost.scale, variable.scale, co2.scale, kind.renewable_share)
            return numbers, (limit.shape, co2.shape), (cost.shape, variable.shape)
        case Exchange():
            bought, sold = kind.import_limit, kind.export_limit
            costs = (kind.import_price, kind.variable_cost, kind.export_price)
            scales = [series.scale for series in (bought, sold, *costs, co2)]
            numbers = (*scales, kind.renewable_share, 0.0, *_metered(kind.meters))
            groups = [meter.groups for meter in kind.meters]
            return numbers, (bought.shape, sold.shape, co2.shape, *groups), tuple([cost.shape for cost in costs])
        case Sink():
            limit, cost = kind.demand, kind.cost
            unmet = 0.0 if kind.unmet_cost is None else kind.unmet_cost
            return (limit.scale, cost.scale, co2.scale, unmet, 0.0), (limit.shape, co2.shape), (cost.shape,)
        case Storage():
            into, out, cost = kind.charge_limit, kind.discharge_limit, kind.cost
            numbers = (into.scale, out.scale, cost.scale, co2.scale, 0.0, 0.0, *_stored(kind))
            return numbers, (into.shape, out.shape, co2.shape), (cost.shape,)
        case Converter():
            ratios, cost = [output.ratio for output in kind.outputs], kind.cost
            given = len(ratios)
            scales = [kind.limit.scale, *[inf] * given, *[ratio.scale for ratio in ratios], cost.scale, co2.scale]
            shapes = (kind.limit.shape, *[None] * given, *[ratio.shape for ratio in ratios], co2.shape)
            return (*scales, *[0.0] * (1 + given), *_switched(kind.commitment)), shapes, (cost.shape,)


def _metered(meters: Sequence[Meter]) -> tuple[float, ...]:
    """Return prices, bounds, floors and ratchets, meter after meter and group after group."""
    prices = [price for meter in meters for group in meter.prices for price in group]
    bounds = [bound for meter in meters for group in meter.bounds for bound in group]
    return (*prices, *bounds, *[meter.floor for meter in meters], *[meter.ratchet for meter in meters])


def _switched(commitment: Commitment | None) -> tuple[float, ...]:
    """Return start cost, loads and what is given at them."""
    if commitment is None:
        return ()
    loads, given = zip(*commitment.curve, strict=True)
    return (commitment.start_cost, *loads, *given)


def _stored(kind: Storage) -> tuple[float, ...]:
    """Return capacity, efficiencies, what is left after a step, first level, end price."""
    end_price = nan if kind.end_price is None else kind.end_price
    level = kind.initial_level * kind.capacity
    return kind.capacity, kind.charge_efficiency, kind.discharge_efficiency, 1 - kind.loss, level, end_price
