"""The rule of `solver/rule_based/merit_order.py` and the rule of `results/tracing.py` once more, in plain Python.

Written from their docstrings and the project's definitions, from a System's kinds and not from its Problem: one hour
at a time, dicts of floats, no arrays, no shared code. Slow on purpose; it is what the compiled kernel is held against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ecosystemiser.model.kinds import Converter, Exchange, Series, Sink, Source, Storage
from ecosystemiser.model.system import System
from ecosystemiser.units import Carrier

MOST_CONVERTERS = 3


class Way(NamedTuple):
    """A supply that may serve a use, through converters by name."""

    supply: str
    chain: tuple[str, ...]
    use: str


@dataclass
class Hours:
    """Every flow by its path, and every level from the first hour's start to the last one's end."""

    flows: dict[str, list[float]]
    levels: dict[str, list[float]]


class Origin(NamedTuple):
    """Energy [kWh] and water [m3] by origin, summed over the hours."""

    local_use: float
    renewable_delivered: float
    local_water: float
    """Water that demands received and nobody bought."""
    rain_delivered: float


def mean(series: Series, steps: int) -> float:
    """Return the mean of a series over the run."""
    return series.scale if series.shape is None else series.scale * float(series.shape[:steps].mean())


class _Rule:
    """The merit order of one system: local to demand, stored to demand, bought to demand, stored, sold."""

    def __init__(self, system: System) -> None:
        self.steps = system.clock.steps
        self.co2_price = system.economics.co2_price_per_kg
        self.kinds = {kind.name: kind for kind in system.kinds}
        self.converters = {kind.name: kind for kind in system.kinds if isinstance(kind, Converter)}

    def ways(self) -> list[Way]:
        """Return every way in the order in which it is tried."""
        of = self._of
        sources = [kind for kind in self.kinds.values() if isinstance(kind, Source)]
        local = [f"{kind.name}.out" for kind in sources if not kind.is_bought]
        stored = [f"{kind.name}.discharge" for kind in of(Storage)]
        bought = [
            f"{kind.name}.import" if isinstance(kind, Exchange) else f"{kind.name}.out"
            for kind in self.kinds.values()
            if isinstance(kind, Exchange) or (isinstance(kind, Source) and kind.is_bought)
        ]
        must_be_met_first = sorted(of(Sink), key=lambda kind: kind.unmet_cost is not None)
        demands = [f"{kind.name}.in" for kind in must_be_met_first]
        stores = [f"{kind.name}.charge" for kind in of(Storage)]
        sales = [f"{kind.name}.export" for kind in of(Exchange)]
        paying = [way for way in self._line(local, sales) if self._sale_cost(way) <= 0]
        return [
            *self._line(local, demands),
            *self._line(stored, demands),
            *sorted(self._line(bought, demands), key=self._delivered_cost),
            *self._line(local, stores),
            *paying,
        ]

    def _of(self, wanted: type) -> list:
        return [kind for kind in self.kinds.values() if isinstance(kind, wanted)]

    def _line(self, supplies: list[str], uses: list[str]) -> list[Way]:
        """Return a line's ways: fewer converters, then more delivered per unit drawn, then the order of the file."""
        ways = [
            Way(supply, chain, use)
            for supply in supplies
            for use in uses
            for chain in self._chains(self._bus(supply), self._bus(use), ())
        ]
        return sorted(ways, key=lambda way: (len(way.chain), -self._mean_ratio(way)))

    def _chains(self, bus: str, goal: str, passed: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if bus == goal:
            yield ()
        elif len(passed) < MOST_CONVERTERS:
            for name, converter in self.converters.items():
                following = converter.outputs[0].bus
                if converter.bus == bus and following not in (*passed, bus):
                    for rest in self._chains(following, goal, (*passed, bus)):
                        yield (name, *rest)

    def _bus(self, path: str) -> str:
        return self.kinds[path.split(".")[0]].bus

    def _mean_ratio(self, way: Way) -> float:
        ratio = 1.0
        for name in way.chain:
            ratio *= mean(self.converters[name].outputs[0].ratio, self.steps)
        return ratio

    def _delivered_cost(self, way: Way) -> float:
        """Return the mean cost of a unit delivered: the supply's, grown by each converter's losses and costs."""
        cost = self._unit_cost(way.supply)
        for name in way.chain:
            ratio = mean(self.converters[name].outputs[0].ratio, self.steps)
            cost = cost / ratio + self._unit_cost(f"{name}.out")
        return cost

    def _sale_cost(self, way: Way) -> float:
        return self._delivered_cost(way) + self._unit_cost(way.use)

    def _unit_cost(self, path: str) -> float:
        name, flow = path.split(".")
        kind = self.kinds[name]
        if flow == "export":
            return -mean(kind.export_price, self.steps)
        cost = mean(kind.cost, self.steps) if flow != "import" else mean(kind.import_price, self.steps)
        if isinstance(kind, Source):
            cost += mean(kind.variable_cost, self.steps)
        if flow == "import":
            cost += mean(kind.variable_cost, self.steps)
        return cost + self.co2_price * mean(kind.co2_kg, self.steps)


def plain_dispatch(system: System) -> Hours:
    """Return what the rule does, hour by hour."""
    rule = _Rule(system)
    ways = rule.ways()
    limits = {path: series.values(system.clock.steps).tolist() for path, series in _limits(system).items()}
    ratios = {
        name: converter.outputs[0].ratio.values(system.clock.steps).tolist()
        for name, converter in rule.converters.items()
    }
    storages = [kind for kind in system.kinds if isinstance(kind, Storage)]
    flows: dict[str, list[float]] = {path: [] for path in [*limits, *(f"{name}.out" for name in ratios)]}
    levels = {storage.name: [storage.initial_level * storage.capacity] for storage in storages}
    for hour in range(system.clock.steps):
        left = {path: most[hour] for path, most in limits.items()}
        for storage in storages:
            content = levels[storage.name][-1] * (1 - storage.loss)
            room = (storage.capacity - content) / storage.charge_efficiency
            discharge, charge = f"{storage.name}.discharge", f"{storage.name}.charge"
            left[discharge] = min(left[discharge], content * storage.discharge_efficiency)
            left[charge] = min(left[charge], room)
        moved = _one_hour(ways, left, {name: ratio[hour] for name, ratio in ratios.items()})
        for path, amounts in flows.items():
            amounts.append(moved.get(path, 0.0))
        for storage in storages:
            levels[storage.name].append(_next_level(storage, levels[storage.name][-1], moved))
    return Hours(flows, levels)


def _limits(system: System) -> dict[str, Series]:
    limits: dict[str, Series] = {}
    for kind in system.kinds:
        match kind:
            case Source():
                limits[f"{kind.name}.out"] = kind.available
            case Exchange():
                limits[f"{kind.name}.import"] = kind.import_limit
                limits[f"{kind.name}.export"] = kind.export_limit
            case Sink():
                limits[f"{kind.name}.in"] = kind.demand
            case Storage():
                limits[f"{kind.name}.charge"] = kind.charge_limit
                limits[f"{kind.name}.discharge"] = kind.discharge_limit
            case Converter():
                limits[f"{kind.name}.in"] = kind.limit
    return limits


def _one_hour(ways: list[Way], left: dict[str, float], ratio: dict[str, float]) -> dict[str, float]:
    """Move, way by way, as much as the supply, the converters passed and the use still allow."""
    moved: dict[str, float] = {}

    def move(path: str, amount: float) -> None:
        moved[path] = moved.get(path, 0.0) + amount
        if path in left:
            left[path] = max(0.0, left[path] - amount)

    for way in ways:
        amount, gain = left[way.supply], 1.0
        for name in way.chain:
            amount = min(amount, left[f"{name}.in"] / gain)
            gain *= ratio[name]
        amount = min(amount, left[way.use] / gain)
        move(way.supply, amount)
        for name in way.chain:
            move(f"{name}.in", amount)
            amount *= ratio[name]
            move(f"{name}.out", amount)
        move(way.use, amount)
    return moved


def _next_level(storage: Storage, level: float, moved: dict[str, float]) -> float:
    level *= 1 - storage.loss
    level += storage.charge_efficiency * moved.get(f"{storage.name}.charge", 0.0)
    level -= moved.get(f"{storage.name}.discharge", 0.0) / storage.discharge_efficiency
    return min(max(level, 0.0), storage.capacity)


def plain_origin(system: System, hours: Hours) -> Origin:
    """Return how much local electricity was used, renewable energy, water not bought and rain delivered."""
    local, renewable = _Tracer(system, hours, is_local=True), _Tracer(system, hours, is_local=False)
    for hour in range(system.clock.steps):
        local.advance(hour)
        renewable.advance(hour)
    return Origin(local.electricity_used, renewable.delivered, local.water_delivered, renewable.water_delivered)


ELECTRICITY = "all electricity"
EMPTY = 1e-12
"""Share of a capacity below which a content has no origin."""


class _Tracer:
    """Follows one kind of origin through the hours.

    `use` and `charge` are the shares that what is used from a node, and what is charged from it, carry. Within an
    hour they are found by going round the nodes until nothing changes, starting from none.
    """

    def __init__(self, system: System, hours: Hours, *, is_local: bool) -> None:
        self.system, self.hours, self.is_local = system, hours, is_local
        self.stored = {kind.name: 0.0 for kind in system.kinds if isinstance(kind, Storage)}
        self.electricity_used = self.delivered = self.water_delivered = 0.0
        self.nodes = {self.node(bus) for bus in system.buses}

    def node(self, bus: str) -> str:
        return ELECTRICITY if self.system.buses[bus] is Carrier.ELECTRICITY else bus

    def advance(self, hour: int) -> None:
        """Follow one hour."""

        def flow(path: str) -> float:
            return max(0.0, self.hours.flows[path][hour])

        use, charge = dict.fromkeys(self.nodes, 0.0), dict.fromkeys(self.nodes, 0.0)
        for _ in range(10_000):
            before = dict(use), dict(charge)
            for node in self.nodes:
                self._mix(node, hour, flow, use, charge)
            if (use, charge) == before:
                break
        self._count(flow, use)
        for storage in self._at(Storage):
            self._store(storage, hour, flow, charge[self.node(storage.bus)])

    def _at(self, wanted: type, node: str | None = None) -> list:
        return [kind for kind in self.system.kinds if isinstance(kind, wanted) and node in (None, self.node(kind.bus))]

    def _converters_between_nodes(self) -> list[Converter]:
        return [
            kind
            for kind in self._at(Converter)
            if self.node(kind.bus) != self.node(kind.outputs[0].bus) or self.node(kind.bus) != ELECTRICITY
        ]

    def _mix(
        self, node: str, hour: int, flow: Callable[[str], float], use: dict[str, float], charge: dict[str, float]
    ) -> None:
        made, made_marked, pool, pool_marked = 0.0, 0.0, 0.0, 0.0
        for source in self._at(Source, node):
            amount = flow(f"{source.name}.out")
            made += amount
            is_ours = node == ELECTRICITY or not source.is_bought
            made_marked += amount * (float(is_ours) if self.is_local else source.renewable_share)
        for converter in self._converters_between_nodes():
            if self.node(converter.outputs[0].bus) == node:
                amount = flow(f"{converter.name}.out")
                made += amount
                made_marked += amount * self._converted_share(converter, node, use)
        for exchange in self._at(Exchange, node):
            pool += flow(f"{exchange.name}.import")
            pool_marked += flow(f"{exchange.name}.import") * (0.0 if self.is_local else exchange.renewable_share)
        for storage in self._at(Storage, node):
            there, beyond, _, _ = self._content(storage, hour, flow)
            amount = flow(f"{storage.name}.discharge")
            drawn = there + beyond
            share = (there * self.stored[storage.name] + beyond * charge[node]) / drawn if drawn > 0 else 0.0
            pool += amount
            pool_marked += amount * share
        if node != ELECTRICITY:
            total = made + pool
            use[node] = charge[node] = (made_marked + pool_marked) / total if total > 0 else 0.0
            return
        used, charged = self._electricity_drawn(flow)
        made_share = made_marked / made if made > 0 else 0.0
        pool_share = pool_marked / pool if pool > 0 else 0.0
        to_use = min(made, used)
        to_charge = min(made - to_use, charged)
        use[node] = (to_use * made_share + (used - to_use) * pool_share) / used if used > 0 else 0.0
        charge[node] = (to_charge * made_share + (charged - to_charge) * pool_share) / charged if charged > 0 else 0.0

    def _converted_share(self, converter: Converter, node: str, use: dict[str, float]) -> float:
        """Return the share that a converter's output carries."""
        is_water = not self.system.buses[converter.outputs[0].bus].is_energy
        if is_water and self.system.buses[converter.bus].is_energy:
            return 1.0 if self.is_local else 0.0  # not bought as water, and no rain
        if self.is_local and node == ELECTRICITY:
            return 1.0
        return use[self.node(converter.bus)]

    def _electricity_drawn(self, flow: Callable[[str], float]) -> tuple[float, float]:
        """Return what demands and converters to other carriers use, and what storages are charged with."""
        used = sum(flow(f"{sink.name}.in") for sink in self._at(Sink, ELECTRICITY))
        for converter in self._converters_between_nodes():
            if self.node(converter.bus) == ELECTRICITY:
                used += flow(f"{converter.name}.in")
        return used, sum(flow(f"{storage.name}.charge") for storage in self._at(Storage, ELECTRICITY))

    def _content(self, storage: Storage, hour: int, flow: Callable[[str], float]) -> tuple[float, float, float, float]:
        """Return content drawn from what was there, drawn beyond it, what stays of it, and what is added."""
        content = max(0.0, self.hours.levels[storage.name][hour]) * (1 - storage.loss)
        drawn = flow(f"{storage.name}.discharge") / storage.discharge_efficiency
        there = min(drawn, content)
        added = flow(f"{storage.name}.charge") * storage.charge_efficiency
        return there, drawn - there, content - there, max(0.0, added - (drawn - there))

    def _store(self, storage: Storage, hour: int, flow: Callable[[str], float], charged: float) -> None:
        _, _, stays, added = self._content(storage, hour, flow)
        if stays + added > EMPTY * storage.capacity:
            share = self.stored[storage.name]
            self.stored[storage.name] = (share * stays + charged * added) / (stays + added)

    def _count(self, flow: Callable[[str], float], use: dict[str, float]) -> None:
        self.electricity_used += self._electricity_drawn(flow)[0] * use.get(ELECTRICITY, 0.0)
        for sink in self._at(Sink):
            amount = flow(f"{sink.name}.in") * use[self.node(sink.bus)]
            if self.system.buses[sink.bus].is_energy:
                self.delivered += amount
            else:
                self.water_delivered += amount
