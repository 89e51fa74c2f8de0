"""A horizon cut into windows: each a Problem of its own, a variation of the same structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ecosystemiser.model.kinds import Floats, MeterKind
from ecosystemiser.model.problem import EndRule, Ints, Problem
from ecosystemiser.results.charges import gathered

__all__ = ["Past", "Window", "seen_by_windows", "window_problem", "windows_of"]


@dataclass(frozen=True)
class Window:
    """Steps `first` to below `seen` are planned together; those below `committed` are kept."""

    first: int
    committed: int
    seen: int


def windows_of(steps: int, lookahead: int, commit: int) -> Iterator[Window]:
    """Yield the windows of a horizon; the last ones see to its end and keep all that they see."""
    first = 0
    while first < steps:
        seen = min(first + lookahead, steps)
        committed = seen if seen == steps else first + commit
        yield Window(first, committed, seen)
        first = committed


@dataclass(frozen=True, eq=False)
class Past:
    """What the steps before a window have left behind."""

    levels: Floats
    """(storages,)"""
    on: Ints
    """Units of each committed converter that were on. (committed, steps before)"""
    flows: Floats
    """(flows, steps before)"""


def window_problem(problem: Problem, window: Window, past: Past, targets: Floats) -> Problem:
    """Return the Problem of a window that goes on from `past`; `problem` is what `seen_by_windows` returns.

    A window that ends before the horizon pays the end price for what is missing from `targets` (storages,); the last
    one follows the horizon's own end rule (`cyclic`: back to the start level).
    """
    steps = slice(window.first, window.seen)
    is_last = window.seen == problem.steps
    nothing = np.zeros_like(problem.coefficients.capital_per_year)  # gaps are shares of what a window decides
    numbers = replace(problem.coefficients, initial_level=past.levels, capital_per_year=nothing, fixed_per_year=nothing)
    end = EndRule.FIXED if problem.end is EndRule.CYCLIC else problem.end
    if not is_last:
        numbers, end = replace(numbers, end_level=targets), EndRule.SHORTFALL
    months = problem.months[steps]
    memory = max([one.memory for one in problem.layout.committed], default=1)
    return replace(
        problem,
        layout=replace(problem.layout, steps=window.seen - window.first),
        signals=problem.signals[:, steps],
        coefficients=numbers,
        months=months - months[0],
        end=end,
        on_before=past.on[:, -memory:] if window.first and problem.layout.committed else problem.on_before,
        peak_before=_peaks_reached(problem, past.flows) if problem.layout.meters else None,
    )


def seen_by_windows(problem: Problem) -> Problem:
    """Return `problem` with those meters only that a window can follow: peaks, as far as they have been reached."""
    layout, numbers = problem.layout, problem.coefficients
    kept = [at for at, meter in enumerate(layout.meters) if meter.kind is MeterKind.PEAK]
    if len(kept) == len(layout.meters):
        return problem

    def rows(slices: tuple[slice, ...]) -> Ints:
        return np.array([row for at in kept for row in range(slices[at].start, slices[at].stop)], dtype=np.int64)

    return replace(
        problem,
        layout=replace(layout, meters=tuple(layout.meters[at] for at in kept)),
        meter_signal=problem.meter_signal[kept],
        coefficients=replace(
            numbers,
            meter_price=numbers.meter_price[rows(layout.meter_prices)],
            meter_bound=numbers.meter_bound[rows(layout.meter_bounds)],
            meter_floor=numbers.meter_floor[kept],
            meter_ratchet=numbers.meter_ratchet[kept],
        ),
    )


def _peaks_reached(problem: Problem, flows: Floats) -> Floats:
    """Return what the groups of peak meters have reached in the steps of `flows`, the first of the horizon."""
    first = flows.shape[1]
    part = replace(problem, layout=replace(problem.layout, steps=first), signals=problem.signals[:, :first])
    return gathered(part, flows)
