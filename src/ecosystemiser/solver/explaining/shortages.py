"""What is short in a system without a plan, and what makes money without end in one that has no cheapest plan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.explaining.elastic import Elastic, Helped
from ecosystemiser.solver.milp.emission import of_met_demands
from ecosystemiser.solver.milp.formulation import Formulation, formulate
from ecosystemiser.solver.milp.highs import HighsSession

__all__ = [
    "Endless",
    "Explained",
    "Limit",
    "Missed",
    "Shortage",
    "endless_gains",
    "least_emissions",
    "limits_in",
    "shortages_of",
]

NOTABLE = 1e-6
"""Share of the largest demand below which what is short is rounding."""
AT_LIMIT = 1e-6
BOX = 1e7
"""kWh or m3 a step: more than anything flows."""
MOST_RESIZED = 3
"""Flows at their limit that are tried for a size that would do."""


@dataclass(frozen=True)
class Limit:
    """A flow or a storage that gives no more."""

    component: str
    flow: str
    """`import`, `in`, `out`, `discharge`; `level`: the storage is empty."""
    amount: float
    """Its limit in the step. [kWh or m3]"""


@dataclass(frozen=True)
class Shortage:
    """A bus whose demands cannot be met."""

    bus: int
    step: int
    """Where most is short."""
    amount: float
    """What is short there. [kWh or m3]"""
    total: float
    """In all steps."""
    steps: int
    """In how many."""
    limits: tuple[Limit, ...]
    """What gives no more in that step."""
    steady: float | None = None
    """The smallest further supply in every step with which there would be a plan. [kWh or m3]"""
    resized: tuple[tuple[Limit, float], ...] = ()
    """Limits that would do by themselves, with the times of their size that they need."""


@dataclass(frozen=True)
class Missed:
    """A storage that cannot end where its rule wants it."""

    component: str
    amount: float


@dataclass(frozen=True)
class Explained:
    """All that is short."""

    shortages: tuple[Shortage, ...] = ()
    missed: tuple[Missed, ...] = field(default=())


@dataclass(frozen=True)
class Endless:
    """A way of earning money without end."""

    step: int
    flows: tuple[int, ...]
    """Flows that may become as large as one likes, in the order of the layout."""
    costs: tuple[float, ...]
    """Of each unit of each of them."""


def shortages_of(problem: Problem, *, is_brief: bool = False) -> Explained:
    """Return what a problem without a plan is short of, as far as demands, limits and end rules explain it.

    `is_brief`: without what would do. Nothing is short where only least loads, times, or a limit of CO2 stand in the
    way. Raises SolveError.
    """
    elastic = Elastic(problem)
    helped = elastic.helped()
    layout = problem.layout
    short = [bus for bus in elastic.buses if helped.short[bus].max() > NOTABLE * max(1.0, _demand(problem, bus))]
    names = layout.storage_names
    floor = NOTABLE * np.maximum(1.0, problem.coefficients.capacity)
    missed = tuple(Missed(names[at], float(d)) for at, d in enumerate(helped.drift) if d > floor[at])
    if not short:
        return Explained((), missed)
    steady = {} if is_brief else elastic.least_peak()
    return Explained(tuple(_shortage(elastic, helped, bus, steady.get(bus)) for bus in short), missed)


def _demand(problem: Problem, bus: int) -> float:
    layout = problem.layout
    demands = [problem.limits(flow).max() for flow in layout.sinks if layout.flows[flow].bus == bus]
    return float(max(demands, default=0.0))


def _shortage(elastic: Elastic, helped: Helped, bus: int, steady: float | None) -> Shortage:
    short = helped.short[bus]
    step = int(np.argmax(short))
    limits = tuple(dict.fromkeys(limits_in(elastic.problem, helped.flows, helped.levels, bus, step)))
    resized = []
    tried = [] if steady is None else _resizable(elastic.problem, limits)[:MOST_RESIZED]
    for limit, flow in tried:
        times = elastic.least_size(flow)
        if times is not None:
            resized.append((limit, times))
    where = short > NOTABLE * max(1.0, float(short.max()))
    total, count = float(short.sum()), int(where.sum())
    return Shortage(bus, step, float(short[step]), total, count, limits, steady, tuple(resized))


def limits_in(
    problem: Problem, flows: Floats, levels: Floats, bus: int, step: int, seen: frozenset[int] = frozenset()
) -> list[Limit]:
    """Return what brings no more to a bus in a step; of a converter that could do more, what its input lacks."""
    layout = problem.layout
    found: list[Limit] = []
    for at, flow in enumerate(layout.flows):
        if flow.bus != bus or flow.sign < 0:
            continue
        if at in layout.discharges:
            found += _of_storage(problem, flows, levels, layout.discharges.index(at), step)
            continue
        owner, name = at, flow.name
        if at in layout.outputs:
            owner = layout.inputs[layout.output_converter[layout.outputs.index(at)]]
            name = layout.flows[owner].name
        limit, value = float(problem.limits(owner)[step]), float(flows[owner, step])
        if value >= limit * (1 - AT_LIMIT) - AT_LIMIT:
            found.append(Limit(flow.component, name, limit))
        elif owner != at and layout.flows[owner].bus not in seen:
            found += limits_in(problem, flows, levels, layout.flows[owner].bus, step, seen | {bus})
    return found


def _of_storage(problem: Problem, flows: Floats, levels: Floats, storage: int, step: int) -> list[Limit]:
    layout, numbers = problem.layout, problem.coefficients
    name = layout.storage_names[storage]
    flow = layout.discharges[storage]
    limit, value = float(problem.limits(flow)[step]), float(flows[flow, step])
    if value >= limit * (1 - AT_LIMIT) - AT_LIMIT:
        return [Limit(name, "discharge", limit)]
    if levels[storage, step + 1] <= AT_LIMIT * max(1.0, float(numbers.capacity[storage])):
        return [Limit(name, "level", 0.0)]
    return []


def _resizable(problem: Problem, limits: tuple[Limit, ...]) -> list[tuple[Limit, int]]:
    paths = {flow.path: at for at, flow in enumerate(problem.layout.flows)}
    return [(limit, paths[f"{limit.component}.{limit.flow}"]) for limit in limits if limit.amount > 0]


def endless_gains(problem: Problem) -> Endless | None:
    """Return the first step in which money is made without end, and the flows that make it. Raises SolveError."""
    form = Formulation(problem)
    program = formulate(form, problem)
    boxed = replace(program, upper=np.minimum(program.upper, BOX), integers=program.integers[:0])
    session = HighsSession(SolverOptions(time_limit_s=20.0))
    session.load(boxed)
    columns: Floats = session.run().columns
    costs = problem.unit_costs()
    pressing = {
        flow: np.flatnonzero(columns[first : first + form.steps] > BOX / 100)
        for flow, first in form.first_column.items()
    }
    steps = [int(where[0]) for where in pressing.values() if len(where)]
    if not steps:
        return None
    step = min(steps)
    flows = tuple(flow for flow, where in pressing.items() if step in where)
    return Endless(step, flows, tuple(float(costs[flow, step]) for flow in flows))


def least_emissions(problem: Problem) -> float:
    """Return the least total_co2 of any plan, whatever it costs. Raises SolveError. [kg]"""
    free = replace(problem, coefficients=replace(problem.coefficients, co2_limit=np.array(np.inf)))
    form = Formulation(free)
    program = formulate(form, free)
    session = HighsSession(SolverOptions(time_limit_s=20.0))
    emitted = form.of_columns(free, free.emissions())
    session.load(replace(program, cost=emitted, offset=0.0, integers=program.integers[:0]))
    embodied = free.year_share * float(free.coefficients.embodied_per_year.sum())
    return session.run().objective + embodied + of_met_demands(free, free.emissions())
