"""What may be asked for: simulations, solver options, studies."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from ecosystemiser.config import DEFAULT_SYSTEM, SimulationConfig, SolverOptions, StudyConfig, ValueRange
from ecosystemiser.config.study_config import MOST_POINTS


def refusal(make: type, **fields: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        make(**fields)
    return str(raised.value)


# One simulation.


def test_nothing_said_is_the_packaged_example() -> None:
    config = SimulationConfig()
    assert (config.system, config.system_id) == (DEFAULT_SYSTEM, DEFAULT_SYSTEM)
    assert (config.solver_type, config.timesteps, config.parameters) == ("milp", None, {})
    assert config.output_directory == Path("data/results")


def test_another_system_is_found_by_the_name_in_its_file() -> None:
    assert SimulationConfig(system="farm.yaml").system_id is None
    assert SimulationConfig(system="farm.yaml", system_id="farm-2").system_id == "farm-2"


@pytest.mark.parametrize("field", ["run_id", "study_id", "system_id"])
@pytest.mark.parametrize("text", ["", "..", "a/b", "a..b", "a b", "-a", "a\0", "a\n", "ä", "x" * 129])
def test_what_is_no_id_is_refused(field: str, text: str) -> None:
    assert "is no id" in refusal(SimulationConfig, **{field: text})


@pytest.mark.parametrize("steps", [0, -1, 1_000_001, True, "24", 24.0, 24.5, float("nan")])
def test_what_is_no_number_of_steps_is_refused(steps: object) -> None:
    """Truth values and texts are no numbers."""
    assert "timesteps" in refusal(SimulationConfig, timesteps=steps)


@pytest.mark.parametrize("fields", [{"solver": {"ga": 1}}, {"solver_type": "simplex"}, {"sovler_type": "milp"}])
def test_unknown_words_are_refused(fields: dict[str, object]) -> None:
    refusal(SimulationConfig, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"gap": 1.0},
        {"gap": -0.1},
        {"gap": True},
        {"time_limit_s": 0},
        {"time_limit_s": float("inf")},
        {"time_limit_s": "5"},
        {"threads": 0},
        {"threads": True},
        {"lookahead_h": 0},
        {"end": "Cyclic"},
    ],
)
def test_solver_options_that_mean_nothing_are_refused(fields: dict[str, object]) -> None:
    refusal(SolverOptions, **fields)


def test_a_config_is_closed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SimulationConfig().timesteps = 3  # type: ignore[misc]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float64("nan"), [1.0, float("nan")], {"a": -np.inf}])
def test_values_that_are_no_finite_numbers_are_refused(bad: object) -> None:
    """However deep: no row could hold them."""
    assert "is no finite number" in refusal(SimulationConfig, parameters={"battery.capacity_kwh": bad})
    assert "is no finite number" in refusal(StudyConfig, study_id="s", parameters={"battery.capacity_kwh": [1, bad]})


@pytest.mark.parametrize("bad", [object(), lambda: 1, {1, 2}, b"x", 1j])
def test_values_that_no_file_could_hold_are_refused(bad: object) -> None:
    assert "what a system file could hold" in refusal(SimulationConfig, parameters={"battery.capacity_kwh": bad})


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.bool_(True), True),
        (np.arange(3), [0, 1, 2]),
        ((1, np.int8(2)), [1, 2]),
        ({"price": np.float64(2)}, {"price": 2.0}),
        (PurePosixPath("a/b.csv"), "a/b.csv"),
        ("bdew-h25", "bdew-h25"),
        (None, None),
    ],
)
def test_values_become_plain_data(given: object, plain: object) -> None:
    """Numbers of numpy included, so that the config can be written into a row."""
    config = SimulationConfig(parameters={"a.b": given})
    assert config.parameters == {"a.b": plain}
    assert type(config.parameters["a.b"]) is type(plain)
    assert SimulationConfig.model_validate_json(config.model_dump_json()) == config
    (kept,) = StudyConfig(study_id="s", parameters={"a.b": [given]}).values()["a.b"]
    assert kept == plain


# Ranges.


def test_a_range_holds_both_ends_exactly() -> None:
    assert ValueRange.model_validate({"from": 20, "to": 100, "count": 5}).values() == [20, 40, 60, 80, 100]
    values = ValueRange(first=0.0, to=0.3, count=4).values()
    assert values == pytest.approx([0, 0.1, 0.2, 0.3], abs=1e-15)
    assert (values[0], values[-1]) == (0.0, 0.3)
    assert ValueRange(first=5, to=9, count=1).values() == [5]
    assert ValueRange(first=1, to=-1, count=3).values() == [1, 0, -1]


@pytest.mark.parametrize(
    "fields",
    [
        {"first": 0, "to": 1, "count": 0},
        {"first": 0, "to": 1, "count": True},
        {"first": 0, "to": 1, "count": 2.0},
        {"first": 0, "to": float("nan"), "count": 2},
        {"first": True, "to": 1, "count": 2},
        {"first": "0", "to": 1, "count": 2},
        {"first": 1, "to": 0},
        {"first": 0, "to": 1, "count": MOST_POINTS + 1},
        {"first": -1.7e308, "to": 1.7e308, "count": 3},
        {"first": 0, "to": 1, "count": 2, "step": 1},
    ],
)
def test_a_range_that_is_none_is_refused(fields: dict[str, object]) -> None:
    refusal(ValueRange, **fields)


# Studies.


def test_a_study_needs_no_parameters() -> None:
    study = StudyConfig(study_id="s")
    assert (study.study_type, study.combine, study.kept_hours, study.values()) == ("parametric", "grid", "all", {})


def test_lists_and_ranges_may_stand_side_by_side() -> None:
    study = StudyConfig.model_validate(
        {"study_id": "s", "parameters": {"a": [0, "x"], "b": {"from": 0, "to": 1, "count": 2}}}
    )
    assert study.values() == {"a": [0, "x"], "b": [0.0, 1.0]}


def test_a_field_without_values_is_refused_by_name() -> None:
    assert "b has no values" in refusal(StudyConfig, study_id="s", parameters={"a": [1], "b": []})


def test_zipped_fields_need_equal_numbers_of_values() -> None:
    different = {"a": [1, 2], "b": {"from": 0, "to": 1, "count": 3}}
    assert "parameters are zipped, but differ in number: a has 2, b has 3; give" in refusal(
        StudyConfig, study_id="s", parameters=different, combine="zipped"
    )
    assert StudyConfig.model_validate({"study_id": "s", "parameters": different}).combine == "grid"


def test_a_study_of_a_thousand_million_points_is_refused_at_once() -> None:
    thousand = {"from": 0, "to": 1, "count": 1000}
    message = refusal(StudyConfig, study_id="s", parameters={"a": thousand, "b": thousand, "c": thousand})
    assert "make 1,000,000,000 points, more than 1,000,000" in message
    side_by_side = StudyConfig.model_validate(
        {"study_id": "s", "parameters": {"a": thousand, "b": thousand, "c": thousand}, "combine": "zipped"}
    )
    assert len(side_by_side.values()["c"]) == 1000
    assert StudyConfig.model_validate({"study_id": "s", "parameters": {"a": thousand, "b": thousand}})


def test_many_fields_of_two_values_are_counted_too() -> None:
    assert "points, more than" in refusal(StudyConfig, study_id="s", parameters={f"f{i}": [0, 1] for i in range(20)})
    assert StudyConfig(study_id="s", parameters={f"f{i}": [0, 1] for i in range(19)})


def test_a_run_id_names_one_run() -> None:
    base = SimulationConfig(run_id="r")
    assert StudyConfig(study_id="s", base_config=base, parameters={"a": [1]}).base_config.run_id == "r"
    message = refusal(StudyConfig, study_id="s", base_config=base, parameters={"a": [1, 2]})
    assert "base_config.run_id names one run, and this study makes 2" in message


@pytest.mark.parametrize(
    "fields",
    [
        {"study_id": "../x"},
        {"study_id": ""},
        {"workers": 0},
        {"workers": True},
        {"workers": "2"},
        {"workers": 257},
        {"study_type": "sobol"},
        {"combine": "product"},
        {"timeseries": "some"},
        {"parameters": {"a": 5}},
        {"parameters": {"a": "abc"}},
        {"parameters": {"a": {"from": 0, "to": 1}}},
        {"parametres": {"a": [1]}},
    ],
)
def test_a_study_that_means_nothing_is_refused(fields: dict[str, object]) -> None:
    refusal(StudyConfig, **({"study_id": "s"} | fields))
