"""Balances, bounds and ends of a plan, checked from a System's kinds in plain Python; shares no code with the audit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ecosystemiser.model.kinds import Converter, Exchange, Kind, Series, Sink, Source, Storage
from ecosystemiser.model.problem import EndRule
from ecosystemiser.results import SolvedSystem

TOLERANCE = 1e-6
"""Of the largest flow or capacity, as the door of the solvers promises."""


def broken_rules(solved: SolvedSystem, *, must_meet: bool = True) -> list[str]:
    """Return a sentence for everything that the plan breaks; `must_meet`: demands left short count too."""
    amounts = [abs(float(x)) for flow in solved.solution.flows for x in flow]
    capacities = [kind.capacity for kind in solved.system.kinds if isinstance(kind, Storage)]
    slack = TOLERANCE * max([1e-3, *amounts, *capacities])
    broken = [*_unbalanced(solved, slack)]
    for kind in solved.system.kinds:
        broken += _out_of_bounds(solved, kind, slack)
        if isinstance(kind, Storage):
            broken += _wrong_levels(solved, kind, slack)
            broken += _early_overflows(solved, kind, slack) if kind.overflows else []
        if isinstance(kind, Converter):
            broken += _wrong_ratios(solved, kind, slack)
        if isinstance(kind, Sink) and kind.unmet_cost is None and must_meet:
            broken += _shortages(solved, kind, slack)
    return broken


def _hours(solved: SolvedSystem, path: str) -> list[float]:
    return [float(amount) for amount in solved.flow(path)]


def _most(solved: SolvedSystem, series: Series) -> list[float]:
    return [float(most) for most in series.values(solved.system.clock.steps)]


def _flows_of(kind: Kind) -> list[tuple[str, str, int, Series | None]]:
    """Return name, bus, sign and limit of each flow of a kind."""
    match kind:
        case Source():
            return [("out", kind.bus, +1, kind.available)]
        case Exchange():
            return [("import", kind.bus, +1, kind.import_limit), ("export", kind.bus, -1, kind.export_limit)]
        case Sink():
            return [("in", kind.bus, -1, kind.demand)]
        case Storage():
            return [("charge", kind.bus, -1, kind.charge_limit), ("discharge", kind.bus, +1, kind.discharge_limit)]
    return [("in", kind.bus, -1, kind.limit), ("out", kind.outputs[0].bus, +1, None)]


def _unbalanced(solved: SolvedSystem, slack: float) -> Iterator[str]:
    for bus in solved.system.buses:
        for hour in range(solved.system.clock.steps):
            balance = sum(
                sign * float(solved.flow(f"{kind.name}.{name}")[hour])
                for kind in solved.system.kinds
                for name, at, sign, _ in _flows_of(kind)
                if at == bus
            )
            if not abs(balance) <= slack:
                yield f"{bus} is out of balance by {balance} in step {hour}"


def _out_of_bounds(solved: SolvedSystem, kind: Kind, slack: float) -> Iterator[str]:
    for name, _, _, limit in _flows_of(kind):
        path = f"{kind.name}.{name}"
        limits = _most(solved, limit) if limit is not None else [float("inf")] * solved.system.clock.steps
        for hour, (amount, most) in enumerate(zip(_hours(solved, path), limits, strict=True)):
            if not -slack <= amount <= most + slack:
                yield f"{path} is {amount} in step {hour}, beyond 0 to {most}"


def _wrong_levels(solved: SolvedSystem, kind: Storage, slack: float) -> Iterator[str]:
    levels = [float(level) for level in solved.level(kind.name)]
    charge, discharge = _hours(solved, f"{kind.name}.charge"), _hours(solved, f"{kind.name}.discharge")
    for hour, (before, after) in enumerate(pairwise(levels)):
        lost = before * kind.loss
        gained = charge[hour] * kind.charge_efficiency - discharge[hour] / kind.discharge_efficiency
        spilled = before - lost + gained - after
        is_given_end = hour == len(charge) - 1 and solved.problem.end in (EndRule.CYCLIC, EndRule.FIXED)
        may_spill = kind.overflows and (is_given_end or after >= kind.capacity - slack)
        if not (-slack <= spilled if may_spill else abs(spilled) <= slack):
            yield f"{kind.name} goes from {before} to {after} in step {hour}, not by {gained - lost}"
    if not all(-slack <= level <= kind.capacity + slack for level in levels):
        yield f"{kind.name} has levels beyond 0 to {kind.capacity}: {levels}"
    initial = kind.initial_level * kind.capacity
    begin, end = {
        EndRule.SHORTFALL: (initial, None),
        EndRule.FREE: (initial, None),
        EndRule.FIXED: (initial, initial),
        EndRule.CYCLIC: (None, levels[0]),
    }[solved.problem.end]
    if begin is not None and not abs(levels[0] - begin) <= slack:
        yield f"{kind.name} begins at {levels[0]}, not at {begin}"
    if end is not None and not abs(levels[-1] - end) <= slack:
        yield f"{kind.name} ends at {levels[-1]}, not at {end}"


def _early_overflows(solved: SolvedSystem, kind: Storage, slack: float) -> Iterator[str]:
    """Say where rain that costs nothing to catch passes a tank with room; the last step may, where the end is given."""
    co2_price = solved.system.economics.co2_price_per_kg
    offered = [0.0] * solved.system.clock.steps
    for source in solved.system.kinds:
        if not isinstance(source, Source) or source.bus != kind.bus or source.is_bought:
            continue
        costs = [source.cost, source.variable_cost, source.co2_kg.times(co2_price)]
        if any(amount > 0 for cost in costs for amount in _most(solved, cost)):
            continue
        hours = zip(_most(solved, source.available), _hours(solved, f"{source.name}.out"), strict=True)
        offered = [left + most - taken for left, (most, taken) in zip(offered, hours, strict=True)]
    if solved.problem.end in (EndRule.CYCLIC, EndRule.FIXED):
        offered[-1] = 0.0
    for hour, (left, level) in enumerate(zip(offered, solved.level(kind.name)[1:], strict=True)):
        if left > slack and kind.capacity - float(level) > slack:
            yield f"{left} overflow past {kind.name} in step {hour}, which holds {level} of {kind.capacity}"


def _wrong_ratios(solved: SolvedSystem, kind: Converter, slack: float) -> Iterator[str]:
    ratios = kind.outputs[0].ratio.values(solved.system.clock.steps)
    hours = zip(_hours(solved, f"{kind.name}.in"), _hours(solved, f"{kind.name}.out"), ratios, strict=True)
    for hour, (drawn, given, ratio) in enumerate(hours):
        if not abs(given - drawn * float(ratio)) <= slack:
            yield f"{kind.name} makes {given} of {drawn} in step {hour}, not {ratio} times as much"


def _shortages(solved: SolvedSystem, kind: Sink, slack: float) -> Iterator[str]:
    hours = zip(_most(solved, kind.demand), _hours(solved, f"{kind.name}.in"), strict=True)
    for hour, (demand, received) in enumerate(hours):
        if not received >= demand - slack:
            yield f"{kind.name} receives {received} of {demand} in step {hour}"
