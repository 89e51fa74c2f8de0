"""Monte Carlo studies: which points they make, what they tell, when they end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from ecosystemiser.config import MonteCarloSettings
from ecosystemiser.study.monte_carlo import MOST_AT_ONCE, MonteCarlo
from ecosystemiser.study.points import Point

NORMAL = {"distribution": "normal", "mean": 10, "standard_deviation": 2}
UNIT = {"distribution": "uniform", "minimum": 0, "maximum": 1}


def made(designs: Any = ({},), **settings: Any) -> MonteCarlo:
    whole = {"distributions": {"x": NORMAL}, "seed": 1, **settings}
    return MonteCarlo(MonteCarloSettings.model_validate(whole), designs)


def driven(strategy: MonteCarlo, solve: Callable[[Any], Any]) -> list[Point]:
    points = []
    for batch in strategy.ask():
        for point in batch:
            strategy.tell(point, solve(point.values))
            points.append(point)
    return sorted(points, key=lambda point: point.number)


def cost(values: Any) -> dict[str, float | None]:
    return {"total_cost": values["x"] + values.get("size", 0.0)}


def test_mean_and_percentiles_of_a_known_distribution_are_found() -> None:
    """Of 4,096 Sobol points of a normal distribution of mean 10 and deviation 2; P5 lies 1.645 deviations below."""
    strategy = made(n_samples=4_096, probabilities=["total_cost <= 12"])
    driven(strategy, cost)
    (found,) = strategy.uncertainty()
    assert found.mean == pytest.approx(10.0, abs=0.01)
    assert found.standard_deviation == pytest.approx(2.0, abs=0.02)
    assert found.percentile(5) == pytest.approx(10 - 2 * 1.6449, abs=0.03)
    assert found.percentile(95) == pytest.approx(10 + 2 * 1.6449, abs=0.03)
    # Of a normal distribution the mean beyond the 95 % quantile lies pdf(1.645) / 0.05 = 2.063 deviations above.
    assert found.conditional_value_at_risk == pytest.approx(10 + 2 * 2.0627, abs=0.03)
    (kept,) = strategy.probabilities()
    assert kept.probability == pytest.approx(0.8413, abs=0.003)
    assert kept.low < 0.8413 < kept.high


def test_every_design_meets_the_same_samples() -> None:
    strategy = made([{"size": 0.0}, {"size": 3.0}], n_samples=32)
    points = driven(strategy, cost)
    by_design = [[point.values["x"] for point in points if point.values["size"] == size] for size in (0.0, 3.0)]
    assert len(points) == strategy.size == 64
    assert by_design[0] == by_design[1]
    (found,) = strategy.differences()
    assert (found.design, found.mean, found.share_better) == (1, pytest.approx(3.0), 0.0)
    assert (found.low, found.high) == (pytest.approx(3.0), pytest.approx(3.0))
    first, second = strategy.uncertainty()
    assert (first.design, second.design, second.mean - first.mean) == (0, 1, pytest.approx(3.0))


def test_the_scheme_takes_each_field_in_turn_from_the_other_sample() -> None:
    """By hand, one sample of two fields: A, B, then A with the first from B, A with the second from B."""
    strategy = made(distributions={"x": NORMAL, "y": UNIT}, n_samples=4, sensitivity=True, tornado=False)
    points = driven(strategy, cost)
    assert len(points) == 4 * 4
    for first in range(0, 16, 4):
        a, b, from_x, from_y = (point.values for point in points[first : first + 4])
        assert from_x == {"x": b["x"], "y": a["y"]}
        assert from_y == {"x": a["x"], "y": b["y"]}
        assert a["x"] != b["x"]
    (found,) = strategy.uncertainty()
    assert found.samples == 8  # A and B; the mixed points are none of their own


def test_the_tornado_moves_one_field_at_a_time() -> None:
    """By hand: the quantiles 0.1 and 0.9 of the unit field are 0.1 and 0.9, those of the other 10 -+ 2.563."""
    strategy = made(distributions={"x": NORMAL, "y": UNIT}, n_samples=8, tornado=True)
    points = driven(strategy, lambda values: {"total_cost": values["x"] + 10 * values["y"]})
    assert len(points) == strategy.size == 5 + 8
    alone = [tuple(point.values.values()) for point in points[:5]]
    low, high = 10 - 2.5631, 10 + 2.5631
    expected = [(10, 0.5), (low, 0.5), (high, 0.5), (10, 0.1), (10, 0.9)]
    assert np.array(alone) == pytest.approx(np.array(expected), abs=1e-3)
    bars = strategy.tornado()
    assert [bar.parameter for bar in bars] == ["y", "x"]
    assert (bars[0].at_low, bars[0].at_medians, bars[0].at_high) == tuple(pytest.approx(v) for v in (11.0, 15.0, 19.0))
    (found,) = strategy.uncertainty()
    assert found.samples == 8


def test_correlated_fields_are_correlated_in_the_points() -> None:
    strategy = made(distributions={"x": NORMAL, "y": UNIT}, correlations={"x": {"y": -0.8}}, n_samples=1_024)
    points = driven(strategy, cost)
    columns = np.array([list(point.values.values()) for point in points])
    assert spearmanr(columns).statistic == pytest.approx(-0.8, abs=0.02)


def test_it_ends_when_the_mean_is_known_well_enough() -> None:
    """By hand: 1 % of 10 is 0.1; 1.96 x 2 / sqrt(n) comes below it at n = 1,537: the 25th batch of 64."""
    strategy = made(n_samples=100_000, precision={"total_cost": 0.01}, sampling="random")
    points = driven(strategy, cost)
    assert strategy.size is None
    assert strategy.samples == len(points)
    assert len(points) % 64 == 0
    assert 1_200 < len(points) < 1_900
    assert strategy.stopped_because == f"the means are known well enough after {len(points):,} samples (precision)"
    last = strategy.steps[-1].metrics
    assert last["total_cost.half_width"] <= 0.01 * abs(last["total_cost.mean"])
    before = strategy.steps[-2].metrics
    assert before["total_cost.half_width"] > 0.01 * abs(before["total_cost.mean"])


def test_every_design_must_be_known_well_enough() -> None:
    """The second design varies ten times as much."""

    def solve(values: Any) -> dict[str, float]:
        return {"total_cost": 100 + (values["x"] - 10) * (10 if values["size"] else 1)}

    alone, both = (
        made([{"size": 0}], n_samples=50_000, precision={"total_cost": 0.01}),
        made([{"size": 0}, {"size": 1}], n_samples=50_000, precision={"total_cost": 0.01}),
    )
    driven(alone, solve)
    driven(both, solve)
    assert alone.samples == 64
    assert both.samples > 1_000
    assert {"total_cost[0].mean", "total_cost[1].half_width"} <= both.steps[-1].metrics.keys()


def test_a_mean_that_is_never_known_takes_all_samples() -> None:
    strategy = made(n_samples=200, precision={"unmet_kwh": 0.01})
    points = driven(strategy, cost)
    assert (len(points), strategy.stopped_because) == (200, None)
    assert [step.evaluations for step in strategy.steps] == [64, 128, 192, 200]


def test_failed_runs_are_counted_and_left_out() -> None:
    strategy = made(n_samples=256)
    driven(strategy, lambda values: None if values["x"] > 12 else cost(values))
    (found,) = strategy.uncertainty()
    assert found.failed == pytest.approx(256 * 0.1587, abs=3)
    assert found.samples + found.failed == 256
    assert found.maximum <= 12
    assert strategy.steps[-1].metrics["failed"] == found.failed


def test_a_kpi_that_is_not_always_defined_has_its_own_number_of_samples() -> None:
    strategy = made(n_samples=64)
    driven(strategy, lambda values: {**cost(values), "self_sufficiency_rate": None if values["x"] > 10 else 0.5})
    samples = {each.kpi: (each.samples, each.failed) for each in strategy.uncertainty()}
    assert samples == {"total_cost": (64, 0), "self_sufficiency_rate": (32, 0)}


def test_without_results_there_is_nothing_to_tell() -> None:
    strategy = made([{"size": 0}, {"size": 1}], n_samples=8, tornado=True, probabilities=["total_cost <= 1"])
    for _ in range(2):
        assert strategy.uncertainty() == strategy.sensitivity() == strategy.tornado() == strategy.differences() == []
        assert strategy.probabilities() == []
        driven(strategy, lambda _: None)


def test_many_points_come_in_batches() -> None:
    strategy = made(distributions={"x": UNIT}, n_samples=2 * MOST_AT_ONCE + 1, sampling="random")
    sizes = []
    for batch in strategy.ask():
        sizes.append(len(batch))
        for point in batch:
            strategy.tell(point, None)
    assert sizes == [MOST_AT_ONCE, MOST_AT_ONCE, 1]


def test_discrete_values_come_as_often_as_they_weigh() -> None:
    weather = {"distribution": "discrete", "values": ["2018", "2019", {"file": "a.epw"}], "weights": [1, 1, 2]}
    points = driven(made(distributions={"w": weather}, n_samples=64), lambda _: None)
    assert Counter(str(point.values["w"]) for point in points) == {"2018": 16, "2019": 16, "{'file': 'a.epw'}": 32}


def test_even_points_know_the_mean_better_than_random_ones() -> None:
    """What Sobol points and Latin hypercubes are for: the error of the mean of 256 samples of four fields."""

    def error(sampling: str) -> float:
        fields = dict.fromkeys("abcd", UNIT)
        means = []
        for seed in range(10):
            strategy = made(distributions=fields, n_samples=256, sampling=sampling, seed=seed)
            driven(strategy, lambda values: {"total_cost": math.prod(1 + value for value in values.values())})
            means.append(strategy.uncertainty()[0].mean - 1.5**4)
        return float(np.sqrt(np.mean(np.square(means))))

    assert error("sobol") < error("lhs") < error("random")
