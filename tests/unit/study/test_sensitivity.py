"""Which field moves a KPI how much: functions whose answer is known, and second opinions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ecosystemiser.config import MonteCarloSettings
from ecosystemiser.study.monte_carlo import MonteCarlo
from ecosystemiser.study.sampling import Floats, uniform_points
from ecosystemiser.study.sensitivity import (
    KpiSensitivity,
    Sampled,
    rank_correlations,
    regression,
    sensitivities,
    sobol_indices,
    tornado_bars,
)

NAMES = ("a", "b", "c")
ANGLE = {"distribution": "uniform", "minimum": -math.pi, "maximum": math.pi}

# Ishigami and Homma 1990, with 7 and 0.1.
PART_A, PART_B, PART_AC = (1 + 0.1 * math.pi**4 / 5) ** 2 / 2, 49 / 8, 0.01 * math.pi**8 * 8 / 225
WHOLE = PART_A + PART_B + PART_AC
FIRST = [PART_A / WHOLE, PART_B / WHOLE, 0.0]
TOTAL = [(PART_A + PART_AC) / WHOLE, PART_B / WHOLE, PART_AC / WHOLE]


def ishigami(values: Floats) -> Floats:
    a, b, c = values.T
    return np.asarray(np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a))


def scheme(function: Callable[[Floats], Floats], samples: int, seed: int = 1) -> tuple[Floats, Floats, Floats]:
    points = -math.pi + 2 * math.pi * uniform_points("sobol", samples, 6, seed)
    a, b = points[:, :3], points[:, 3:]
    mixed = [np.column_stack([(b if field == at else a)[:, field] for field in range(3)]) for at in range(3)]
    outputs = [function(each)[:, None] for each in (a, b, *mixed)]
    return outputs[0], outputs[1], np.stack(outputs[2:], axis=1)


def by_parameter(found: list[KpiSensitivity]) -> dict[str, KpiSensitivity]:
    return {each.parameter: each for each in found}


def asked(distributions: dict[str, Any], solve: Callable[..., float | None], **settings: Any) -> MonteCarlo:
    made = {"distributions": distributions, "sensitivity": True, "seed": 1, **settings}
    strategy = MonteCarlo(MonteCarloSettings.model_validate(made))
    for points in strategy.ask():
        for point in points:
            value = solve(*point.values.values())
            strategy.tell(point, None if value is None else {"total_cost": value})
    return strategy


def test_by_ask_and_tell_the_indices_of_ishigami_are_found() -> None:
    strategy = asked(
        dict.fromkeys(NAMES, ANGLE), lambda *values: float(ishigami(np.array([values]))[0]), n_samples=2_048
    )
    found = by_parameter(strategy.sensitivity())
    for at, name in enumerate(NAMES):
        each = found[name]
        assert each.first_order == pytest.approx(FIRST[at], abs=0.02)
        assert each.total_order == pytest.approx(TOTAL[at], abs=0.02)
        assert each.first_order_low is not None
        assert each.first_order_high is not None
        assert each.first_order_low < FIRST[at] < each.first_order_high
        assert each.total_order_low is not None
        assert each.total_order_high is not None
        assert each.total_order_low < TOTAL[at] < each.total_order_high
    assert found["b"].rank_correlation == pytest.approx(0.0, abs=0.05)  # it matters, though not in one direction


def test_of_a_sum_the_indices_are_shares_of_the_variance() -> None:
    """By hand: the variances of 1, 2 and 3 times a uniform field are as 1, 4 and 9; nothing is done together."""
    unit = {"distribution": "uniform", "minimum": 0, "maximum": 1}
    strategy = asked(dict.fromkeys(NAMES, unit), lambda a, b, c: a + 2 * b - 3 * c, n_samples=1_024)
    found = by_parameter(strategy.sensitivity())
    for name, share, sign in (("a", 1, 1), ("b", 4, 1), ("c", 9, -1)):
        assert found[name].first_order == pytest.approx(share / 14, abs=0.01)
        assert found[name].total_order == pytest.approx(share / 14, abs=0.01)
        assert found[name].regression == pytest.approx(sign * (share / 14) ** 0.5, abs=0.01)
        assert found[name].samples == 2_048


def test_scipy_finds_the_same_of_the_same_outputs() -> None:
    a, b, ab = scheme(ishigami, 512)
    found = sobol_indices(a, b, ab)
    parts = {"f_A": a.T, "f_B": b.T, "f_AB": ab.transpose(1, 2, 0)}
    oracle = stats.sobol_indices(func=parts, n=512)
    assert found.first[0] == pytest.approx(oracle.first_order, abs=1e-3)
    assert found.total[0] == pytest.approx(oracle.total_order, rel=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_salib_finds_the_same_of_the_same_outputs() -> None:
    """Its points in a row are A, A with each field from B, B; its intervals are half widths of its own bootstrap."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from SALib.analyze import sobol
    a, b, ab = scheme(ishigami, 1_024)
    found = sobol_indices(a, b, ab, confidence=0.95)
    rows = np.column_stack([a, *(ab[:, at] for at in range(3)), b]).ravel()
    problem = {"num_vars": 3, "names": list(NAMES), "bounds": [[-math.pi, math.pi]] * 3}
    oracle = sobol.analyze(problem, rows, calc_second_order=False, num_resamples=500, seed=1)
    assert found.first[0] == pytest.approx(oracle["S1"], abs=2e-3)
    assert found.total[0] == pytest.approx(oracle["ST"], rel=1e-3, abs=1e-3)
    assert (found.first_high - found.first_low)[0] / 2 == pytest.approx(oracle["S1_conf"], rel=0.2)
    assert (found.total_high - found.total_low)[0] / 2 == pytest.approx(oracle["ST_conf"], rel=0.2)


def test_a_constant_beside_the_variation_changes_nothing() -> None:
    """Costs of a million that vary by a few: the digits are not lost."""
    plain, lifted = sobol_indices(*scheme(ishigami, 256)), sobol_indices(*scheme(lambda at: ishigami(at) + 1e6, 256))
    assert lifted.first == pytest.approx(plain.first, abs=1e-6)
    assert lifted.total == pytest.approx(plain.total, abs=1e-6)


def test_the_intervals_are_the_same_again() -> None:
    parts = scheme(ishigami, 128)
    one, other = sobol_indices(*parts, seed=5), sobol_indices(*parts, seed=5)
    assert np.array_equal(one.first_low, other.first_low)
    assert not np.array_equal(one.first_low, sobol_indices(*parts, seed=6).first_low)


def test_samples_with_a_failed_run_are_left_out() -> None:
    """Each tenth run fails; what is left says the same, a little less surely."""
    fails = iter(range(10**6))
    unit = {"distribution": "uniform", "minimum": 0, "maximum": 1}

    def solve(a: float, b: float) -> float | None:
        return None if next(fails) % 10 == 9 else a + 2 * b

    found = by_parameter(asked({"a": unit, "b": unit}, solve, n_samples=1_024).sensitivity())
    assert found["a"].first_order == pytest.approx(0.2, abs=0.05)
    assert found["b"].total_order == pytest.approx(0.8, abs=0.08)
    assert found["b"].regression == pytest.approx(0.8**0.5, abs=0.02)
    assert 1_800 < found["a"].samples < 2_048


def test_a_kpi_that_does_not_vary_has_no_sensitivity() -> None:
    unit = {"distribution": "uniform", "minimum": 0, "maximum": 1}
    for each in asked({"a": unit, "b": unit}, lambda *_: 0.1, n_samples=64).sensitivity():
        assert {each.first_order, each.total_order, each.first_order_low} == {None}
        assert {each.rank_correlation, each.regression} == {None}


def test_fields_whose_values_are_no_numbers_have_sobol_indices_only() -> None:
    """By hand: warm or cold moves the KPI by 2 (variance 1), the other field by 1 (variance 1/12)."""
    fields = {
        "weather": {"distribution": "discrete", "values": ["cold", "warm"]},
        "b": {"distribution": "uniform", "minimum": 0, "maximum": 1},
    }
    strategy = asked(fields, lambda weather, b: 2.0 * (weather == "cold") + b, n_samples=1_024)
    found = by_parameter(strategy.sensitivity())
    assert found["weather"].first_order == pytest.approx(12 / 13, abs=0.02)
    assert (found["weather"].rank_correlation, found["weather"].regression) == (None, None)
    assert found["b"].regression == pytest.approx((1 / 13) ** 0.5, abs=0.02)


def test_without_the_scheme_there_are_rank_correlations_and_regressions() -> None:
    unit = {"distribution": "uniform", "minimum": 0, "maximum": 1}
    strategy = asked({"a": unit, "b": unit}, lambda a, b: math.exp(5 * a) + 0 * b, n_samples=256, sensitivity=False)
    found = by_parameter(strategy.sensitivity())
    assert found["a"].rank_correlation == pytest.approx(1.0)
    assert found["a"].regression is not None
    assert 0.7 < found["a"].regression < 0.95
    assert found["b"].regression == pytest.approx(0.0, abs=0.1)
    assert found["a"].first_order is None


def test_rank_correlations_and_regressions_are_those_of_scipy_and_numpy() -> None:
    chance = np.random.default_rng(1)
    inputs = np.column_stack([chance.normal(size=300), chance.integers(0, 5, 300), np.ones(300)]).astype(float)
    outputs = np.column_stack([inputs[:, 0] + 0.5 * inputs[:, 1] + chance.normal(size=300), np.full(300, 3.0)])
    ranks, slopes = rank_correlations(inputs, outputs), regression(inputs, outputs)
    for at in range(2):
        assert ranks[0, at] == pytest.approx(stats.spearmanr(inputs[:, at], outputs[:, 0]).statistic)
    plain = np.linalg.lstsq(np.column_stack([inputs[:, :2], np.ones(300)]), outputs[:, 0], rcond=None)[0]
    assert slopes[0, :2] == pytest.approx(plain[:2] * inputs[:, :2].std(axis=0) / outputs[:, 0].std())
    assert np.isnan(ranks[:, 2]).all()
    assert np.isnan(slopes[1]).all()
    assert np.isnan(regression(inputs[:3], outputs[:3])).all()


def test_kpis_that_are_defined_in_other_runs_are_told_each_by_its_own() -> None:
    """Of one KPI every second sample is not defined; the other keeps all."""
    points = uniform_points("sobol", 64, 1, 1)
    outputs = np.stack([points, 2 * points], axis=2)
    outputs[::2, 0, 1] = np.nan
    inputs = [points[:, 0].tolist()]
    sampled = Sampled(["a"], inputs, ["x", "y"], lambda kpis: outputs[:, :, ["xy".index(kpi) for kpi in kpis]])
    whole, half = sensitivities(sampled, confidence=0.9, seed=1)
    assert (whole.kpi, whole.samples, half.kpi, half.samples) == ("x", 64, "y", 32)
    assert (whole.rank_correlation, half.rank_correlation) == (pytest.approx(1.0), pytest.approx(1.0))


def test_bars_of_a_tornado_by_hand() -> None:
    """At medians 10; field a moves it to 9 and 12, field b to 20 and 4, of c one end failed: the widest first."""
    values = {"a": [0, 1, 2, 0, 0, 0, 0], "b": [5, 5, 5, 3, 7, 5, 5], "c": ["m", "m", "m", "m", "m", "l", "h"]}
    results = np.array([10.0, 9.0, 12.0, 20.0, 4.0, np.nan, 11.0])
    bars = tornado_bars("total_cost", 0, values, results)
    assert [(bar.parameter, bar.swing) for bar in bars] == [("b", 16.0), ("a", 3.0), ("c", None)]
    assert (bars[0].low_value, bars[0].high_value, bars[0].at_low, bars[0].at_high) == (3, 7, 20.0, 4.0)
    assert (bars[2].at_low, bars[2].at_high, bars[2].at_medians) == (None, 11.0, 10.0)
