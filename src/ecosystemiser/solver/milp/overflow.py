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
    over. What is bought stays as planned: at a price above 0 no optimal plan buys for a tank that rain fills; at one of
    0 or below it may, and what then does not fit overflows. Where the end level is given (`cyclic`, `fixed`), what is
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
    """The tanks of one bus and the costless sources on it, step by step. Plain floats: arrays of a tank or two lag."""

    def __init__(
        self, problem: Problem, storages: list[int], sources: list[int], flows: Floats, levels: Floats
    ) -> None:
        layout = problem.layout
        self.problem, self.storages, self.sources = problem, storages, sources
        self.flows, self.levels = flows, levels
        self.charges = [layout.charges[storage] for storage in storages]
        self.discharges = [layout.discharges[storage] for storage in storages]
        self.charge, self.discharge = flows[self.charges].tolist(), flows[self.discharges].tolist()
        self.into, self.out, self.keep, self.capacity = _numbers(problem, storages)
        given = flows[sources].sum(axis=0)
        offered = np.sum([problem.limits(source) for source in sources], axis=0)
        self.given, self.spare = given.tolist(), np.maximum(offered - given, 0.0).tolist()
        self.limit = [problem.limits(flow).tolist() for flow in self.charges]
        self.bought = self._bought(given).tolist()

    def run(self) -> None:
        """Fill the tanks, and write what flows and stands in them."""
        before, planned_end = np.array(self.given), self.levels[self.storages, -1]
        level = self.levels[self.storages, 0].tolist()
        levels = []
        for step in range(self.problem.steps):
            self._step(step, level)
            levels.append(level.copy())
        self.levels[self.storages, 1:] = np.array(levels).T
        if self.problem.end in (EndRule.CYCLIC, EndRule.FIXED):
            self.levels[self.storages, -1] = planned_end
        self.flows[self.charges], self.flows[self.discharges] = self.charge, self.discharge
        change = np.array(self.given) - before
        for source in self.sources:
            most = np.maximum(self.problem.limits(source) - self.flows[source], 0.0)
            part = np.clip(change, -self.flows[source], most)
            self.flows[source] += part
            change = change - part

    def _step(self, step: int, level: list[float]) -> None:
        """Change what flows in a step, and `level` to those at its end."""
        too_much = 0.0
        for tank, start in enumerate(level):
            charge, drawn = self.charge[tank][step], self.discharge[tank][step] / self.out[tank]
            end = start * self.keep[tank] + self.into[tank] * charge - drawn
            if end > self.capacity[tank]:
                excess = (end - self.capacity[tank]) / self.into[tank]
                cut = max(0.0, min(excess, charge - self.bought[tank][step]))
                self.charge[tank][step] = charge - cut
                end = self.capacity[tank]  # also where more was bought: that overflows
                too_much += cut
            level[tank] = end
        if too_much > 0:
            self._give_back(step, too_much, level)
        for tank, end in enumerate(level):
            fits = (self.capacity[tank] - end) / self.into[tank]
            added = max(0.0, min(self.spare[step], fits, self.limit[tank][step] - self.charge[tank][step]))
            self.charge[tank][step] += added
            self.given[step] += added
            self.spare[step] -= added
            level[tank] = min(max(end + self.into[tank] * added, 0.0), self.capacity[tank])

    def _give_back(self, step: int, amount: float, level: list[float]) -> None:
        """Take `amount` less from sources, then from tanks, which keep it."""
        from_sources = min(amount, self.given[step])
        self.given[step] -= from_sources
        self.spare[step] += from_sources
        amount -= from_sources
        for tank, discharge in enumerate(self.discharge):
            kept = min(amount, discharge[step])
            discharge[step] -= kept
            level[tank] += kept / self.out[tank]
            amount -= kept

    def _bought(self, given: Floats) -> Floats:
        """Return the part of each charge that neither these sources nor tanks of this bus give. (tanks, steps)"""
        charges, discharges = self.flows[self.charges], self.flows[self.discharges]
        left = np.maximum(charges.sum(axis=0) - given - discharges.sum(axis=0), 0.0)
        bought = np.zeros_like(charges)
        for tank, charge in enumerate(charges):
            bought[tank] = np.minimum(charge, left)
            left = left - bought[tank]
        return bought


def _numbers(problem: Problem, storages: list[int]) -> tuple[list[float], list[float], list[float], list[float]]:
    """Return efficiencies into and out of storages, what they keep, and their capacities."""
    numbers = problem.coefficients
    rows = (numbers.charge_efficiency, numbers.discharge_efficiency, numbers.keep, numbers.capacity)
    into, out, keep, capacity = (row[storages].tolist() for row in rows)
    return into, out, keep, capacity
