"""Rain that an optimiser left beside a tank with room: collected, since a tank overflows only when full."""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Problem

__all__ = ["collect"]


def collect(problem: Problem, flows: Floats, levels: Floats) -> None:
    """Fill tanks, step by step, with what costless sources on their bus still offer; no demand is served otherwise.

    Changes `flows` and `levels` in place, at no cost; levels only rise. What a tank takes and gives in one step goes
    past it. Where it is full earlier than planned, later rain overflows, or another tank keeps what it was to hand
    over; what was planned to be bought still finds its room. Where the end level is given (`cyclic`, `fixed`), what is
    above it overflows in the last step.
    """
    layout = problem.layout
    free = [flow for flow in layout.free_sources if not np.any(problem.unit_costs()[flow] > 0)]
    tanks: dict[int, list[int]] = {}
    for storage, overflows in enumerate(layout.overflows):
        if overflows:
            tanks.setdefault(layout.flows[layout.charges[storage]].bus, []).append(storage)
    for bus, storages in tanks.items():
        sources = [flow for flow in free if layout.flows[flow].bus == bus]
        _pass_by(problem, storages, flows)
        if sources:
            _Filling(problem, storages, sources, flows, levels).run()
            _pass_by(problem, storages, flows)


def _pass_by(problem: Problem, storages: list[int], flows: Floats) -> None:
    """Let what a storage without losses would take and give at once go straight past it."""
    numbers, layout = problem.coefficients, problem.layout
    for storage in storages:
        if numbers.charge_efficiency[storage] == numbers.discharge_efficiency[storage] == 1:
            charge, discharge = layout.charges[storage], layout.discharges[storage]
            both = np.minimum(flows[charge], flows[discharge])
            flows[charge] -= both
            flows[discharge] -= both


class _Filling:
    """The tanks of one bus and the costless sources on it, step by step."""

    def __init__(
        self, problem: Problem, storages: list[int], sources: list[int], flows: Floats, levels: Floats
    ) -> None:
        layout, numbers = problem.layout, problem.coefficients
        self.problem, self.storages, self.sources = problem, storages, sources
        self.flows, self.levels = flows, levels
        self.charges = [layout.charges[storage] for storage in storages]
        self.discharges = [layout.discharges[storage] for storage in storages]
        self.charge, self.discharge = flows[self.charges], flows[self.discharges]
        self.into, self.out = numbers.charge_efficiency[storages], numbers.discharge_efficiency[storages]
        self.keep, self.capacity = numbers.keep[storages], numbers.capacity[storages]
        self.given = flows[sources].sum(axis=0)
        offered = np.sum([problem.limits(source) for source in sources], axis=0)
        self.spare = np.maximum(offered - self.given, 0.0)
        self.limit = np.array([problem.limits(flow) for flow in self.charges])
        self.bought = self._bought()
        self.room = self._room()

    def run(self) -> None:
        """Fill the tanks, and write what flows and stands in them."""
        before, planned_end = self.given.copy(), self.levels[self.storages, -1]
        level = self.levels[self.storages, 0]
        for step in range(self.problem.steps):
            level = self._step(step, level)
            self.levels[self.storages, step + 1] = level
        if self.problem.end in (EndRule.CYCLIC, EndRule.FIXED):
            self.levels[self.storages, -1] = planned_end
        self.flows[self.charges], self.flows[self.discharges] = self.charge, self.discharge
        change = self.given - before
        for source in self.sources:
            most = np.maximum(self.problem.limits(source) - self.flows[source], 0.0)
            part = np.clip(change, -self.flows[source], most)
            self.flows[source] += part
            change = change - part

    def _step(self, step: int, level: Floats) -> Floats:
        """Change what flows in a step; return the levels at its end."""
        charge, discharge, room = self.charge[:, step], self.discharge[:, step], self.room[:, step]
        level = level * self.keep + self.into * charge - discharge / self.out
        cut = np.clip((level - room) / self.into, 0.0, charge - self.bought[:, step])
        if np.any(cut > 0):
            charge -= cut
            level = level - self.into * cut
            level = level + self._give_back(step, float(cut.sum())) / self.out
        for tank in range(len(level)):
            fits = min((room[tank] - level[tank]) / self.into[tank], self.limit[tank, step] - charge[tank])
            added = max(0.0, min(float(self.spare[step]), float(fits)))
            charge[tank] += added
            level[tank] += self.into[tank] * added
            self.given[step] += added
            self.spare[step] -= added
        return np.clip(level, 0.0, self.capacity)

    def _give_back(self, step: int, amount: float) -> Floats:
        """Take `amount` less from sources, then from tanks; return what each tank keeps of it. (tanks,)"""
        from_sources = min(amount, float(self.given[step]))
        self.given[step] -= from_sources
        self.spare[step] += from_sources
        left, kept = amount - from_sources, np.zeros(len(self.storages))
        for tank in range(len(kept)):
            kept[tank] = min(left, float(self.discharge[tank, step]))
            self.discharge[tank, step] -= kept[tank]
            left -= kept[tank]
        return kept

    def _bought(self) -> Floats:
        """Return the part of each charge that neither these sources nor tanks of this bus give. (tanks, steps)"""
        left = np.maximum(self.charge.sum(axis=0) - self.given - self.discharge.sum(axis=0), 0.0)
        bought = np.zeros_like(self.charge)
        for tank, charge in enumerate(self.charge):
            bought[tank] = np.minimum(charge, left)
            left = left - bought[tank]
        return bought

    def _room(self) -> Floats:
        """Return how high each step may end for what is bought later to fit into the capacity. (tanks, steps)"""
        change = self.into[:, None] * self.bought - self.discharge / self.out[:, None]
        room = np.repeat(self.capacity[:, None], self.problem.steps, axis=1)
        for step in range(self.problem.steps - 1, 0, -1):
            before = np.divide(
                room[:, step] - change[:, step], self.keep, where=self.keep > 0, out=self.capacity.copy()
            )
            room[:, step - 1] = np.minimum(self.capacity, before)
        return room
