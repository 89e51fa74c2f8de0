"""Points of the unit cube: how evenly they lie, that they are the same again, that they are correlated as asked."""

from __future__ import annotations

import time
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import qmc, spearmanr

from ecosystemiser.study.correlation import correlated
from ecosystemiser.study.sampling import Method, uniform_points

METHODS = get_args(Method)


@pytest.mark.parametrize("method", METHODS)
@given(samples=st.integers(1, 200), dimensions=st.integers(1, 12), seed=st.integers(0, 2**63 - 1))
@settings(max_examples=30, deadline=None)
def test_points_lie_inside_and_come_again(method: Method, samples: int, dimensions: int, seed: int) -> None:
    points = uniform_points(method, samples, dimensions, seed)
    assert points.shape == (samples, dimensions)
    assert points.min() > 0.0
    assert points.max() < 1.0
    assert np.array_equal(points, uniform_points(method, samples, dimensions, seed))


@pytest.mark.parametrize("method", METHODS)
def test_another_seed_gives_other_points(method: Method) -> None:
    assert not np.array_equal(uniform_points(method, 16, 2, 1), uniform_points(method, 16, 2, 2))


@pytest.mark.parametrize("method", ["sobol", "random"])
def test_more_samples_add_to_the_first_ones(method: Method) -> None:
    assert np.array_equal(uniform_points(method, 100, 3, 1)[:37], uniform_points(method, 37, 3, 1))


def test_each_slice_of_each_axis_holds_one_point_of_a_latin_hypercube() -> None:
    slices = np.floor(uniform_points("lhs", 100, 5, 1) * 100)
    for axis in slices.T:
        assert sorted(axis) == list(range(100))
    assert abs(np.corrcoef(slices.T) - np.eye(5)).max() < 0.4  # the axes are shuffled each by itself


def test_sobol_points_fill_every_box_of_a_halving_alike() -> None:
    """The property of a (0, 4, 2) net: each of 16 boxes of any halving of the square holds one of 16 points."""
    points = uniform_points("sobol", 16, 2, 3)
    for wide, high in [(16, 1), (8, 2), (4, 4), (2, 8), (1, 16)]:
        boxes = {(int(x * wide), int(y * high)) for x, y in points}
        assert len(boxes) == 16


def test_even_points_are_more_even_than_random_ones() -> None:
    apart = {method: qmc.discrepancy(uniform_points(method, 256, 4, 1)) for method in METHODS}
    assert apart["sobol"] < apart["lhs"] < apart["random"]


def test_a_hundred_thousand_points_take_no_loop() -> None:
    begin = time.perf_counter()
    for method in METHODS:
        uniform_points(method, 100_000, 10, 1)
    assert time.perf_counter() - begin < 5.0


# Correlation.

MATRIX = [[1.0, 0.7, -0.4], [0.7, 1.0, 0.0], [-0.4, 0.0, 1.0]]


@pytest.mark.parametrize("method", METHODS)
def test_the_wanted_rank_correlations_are_reached(method: Method) -> None:
    """The standard deviation of a rank correlation of 8,192 random samples is 0.011 at most; Sobol does better."""
    points = correlated(uniform_points(method, 8_192, 3, 5), MATRIX)
    reached = spearmanr(points).statistic
    assert reached == pytest.approx(np.array(MATRIX), abs=0.005 if method == "sobol" else 0.035)


def test_taken_for_those_of_the_normal_variables_they_would_be_missed() -> None:
    """A negative control: a Pearson correlation of 0.7 is a rank correlation of 6 / pi asin(0.35) = 0.683 only."""
    normal = ndtri(uniform_points("sobol", 8_192, 2, 5)) @ np.linalg.cholesky([[1.0, 0.7], [0.7, 1.0]]).T
    assert spearmanr(normal).statistic == pytest.approx(6 / np.pi * np.arcsin(0.35), abs=0.005)
    assert spearmanr(normal).statistic < 0.69


def test_each_coordinate_stays_evenly_spread_and_points_stay_where_they_were() -> None:
    points = correlated(uniform_points("sobol", 1_024, 3, 5), MATRIX)
    for axis in points.T:
        assert np.histogram(axis, bins=8, range=(0, 1))[0] == pytest.approx(128, abs=20)
    assert np.array_equal(points[:100], correlated(uniform_points("sobol", 100, 3, 5), MATRIX))
    assert np.array_equal(points[:, 0], correlated(uniform_points("sobol", 1_024, 3, 5)[:, :1], [[1.0]])[:, 0])


def test_no_correlation_changes_nothing() -> None:
    points = uniform_points("sobol", 64, 3, 5)
    assert correlated(points, np.eye(3).tolist()) == pytest.approx(points, abs=1e-12)
