"""The compiled dispatch: one kernel for every system, lanes (variations) side by side along the last axis.

A step of the merit order moves the smallest of what the supply has left, what each converter on the way has left, and
what the use still takes. Flows are accumulated as moved, never as "limit minus what is left", which loses digits.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.solver.rule_based.tables import Numbers, Plan

__all__ = ["Sums", "dispatch_hours", "dispatch_sums", "empty_sums"]

if not numba.config.CACHE_DIR:
    _CACHE = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    numba.config.CACHE_DIR = str(Path(_CACHE) / "ecosystemiser" / "numba")  # a read-only install still caches

NEGLIGIBLE = 1e-9
"""As in the tally: the share of a demand below which what is missing is rounding."""
EMPTY = 1e-12
"""As in tracing: the share of a capacity below which a content has no origin of its own."""

compiled = numba.njit(cache=True, error_model="numpy", nogil=True)
inlined = numba.njit(cache=True, error_model="numpy", nogil=True, inline="always")


class Sums(NamedTuple):
    """What a batch keeps of its hours; the fields of a Tally, (n, lanes)."""

    flow: Floats
    weighted: Floats
    month_peak: Floats
    """(rows, months, lanes)"""
    unmet: Floats
    level_sum: Floats
    level_last: Floats
    local_use: Floats
    """(1, lanes)"""
    renewable_delivered: Floats
    """(1, lanes)"""
    residual: Floats


def empty_sums(plan: Plan, lanes: int) -> Sums:
    """Return sums of no hours."""

    def zeros(*shape: int) -> Floats:
        return np.zeros((*shape, lanes))

    flows, storages = len(plan.limit_signal), len(plan.charges)
    return Sums(
        flow=zeros(flows),
        weighted=zeros(len(plan.pair_flow)),
        month_peak=zeros(len(plan.peak_flow), int(plan.months[-1]) + 1),
        unmet=zeros(len(plan.sinks)),
        level_sum=zeros(storages),
        level_last=zeros(storages),
        local_use=zeros(1),
        renewable_delivered=zeros(1),
        residual=zeros(plan.buses),
    )


@compiled
def dispatch_hours(plan: Plan, numbers: Numbers, flows: Floats, levels: Floats) -> None:
    """Dispatch one lane and keep its hours: `flows` (flows, steps), `levels` (storages, steps + 1)."""
    left, moved = np.zeros((flows.shape[0], 1)), np.zeros((flows.shape[0], 1))
    ratio, level = np.zeros((len(plan.output_flow), 1)), numbers.initial_level.copy()
    there = np.zeros_like(level)
    levels[:, 0] = level[:, 0]
    for step in range(flows.shape[1]):
        _open_step(plan, numbers, step, level, there, left, moved, ratio)
        _move(plan, left, moved, ratio)
        _close_step(plan, numbers, there, level, moved)
        flows[:, step] = moved[:, 0]
        levels[:, step + 1] = level[:, 0]


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
        _open_step(plan, numbers, step, level, there, left, moved, ratio)
        _move(plan, left, moved, ratio)
        _close_step(plan, numbers, there, level, moved)
        _add_up(plan, numbers, step, left, moved, level, sums, work)
        _trace(plan, numbers, moved, share, use, charge, work, sums)
        _carry_origin(plan, numbers, moved, there, share, charge)
    sums.level_last[:] = level


@inlined
def _open_step(plan, numbers, step, level, there, left, moved, ratio):  # type: ignore[no-untyped-def]
    """Set what every flow has left, from limits and levels."""
    lanes = level.shape[1] if level.shape[0] else left.shape[1]
    for flow in plan.limited:
        signal = plan.signals[step, plan.limit_signal[flow]]
        for lane in range(lanes):
            left[flow, lane] = numbers.limit[flow, lane] * signal
    for storage in range(len(plan.charges)):
        charge, discharge = plan.charges[storage], plan.discharges[storage]
        for lane in range(lanes):
            content = level[storage, lane] * numbers.keep[storage, lane]
            there[storage, lane] = content
            most = content * numbers.discharge_efficiency[storage, lane]
            limit = numbers.limit[discharge, lane]
            left[discharge, lane] = most if most < limit else limit
            room = (numbers.capacity[storage, lane] - content) / numbers.charge_efficiency[storage, lane]
            limit = numbers.limit[charge, lane]
            left[charge, lane] = room if room < limit else limit
    for output in range(len(plan.output_flow)):
        signal = plan.signals[step, plan.ratio_signal[output]]
        for lane in range(lanes):
            ratio[output, lane] = numbers.ratio[output, lane] * signal
    moved[:] = 0.0


@inlined
def _move(plan, left, moved, ratio):  # type: ignore[no-untyped-def]
    """Walk down the merit order."""
    lanes = left.shape[1]
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
                _move_along(plan, lane, supply, use, plan.step_output[first:last], left, moved, ratio)


@compiled
def _move_along(plan, lane, supply, use, outputs, left, moved, ratio):  # type: ignore[no-untyped-def]
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
def _close_step(plan, numbers, there, level, moved):  # type: ignore[no-untyped-def]
    """Set the levels at the step's end."""
    for storage in range(len(plan.charges)):
        charge, discharge = plan.charges[storage], plan.discharges[storage]
        for lane in range(level.shape[1]):
            content = there[storage, lane] + numbers.charge_efficiency[storage, lane] * moved[charge, lane]
            content -= moved[discharge, lane] / numbers.discharge_efficiency[storage, lane]
            capacity = numbers.capacity[storage, lane]
            content = content if content < capacity else capacity
            level[storage, lane] = content if content > 0.0 else 0.0


@inlined
def _add_up(plan, numbers, step, left, moved, level, sums, work):  # type: ignore[no-untyped-def]
    """Add the step to the sums."""
    lanes = moved.shape[1]
    for flow in range(moved.shape[0]):
        for lane in range(lanes):
            sums.flow[flow, lane] += moved[flow, lane]
    for pair in range(len(plan.pair_flow)):
        flow, signal = plan.pair_flow[pair], plan.signals[step, plan.pair_signal[pair]]
        for lane in range(lanes):
            sums.weighted[pair, lane] += moved[flow, lane] * signal
    month = plan.months[step]
    for row in range(len(plan.peak_flow)):
        flow = plan.peak_flow[row]
        for lane in range(lanes):
            amount, peak = moved[flow, lane], sums.month_peak[row, month, lane]
            sums.month_peak[row, month, lane] = amount if amount > peak else peak
    for sink in range(len(plan.sinks)):
        flow = plan.sinks[sink]
        signal = plan.signals[step, plan.limit_signal[flow]]
        for lane in range(lanes):
            missing = left[flow, lane]
            sums.unmet[sink, lane] += missing if missing > NEGLIGIBLE * numbers.limit[flow, lane] * signal else 0.0
    for storage in range(level.shape[0]):
        for lane in range(lanes):
            sums.level_sum[storage, lane] += level[storage, lane]
    balance = work[0]
    for bus in range(plan.buses):
        balance[:] = 0.0
        for flow in range(moved.shape[0]):
            if plan.flow_bus[flow] == bus:
                sign = plan.flow_sign[flow]
                for lane in range(lanes):
                    balance[lane] += sign * moved[flow, lane]
        for lane in range(lanes):
            size, largest = abs(balance[lane]), sums.residual[bus, lane]
            sums.residual[bus, lane] = size if size > largest else largest


@inlined
def _trace(plan, numbers, moved, share, use, charge, work, sums):  # type: ignore[no-untyped-def]
    """Follow origins through the nodes of the step: 0 local, 1 renewable; `tracing` states the rule."""
    nodes, lanes = plan.nodes, moved.shape[1]
    for place in range(len(nodes.order)):
        node = nodes.order[place]
        made, made_green = work[1], work[2]
        pool, pool_local, pool_green = work[3], work[4], work[5]
        work[1:6] = 0.0
        for at in range(nodes.source_first[place], nodes.source_first[place + 1]):
            flow = nodes.source_flow[at]
            for lane in range(lanes):
                made[lane] += moved[flow, lane]
                made_green[lane] += moved[flow, lane] * numbers.renewable[flow, lane]
        for at in range(nodes.converted_first[place], nodes.converted_first[place + 1]):
            flow, origin = nodes.converted_flow[at], nodes.converted_from[at]
            for lane in range(lanes):
                made[lane] += moved[flow, lane]
                made_green[lane] += moved[flow, lane] * use[1, origin, lane]
        for at in range(nodes.import_first[place], nodes.import_first[place + 1]):
            flow = nodes.import_flow[at]
            for lane in range(lanes):
                pool[lane] += moved[flow, lane]
                pool_green[lane] += moved[flow, lane] * numbers.renewable[flow, lane]
        for at in range(nodes.stored_first[place], nodes.stored_first[place + 1]):
            storage = nodes.stored[at]
            flow = plan.discharges[storage]
            for lane in range(lanes):
                pool[lane] += moved[flow, lane]
                pool_local[lane] += moved[flow, lane] * share[0, storage, lane]
                pool_green[lane] += moved[flow, lane] * share[1, storage, lane]
        if node == 0:
            _mix_electricity(plan, place, moved, use, charge, work, sums)
        else:
            for lane in range(lanes):
                total = made[lane] + pool[lane]
                mixed = (made_green[lane] + pool_green[lane]) / total if total > 0.0 else 0.0
                use[1, node, lane] = mixed
                charge[1, node, lane] = mixed
        for at in range(nodes.delivered_first[place], nodes.delivered_first[place + 1]):
            flow = nodes.delivered_flow[at]
            for lane in range(lanes):
                sums.renewable_delivered[0, lane] += moved[flow, lane] * use[1, node, lane]


@inlined
def _mix_electricity(plan, place, moved, use, charge, work, sums):  # type: ignore[no-untyped-def]
    """Generation serves use first, then charging; the pool of imports and discharges serves the rest."""
    nodes, lanes = plan.nodes, moved.shape[1]
    made, made_green, pool, pool_local, pool_green = work[1], work[2], work[3], work[4], work[5]
    used, charged = work[6], work[7]
    work[6:8] = 0.0
    for at in range(nodes.used_first[place], nodes.used_first[place + 1]):
        flow = nodes.used_flow[at]
        for lane in range(lanes):
            used[lane] += moved[flow, lane]
    for at in range(nodes.stored_first[place], nodes.stored_first[place + 1]):
        flow = plan.charges[nodes.stored[at]]
        for lane in range(lanes):
            charged[lane] += moved[flow, lane]
    for lane in range(lanes):
        green = made_green[lane] / made[lane] if made[lane] > 0.0 else 0.0
        local_rest = pool_local[lane] / pool[lane] if pool[lane] > 0.0 else 0.0
        green_rest = pool_green[lane] / pool[lane] if pool[lane] > 0.0 else 0.0
        direct = made[lane] if made[lane] < used[lane] else used[lane]
        left = made[lane] - direct
        part = direct / used[lane] if used[lane] > 0.0 else 0.0
        local = part + (1.0 - part) * local_rest
        use[1, 0, lane] = part * green + (1.0 - part) * green_rest
        sums.local_use[0, lane] += used[lane] * local
        into = left if left < charged[lane] else charged[lane]
        part = into / charged[lane] if charged[lane] > 0.0 else 0.0
        charge[0, 0, lane] = part + (1.0 - part) * local_rest
        charge[1, 0, lane] = part * green + (1.0 - part) * green_rest


@inlined
def _carry_origin(plan, numbers, moved, there, share, charge):  # type: ignore[no-untyped-def]
    """Mix what was charged into what stays in each storage."""
    nodes, lanes = plan.nodes, moved.shape[1]
    for place in range(len(nodes.order)):
        node = nodes.order[place]
        for at in range(nodes.stored_first[place], nodes.stored_first[place + 1]):
            storage = nodes.stored[at]
            into, out = plan.charges[storage], plan.discharges[storage]
            for lane in range(lanes):
                added = moved[into, lane] * numbers.charge_efficiency[storage, lane]
                stays = there[storage, lane] - moved[out, lane] / numbers.discharge_efficiency[storage, lane]
                stays = stays if stays > 0.0 else 0.0
                total = stays + added
                arrived = added / total if total > EMPTY * numbers.capacity[storage, lane] else 0.0
                share[0, storage, lane] += arrived * (charge[0, node, lane] - share[0, storage, lane])
                share[1, storage, lane] += arrived * (charge[1, node, lane] - share[1, storage, lane])
