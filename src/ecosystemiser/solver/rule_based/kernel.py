"""The compiled dispatch: one kernel for every system, lanes (variations) side by side along the last axis.

A step of the merit order moves the smallest of what the supply has left, what each converter on the way has left, and
what the use still takes. Flows are accumulated as moved, never as "limit minus what is left", which loses digits.
Conditional expressions stand where `min` would: they compile to one instruction a lane.
"""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.solver.rule_based.compiled import compiled, inlined
from ecosystemiser.solver.rule_based.origin import carry_origin, trace_origin
from ecosystemiser.solver.rule_based.sums import Sums, add_amounts, add_metered, add_peaks, add_residuals, add_shortages
from ecosystemiser.solver.rule_based.tables import Numbers, Plan

__all__ = ["close_step", "dispatch_hours", "dispatch_sums", "move_along", "open_step"]


@compiled
def dispatch_hours(plan: Plan, numbers: Numbers, flows: Floats, levels: Floats) -> None:
    """Dispatch one lane and keep its hours: `flows` (flows, steps), `levels` (storages, steps + 1)."""
    left, moved = np.zeros((flows.shape[0], 1)), np.zeros((flows.shape[0], 1))
    ratio, level = np.zeros((len(plan.output_flow), 1)), numbers.initial_level.copy()
    there = np.zeros_like(level)
    levels[:, 0] = level[:, 0]
    for step in range(flows.shape[1]):
        open_step(plan, numbers, step, level, there, left, moved, ratio, 1)
        _move(plan, left, moved, ratio, 1)
        close_step(plan, numbers, there, level, moved, 1)
        for flow in range(flows.shape[0]):
            flows[flow, step] = moved[flow, 0]
        for storage in range(levels.shape[0]):
            levels[storage, step + 1] = level[storage, 0]


@compiled
def dispatch_sums(plan: Plan, numbers: Numbers, sums: Sums) -> None:
    """Dispatch all lanes and add up their hours in `sums`."""
    count, lanes = len(plan.limit_signal), numbers.limit.shape[1]
    left, moved = np.zeros((count, lanes)), np.zeros((count, lanes))
    ratio, level = np.zeros((len(plan.output_flow), lanes)), numbers.initial_level.copy()
    there = np.zeros_like(level)
    share = np.zeros((2, level.shape[0], lanes))
    use, charge = np.zeros((2, plan.buses + 1, lanes)), np.zeros((2, plan.buses + 1, lanes))
    work = np.zeros((8, lanes))
    for step in range(plan.signals.shape[0]):
        open_step(plan, numbers, step, level, there, left, moved, ratio, lanes)
        _move(plan, left, moved, ratio, lanes)
        close_step(plan, numbers, there, level, moved, lanes)
        add_amounts(plan, numbers, step, moved, level, sums)
        add_peaks(plan, step, moved, sums)
        add_metered(plan, step, moved, sums)
        add_shortages(plan, numbers, step, left, sums)
        add_residuals(plan, moved, sums, work)
        trace_origin(plan, numbers, moved, share, use, charge, work, sums)
        carry_origin(plan, numbers, moved, there, share, charge)
    sums.level_last[:] = level


@inlined
def open_step(plan, numbers, step, level, there, left, moved, ratio, lanes):  # type: ignore[no-untyped-def]
    """Set what every flow has left, from limits and levels."""
    for flow in plan.limited:
        signal = plan.signals[step, plan.limit_signal[flow]]
        for lane in range(lanes):
            left[flow, lane] = numbers.limit[flow, lane] * signal
    for storage in range(len(plan.charges)):
        charge, discharge = plan.charges[storage], plan.discharges[storage]
        into = plan.signals[step, plan.limit_signal[charge]]
        out = plan.signals[step, plan.limit_signal[discharge]]
        for lane in range(lanes):
            content = level[storage, lane] * numbers.keep[storage, lane]
            there[storage, lane] = content
            most = content * numbers.discharge_efficiency[storage, lane]
            limit = numbers.limit[discharge, lane] * out
            left[discharge, lane] = most if most < limit else limit
            room = (numbers.capacity[storage, lane] - content) / numbers.charge_efficiency[storage, lane]
            limit = numbers.limit[charge, lane] * into
            left[charge, lane] = room if room < limit else limit
    for output in range(len(plan.output_flow)):
        signal = plan.signals[step, plan.ratio_signal[output]]
        for lane in range(lanes):
            ratio[output, lane] = numbers.ratio[output, lane] * signal
    for flow in range(moved.shape[0]):
        for lane in range(lanes):
            moved[flow, lane] = 0.0


@inlined
def _move(plan, left, moved, ratio, lanes):  # type: ignore[no-untyped-def]
    """Walk down the merit order."""
    for at in range(len(plan.step_supply)):
        supply, use = plan.step_supply[at], plan.step_use[at]
        first, last = plan.step_first[at], plan.step_first[at + 1]
        if first == last:
            for lane in range(lanes):
                a, b = left[supply, lane], left[use, lane]
                amount = a if a < b else b
                left[supply, lane] = a - amount
                left[use, lane] = b - amount
                moved[supply, lane] += amount
                moved[use, lane] += amount
        elif last == first + 1:
            output = plan.step_output[first]
            drawn, given = plan.output_input[output], plan.output_flow[output]
            for lane in range(lanes):
                per_unit = ratio[output, lane]
                a, b, c = left[supply, lane], left[use, lane], left[drawn, lane]
                amount = a if a < c else c
                delivered = amount * per_unit
                if delivered > b:
                    delivered = b
                    amount = b / per_unit
                left[supply, lane] = a - amount
                left[drawn, lane] = c - amount
                left[use, lane] = b - delivered
                moved[supply, lane] += amount
                moved[drawn, lane] += amount
                moved[given, lane] += delivered
                moved[use, lane] += delivered
        else:
            for lane in range(lanes):
                move_along(plan, lane, supply, use, plan.step_output[first:last], left, moved, ratio)


@compiled
def move_along(plan, lane, supply, use, outputs, left, moved, ratio):  # type: ignore[no-untyped-def]
    """Move one lane through a chain of several converters."""
    amount, factor = left[supply, lane], 1.0
    for output in outputs:
        amount = min(amount, left[plan.output_input[output], lane] / factor)
        factor *= ratio[output, lane]
    amount = max(0.0, min(amount, left[use, lane] / factor))
    left[supply, lane] -= amount
    moved[supply, lane] += amount
    for output in outputs:
        drawn = plan.output_input[output]
        left[drawn, lane] -= amount
        moved[drawn, lane] += amount
        amount *= ratio[output, lane]
        moved[plan.output_flow[output], lane] += amount
    left[use, lane] -= amount
    moved[use, lane] += amount


@inlined
def close_step(plan, numbers, there, level, moved, lanes):  # type: ignore[no-untyped-def]
    """Set the levels at the step's end."""
    for storage in range(len(plan.charges)):
        charge, discharge = plan.charges[storage], plan.discharges[storage]
        for lane in range(lanes):
            content = there[storage, lane] + numbers.charge_efficiency[storage, lane] * moved[charge, lane]
            content -= moved[discharge, lane] / numbers.discharge_efficiency[storage, lane]
            capacity = numbers.capacity[storage, lane]
            content = content if content < capacity else capacity
            level[storage, lane] = content if content > 0.0 else 0.0
