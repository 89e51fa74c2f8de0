"""Where everything stands in the tables of a Problem: the same for all variations of a structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosystemiser.model.kinds import Exchange, Role, Sink, Source, Storage
from ecosystemiser.model.placed import Placed
from ecosystemiser.model.problem import Bus, Committed, CostCategory, Flow, Ints, Layout, MeterRow, Terms
from ecosystemiser.model.rows import TABLES, Outline, sizes_of
from ecosystemiser.model.system import System

__all__ = ["HELD", "SIGNALS", "Frame", "frame_of", "numbers_of"]

HELD = ("capital", "lifetime_years", "fixed_per_year", "embodied_per_year")
"""Tables with a number for each component."""
SIGNALS = ("limit", "ratio", "co2", "cost", "meter")
"""What has a signal of its own: tables whose numbers scale it, and meters, whose groups it numbers."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Which number of a list of components' numbers belongs where."""

    layout: Layout
    order: Ints
    """Positions in the list, table after table: `TABLES`, then `HELD`."""
    tables: dict[str, slice]
    """Each table's part of `order`."""
    shapes: dict[str, Ints]
    """For each of `SIGNALS` the positions of its shapes in the list of the components' shapes."""


def numbers_of(placed: Placed) -> tuple[float, ...]:
    """Return the numbers of a component: those of its kinds' rows, then the held ones."""
    held = placed.investment
    embodied = held.embodied_co2_kg / held.lifetime_years
    return (*placed.rows.numbers, held.capital, held.lifetime_years, held.fixed_per_year, embodied)


def frame_of(system: System) -> Frame:
    """Return the frame of `system` and of all that have its outlines, buses and steps."""
    layout = _layout(system)
    numbers: dict[str, list[int]] = {name: [] for name in (*TABLES, *HELD)}
    shapes: dict[str, list[int]] = {name: [] for name in SIGNALS}
    number = shape = 0
    for placed in system.placed:
        sizes = [dict(zip(TABLES, sizes_of(outline), strict=True)) for outline in placed.rows.outlines]
        for size in sizes:
            for name in TABLES:
                numbers[name] += range(number, number + size[name])
                number += size[name]
        for name in HELD:
            numbers[name].append(number)
            number += 1
        for size in sizes:
            for name, rows in (("limit", "limit"), ("ratio", "ratio"), ("co2", "co2"), ("meter", "meter_floor")):
                shapes[name] += range(shape, shape + size[rows])
                shape += size[rows]
        for size in sizes:
            shapes["cost"] += range(shape, shape + size["cost"])
            shape += size["cost"]
    ends = np.cumsum([len(positions) for positions in numbers.values()])
    return Frame(
        layout=layout,
        order=np.array([at for positions in numbers.values() for at in positions], dtype=np.int64),
        tables={
            name: slice(int(end) - len(positions), int(end))
            for (name, positions), end in zip(numbers.items(), ends, strict=True)
        },
        shapes={name: np.array(positions, dtype=np.int64) for name, positions in shapes.items()},
    )


def _layout(system: System) -> Layout:
    flows = _Flows({bus: at for at, bus in enumerate(system.buses)})
    for placed in system.placed:
        for outline in placed.rows.outlines:
            flows.add(outline)
    return Layout(
        components=tuple([placed.name for placed in system.placed]),
        buses=tuple([Bus(name, carrier) for name, carrier in system.buses.items()]),
        flows=tuple(flows.flows),
        sources=tuple([flow for flow, _ in flows.sources]),
        bought_sources=tuple([bought for _, bought in flows.sources]),
        imports=tuple([bought for bought, _ in flows.exchanges]),
        exports=tuple([sold for _, sold in flows.exchanges]),
        sinks=tuple([flow for flow, _ in flows.sinks]),
        must_meet=tuple([must for _, must in flows.sinks]),
        charges=tuple([charge for charge, _, _ in flows.storages]),
        discharges=tuple([discharge for _, discharge, _ in flows.storages]),
        overflows=tuple([overflows for _, _, overflows in flows.storages]),
        inputs=tuple(flows.inputs),
        outputs=tuple([flow for flow, _ in flows.outputs]),
        output_converter=tuple([converter for _, converter in flows.outputs]),
        costs=Terms(tuple([flow for flow, _ in flows.costs]), tuple([category for _, category in flows.costs])),
        co2=Terms(tuple(flows.co2)),
        meters=tuple(flows.meters),
        committed=tuple(flows.committed),
        steps=system.clock.steps,
    )


class _Flows:
    """The flows of a layout and what they belong to, while they are added; row after row as `rows` fills them."""

    def __init__(self, bus_index: dict[str, int]) -> None:
        self._bus_index = bus_index
        self.flows: list[Flow] = []
        self.sources: list[tuple[int, bool]] = []
        self.exchanges: list[tuple[int, int]] = []
        self.sinks: list[tuple[int, bool]] = []
        self.storages: list[tuple[int, int, bool]] = []
        self.inputs: list[int] = []
        self.outputs: list[tuple[int, int]] = []
        self.costs: list[tuple[int, CostCategory]] = []
        self.co2: list[int] = []
        self.meters: list[MeterRow] = []
        self.committed: list[Committed] = []

    def add(self, outline: Outline) -> None:
        """Add the rows of a kind."""
        if outline.kind is Source:
            flow = self._flow(outline, "out", +1, outline.role or Role.SUN)
            self.sources.append((flow, outline.is_bought))
            price = CostCategory.PURCHASE if outline.is_bought else CostCategory.VARIABLE
            self._price(flow, price, CostCategory.VARIABLE)
        elif outline.kind is Exchange:
            flow, sold = self._flow(outline, "import", +1, Role.BOUGHT), self._flow(outline, "export", -1, Role.SOLD)
            self.meters += [MeterRow(len(self.exchanges), *meter) for meter in outline.meters]
            self.exchanges.append((flow, sold))
            self._price(flow, CostCategory.PURCHASE, CostCategory.VARIABLE)
            self._price(sold, CostCategory.REVENUE)
        elif outline.kind is Sink:
            flow = self._flow(outline, "in", -1, Role.USED)
            self.sinks.append((flow, outline.must_be_met))
            self._price(flow, CostCategory.VARIABLE)
        elif outline.kind is Storage:
            charge = self._flow(outline, "charge", -1, Role.STORED)
            flow = self._flow(outline, "discharge", +1, Role.STORED)
            self.storages.append((charge, flow, outline.overflows))
            self._price(flow, CostCategory.VARIABLE)
        else:
            flow = self._converter(outline)
            self._price(flow, CostCategory.VARIABLE)
        self.co2.append(flow)

    def _converter(self, outline: Outline) -> int:
        """Add a converter's flows; return that of its first output."""
        self.inputs.append(self._flow(outline, "in", -1, Role.CONVERTED))
        if outline.commitment is not None:
            self.committed.append(Committed(len(self.inputs) - 1, *outline.commitment))
        given = []
        for position, bus in enumerate(outline.outputs):
            name = "out" if position == 0 else f"out_{bus}"
            given.append(self._flow(outline, name, +1, Role.CONVERTED, bus))
            self.outputs.append((given[-1], len(self.inputs) - 1))
        return given[0]

    def _flow(self, outline: Outline, name: str, sign: int, role: Role, bus: str | None = None) -> int:
        self.flows.append(Flow(outline.name, name, self._bus_index[bus or outline.bus], sign, role))
        return len(self.flows) - 1

    def _price(self, flow: int, *categories: CostCategory) -> None:
        self.costs += [(flow, category) for category in categories]
