"""Where delivered energy comes from: shares of local and of renewable origin, followed through buses and storages.

Electricity buses count as one node. On it, each step's local generation G serves use D first, then charging; imports
and discharges serve the rest in proportion (their mix is the pool). On every other bus, all that flows in mixes. A
converter's output carries the share of what it draws. Discharge carries the share of the content that is there at the
step's start after its loss; what goes beyond that content carries the share of the step's charge. The content at the
start of the run counts as bought: no local and no renewable part. On water buses local is what is not bought, and
the renewable part is rain; water made of energy is neither bought nor rain, wherever the energy comes from.

All shares of all hours are one linear system with a band of twice the number of nodes and storages, so loops within a
step need no special case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_banded

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Problem
from ecosystemiser.units import Carrier

__all__ = ["Traced", "trace"]


@dataclass(frozen=True)
class Traced:
    """Energy [kWh] and water by origin, summed over the hours."""

    local_use: float
    renewable_delivered: float
    local_water: float
    """Water delivered to demands that was not bought. [m3]"""
    rain_delivered: float
    """Rain delivered to demands. [m3]"""


def trace(problem: Problem, flows: Floats, levels: Floats) -> Traced:
    """Return local electricity use and renewable energy delivered for a plan."""
    network = _Network(problem, np.maximum(flows, 0.0), np.maximum(levels, 0.0))
    sources = np.zeros(len(problem.layout.flows))
    sources[list(problem.layout.local_sources)] = 1.0
    energy = [flow for flow in problem.layout.sinks if problem.layout.carrier(flow).is_energy]
    water = [flow for flow in problem.layout.sinks if flow not in energy]
    origins = _Origins(sources, converted_electricity=1.0, water_of_energy=1.0)
    local = network.shares(origins, {network.electricity, *map(network.bus, water)})
    origins = _Origins(problem.coefficients.renewable, converted_electricity=None, water_of_energy=0.0)
    renewable = network.shares(origins, set(map(network.bus, problem.layout.sinks)))
    return Traced(
        local_use=float(network.used @ network.use_share(local, network.electricity)),
        renewable_delivered=network.delivered(energy, renewable),
        local_water=network.delivered(water, local),
        rain_delivered=network.delivered(water, renewable),
    )


@dataclass(frozen=True, eq=False)
class _Origins:
    """The shares of one kind of origin that come into the network."""

    brought: Floats
    """By sources and imports. (flows,)"""
    converted_electricity: float | None
    """Of electricity that converters make; None: that of what they draw."""
    water_of_energy: float
    """Of water that converters make of energy."""


Mix = list[tuple[int, Floats | float]]
"""A share as a weighted sum of unknowns: their indices within a step and the weights by step."""
ELECTRICITY = -1
"""Stands for every electricity bus."""
FED = 1 + 1e-14
"""Stands for 1 on the left of a node's mix, so that a loop which nothing feeds has share 0 rather than none."""
EMPTY = 1e-12
"""Share of a capacity below which a content has no origin of its own."""


class _Network:
    """The amounts of a plan by node, and the equations that shares obey.

    The unknowns of a step are the share of each storage's content, of the electricity generated, of the pool, and of
    each other bus.
    """

    def __init__(self, problem: Problem, flows: Floats, levels: Floats) -> None:
        self.problem, self.layout, self.flows, self.levels = problem, problem.layout, flows, levels
        self.electricity = ELECTRICITY
        others = [at for at, bus in enumerate(self.layout.buses) if bus.carrier is not Carrier.ELECTRICITY]
        storages = len(self.layout.charges)
        self.generation, self.pool = storages, storages + 1
        self.nodes = {bus: storages + 2 + at for at, bus in enumerate(others)}
        self.size = storages + 2 + len(others)
        made, used = self._electric_flows()
        self.made, self.used = self._sum(made), self._sum(used)
        self.charged = self._sum(flow for flow in self.layout.charges if self.bus(flow) == ELECTRICITY)
        self.used_directly = np.minimum(self.made, self.used)
        self.charged_directly = np.minimum(self.made - self.used_directly, self.charged)

    def bus(self, flow: int) -> int:
        """Return the bus of a flow; electricity buses are one."""
        electric = self.layout.carrier(flow) is Carrier.ELECTRICITY
        return ELECTRICITY if electric else self.layout.flows[flow].bus

    def use_share(self, shares: Floats, bus: int) -> Floats:
        """Return the share that what is used from `bus` carries. (steps,)"""
        return np.asarray(sum(weight * shares[:, unknown] for unknown, weight in self._use_mix(bus)))

    def delivered(self, demands: Iterable[int], shares: Floats) -> float:
        """Return how much of what `demands` receive carries the share."""
        return float(sum(self.flows[flow] @ self.use_share(shares, self.bus(flow)) for flow in demands))

    def shares(self, origins: _Origins, buses: Iterable[int]) -> Floats:
        """Return the shares that what is used from `buses` depends on. (steps, unknowns)"""
        equations = _Equations(self.flows.shape[1], self.size)
        for storage in range(len(self.layout.charges)):
            self._add_storage(equations, storage)
        self._add_generation(equations, origins)
        self._add_mix(equations, self.pool, ELECTRICITY, self.layout.imports, origins)
        for bus, unknown in self.nodes.items():
            self._add_mix(equations, unknown, bus, (*self.layout.sources, *self.layout.imports), origins)
        return equations.solve({unknown for bus in buses for unknown, _ in self._use_mix(bus)})

    def _electric_flows(self) -> tuple[list[int], list[int]]:
        """Return the flows that make electricity, and those that use it (demands, converters to other carriers)."""
        layout = self.layout
        made = [flow for flow in layout.sources if self.bus(flow) == ELECTRICITY]
        made += [flow for flow, _ in self._conversions_into(ELECTRICITY)]
        used = [flow for flow in layout.sinks if self.bus(flow) == ELECTRICITY]
        used += [
            flow
            for converter, flow in enumerate(layout.inputs)
            if self.bus(flow) == ELECTRICITY and not layout.is_internal(converter)
        ]
        return made, used

    def _conversions_into(self, bus: int) -> list[tuple[int, int]]:
        """Return (output flow, bus it is drawn from) of converters into `bus`, those within electricity left out."""
        layout = self.layout
        return [
            (flow, self.bus(layout.inputs[converter]))
            for flow, converter in zip(layout.outputs, layout.output_converter, strict=True)
            if self.bus(flow) == bus and not layout.is_internal(converter)
        ]

    def _is_water(self, bus: int) -> bool:
        return bus != ELECTRICITY and not self.layout.buses[bus].carrier.is_energy

    def _sum(self, flows: Iterable[int]) -> Floats:
        return np.asarray(self.flows[list(flows)].sum(axis=0))

    def _use_mix(self, bus: int) -> Mix:
        if bus != ELECTRICITY:
            return [(self.nodes[bus], 1.0)]
        direct = _fraction(self.used_directly, self.used)
        return [(self.generation, direct), (self.pool, 1.0 - direct)]

    def _charge_mix(self, bus: int) -> Mix:
        if bus != ELECTRICITY:
            return [(self.nodes[bus], 1.0)]
        direct = _fraction(self.charged_directly, self.charged)
        return [(self.generation, direct), (self.pool, 1.0 - direct)]

    def _contents(self, storage: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Return, by step: content drawn from what was there, content drawn beyond it, what stays, what is added."""
        numbers = self.problem.coefficients
        there = self.levels[storage, :-1] * numbers.keep[storage]
        drawn = self.flows[self.layout.discharges[storage]] / numbers.discharge_efficiency[storage]
        added = self.flows[self.layout.charges[storage]] * numbers.charge_efficiency[storage]
        from_there = np.minimum(drawn, there)
        beyond = drawn - from_there
        return from_there, beyond, there - from_there, np.maximum(added - beyond, 0.0)

    def _add_storage(self, equations: _Equations, storage: int) -> None:
        """share' x (stays + added) = share x stays + charge's share x added; an emptied storage keeps its share."""
        _, _, stays, added = self._contents(storage)
        total = stays + added
        is_filled = total > EMPTY * self.problem.coefficients.capacity[storage]
        arrived = np.where(is_filled, _fraction(added, total), 0.0)
        equations.put(storage, storage, 1.0)
        equations.put_before(storage, storage, -(1.0 - arrived))
        for unknown, weight in self._charge_mix(self.bus(self.layout.charges[storage])):
            equations.put_before(storage, unknown, -arrived * weight)

    def _add_generation(self, equations: _Equations, origins: _Origins) -> None:
        brought, converted = origins.brought, origins.converted_electricity
        equations.put(self.generation, self.generation, FED)
        for flow in self.layout.sources:
            if self.bus(flow) == ELECTRICITY:
                equations.right[:, self.generation] += brought[flow] * _fraction(self.flows[flow], self.made)
        for flow, drawn_from in self._conversions_into(ELECTRICITY):
            part = _fraction(self.flows[flow], self.made)
            if converted is not None:
                equations.right[:, self.generation] += converted * part
                continue
            for unknown, weight in self._use_mix(drawn_from):
                equations.put(self.generation, unknown, -part * weight)

    def _add_mix(self, equations: _Equations, row: int, bus: int, brought_by: Iterable[int], origins: _Origins) -> None:
        """All that flows onto `bus` mixes; on electricity (the pool) imports and discharges only."""
        layout = self.layout
        brought = [flow for flow in brought_by if self.bus(flow) == bus]
        drawn = [(at, flow) for at, flow in enumerate(layout.discharges) if self.bus(flow) == bus]
        converted = [] if bus == ELECTRICITY else self._conversions_into(bus)
        total = self._sum([*brought, *(flow for _, flow in drawn), *(flow for flow, _ in converted)])
        equations.put(row, row, FED)
        for flow in brought:
            equations.right[:, row] += origins.brought[flow] * _fraction(self.flows[flow], total)
        for flow, drawn_from in converted:
            part = _fraction(self.flows[flow], total)
            if self._is_water(bus) and not self._is_water(drawn_from):
                equations.right[:, row] += origins.water_of_energy * part
                continue
            for unknown, weight in self._use_mix(drawn_from):
                equations.put(row, unknown, -part * weight)
        for storage, flow in drawn:
            part = _fraction(self.flows[flow], total)
            from_there, beyond, _, _ = self._contents(storage)
            stored = _fraction(from_there, from_there + beyond)
            equations.put(row, storage, -part * stored)
            for unknown, weight in self._charge_mix(bus):
                equations.put(row, unknown, -part * (1.0 - stored) * weight)


Entries = dict[tuple[int, int], Floats]
"""Weights by (row, unknown), one a step."""


class _Equations:
    """A row an unknown and step: `same` x unknowns of the step + `before` x those of the step before = right."""

    def __init__(self, steps: int, size: int) -> None:
        self.same: Entries = {}
        self.before: Entries = {}
        self.right = np.zeros((steps, size))

    def put(self, row: int, unknown: int, weight: Floats | float) -> None:
        """Add `weight` x `unknown` of the same step to `row`."""
        self._add(self.same, (row, unknown), weight)

    def put_before(self, row: int, unknown: int, weight: Floats | float) -> None:
        """Add `weight` (by the step that it is a share of) x `unknown` of that step to `row` of the next step."""
        self._add(self.before, (row, unknown), weight)

    def solve(self, wanted: Iterable[int]) -> Floats:
        """Return the unknowns, 0 for those that no `wanted` one depends on. (steps, unknowns)"""
        solved = np.zeros_like(self.right)
        for group in self._groups(wanted):
            solved[:, group] = self._solved(group)
        return solved

    def _add(self, entries: Entries, place: tuple[int, int], weight: Floats | float) -> None:
        entries[place] = entries.get(place, 0.0) + np.broadcast_to(weight, len(self.right))

    def _groups(self, wanted: Iterable[int]) -> list[list[int]]:
        """Return the unknowns that `wanted` ones depend on, those apart that have nothing to do with each other."""
        needs: dict[int, set[int]] = {}
        for row, unknown in (*self.same, *self.before):
            needs.setdefault(row, set()).add(unknown)
        groups: list[set[int]] = []
        for first in wanted:
            reached, fresh = {first}, [first]
            while fresh:
                found = needs.get(fresh.pop(), set()) - reached
                reached |= found
                fresh += found
            touching = [group for group in groups if group & reached]
            groups = [group for group in groups if not group & reached] + [reached.union(*touching)]
        return [sorted(group) for group in groups]

    def _solved(self, group: list[int]) -> Floats:
        """Return the unknowns of a group, as one banded system over all steps. (steps, group)"""
        size, steps, place = len(group), len(self.right), {unknown: at for at, unknown in enumerate(group)}
        below, above = 2 * size - 1, size - 1
        band = np.zeros((below + above + 1, steps * size))
        for (row, unknown), weight in self.same.items():
            if row in place:
                at, column = place[row], place[unknown]
                band[above + at - column, column::size] = weight
        for (row, unknown), weight in self.before.items():
            if row in place:
                at, column = place[row], place[unknown]
                band[above + at - column + size, column : (steps - 1) * size : size] += weight[:-1]
        right = np.ascontiguousarray(self.right[:, group]).ravel()
        solved = solve_banded((below, above), band, right, overwrite_ab=True, check_finite=False)
        return np.asarray(solved).reshape(steps, size)


def _fraction(part: Floats, whole: Floats) -> Floats:
    """Return part / whole; 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
