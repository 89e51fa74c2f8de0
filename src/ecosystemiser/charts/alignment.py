"""Runs of different length or step on one time axis, or why that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import lcm

from ecosystemiser.charts.curves import RunCurves
from ecosystemiser.model.clock import HOUR_S, Clock
from ecosystemiser.model.kinds import Floats

__all__ = ["Aligned", "aligned"]


@dataclass(frozen=True, eq=False)
class Aligned:
    """Runs over the hours that all of them cover, in steps of one length."""

    runs: tuple[RunCurves, ...]
    """Empty where they cannot be aligned."""
    notes: tuple[str, ...] = ()
    """What was cut or summed, for a person to read."""
    reason: str | None = None
    """Why they cannot be aligned."""


def aligned(runs: Sequence[RunCurves]) -> Aligned:
    """Return runs cut to the time that all of them cover, in the shortest step that is a multiple of all theirs.

    Amounts of shorter steps are summed, contents are those at the end, prices are means. Runs that share no hour, or
    whose steps do not begin together, are not aligned: `reason` says why.
    """
    clocks = [run.clock for run in runs]
    step_s = lcm(*(clock.step_s for clock in clocks))
    begin, end = max(clock.start_utc for clock in clocks), min(_end(clock) for clock in clocks)
    if begin >= end:
        periods = "; ".join(f"{run.title}: {_period(run.clock)}" for run in runs)
        return Aligned((), reason=f"The runs have no hour in common: their curves cannot share an axis ({periods}).")
    steps = round((end - begin).total_seconds()) // step_s
    if not steps:
        return Aligned((), reason=f"What the runs have in common is shorter than their common step, {_hours(step_s)}.")
    if any((begin - clock.start_utc).total_seconds() % clock.step_s for clock in clocks):
        return Aligned((), reason="The steps of the runs do not begin at the same minutes, so they cannot be compared.")
    common = Clock(begin, step_s, steps, clocks[0].timezone)
    return Aligned(tuple(_cut(run, common) for run in runs), tuple(_notes(clocks, common)))


def _end(clock: Clock) -> datetime:
    return clock.start_utc + timedelta(seconds=clock.step_s * clock.steps)


def _period(clock: Clock) -> str:
    start, end = (moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") for moment in (clock.start_utc, _end(clock)))
    return f"{start} to {end} UTC"


def _hours(seconds: int) -> str:
    return f"{seconds / HOUR_S:g} h" if seconds >= HOUR_S else f"{seconds // 60} min"


def _notes(clocks: Sequence[Clock], common: Clock) -> list[str]:
    notes = []
    if len({clock.step_s for clock in clocks}) > 1:
        notes.append(f"Shorter steps are summed to steps of {_hours(common.step_s)}.")
    if any((clock.start_utc, _end(clock)) != (common.start_utc, _end(common)) for clock in clocks):
        notes.append(f"Only the hours that all runs cover are shown: {_period(common)}.")
    if len({clock.timezone for clock in clocks}) > 1:
        notes.append(f"The time axis is that of the baseline, {common.timezone}.")
    return notes


def _cut(run: RunCurves, common: Clock) -> RunCurves:
    clock = run.clock
    if clock == common:
        return run
    first = round((common.start_utc - clock.start_utc).total_seconds()) // clock.step_s
    joined = common.step_s // clock.step_s

    def grouped(values: Floats) -> Floats:
        return values[first : first + common.steps * joined].reshape(common.steps, joined)

    return replace(
        run,
        clock=common,
        curves=tuple(replace(curve, values=grouped(curve.values).sum(axis=1)) for curve in run.curves),
        levels=tuple(replace(level, values=grouped(level.values)[:, -1]) for level in run.levels),
        prices=tuple(replace(price, values=grouped(price.values).mean(axis=1)) for price in run.prices),
    )
