"""Fewer points lose no peak, whatever the curves."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ecosystemiser.charts.thinning import steps_to_show


@given(st.integers(1, 4), st.integers(3, 3000), st.integers(2, 200), st.integers(0, 2**32 - 1))
def test_the_highest_and_lowest_of_each_curve_and_both_ends_are_kept(
    count: int, steps: int, points: int, seed: int
) -> None:
    curves = list(np.random.default_rng(seed).normal(size=(count, steps)).round(2))
    kept = steps_to_show(curves, points)
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == steps - 1
    assert len(kept) <= max(points, 2 * count + 2)
    for curve in curves:
        assert curve[kept].max() == curve.max()
        assert curve[kept].min() == curve.min()


@given(st.integers(100, 5000), st.integers(20, 90), st.integers(0, 2**32 - 1))
def test_no_part_of_the_screen_loses_its_peak(steps: int, points: int, seed: int) -> None:
    curve = np.random.default_rng(seed).exponential(size=steps)
    kept = set(steps_to_show([curve], points).tolist())
    edges = np.linspace(0, steps, (points - 2) // 2 + 1).round().astype(int)
    for first, last in pairwise(edges.tolist()):
        assert first + int(curve[first:last].argmax()) in kept or steps <= points


def test_few_steps_are_all_drawn() -> None:
    assert steps_to_show([np.arange(5.0)], 10).tolist() == [0, 1, 2, 3, 4]
    assert steps_to_show([], 10).tolist() == []


def test_what_has_no_value_hides_no_peak() -> None:
    curve = np.full(100, np.nan)
    curve[57] = 3.0
    assert 57 in steps_to_show([curve], 12)
