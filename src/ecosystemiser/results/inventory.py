"""The components of a run as rows of a table: how large each is, what it gave, how hard it worked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosystemiser.model.components import Component
from ecosystemiser.model.kinds import Role
from ecosystemiser.results.bill import BillLine
from ecosystemiser.results.solution import SolvedSystem
from ecosystemiser.units import amount_unit

__all__ = ["ComponentFacts", "inventory_of"]

_SIZES = (
    ("capacity_kwh", "kWh"),
    ("capacity_m3", "m3"),
    ("capacity_kw", "kW"),
    ("power_kw", "kW"),
    ("area_m2", "m2"),
    ("flow_m3_per_h", "m3/h"),
    ("import_limit_kw", "kW"),
    ("limit_kw", "kW"),
)
"""Fields that tell how large a component is, the most telling one first, and their units."""

_UNITS = {"kwh": "kWh", "m3": "m3"}


@dataclass(frozen=True)
class ComponentFacts:
    """One component over a run. None: it has no such number."""

    name: str
    type: str
    role: Role
    size: float | None
    """Of all its units."""
    size_unit: str
    given: float
    """What it put onto buses: produced, bought, discharged. [amount_unit]"""
    taken: float
    """What it took from buses: used, sold, charged, converted. [amount_unit]"""
    amount_unit: str
    full_load_hours: float | None
    """Hours at full size that make the same amount; of a converter, by what it draws. [h]"""
    cycles: float | None
    """Content drawn from a storage over its capacity."""
    cost: float
    """Its lines of the bill."""


def inventory_of(solved: SolvedSystem, bill: tuple[BillLine, ...]) -> tuple[ComponentFacts, ...]:
    """Return a row for each component, in the order of the file."""
    return tuple(_facts(solved, name, bill) for name in solved.problem.layout.components)


def _facts(solved: SolvedSystem, name: str, bill: tuple[BillLine, ...]) -> ComponentFacts:
    layout, component = solved.problem.layout, solved.system.components[name]
    own = [at for at, flow in enumerate(layout.flows) if flow.component == name]
    sums = solved.tally.flow
    size, size_unit = _size(component)
    unit = _UNITS[amount_unit(layout.carrier(own[-1]))] if own else ""
    same = [at for at in own if _UNITS[amount_unit(layout.carrier(at))] == unit]
    given = float(sum(sums[at] for at in same if layout.flows[at].sign > 0))
    taken = float(sum(sums[at] for at in same if layout.flows[at].sign < 0))
    roles = [layout.flows[at].role for at in own]
    return ComponentFacts(
        name=name,
        type=component.type,
        role=roles[0] if roles else Role.CONVERTED,
        size=size,
        size_unit=size_unit,
        given=given,
        taken=taken,
        amount_unit=unit,
        full_load_hours=_full_load_hours(solved, own, size, size_unit),
        cycles=_cycles(solved, name),
        cost=sum((line.amount for line in bill if line.component == name), 0.0),
    )


def _size(component: Component) -> tuple[float | None, str]:
    for field, unit in _SIZES:
        value = getattr(component, field, None)
        if isinstance(value, int | float) and np.isfinite(value):
            return float(value) * component.count, unit
    return None, ""


def _full_load_hours(solved: SolvedSystem, own: list[int], size: float | None, unit: str) -> float | None:
    """Return the amount of its first flow over its size; a converter's size is the limit of what it draws."""
    layout = solved.problem.layout
    if not own or layout.flows[own[0]].role in (Role.STORED, Role.USED):
        return None
    rate = size if size and unit in ("kW", "m3/h") else None
    if own[0] in layout.inputs:
        limit = float(solved.problem.coefficients.limit[own[0]]) / solved.problem.step_h
        rate = limit if np.isfinite(limit) else None
    return float(solved.tally.flow[own[0]]) / rate if rate else None


def _cycles(solved: SolvedSystem, name: str) -> float | None:
    layout, numbers = solved.problem.layout, solved.problem.coefficients
    if name not in layout.storage_names:
        return None
    at = layout.storage_names.index(name)
    capacity = float(numbers.capacity[at])
    drawn = float(solved.tally.flow[layout.discharges[at]]) / float(numbers.discharge_efficiency[at])
    return drawn / capacity if capacity else None
