"""A horizon cut into windows: each a Problem of its own, a variation of the same structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Problem

__all__ = ["Window", "window_problem", "windows_of"]


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


def window_problem(problem: Problem, window: Window, levels: Floats, targets: Floats) -> Problem:
    """Return the Problem of a window that starts at `levels`. (storages,)

    A window that ends before the horizon pays the end price for what is missing from `targets`; the last one follows
    the horizon's own end rule (`cyclic`: back to the start level). Meters gather over months, so windows have none.
    """
    steps = slice(window.first, window.seen)
    is_last = window.seen == problem.steps
    numbers = replace(problem.coefficients, initial_level=levels)
    end = EndRule.FIXED if problem.end is EndRule.CYCLIC else problem.end
    if not is_last:
        numbers, end = replace(numbers, end_level=targets), EndRule.SHORTFALL
    months = problem.months[steps]
    return replace(
        problem,
        layout=replace(problem.layout, steps=window.seen - window.first, meters=()),
        meter_signal=problem.meter_signal[:0],
        signals=problem.signals[:, steps],
        coefficients=numbers,
        months=months - months[0],
        end=end,
    )
