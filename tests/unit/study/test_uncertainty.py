"""What samples say: by hand, by scipy, and by drawing again and again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ecosystemiser.config.kpi_words import KpiLimit
from ecosystemiser.study.uncertainty import LEVELS, difference, half_width, probability, uncertainty

HUNDRED = np.arange(1.0, 101.0)


def test_the_numbers_of_one_to_a_hundred() -> None:
    """By hand: mean 50.5, variance 10,100 / 12; the worst 5 % are 96 to 100, and 95 is not exceeded with 95 %."""
    found = uncertainty("total_cost", np.flip(HUNDRED), confidence=0.95, risk_level=0.95, failed=3)
    assert (found.samples, found.failed, found.minimum, found.maximum, found.mean) == (100, 3, 1.0, 100.0, 50.5)
    assert found.standard_deviation == pytest.approx((10_100 / 12) ** 0.5)
    assert (found.value_at_risk, found.conditional_value_at_risk) == (95.0, 98.0)
    assert found.percentile(50) == 50.5
    assert found.percentile(10) == pytest.approx(10.9)
    assert [each.level for each in found.percentiles] == list(LEVELS)
    with pytest.raises(KeyError):
        found.percentile(42)


def test_of_what_is_to_be_high_the_low_end_is_the_risk() -> None:
    found = uncertainty("self_sufficiency_rate", HUNDRED, confidence=0.95, risk_level=0.95)
    assert (found.value_at_risk, found.conditional_value_at_risk) == (6.0, 3.0)


@pytest.mark.parametrize(
    ("level", "at_risk", "beyond"), [(0.5, 2.0, 3.5), (0.9, 4.0, 4.0), (0.7, 3.0, (4 + 0.2 * 3) / 1.2)]
)
def test_a_part_of_a_sample_counts_as_a_part(level: float, at_risk: float, beyond: float) -> None:
    """By hand, of 1, 2, 3, 4: the worst 30 % are 1.2 samples: 4 and a fifth of 3."""
    found = uncertainty("total_cost", np.array([1.0, 2.0, 3.0, 4.0]), confidence=0.95, risk_level=level)
    assert (found.value_at_risk, found.conditional_value_at_risk) == (at_risk, pytest.approx(beyond))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0.05, 0.99))
def test_what_lies_beyond_the_risk_is_no_better(values: list[float], level: float) -> None:
    found = uncertainty("total_cost", np.array(values), confidence=0.9, risk_level=level)
    slack = 1e-9 * max(1.0, abs(found.maximum), abs(found.minimum))
    assert found.minimum - slack <= found.value_at_risk <= found.conditional_value_at_risk + slack
    assert found.conditional_value_at_risk <= found.maximum + slack
    told = [each.value for each in found.percentiles]
    assert told == sorted(told)
    for each in found.percentiles:
        assert each.low is None or each.low <= each.value + slack
        assert each.high is None or each.high >= each.value - slack


def test_one_sample_says_nothing_about_how_sure_it_is() -> None:
    found = uncertainty("total_cost", np.array([7.0]), confidence=0.95, risk_level=0.95)
    assert (found.mean, found.mean_low, found.mean_high, found.standard_deviation) == (7.0, None, None, None)
    assert {(each.value, each.low, each.high) for each in found.percentiles} == {(7.0, None, None)}


def test_the_interval_of_the_mean_is_students() -> None:
    values = np.array([3.0, 5.0, 4.0, 8.0])
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    half = half_width(values, 0.9)
    assert half is not None
    assert (5.0 - half, 5.0 + half) == (pytest.approx(low), pytest.approx(high))
    assert half_width(values[:1], 0.9) is None


@pytest.mark.parametrize(("count", "kept"), [(10, 0), (10, 3), (200, 200), (1, 1)])
def test_the_interval_of_a_probability_is_wilsons(count: int, kept: int) -> None:
    values = np.array([1.0] * kept + [3.0] * (count - kept))
    found = probability(KpiLimit.parse("total_cost <= 2"), values, 0.95)
    oracle = stats.binomtest(kept, count).proportion_ci(0.95, method="wilson")
    assert found.probability == kept / count
    assert (found.low, found.high) == (pytest.approx(oracle.low, abs=1e-12), pytest.approx(oracle.high, abs=1e-12))
    other = probability(KpiLimit.parse("total_cost >= 3"), values, 0.95)
    assert other.probability == pytest.approx(1 - found.probability)


def test_intervals_of_percentiles_hold_as_often_as_they_promise() -> None:
    """Of 400 studies of 80 samples each, the true percentile lies within in at least 95 % (of P5 an end may be
    unknown). The standard deviation of that share is 1.1 %."""
    chance = np.random.default_rng(1)
    inside = dict.fromkeys(LEVELS, 0)
    truth = dict(zip(LEVELS, stats.lognorm(1.0).ppf(np.array(LEVELS) / 100).tolist(), strict=True))
    for _ in range(400):
        found = uncertainty("total_cost", chance.lognormal(size=80), confidence=0.95, risk_level=0.9)
        for each in found.percentiles:
            true = truth[each.level]
            inside[each.level] += (each.low is None or each.low <= true) and (each.high is None or true < each.high)
    assert min(inside.values()) / 400 > 0.93
    assert max(inside.values()) / 400 <= 1.0


def test_the_end_of_an_interval_that_no_sample_reaches_is_not_known() -> None:
    """By hand: that all of 20 samples lie above the 5 % quantile has the chance 0.95^20 = 0.36."""
    told = uncertainty("total_cost", HUNDRED[:20], confidence=0.95, risk_level=0.9)
    found = {each.level: each for each in told.percentiles}
    assert found[5].low is None
    assert found[5].high is not None
    assert found[95].high is None
    assert found[50].low is not None


def test_the_same_samples_show_a_difference_that_others_would_hide() -> None:
    """Common random numbers: designs that differ by 1 in every sample, while samples spread over 100."""
    one = np.random.default_rng(1).uniform(0, 100, 64)
    found = difference("total_cost", one - 1.0, one, 0.95, 1)
    assert (found.mean, found.low, found.high) == tuple(pytest.approx(-1.0, abs=1e-9) for _ in range(3))
    assert (found.samples, found.share_better, found.design) == (64, 1.0, 1)
    assert difference("self_sufficiency_rate", one - 1.0, one, 0.95, 1).share_better == 0.0
    apart = half_width(one, 0.95)
    assert apart is not None
    assert apart > 5
