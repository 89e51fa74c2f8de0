"""What every strategy promises, whatever it searches or samples."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import scipy.stats  # noqa: F401 - draws when first imported, before the fixture below forbids it

from ecosystemiser.config import StudyConfig
from ecosystemiser.study.points import Point
from ecosystemiser.study.resuming import TimeLimited
from ecosystemiser.study.strategies import strategy_of
from ecosystemiser.study.strategy import Strategy

SPACE: dict[str, Any] = {
    "battery.capacity_kwh": {"from": 0, "to": 80},
    "heat_pump.count": {"from": 1, "to": 6, "integer": True},
    "roof_pv.capacity_kw": {"from": 20, "to": 100, "count": 5},
    "grid.import_price_per_kwh": [0.3, {"default": 0.28, "periods": []}, "spot"],
}
LISTS: dict[str, Any] = {"battery.capacity_kwh": [0, 40, 80], "pv.profile": ["south", "west", "east"]}
UNCERTAIN: dict[str, Any] = {
    "houses.annual_kwh": {"distribution": "normal", "mean": 45000, "standard_deviation": 3000, "minimum": 0},
    "grid.import_price_per_kwh": {"distribution": "lognormal", "mean": 0.3, "standard_deviation": 0.05},
    "site.weather": {"distribution": "discrete", "values": ["cold", "warm"], "weights": [1, 3]},
}
TWO = {"total_cost": "minimise", "self_sufficiency_rate": "maximise"}
FOUR = {**TWO, "total_co2": "minimise", "peak_import_kw": "minimise"}


def genetic(objectives: Mapping[str, str], **settings: Any) -> dict[str, Any]:
    own = {"objectives": objectives, "population_size": 12, "max_generations": 5, "seed": 3, **settings}
    return {"study_type": "genetic_algorithm", "parameters": SPACE, "genetic_algorithm": own}


def monte_carlo(**settings: Any) -> dict[str, Any]:
    own = {"distributions": UNCERTAIN, "n_samples": 24, "seed": 3, **settings}
    return {"study_type": "monte_carlo", "monte_carlo": own}


STUDIES: dict[str, dict[str, Any]] = {
    "grid": {"parameters": LISTS},
    "zipped": {"parameters": LISTS, "combine": "zipped"},
    "latin_hypercube": {"parameters": SPACE, "combine": "latin_hypercube", "n_samples": 30, "seed": 3},
    "sobol": {"parameters": SPACE, "combine": "sobol", "n_samples": 30, "seed": 3},
    "ga": genetic({"total_cost": "minimise"}),
    "nsga2": genetic(TWO, constraints=["self_sufficiency_rate >= 0.4"], max_evaluations=50),
    "nsga3": genetic(FOUR, constraints=["total_cost <= 90"]),
    "mc_random": monte_carlo(sampling="random", tornado=True),
    "mc_lhs": monte_carlo(sampling="lhs"),
    "mc_sensitivity": monte_carlo(sensitivity=True),
    "mc_designs": {**monte_carlo(precision={"total_cost": 0.02}, batch_size=8, n_samples=64), "parameters": LISTS},
}
SEEDED = [name for name in STUDIES if name not in ("grid", "zipped")]
LEARNING = [name for name in STUDIES if name.startswith(("ga", "nsga"))]
Kpis = dict[str, float | None]


def study_of(name: str, **changes: Any) -> StudyConfig:
    return StudyConfig.model_validate({"study_id": "s", **STUDIES[name], **changes})


def solved(point: Point) -> Kpis | None:
    """An answer that depends on every value; now and then none, now and then without a KPI."""
    text = json.dumps(point.values, sort_keys=True)
    chance = random.Random(text)  # noqa: S311 - no secret
    if chance.random() < 0.1:
        return None
    size = float(point.values.get("battery.capacity_kwh", 10.0))
    noise = chance.random()
    return {
        "total_cost": 50 + abs(size - 30) + 10 * noise,
        "total_co2": 100 - size + 5 * noise,
        "self_sufficiency_rate": None if chance.random() < 0.05 else size / 80,
        "peak_import_kw": 20 + 10 * noise,
    }


def walked(
    strategy: Strategy, solve: Callable[[Point], Kpis | None] = solved, *, is_reversed: bool = False
) -> list[list[Point]]:
    """Drive a strategy to its end and return its batches."""
    batches = []
    for points in strategy.ask():
        batches.append(points)
        for point in reversed(points) if is_reversed else points:
            strategy.tell(point, solve(point))
    return batches


def flat(batches: list[list[Point]]) -> list[Point]:
    return [point for points in batches for point in points]


def exact(batches: list[list[Point]]) -> str:
    """All that was asked, to the last bit (Python writes floats so that they read back the same)."""
    return json.dumps([[(point.number, point.generation, dict(point.values)) for point in each] for each in batches])


def told(strategy: Any) -> str:
    """All that a strategy has found, to the last bit."""
    found: list[object] = [(step.number, step.evaluations, dict(step.metrics), step.front) for step in strategy.steps]
    if hasattr(strategy, "uncertainty"):
        found += [strategy.uncertainty(), strategy.sensitivity(), strategy.tornado(), strategy.differences()]
    return repr((found, strategy.stopped_because))


@pytest.fixture(autouse=True)
def _only_seeded_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """No generator without a seed is made: it would give other points in another process."""
    make = np.random.default_rng

    def seeded(seed: object = None) -> np.random.Generator:
        assert seed is not None, "a generator of random numbers without a seed"
        return make(seed)  # type: ignore[arg-type]

    monkeypatch.setattr(np.random, "default_rng", seeded)


@pytest.mark.parametrize("name", STUDIES)
def test_made_anew_and_told_the_same_it_asks_the_same_bit_by_bit(name: str) -> None:
    """Whatever the state of the process's own chance, and in whatever order the workers come back."""
    one, other = strategy_of(study_of(name)), strategy_of(study_of(name))
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the process-wide state is what is tested
    first = walked(one)
    random.seed(2)
    np.random.seed(2)  # noqa: NPY002
    second = walked(other, is_reversed=True)
    assert exact(first) == exact(second)
    assert told(one) == told(other)


@pytest.mark.parametrize("name", STUDIES)
def test_settings_written_into_a_row_and_read_again_make_the_same_strategy(name: str) -> None:
    study = study_of(name)
    again = StudyConfig.model_validate_json(study.model_dump_json())
    assert again == study
    assert exact(walked(strategy_of(study))) == exact(walked(strategy_of(again)))


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_asks_other_points(name: str) -> None:
    study = study_of(name)
    kind = study.study_type
    changed: dict[str, Any] = {"seed": 4} if kind == "parametric" else {kind: {**STUDIES[name][kind], "seed": 4}}
    assert exact(walked(strategy_of(study))) != exact(walked(strategy_of(study_of(name, **changed))))


@pytest.mark.parametrize("name", STUDIES)
def test_points_are_numbered_without_gaps_and_hold_plain_values(name: str) -> None:
    study = study_of(name)
    strategy = strategy_of(study)
    points = flat(walked(strategy))
    assert sorted(point.number for point in points) == list(range(len(points)))
    fields = set(study.example_values())
    for point in points:
        assert set(point.values) == fields
        assert {type(value) for value in point.values.values()} <= {int, float, str, dict}
        assert not any(isinstance(value, float) and not math.isfinite(value) for value in point.values.values())
    assert len(points) <= study.points
    assert strategy.size in (None, len(points))


@pytest.mark.parametrize("name", [*LEARNING, "grid", "zipped"])
def test_no_design_is_asked_twice(name: str) -> None:
    designs = [json.dumps(dict(point.values), sort_keys=True) for point in flat(walked(strategy_of(study_of(name))))]
    assert len(set(designs)) == len(designs)


@pytest.mark.parametrize("name", STUDIES)
def test_where_every_run_fails_it_comes_to_its_end(name: str) -> None:
    strategy = strategy_of(study_of(name))
    points = flat(walked(strategy, lambda _: None))
    assert len(points) >= 3
    assert all(not step.front for step in strategy.steps)


@pytest.mark.parametrize("name", STUDIES)
def test_stopped_it_asks_no_more_and_says_why(name: str) -> None:
    strategy = strategy_of(study_of(name))
    assert strategy.stopped_because is None
    batches = 0
    for points in strategy.ask():
        batches += 1
        for point in points:
            strategy.tell(point, solved(point))
        strategy.stop("enough")
    assert (batches, strategy.stopped_because) == (1, "enough")
    assert list(strategy.ask()) == []


@pytest.mark.parametrize("name", [*LEARNING, *(name for name in STUDIES if name.startswith("mc"))])
def test_going_on_without_telling_is_refused(name: str) -> None:
    """A strategy that went on would learn from nothing."""
    asking = strategy_of(study_of(name)).ask()
    next(asking)
    with pytest.raises(ValueError, match="were asked and not told"):
        next(asking)


@pytest.mark.parametrize("name", LEARNING)
def test_no_batch_begins_after_the_time_is_over_but_what_is_known_costs_none(name: str) -> None:
    """By hand: a batch takes 10 s of 25 s, so the third is the last. Of a second process, which begins with 20 s
    spent, the two known batches take nothing and one more is begun."""
    seconds = [0.0]

    def slowly(point: Point) -> Kpis | None:
        seconds[0] += 10.0 if point.number in firsts else 0.0
        return solved(point)

    whole = walked(strategy_of(study_of(name)))
    assert len(whole) > 3
    firsts = {points[0].number for points in whole}
    strategy = strategy_of(study_of(name))
    limited = TimeLimited(strategy, 25.0, clock=lambda: seconds[0])
    assert exact(walked(limited, slowly)) == exact(whole[:3])
    assert strategy.stopped_because == "25 s are over (time_limit_s)"

    known = {point.number: solved(point) for point in flat(whole[:2])}
    resumed = TimeLimited(strategy_of(study_of(name)), 25.0, spent_s=20.0, known=known, clock=lambda: seconds[0])
    answers = walked(resumed, lambda point: known[point.number] if point.number in known else slowly(point))
    assert exact(answers) == exact(whole[:3])


@pytest.mark.parametrize("name", SEEDED)
def test_all_chance_and_all_scores_are_used_on_the_way(name: str) -> None:
    """A negative control of the tests above: told otherwise, a learning strategy asks otherwise, others do not."""
    before = exact(walked(strategy_of(study_of(name))))
    after = exact(walked(strategy_of(study_of(name)), lambda point: {**(solved(point) or {}), "total_cost": 1.0}))
    if name in LEARNING:
        assert before != after
    elif name != "mc_designs":  # whose precision is met sooner
        assert before == after
