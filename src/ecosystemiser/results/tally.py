"""Sums over the hours of a plan: what Totals and so every KPI are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import ONES, Ints, Layout, Problem
from ecosystemiser.results.charges import gathered
from ecosystemiser.results.switching import starts_of
from ecosystemiser.results.tracing import trace

__all__ = ["NEGLIGIBLE", "Tally", "own_priced", "tally_of", "weighted_pairs"]

OWN = -1
NEGLIGIBLE = 1e-9
"""Share of a demand below which what is missing is rounding."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over all hours of one run, or of a batch with one more axis at the end.

    A batch kernel accumulates them without keeping hours; `tally_of` derives them from arrays. Both agree.
    """

    flow: Floats
    """Sum of each flow. (flows,)"""
    weighted: Floats
    """Sum of flow times signal for each of `weighted_pairs`, then of `own_priced`. (pairs,)"""
    month_peak: Floats
    """Largest step of each month: imports, then exports. (2 * exchanges, months)"""
    unmet: Floats
    """What each sink missed. (sinks,)"""
    level_sum: Floats
    """Sum of levels at each step's end. (storages,)"""
    level_first: Floats
    level_last: Floats
    """(storages,)"""
    local_use: Floats
    """Local energy reaching electricity use. ()"""
    renewable_delivered: Floats
    """Energy of renewable origin reaching demands. ()"""
    local_water: Floats
    """Water delivered to demands that was not bought. ()"""
    rain_delivered: Floats
    """Rain delivered to demands. ()"""
    spilled: Floats
    """What each tank let go of its content: at the very end to meet its end level, or because what was bought did not
    fit. (storages,)"""
    residual: Floats
    """Largest imbalance of each bus in any step. (buses,)"""
    metered: Floats
    """What meters gathered; see `charges.gathered`. (groups of all meters,)"""
    starts: Floats
    """How often units were switched on. (committed,)"""


def weighted_pairs(problem: Problem) -> list[tuple[int, int]]:
    """Return the (flow, signal) pairs whose products are summed: every priced flow whose price changes."""
    terms = [
        *zip(problem.layout.costs.flow, _common(problem.cost_signal), strict=True),
        *zip(problem.layout.co2.flow, problem.co2_signal.tolist(), strict=True),
    ]
    return sorted({(flow, signal) for flow, signal in terms if signal not in (ONES, OWN)})


def own_priced(problem: Problem) -> list[int]:
    """Return the cost terms whose signal is not the same in all variations of a batch."""
    return [term for term, signal in enumerate(_common(problem.cost_signal)) if signal == OWN]


def _common(signals: Ints) -> list[int]:
    """Return the signal of each term, or `OWN` where variations of a batch have their own."""
    if signals.ndim == 1:
        return [int(signal) for signal in signals]
    is_common = (signals == signals[:, :1]).all(axis=1)
    return [int(signal) for signal in np.where(is_common, signals[:, 0], OWN)]


def tally_of(problem: Problem, flows: Floats, levels: Floats, on: Ints | None = None) -> Tally:
    """Return the sums over the hours of a plan.

    `flows` (flows, steps), `levels` (storages, steps + 1), `on`: units of committed converters (committed, steps),
    None: none are on.
    """
    layout = problem.layout
    traced = trace(problem, flows, levels)
    pairs = weighted_pairs(problem)
    return Tally(
        flow=flows.sum(axis=1),
        weighted=np.array([float(flows[flow] @ problem.signals[signal]) for flow, signal in pairs]),
        month_peak=_month_peaks(problem, flows),
        unmet=_unmet(problem, flows),
        level_sum=levels[:, 1:].sum(axis=1),
        level_first=levels[:, 0],
        level_last=levels[:, -1],
        local_use=np.asarray(traced.local_use),
        renewable_delivered=np.asarray(traced.renewable_delivered),
        local_water=np.asarray(traced.local_water),
        rain_delivered=np.asarray(traced.rain_delivered),
        spilled=_spilled(problem, flows, levels),
        residual=_residuals(layout, flows),
        metered=gathered(problem, flows),
        starts=_starts(problem, on),
    )


def _starts(problem: Problem, on: Ints | None) -> Floats:
    if on is None:
        return np.zeros(len(problem.layout.committed))
    return np.asarray(starts_of(problem, on).sum(axis=1), dtype=np.float64)


def _month_peaks(problem: Problem, flows: Floats) -> Floats:
    layout = problem.layout
    starts = np.flatnonzero(np.r_[True, problem.months[1:] != problem.months[:-1]])
    rows = [*layout.imports, *layout.exports]
    return np.maximum.reduceat(flows[rows], starts, axis=1) if rows else np.zeros((0, len(starts)))


def _unmet(problem: Problem, flows: Floats) -> Floats:
    missing = np.zeros(len(problem.layout.sinks))
    for sink, flow in enumerate(problem.layout.sinks):
        demand = problem.limits(flow)
        short = demand - flows[flow]
        missing[sink] = short[short > NEGLIGIBLE * demand].sum()
    return missing


def _spilled(problem: Problem, flows: Floats, levels: Floats) -> Floats:
    """Return what overflowing storages lost beyond their balance. (storages,)"""
    layout, numbers = problem.layout, problem.coefficients
    spilled = np.zeros(len(layout.charges))
    for storage, overflows in enumerate(layout.overflows):
        if overflows:
            charge, discharge = flows[layout.charges[storage]], flows[layout.discharges[storage]]
            expected = levels[storage, :-1] * numbers.keep[storage] + numbers.charge_efficiency[storage] * charge
            lost = expected - discharge / numbers.discharge_efficiency[storage] - levels[storage, 1:]
            spilled[storage] = lost[lost > NEGLIGIBLE * numbers.capacity[storage]].sum()
    return spilled


def _residuals(layout: Layout, flows: Floats) -> Floats:
    balance = np.zeros((len(layout.buses), flows.shape[1]))
    for flow, bus, sign in zip(flows, layout.flow_bus, layout.flow_sign, strict=True):
        balance[bus] += sign * flow
    return np.asarray(np.abs(balance).max(axis=1))
