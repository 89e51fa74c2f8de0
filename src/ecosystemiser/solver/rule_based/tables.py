"""What the compiled kernel reads: the merit order, the layout and the numbers as plain arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Coefficients, Ints, Problem
from ecosystemiser.results.tally import weighted_pairs
from ecosystemiser.solver.rule_based.merit_order import MeritOrder
from ecosystemiser.solver.rule_based.nodes import Nodes, nodes_of

__all__ = ["Numbers", "Plan", "numbers_of", "plan_of"]


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
    output_flow: Ints
    output_input: Ints
    """Input flow of the converter of each output."""
    ratio_signal: Ints
    charges: Ints
    discharges: Ints
    sinks: Ints
    pair_flow: Ints
    pair_signal: Ints
    peak_flow: Ints
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


def plan_of(problem: Problem, order: MeritOrder) -> Plan:
    """Return the structure of `problem` under a merit order."""
    layout = problem.layout
    dependent = {*layout.outputs, *layout.charges, *layout.discharges}
    pairs = weighted_pairs(problem)
    return Plan(
        signals=np.ascontiguousarray(problem.signals.T),
        months=problem.months,
        limit_signal=problem.limit_signal,
        limited=_ints(flow for flow in range(len(layout.flows)) if flow not in dependent),
        step_supply=_ints(step.supply for step in order),
        step_use=_ints(step.use for step in order),
        step_first=_ints(np.cumsum([0, *(len(step.outputs) for step in order)])),
        step_output=_ints(output for step in order for output in step.outputs),
        output_flow=_ints(layout.outputs),
        output_input=_ints(layout.inputs[converter] for converter in layout.output_converter),
        ratio_signal=problem.ratio_signal,
        charges=_ints(layout.charges),
        discharges=_ints(layout.discharges),
        sinks=_ints(layout.sinks),
        pair_flow=_ints(flow for flow, _ in pairs),
        pair_signal=_ints(signal for _, signal in pairs),
        peak_flow=_ints([*layout.imports, *layout.exports]),
        flow_bus=layout.flow_bus,
        flow_sign=layout.flow_sign,
        buses=len(layout.buses),
        is_local=_ints(flow in layout.local_sources for flow in range(len(layout.flows))),
        nodes=nodes_of(layout),
    )


def numbers_of(coefficients: Coefficients) -> Numbers:
    """Return the numbers that dispatch needs; those of one variation become one lane."""

    def lanes(values: Floats) -> Floats:
        return np.ascontiguousarray(values if values.ndim == 2 else values[:, None])

    return Numbers(*(lanes(getattr(coefficients, name)) for name in Numbers._fields))


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)
