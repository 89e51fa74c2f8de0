"""What differs between two runs, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ecosystemiser.analyser.comparison import (
    InputDifference,
    RunFacts,
    SeriesContent,
    flat_inputs,
    input_differences,
    kpi_differences,
    warnings,
)
from ecosystemiser.kpis import KPI_NAMES

FARM: dict[str, Any] = {
    "system_id": "farm",
    "time": {"start": date(2018, 1, 1), "steps": 24},
    "site": {"weather": "potsdam.epw"},
    "components": {
        "grid": {
            "type": "grid",
            "import_price_per_kwh": {"default": 0.3, "periods": [{"price": 0.2, "hours": "22-06"}]},
        },
        "battery": {"type": "battery", "capacity_kwh": 40},
        "barn": {"type": "electricity_demand", "profile": {"file": "loads.csv", "column": "barn"}},
        "pump": {"type": "heat_pump", "sink_temperature_c": {"outdoor_c": [-10, 18], "supply_c": [45, 30]}},
    },
}
FILES = {"potsdam.epw": "e" * 64, "loads.csv": "1" * 64}


def changed(**components: Any) -> dict[str, Any]:
    return {**FARM, "components": {**FARM["components"], **components}}


def test_inputs_stand_by_their_path_in_the_order_of_the_file() -> None:
    assert flat_inputs(FARM, FILES) == {
        "system_id": "farm",
        "time.start": date(2018, 1, 1),
        "time.steps": 24,
        "site.weather": SeriesContent("potsdam.epw", "e" * 64),
        "grid.type": "grid",
        "grid.import_price_per_kwh.default": 0.3,
        "grid.import_price_per_kwh.periods[0].price": 0.2,
        "grid.import_price_per_kwh.periods[0].hours": "22-06",
        "battery.type": "battery",
        "battery.capacity_kwh": 40,
        "barn.type": "electricity_demand",
        "barn.profile.file": SeriesContent("loads.csv", "1" * 64),
        "barn.profile.column": "barn",
        "pump.type": "heat_pump",
        "pump.sink_temperature_c.outdoor_c": (-10, 18),
        "pump.sink_temperature_c.supply_c": (45, 30),
    }
    assert list(flat_inputs(FARM))[:4] == ["system_id", "time.start", "time.steps", "site.weather"]


def test_a_component_named_as_a_section_keeps_its_prefix() -> None:
    flat = flat_inputs({"time": {"steps": 1}, "components": {"time": {"type": "grid"}}})
    assert flat == {"time.steps": 1, "components.time.type": "grid"}


def test_the_same_inputs_do_not_differ() -> None:
    assert input_differences(flat_inputs(FARM, FILES), flat_inputs(FARM, FILES)) == ()


def test_changed_added_and_removed_inputs_stand_in_the_order_of_the_file() -> None:
    """In b the battery has 80 kWh and an efficiency, a PV stands before the barn, and the pump is gone."""
    parts = FARM["components"]
    other = {
        **{name: FARM[name] for name in ("system_id", "time", "site")},
        "economics": {"currency": "CHF"},
        "components": {
            "grid": parts["grid"],
            "battery": {"type": "battery", "capacity_kwh": 80, "efficiency": 0.9},
            "pv": {"type": "pv"},
            "barn": parts["barn"],
        },
    }
    found = input_differences(flat_inputs(FARM, FILES), flat_inputs(other, FILES))
    assert [(each.kind, each.path) for each in found] == [
        ("added", "economics.currency"),
        ("changed", "battery.capacity_kwh"),
        ("added", "battery.efficiency"),
        ("added", "pv.type"),
        ("removed", "pump.type"),
        ("removed", "pump.sink_temperature_c.outdoor_c"),
        ("removed", "pump.sink_temperature_c.supply_c"),
    ]
    assert found[1] == InputDifference("battery.capacity_kwh", "changed", 40, 80)
    assert found[2] == InputDifference("battery.efficiency", "added", None, 0.9)
    assert found[5] == InputDifference("pump.sink_temperature_c.outdoor_c", "removed", (-10, 18), None)


@pytest.mark.parametrize(
    ("a", "b"),
    [(40, 40.0), ([1, 2], [1.0, 2.0]), ([0.5] * 24, [0.5] * 24), ([1] * 24, [1.0] * 24), ({}, None)],
)
def test_equal_values_do_not_differ(a: object, b: object) -> None:
    assert input_differences(flat_inputs({"x": a}), flat_inputs({"x": b})) == ()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (40, 40.000000000000007),
        (1, True),
        ([0, 1], [False, True]),
        (40, "40"),
        ([1, 2], [1, 2, 3]),
        ([0.5] * 24, [0.5] * 23 + [0.5000000000000001]),
        (date(2018, 1, 1), "2018-01-01"),
        (None, 0),
    ],
)
def test_numbers_and_words_are_compared_exactly(a: object, b: object) -> None:
    (found,) = input_differences(flat_inputs({"x": a}), flat_inputs({"x": b}))
    assert (found.path, found.kind) == ("x", "changed")


def test_series_are_compared_by_what_their_files_held() -> None:
    """The same name with other content differs; another name with the same content does not."""
    a = flat_inputs(FARM, FILES)
    (found,) = input_differences(a, flat_inputs(FARM, {**FILES, "loads.csv": "2" * 64}))
    assert found.path == "barn.profile.file"
    assert (str(found.a), str(found.b)) == ("loads.csv (sha 111111111111)", "loads.csv (sha 222222222222)")
    renamed = changed(barn={"type": "electricity_demand", "profile": {"file": "copy.csv", "column": "barn"}})
    assert input_differences(a, flat_inputs(renamed, {**FILES, "copy.csv": "1" * 64})) == ()
    other_column = changed(barn={"type": "electricity_demand", "profile": {"file": "loads.csv", "column": "stable"}})
    (found,) = input_differences(a, flat_inputs(other_column, FILES))
    assert found == InputDifference("barn.profile.column", "changed", "barn", "stable")


def test_a_file_that_was_not_there_is_compared_by_its_name() -> None:
    gone = {**FILES, "loads.csv": None}
    assert input_differences(flat_inputs(FARM, gone), flat_inputs(FARM, gone)) == ()
    (found,) = input_differences(flat_inputs(FARM, FILES), flat_inputs(FARM, gone))
    assert found.b == "loads.csv"


def test_each_declared_kpi_is_compared_by_its_direction() -> None:
    """Cost 100 to 80: 20 less, a fifth, lower is better. Sufficiency 0.5 to 0.4: higher is better."""
    a = {"total_cost": 100.0, "self_sufficiency_rate": 0.5, "total_demand_kwh": 10.0, "unmet_kwh": 0.0}
    b = {"total_cost": 80.0, "self_sufficiency_rate": 0.4, "total_demand_kwh": 20.0, "unmet_kwh": 3.0}
    found = {each.kpi.name: each for each in kpi_differences(a, {**b, "renewable_fraction": 0.1})}
    assert tuple(found) == KPI_NAMES
    cost = found["total_cost"]
    assert (cost.a, cost.b, cost.absolute, cost.relative, cost.better) == (100.0, 80.0, -20.0, -0.2, "b")
    assert found["self_sufficiency_rate"].better == "a"
    assert found["self_sufficiency_rate"].relative == pytest.approx(-0.2)
    demand = found["total_demand_kwh"]
    assert (demand.absolute, demand.relative, demand.better) == (10.0, 1.0, None)
    unmet = found["unmet_kwh"]
    assert (unmet.absolute, unmet.relative, unmet.better) == (3.0, None, "a")
    lacking = found["renewable_fraction"]
    assert (lacking.a, lacking.b, lacking.absolute, lacking.better) == (None, 0.1, None, None)


def test_equal_and_negative_kpis() -> None:
    (cost, *_) = kpi_differences({"total_cost": 7.0}, {"total_cost": 7.0})
    assert (cost.absolute, cost.relative, cost.better) == (0.0, 0.0, None)
    (cost, *_) = kpi_differences({"total_cost": -10.0}, {"total_cost": -5.0})
    assert (cost.absolute, cost.relative, cost.better) == (5.0, 0.5, "a")


def test_what_rounding_leaves_is_no_difference() -> None:
    """237.9 m3 of rain and 2.8e-14 more, 0 kWh and 1e-12: the same sums in another order."""
    rain = 237.9
    found = kpi_differences(
        {"rain_harvested_m3": rain, "unmet_kwh": 0.0, "total_cost": 1e9},
        {"rain_harvested_m3": rain + 2.8e-14, "unmet_kwh": 1e-12, "total_cost": 1e9 + 2},
    )
    told = {each.kpi.name: (each.agrees, each.better) for each in found if each.a is not None}
    assert told["rain_harvested_m3"] == told["unmet_kwh"] == (True, None)
    assert told["total_cost"] == (False, "a")
    assert {each.agrees for each in found if each.a is None} == {True}
    (cost, *_) = kpi_differences({"total_cost": 1.0}, {})
    assert not cost.agrees


FACTS = RunFacts("farm", "8760 steps", "EUR", 1000.0, None)


def test_runs_that_may_be_ranked_are_not_warned_of() -> None:
    assert warnings(FACTS, FACTS) == ()
    assert warnings(FACTS, replace(FACTS, demand_kwh=1000.0 * (1 + 1e-12), demand_m3=0.0)) == ()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(FACTS, system_id="town"), "the systems differ (farm and town)"),
        (replace(FACTS, period="24 steps"), "the periods differ (8760 steps and 24 steps)"),
        (replace(FACTS, currency="CHF"), "the currencies differ (EUR and CHF): nothing is converted"),
        (replace(FACTS, currency=None), "the currencies differ (EUR and unknown)"),
        (replace(FACTS, demand_kwh=1001.0), "the energy demands differ (1,000 kWh and 1,001 kWh)"),
        (replace(FACTS, demand_m3=5.0), "the water demands differ (none and 5 m3)"),
        (replace(FACTS, status="failed"), "run b is failed, not completed"),
    ],
)
def test_what_speaks_against_a_ranking_is_told(other: RunFacts, words: str) -> None:
    (told,) = warnings(FACTS, other)
    assert words in told
