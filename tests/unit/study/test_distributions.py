"""Quantiles of distributions: by hand, and beside scipy's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy import stats

from ecosystemiser.config import Distribution
from ecosystemiser.study.distributions import quantiles
from ecosystemiser.study.sampling import uniform_points

SHARES = np.array([1e-9, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999, 1 - 1e-9])
READ: TypeAdapter[Distribution] = TypeAdapter(Distribution)


def at(shares: object, **spec: Any) -> list[Any]:
    return quantiles(READ.validate_python(spec), np.atleast_1d(np.array(shares, dtype=float)))


def test_by_hand() -> None:
    assert at([0.25, 0.5], distribution="uniform", minimum=2, maximum=6) == [3.0, 4.0]
    # Half the area of a triangle 0, 0, 2 lies below 2 - sqrt(2).
    assert at(0.5, distribution="triangular", minimum=0, mode=0, maximum=2) == pytest.approx([2 - math.sqrt(2)])
    assert at(0.5, distribution="triangular", minimum=0, mode=2, maximum=2) == pytest.approx([math.sqrt(2)])
    assert at(0.5, distribution="triangular", minimum=1, mode=2, maximum=3) == pytest.approx([2.0])
    assert at(0.5, distribution="normal", mean=7, standard_deviation=3) == pytest.approx([7.0])
    assert at([0.0, 0.25, 0.5, 1.0], distribution="empirical", values=[30, 10, 20]) == [10.0, 15.0, 20.0, 30.0]
    # The upper half of a standard normal distribution: its median is the quantile 0.75 of the whole.
    half = at(0.5, distribution="normal", mean=0, standard_deviation=1, minimum=0)
    assert half == pytest.approx([0.6744897501960817])


def test_discrete_values_have_their_weights() -> None:
    """By hand: weights 1, 0, 3 end at 0.25, 0.25 and 1. Values stay what they are."""
    values = ["cold", "never", {"price": 1}]
    spec: dict[str, Any] = {"distribution": "discrete", "values": values, "weights": [1, 0, 3]}
    assert at([0.0, 0.2499, 0.25, 0.9999999999999999, 1.0], **spec) == ["cold", "cold", *[{"price": 1}] * 3]
    assert at([0.0, 0.49, 0.5, 1.0], distribution="discrete", values=[1, 2]) == [1, 1, 2, 2]
    assert at([0.999, 1.0], distribution="discrete", values=["a", "b"], weights=[0.1, 0]) == ["a", "a"]


@pytest.mark.parametrize(
    ("spec", "oracle"),
    [
        ({"distribution": "normal", "mean": 5, "standard_deviation": 2}, stats.norm(5, 2)),
        ({"distribution": "uniform", "minimum": -3, "maximum": 8}, stats.uniform(-3, 11)),
        ({"distribution": "triangular", "minimum": 1, "mode": 2, "maximum": 7}, stats.triang(1 / 6, 1, 6)),
        (
            {"distribution": "normal", "mean": 5, "standard_deviation": 2, "minimum": 4, "maximum": 10},
            stats.truncnorm(-0.5, 2.5, 5, 2),
        ),
        ({"distribution": "normal", "mean": 0, "standard_deviation": 1, "minimum": 4}, stats.truncnorm(4, np.inf)),
        ({"distribution": "normal", "mean": 0, "standard_deviation": 1, "maximum": -4}, stats.truncnorm(-np.inf, -4)),
    ],
)
def test_quantiles_are_those_of_scipy(spec: dict[str, Any], oracle: Any) -> None:
    assert at(SHARES, **spec) == pytest.approx(oracle.ppf(SHARES), rel=1e-7, abs=1e-9)


def test_mean_and_deviation_of_a_lognormal_field_are_those_of_the_value() -> None:
    shares = uniform_points("sobol", 2**16, 1, 1)[:, 0]
    values = at(shares, distribution="lognormal", mean=0.3, standard_deviation=0.1)
    assert np.mean(values) == pytest.approx(0.3, rel=1e-3)
    assert np.std(values) == pytest.approx(0.1, rel=1e-2)
    sigma = math.sqrt(math.log(1 + 1 / 9))
    oracle = stats.lognorm(sigma, scale=0.3 * math.exp(-(sigma**2) / 2))
    assert at(SHARES, distribution="lognormal", mean=0.3, standard_deviation=0.1) == pytest.approx(oracle.ppf(SHARES))


def test_cut_off_values_stay_within() -> None:
    spec: dict[str, Any] = {"mean": 0.3, "standard_deviation": 0.1, "minimum": 0.25, "maximum": 0.31}
    for kind in ("normal", "lognormal"):
        values = at(uniform_points("random", 10_000, 1, 1)[:, 0], distribution=kind, **spec)
        assert min(values) >= 0.25
        assert max(values) <= 0.31
        assert np.std(values) > 0.01


def test_values_are_plain_numbers() -> None:
    assert type(at(0.5, distribution="normal", mean=1, standard_deviation=1)[0]) is float
