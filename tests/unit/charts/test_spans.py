"""Where a page jumps to."""

from dataclasses import replace

import numpy as np
import pytest

from ecosystemiser.charts.curves import RunCurves
from ecosystemiser.charts.spans import Span, lowest_storage_week, peak_week, span_of, week_around, worst_shortage_week
from ecosystemiser.model.kinds import Role


@pytest.fixture
def month(run: RunCurves) -> RunCurves:
    """The run, 30 days long, each curve 0 but for what a test sets."""
    clock = replace(run.clock, steps=720)
    curves = tuple(replace(curve, values=np.zeros(720)) for curve in run.curves)
    return replace(run, clock=clock, curves=curves, levels=(replace(run.levels[0], values=np.ones(720)),))


def with_peak(run: RunCurves, role: Role, steps: dict[int, float]) -> RunCurves:
    values = np.zeros(run.clock.steps)
    for step, value in steps.items():
        values[step] = value
    curves = tuple(replace(c, values=values) if c.role is role and c.bus == "electricity" else c for c in run.curves)
    return replace(run, curves=curves)


def test_a_week_lies_around_its_step_from_midnight_to_midnight(month: RunCurves) -> None:
    week = week_around(month.clock, 360)  # 16 June, 2 o'clock on the clock of Berlin
    assert week == Span(286, 454)
    assert str(month.clock.local[week.first]) == "2018-06-13T00:00:00"


def test_a_week_stays_within_the_run(month: RunCurves, run: RunCurves) -> None:
    assert week_around(month.clock, 0) == Span(0, 168)
    assert week_around(month.clock, 719) == Span(552, 720)
    assert week_around(run.clock, 10) == Span(0, 48)
    assert span_of(month.clock, 100, 1) == Span(100, 124)


def test_the_peak_is_where_most_is_used_or_missed(month: RunCurves) -> None:
    week = peak_week(with_peak(month, Role.USED, {300: 9.0, 600: 8.0}), "electricity")
    assert week == week_around(month.clock, 300)
    assert peak_week(with_peak(month, Role.UNMET, {600: 8.0}), "electricity") == week_around(month.clock, 600)
    assert peak_week(month, "electricity") is None


def test_the_worst_shortage_is_the_week_that_misses_most(month: RunCurves) -> None:
    # One large hour, and elsewhere three of less that are more together.
    week = worst_shortage_week(with_peak(month, Role.UNMET, {30: 5.0, 500: 2.0, 550: 2.0, 600: 2.0}), "electricity")
    assert week is not None
    assert all(week.first <= step < week.last for step in (500, 550, 600))
    assert worst_shortage_week(month, "electricity") is None


def test_the_lowest_storage_is_where_least_is_left(month: RunCurves) -> None:
    levels = np.ones(720)
    levels[400] = 0.0
    emptied = replace(month, levels=(replace(month.levels[0], values=levels),))
    assert lowest_storage_week(emptied, "electricity") == week_around(month.clock, 400)
    assert lowest_storage_week(month, "heat") is None
