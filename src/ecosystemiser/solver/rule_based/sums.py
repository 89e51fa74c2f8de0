"""What a batch keeps of its hours, added up step by step in compiled code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.solver.rule_based.compiled import inlined
from ecosystemiser.solver.rule_based.tables import Plan

__all__ = ["Sums", "add_amounts", "add_metered", "add_peaks", "add_residuals", "add_shortages", "empty_sums"]

NEGLIGIBLE = 1e-9
"""As in the tally: the share of a demand below which what is missing is rounding."""


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
    local_water: Floats
    """(1, lanes)"""
    rain_delivered: Floats
    """(1, lanes)"""
    residual: Floats
    metered: Floats
    """(groups of all meters, lanes)"""


def empty_sums(plan: Plan, lanes: int) -> Sums:
    """Return sums of no hours."""

    def zeros(*shape: int) -> Floats:
        return np.zeros((*shape, lanes))

    flows, storages = len(plan.limit_signal), len(plan.charges)
    return Sums(
        flow=zeros(flows),
        weighted=zeros(len(plan.pair_flow) + len(plan.own_flow)),
        month_peak=zeros(len(plan.peak_flow), int(plan.months[-1]) + 1),
        unmet=zeros(len(plan.sinks)),
        level_sum=zeros(storages),
        level_last=zeros(storages),
        local_use=zeros(1),
        renewable_delivered=zeros(1),
        local_water=zeros(1),
        rain_delivered=zeros(1),
        residual=zeros(plan.buses),
        metered=zeros(plan.meter_groups),
    )


@inlined
def add_amounts(plan, numbers, step, moved, level, sums):  # type: ignore[no-untyped-def]
    """Add flows, priced flows and levels."""
    lanes = moved.shape[1]
    for flow in range(moved.shape[0]):
        for lane in range(lanes):
            sums.flow[flow, lane] += moved[flow, lane]
    for pair in range(len(plan.pair_flow)):
        flow, signal = plan.pair_flow[pair], plan.signals[step, plan.pair_signal[pair]]
        for lane in range(lanes):
            sums.weighted[pair, lane] += moved[flow, lane] * signal
    common = len(plan.pair_flow)
    for term in range(len(plan.own_flow)):
        flow = plan.own_flow[term]
        for lane in range(lanes):
            price = plan.signals[step, numbers.own_signal[term, lane]]
            sums.weighted[common + term, lane] += moved[flow, lane] * price
    for storage in range(level.shape[0]):
        for lane in range(lanes):
            sums.level_sum[storage, lane] += level[storage, lane]


@inlined
def add_peaks(plan, step, moved, sums):  # type: ignore[no-untyped-def]
    """Keep the largest import and export of the month."""
    month = plan.months[step]
    for row in range(len(plan.peak_flow)):
        flow = plan.peak_flow[row]
        for lane in range(moved.shape[1]):
            amount, peak = moved[flow, lane], sums.month_peak[row, month, lane]
            sums.month_peak[row, month, lane] = amount if amount > peak else peak


@inlined
def add_metered(plan, step, moved, sums):  # type: ignore[no-untyped-def]
    """Add what meters gather in the group of the step."""
    for meter in range(len(plan.meter_bought)):
        group = int(plan.signals[step, plan.meter_signal[meter]])
        if group < 0:
            continue
        row, bought, sold = plan.meter_first[meter] + group, plan.meter_bought[meter], plan.meter_sold[meter]
        for lane in range(moved.shape[1]):
            amount = moved[bought, lane]
            if plan.meter_is_peak[meter]:
                peak = sums.metered[row, lane]
                sums.metered[row, lane] = amount if amount > peak else peak
            else:
                sums.metered[row, lane] += amount - (moved[sold, lane] if sold >= 0 else 0.0)


@inlined
def add_shortages(plan, numbers, step, left, sums):  # type: ignore[no-untyped-def]
    """Add what demands still ask for."""
    for sink in range(len(plan.sinks)):
        flow = plan.sinks[sink]
        signal = plan.signals[step, plan.limit_signal[flow]]
        for lane in range(left.shape[1]):
            missing = left[flow, lane]
            sums.unmet[sink, lane] += missing if missing > NEGLIGIBLE * numbers.limit[flow, lane] * signal else 0.0


@inlined
def add_residuals(plan, moved, sums, work):  # type: ignore[no-untyped-def]
    """Keep the largest imbalance of each bus."""
    lanes, balance = moved.shape[1], work[0]
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
