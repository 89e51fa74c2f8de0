"""Parts of a run that are worth a look: its peak, its worst shortage, its emptiest storage; weeks, months, days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecosystemiser.charts.curves import RunCurves
from ecosystemiser.model.clock import Clock
from ecosystemiser.model.kinds import Floats, Role

__all__ = ["JUMPS", "Span", "lowest_storage_week", "peak_week", "span_of", "week_around", "worst_shortage_week"]

DAYS_OF_WEEK = 7
_USES = (Role.USED, Role.CONVERTED, Role.UNMET)


@dataclass(frozen=True)
class Span:
    """The steps from `first` to before `last`."""

    first: int
    last: int

    @property
    def slice(self) -> slice:
        """As an index of arrays over the steps."""
        return slice(self.first, self.last)


def span_of(clock: Clock, first: int, days: float) -> Span:
    """Return so many days from a step on, within the run: near its end they begin earlier."""
    wanted = max(1, round(days * 86_400 / clock.step_s))
    begin = max(0, min(first, clock.steps - wanted))
    return Span(begin, min(clock.steps, begin + wanted))


def week_around(clock: Clock, step: int) -> Span:
    """Return the seven days, from midnight to midnight on the local clock, in the middle of which a step lies."""
    day = clock.local[step].astype("datetime64[D]")
    start = day - np.timedelta64(DAYS_OF_WEEK // 2, "D")
    first = int(np.searchsorted(clock.local.astype("datetime64[D]"), start))
    return span_of(clock, first, DAYS_OF_WEEK)


def peak_week(run: RunCurves, bus: str) -> Span | None:
    """Return the week around the step in which most is used on a bus; None where nothing is."""
    used = _sum(run, bus, lambda sign, role: role is Role.UNMET or (sign < 0 and role in _USES))
    return week_around(run.clock, int(used.argmax())) if used.any() else None


def worst_shortage_week(run: RunCurves, bus: str) -> Span | None:
    """Return the week, beginning at a midnight, in which most is unmet on a bus; None where all is met."""
    unmet = _sum(run, bus, lambda _, role: role is Role.UNMET)
    if not unmet.any():
        return None
    days = run.clock.local.astype("datetime64[D]")
    starts = np.flatnonzero(np.r_[True, days[1:] != days[:-1]])
    spans = [span_of(run.clock, int(start), DAYS_OF_WEEK) for start in starts]
    return max(spans, key=lambda span: (float(unmet[span.slice].sum()), -span.first))


def lowest_storage_week(run: RunCurves, bus: str) -> Span | None:
    """Return the week around the step at whose end the storages on a bus hold least; None where it has none."""
    levels = [level.values for level in run.levels if level.bus == bus]
    return week_around(run.clock, int(np.sum(levels, axis=0).argmin())) if levels else None


JUMPS: dict[str, Callable[[RunCurves, str], Span | None]] = {
    "peak": peak_week,
    "worst shortage": worst_shortage_week,
    "lowest storage": lowest_storage_week,
}
"""Where one may jump to, by what a page calls it."""


def _sum(run: RunCurves, bus: str, counts: Callable[[int, Role], bool]) -> Floats:
    curves = [curve.values for curve in run.on(bus) if counts(curve.sign, curve.role)]
    return np.sum(curves, axis=0) if curves else np.zeros(run.clock.steps)
