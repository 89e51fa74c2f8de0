"""What the compiled kernel reads: the merit order, the layout and the numbers as plain arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.kinds import Floats, MeterKind
from ecosystemiser.model.problem import Ints, Layout, Problem
from ecosystemiser.results.tally import own_priced, weighted_pairs
from ecosystemiser.solver.rule_based.merit_order import MeritOrder, Step
from ecosystemiser.solver.rule_based.nodes import Nodes, nodes_of
from ecosystemiser.solver.rule_based.strategies import ALWAYS, Hours, is_cheap
from ecosystemiser.units import Carrier

__all__ = ["Numbers", "Plan", "numbers_of", "plan_of"]

GATHERING = (MeterKind.PEAK, MeterKind.SUM, MeterKind.NET)
"""Meters of which a batch keeps what they gather, step by step."""


class Plan(NamedTuple):
    """The structure, shared by all lanes. Lists of lists are one array and the position where each begins."""

    signals: Floats
    """(steps, signals)"""
    months: Ints
    limit_signal: Ints
    limited: Ints
    """Flows whose limit is a scaled signal: all but converters' outputs and storages'."""
    step_supply: Ints
    step_use: Ints
    step_first: Ints
    """Where the outputs of step i begin in `step_output`; one more than steps."""
    step_output: Ints
    is_conditional: bool
    """Whether any step has a condition."""
    step_kind: Ints
    """0: without a condition."""
    step_when: Ints
    """Row of `when` that says in which steps it holds; -1: in all."""
    step_capped: Ints
    """1: only until its supply has brought `Numbers.cap`."""
    step_drawn: Ints
    """Input of the converter that must run for it to hold; -1: none."""
    step_fill: Floats
    """To what share of its capacity it fills a storage."""
    step_storage: Ints
    """The storage that it charges; -1: none."""
    when: Floats
    """(rows, steps), 1 where it holds."""
    output_flow: Ints
    output_input: Ints
    """Input flow of the converter of each output."""
    ratio_signal: Ints
    charges: Ints
    discharges: Ints
    sinks: Ints
    pair_flow: Ints
    pair_signal: Ints
    own_flow: Ints
    """Flows of cost terms whose signal each lane has its own of."""
    peak_flow: Ints
    meter_bought: Ints
    """Flow of each meter that gathers amounts."""
    meter_sold: Ints
    """The flow that it subtracts; -1: none."""
    meter_is_peak: Ints
    meter_signal: Ints
    meter_first: Ints
    """Its first row among the groups of all meters."""
    meter_groups: int
    """Groups of all meters."""
    flow_bus: Ints
    flow_sign: Ints
    buses: int
    is_local: Ints
    """1 for each source that counts as local. (flows,)"""
    nodes: Nodes


class Numbers(NamedTuple):
    """The numbers of lanes side by side: (n, lanes)."""

    limit: Floats
    ratio: Floats
    capacity: Floats
    charge_efficiency: Floats
    discharge_efficiency: Floats
    keep: Floats
    initial_level: Floats
    renewable: Floats
    own_signal: Ints
    """Signals of the cost terms of `Plan.own_flow`."""
    cap: Floats
    """Most that a capped step lets its supply bring in a step. (1, lanes)"""


def plan_of(problem: Problem, order: MeritOrder, options: SolverOptions, lane: int = 0) -> Plan:
    """Return the structure of `problem` under a merit order; `lane`: one whose prices say which hours are cheap."""
    layout = problem.layout
    when, step_when = _hours(problem, order, lane)
    conditions = [step.condition for step in order]
    dependent = {*layout.outputs, *layout.charges, *layout.discharges}
    pairs = weighted_pairs(problem)
    meters = [at for at, meter in enumerate(layout.meters) if meter.kind in GATHERING]
    rows = [layout.meters[at] for at in meters]
    return Plan(
        signals=np.ascontiguousarray(problem.signals.T),
        months=problem.months,
        limit_signal=problem.limit_signal,
        limited=_ints(flow for flow in range(len(layout.flows)) if flow not in dependent),
        step_supply=_ints(step.supply for step in order),
        step_use=_ints(step.use for step in order),
        step_first=_ints(np.cumsum([0, *(len(step.outputs) for step in order)])),
        step_output=_ints(output for step in order for output in step.outputs),
        is_conditional=any(condition != ALWAYS for condition in conditions),
        step_kind=_ints(condition != ALWAYS for condition in conditions),
        step_when=step_when,
        step_capped=_ints(condition.is_capped for condition in conditions),
        step_drawn=_ints(_first_drawn(layout, step) if step.condition.while_running else -1 for step in order),
        step_fill=np.array([options.charge_setpoint if one.to_setpoint else 1.0 for one in conditions]),
        step_storage=_ints(layout.charges.index(step.use) if step.use in layout.charges else -1 for step in order),
        when=when,
        output_flow=_ints(layout.outputs),
        output_input=_ints(layout.inputs[converter] for converter in layout.output_converter),
        ratio_signal=problem.ratio_signal,
        charges=_ints(layout.charges),
        discharges=_ints(layout.discharges),
        sinks=_ints(layout.sinks),
        pair_flow=_ints(flow for flow, _ in pairs),
        pair_signal=_ints(signal for _, signal in pairs),
        own_flow=_ints(layout.costs.flow[term] for term in own_priced(problem)),
        peak_flow=_ints([*layout.imports, *layout.exports]),
        meter_bought=_ints(layout.imports[row.exchange] for row in rows),
        meter_sold=_ints(layout.exports[row.exchange] if row.kind is MeterKind.NET else -1 for row in rows),
        meter_is_peak=_ints(row.kind is MeterKind.PEAK for row in rows),
        meter_signal=problem.meter_signal[meters],
        meter_first=_ints(layout.meter_groups[at].start for at in meters),
        meter_groups=sum(meter.groups for meter in layout.meters),
        flow_bus=layout.flow_bus,
        flow_sign=layout.flow_sign,
        buses=len(layout.buses),
        is_local=_ints(flow in layout.local_sources for flow in range(len(layout.flows))),
        nodes=nodes_of(layout),
    )


def _hours(problem: Problem, order: MeritOrder, lane: int) -> tuple[Floats, Ints]:
    """Return the hours in which steps hold that do not always, and the row of each step among them, or -1."""
    layout = problem.layout
    rows: list[Floats] = []
    known: dict[tuple[Hours, int | None], int] = {}
    found = []
    for step in order:
        hours = step.condition.hours
        if hours is Hours.ALWAYS:
            found.append(-1)
            continue
        # a storage looks at the first grid of electricity, a purchase at its own price
        grid = step.supply if step.supply in layout.imports else _first_grid(layout)
        if (hours, grid) not in known:
            cheap = np.zeros(problem.steps) if grid is None else is_cheap(problem, grid, lane)
            known[hours, grid] = len(rows)
            rows.append(cheap if hours is Hours.CHEAP else 1.0 - cheap)
        found.append(known[hours, grid])
    return np.array(rows).reshape(len(rows), problem.steps), _ints(found)


def _first_drawn(layout: Layout, step: Step) -> int:
    """Return the input of the first converter on the way of a step."""
    return layout.inputs[layout.output_converter[step.outputs[0]]]


def _first_grid(layout: Layout) -> int | None:
    grids = [flow for flow in layout.imports if layout.carrier(flow) is Carrier.ELECTRICITY]
    return grids[0] if grids else None


def numbers_of(problem: Problem, options: SolverOptions) -> Numbers:
    """Return the numbers that dispatch needs; those of one variation become one lane."""
    numbers = problem.coefficients

    def lanes(values: Floats) -> Floats:
        return np.ascontiguousarray(values if values.ndim == 2 else values[:, None])

    own = own_priced(problem)
    batch = 1 if numbers.limit.ndim == 1 else numbers.limit.shape[1]
    return Numbers(
        limit=lanes(numbers.limit),
        ratio=lanes(numbers.ratio),
        capacity=lanes(numbers.capacity),
        charge_efficiency=lanes(numbers.charge_efficiency),
        discharge_efficiency=lanes(numbers.discharge_efficiency),
        keep=lanes(numbers.keep),
        initial_level=lanes(numbers.initial_level),
        renewable=lanes(numbers.renewable),
        own_signal=problem.cost_signal[own] if own else np.zeros((0, batch), dtype=np.int64),
        cap=np.full((1, batch), np.inf if options.peak_kw is None else options.peak_kw * problem.step_h),
    )


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)
