"""What may be asked of sampled, genetic and Monte Carlo studies."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ecosystemiser.config import GeneticSettings, MonteCarloSettings, SimulationConfig, StudyConfig, ValueRange
from ecosystemiser.config.kpi_words import KpiLimit

TWO = {"total_cost": "minimise", "total_co2": "minimise"}
SPACE = {"a": {"from": 0, "to": 10}, "b": ["x", "y"], "c": {"from": 1, "to": 4, "integer": True}}
NORMAL = {"distribution": "normal", "mean": 10, "standard_deviation": 2}


def refusal(make: type, **fields: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        make.model_validate(fields)  # type: ignore[attr-defined]
    return str(raised.value)


def genetic(**fields: Any) -> dict[str, Any]:
    settings = {"objectives": TWO, **fields.pop("settings", {})}
    return {
        "study_id": "s", "study_type": "genetic_algorithm", "parameters": SPACE, "genetic_algorithm": settings, **fields
    }  # fmt: skip


def monte_carlo(**fields: Any) -> dict[str, Any]:
    settings = {"distributions": {"x": NORMAL, "y": NORMAL}, **fields.pop("settings", {})}
    return {"study_id": "s", "study_type": "monte_carlo", "monte_carlo": settings, **fields}


def test_a_study_of_lists_needs_no_more_words_than_before() -> None:
    study = StudyConfig(study_id="s", study_type="parametric", base_config=SimulationConfig())
    assert (study.points, study.values(), study.is_sampled, study.kept_hours) == (1, {}, False, "all")


# Ranges.


def test_a_range_without_count_holds_all_values_between() -> None:
    spread = ValueRange.model_validate({"from": 0, "to": 1})
    assert not spread.is_listed
    with pytest.raises(ValueError, match="has no count"):
        spread.values()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"from": 1, "to": 1}, "is an empty range"),
        ({"from": 1, "to": 0}, "is an empty range"),
        ({"from": 0.5, "to": 3, "integer": True}, "give whole numbers"),
        ({"from": 0, "to": 3, "integer": True, "count": 4}, "leave one of them out"),
        ({"from": 0, "to": 3, "integer": 1}, "integer"),
    ],
)
def test_an_empty_range_is_refused(fields: dict[str, Any], words: str) -> None:
    assert words in refusal(ValueRange, **fields)


def test_sampled_studies_take_ranges() -> None:
    study = StudyConfig.model_validate({"study_id": "s", "parameters": SPACE, "combine": "sobol", "n_samples": 50})
    assert (study.points, study.is_sampled) == (50, True)
    assert study.example_values() == {"a": 0.0, "b": "x", "c": 1}
    with pytest.raises(ValueError, match="not made of lists"):
        study.values()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"parameters": SPACE}, "parameters.a is a range without count; add it, or combine: latin_hypercube"),
        ({"parameters": SPACE, "combine": "sobol"}, "n_samples is missing"),
        ({"combine": "sobol", "n_samples": 5}, "parameters are missing"),
        ({"parameters": {"a": [1]}, "n_samples": 5}, "n_samples belongs to combine: latin_hypercube and sobol"),
        ({"parameters": {"a": [1]}, "seed": 5}, "seed belongs to combine: latin_hypercube and sobol"),
        ({"parameters": SPACE, "combine": "sobol", "n_samples": 10**9}, "n_samples"),
        ({"parameters": SPACE, "combine": "sobol", "n_samples": 8, "seed": -1}, "seed"),
        ({"genetic_algorithm": {"objectives": TWO}}, "genetic_algorithm belongs to study_type: genetic_algorithm"),
        ({"monte_carlo": {"distributions": {"x": NORMAL}}}, "monte_carlo belongs to study_type: monte_carlo"),
        ({"study_type": "genetic_algorithm", "parameters": SPACE}, "genetic_algorithm is missing"),
        ({"study_type": "monte_carlo"}, "monte_carlo is missing"),
        (genetic(parameters={}), "parameters are missing"),
        (genetic(combine="sobol"), "combine belongs to parametric studies"),
        (genetic(base_config={"run_id": "r"}), "base_config.run_id names one run"),
        (monte_carlo(parameters=SPACE), "parameters.a is a range without count; add it"),
        (monte_carlo(parameters={"x": [1, 2]}), "monte_carlo.distributions.x stands in parameters too"),
        (monte_carlo(parameters={"a": [1, 2], "b": [1]}, combine="zipped"), "are zipped, but differ in number"),
        (
            monte_carlo(settings={"n_samples": 500_000, "sensitivity": True}),
            "n_samples make 2,000,005 points, more than 1,000,000; lower n_samples",
        ),
        (
            monte_carlo(settings={"n_samples": 1_000}, parameters={"a": list(range(1_001))}),
            "n_samples make 1,001,000 points",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], words: str) -> None:
    assert words in refusal(StudyConfig, **({"study_id": "s"} | fields))


def test_problems_are_told_all_at_once_with_their_places() -> None:
    fields = genetic(settings={"initial_designs": [{"a": 5}, {"a": 11, "b": "z", "c": 2.5}]}, n_samples=3)
    study = StudyConfig.model_validate(fields, context={"is_checked_as_a_whole": False})
    assert [(".".join(map(str, found.place)), found.message) for found in study.problems()] == [
        ("n_samples", "belongs to combine: latin_hypercube and sobol"),
        ("genetic_algorithm.initial_designs.0", "must hold a value of each parameter and nothing else"),
        ("genetic_algorithm.initial_designs.1.a", "is 11, none of this parameter's values"),
        ("genetic_algorithm.initial_designs.1.b", "is 'z', none of this parameter's values"),
        ("genetic_algorithm.initial_designs.1.c", "is 2.5, none of this parameter's values"),
    ]


# Genetic studies.


def test_a_genetic_study_may_make_so_many_points() -> None:
    assert StudyConfig.model_validate(genetic(settings={"population_size": 20, "max_generations": 7})).points == 140
    assert StudyConfig.model_validate(genetic(settings={"max_evaluations": 99})).points == 99
    study = StudyConfig.model_validate(genetic(settings={"initial_designs": [{"a": 5, "b": "y", "c": 4}]}))
    assert study.kept_hours == "best"
    assert StudyConfig.model_validate_json(study.model_dump_json()) == study


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"objectives": {}}, "objectives"),
        ({"objectives": {"total_cots": "minimise"}}, "is no KPI; did you mean 'total_cost'?"),
        ({"objectives": {"total_cost": "minimize"}}, "'minimise' or 'maximise'"),
        ({"constraints": ["self_sufficency_rate >= 0.8"]}, "did you mean 'self_sufficiency_rate'?"),
        ({"constraints": ["self_sufficiency_rate > 0.8"]}, "is no limit on a KPI; write a KPI, >= or <=, and a number"),
        ({"constraints": ["self_sufficiency_rate >= 80 %"]}, "is no limit on a KPI"),
        ({"constraints": ["total_cost <= nan"]}, "names no number"),
        ({"constraints": ["total_cost <= many"]}, "names no number"),
        ({"algorithm": "ga"}, "takes one objective, and there are 2; use nsga2 or nsga3"),
        ({"algorithm": "nsga2", "objectives": {"total_cost": "minimise"}}, "takes two objectives or more; use ga"),
        ({"algorithm": "nsga4"}, "'ga', 'nsga2' or 'nsga3'"),
        ({"population_size": 3}, "population_size"),
        ({"population_size": True}, "population_size"),
        ({"max_generations": 0}, "max_generations"),
        ({"population_size": 10_000, "max_generations": 101}, "may make 1,010,000 points, more than 1,000,000"),
        ({"max_evaluations": 10**9}, "max_evaluations"),
        ({"time_limit_s": 0}, "time_limit_s"),
        ({"time_limit_s": float("inf")}, "time_limit_s"),
        ({"tolerance": -1}, "tolerance"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"reference_point": {"total_cost": 1}}, "must hold the objectives and no other KPI"),
        ({"population_size": 4, "initial_designs": [{}] * 5}, "are 5, more than a generation; set population_size: 5"),
        ({"start_from": "../x"}, "is no id"),
        ({"generations": 5}, "generations"),
    ],
)
def test_genetic_settings_that_mean_nothing_are_refused(settings: dict[str, Any], words: str) -> None:
    assert words in refusal(GeneticSettings, **({"objectives": TWO} | settings))


def test_a_limit_is_read() -> None:
    limit = KpiLimit.parse(" self_sufficiency_rate>=0.80 ")
    assert (limit.kpi, limit.relation, limit.limit, str(limit)) == (
        "self_sufficiency_rate", ">=", 0.8, "self_sufficiency_rate >= 0.8",
    )  # fmt: skip


# Monte Carlo studies.


@pytest.mark.parametrize(
    ("settings", "designs", "points"),
    [
        ({"n_samples": 100}, {}, 100),
        ({"n_samples": 100}, {"a": [1, 2, 3]}, 300),
        ({"n_samples": 100, "tornado": True}, {}, 105),
        ({"n_samples": 100, "sensitivity": True}, {}, 405),
        ({"n_samples": 100, "sensitivity": True, "tornado": False}, {"a": [1, 2]}, 800),
    ],
)
def test_a_monte_carlo_study_makes_so_many_points(settings: dict[str, Any], designs: Any, points: int) -> None:
    study = StudyConfig.model_validate(monte_carlo(settings=settings, parameters=designs))
    assert study.points == points
    assert StudyConfig.model_validate_json(study.model_dump_json()) == study
    with pytest.raises(ValueError, match="not made of lists"):
        study.values()


def test_examples_are_values_that_the_runs_may_take() -> None:
    distributions = {
        "n": {**NORMAL, "maximum": 9},
        "l": {"distribution": "lognormal", "mean": 3, "standard_deviation": 1, "minimum": 4},
        "u": {"distribution": "uniform", "minimum": 1, "maximum": 2},
        "t": {"distribution": "triangular", "minimum": 1, "mode": 2, "maximum": 3},
        "d": {"distribution": "discrete", "values": ["x", "y"]},
        "e": {"distribution": "empirical", "values": [5, 6]},
    }
    study = StudyConfig.model_validate(monte_carlo(settings={"distributions": distributions}, parameters={"a": [7]}))
    assert study.example_values() == {"a": 7, "n": 9, "l": 4, "u": 1, "t": 2, "d": "x", "e": 5}
    assert study.compared_values() == {"a": [7]}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"distribution": "gauss"}, "'normal'"),
        ({"mean": 1}, "distribution"),
        ({"distribution": "normal", "mean": 1}, "standard_deviation"),
        ({"distribution": "normal", "mean": 1, "standard_deviation": 0}, "greater than 0"),
        ({**NORMAL, "minimum": 3, "maximum": 3}, "is empty"),
        ({**NORMAL, "minimum": 30}, "is cut off nearly whole"),
        ({**NORMAL, "maximum": -30}, "is cut off nearly whole"),
        ({"distribution": "lognormal", "mean": 1, "standard_deviation": 1, "maximum": 0}, "is cut off nearly whole"),
        ({"distribution": "lognormal", "mean": -1, "standard_deviation": 1}, "greater than 0"),
        ({"distribution": "uniform", "minimum": 3, "maximum": 2}, "is empty"),
        ({"distribution": "triangular", "minimum": 0, "mode": 4, "maximum": 3}, "is no triangle"),
        ({"distribution": "triangular", "minimum": 3, "mode": 3, "maximum": 3}, "is no triangle"),
        ({"distribution": "discrete", "values": []}, "values"),
        ({"distribution": "discrete", "values": [1, 2], "weights": [1]}, "has 2 values and 1 weights"),
        ({"distribution": "discrete", "values": [1, 2], "weights": [0, 0]}, "has no weight above 0"),
        ({"distribution": "discrete", "values": [1, 2], "weights": [2, -1]}, "weights"),
        ({"distribution": "discrete", "values": [float("nan")]}, "is no finite number"),
        ({"distribution": "empirical", "values": [1, 1]}, "has one value only"),
        ({"distribution": "empirical", "values": [1, "2"]}, "values"),
        ({**NORMAL, "mean": float("inf")}, "mean"),
        ({**NORMAL, "sigma": 1}, "sigma"),
    ],
)
def test_distributions_that_are_none_are_refused(spec: dict[str, Any], words: str) -> None:
    assert words in refusal(MonteCarloSettings, distributions={"x": spec})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"correlations": {"x": {"z": 0.5}}}, "name z, which has no distribution"),
        ({"correlations": {"x": {"x": 0.5}}}, "pair x with itself"),
        ({"correlations": {"x": {"y": 1.0}}}, "less than 1"),
        ({"correlations": {"x": {"y": 0.5}, "y": {"x": 0.4}}}, "give x and y two values"),
        ({"correlations": {"x": {"w": 0.5}}}, "name w, whose values are no numbers"),
        ({"correlations": {"x": {"y": 0.9, "v": 0.9}, "y": {"v": -0.9}}}, "contradict each other"),
        ({"correlations": {"x": {"y": 0.5}}, "sensitivity": True}, "which correlated fields do not have"),
        ({"n_samples": 1}, "n_samples"),
        ({"n_samples": 10**9}, "n_samples"),
        ({"sampling": "halton"}, "'sobol', 'lhs' or 'random'"),
        ({"precision": {"total_cots": 0.1}}, "did you mean 'total_cost'?"),
        ({"precision": {"total_cost": 0}}, "precision"),
        ({"confidence": 1}, "confidence"),
        ({"risk_level": 0}, "risk_level"),
        ({"probabilities": ["total_cost"]}, "is no limit on a KPI"),
        ({"distributions": {}}, "distributions"),
    ],
)
def test_monte_carlo_settings_that_mean_nothing_are_refused(settings: dict[str, Any], words: str) -> None:
    weather = {"distribution": "discrete", "values": ["cold", "warm"]}
    distributions = {"x": NORMAL, "y": NORMAL, "v": NORMAL, "w": weather}
    assert words in refusal(MonteCarloSettings, **({"distributions": distributions} | settings))


def test_correlations_make_a_matrix() -> None:
    settings = MonteCarloSettings.model_validate(
        {"distributions": {"x": NORMAL, "y": NORMAL, "v": NORMAL}, "correlations": {"v": {"x": -0.5}, "y": {"v": 0.25}}}
    )
    assert settings.correlation_matrix() == [[1.0, 0.0, -0.5], [0.0, 1.0, 0.25], [-0.5, 0.25, 1.0]]
