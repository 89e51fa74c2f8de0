"""A variation read the quick way is, bit for bit, what the whole document says; and wrong in the same words."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests.property.strategies import system_texts

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.compiling import Batch, Compiler, compile_problem
from ecosystemiser.model.components import component_types
from ecosystemiser.model.components.battery import Battery
from ecosystemiser.model.loading import SystemLoader, load_system, with_values
from ecosystemiser.model.problem import Coefficients, EndRule, Problem
from ecosystemiser.model.system import System
from ecosystemiser.model.variations import Group, Variations
from ecosystemiser.reader import Document, parse_yaml

Values = dict[str, Any]
Told = System | tuple[Finding, ...]
STEPS = 24
DAY = [float(hour % 4) / 4 for hour in range(STEPS)]

TOWN = f"""
system_id: town
time: {{start: 2018-01-01, steps: {STEPS}}}
site: {{weather: try2010-potsdam}}
economics: {{discount_rate: 0.05, co2_price_per_kg: 0.1}}
components:
  grid:
    type: grid
    import_limit_kw: 900
    import_price_per_kwh: {{default: 0.3, periods: [{{price: 0.2, hours: "22-06"}}]}}
    export_price_per_kwh: 0.05
  roof_pv: {{type: pv, capacity_kw: 5, profile: {DAY}, capex_per_kw: 900}}
  sun: {{type: pv, capacity_kw: 2}}
  wind: {{type: wind_turbine, capacity_kw: 3}}
  battery: {{type: battery, capacity_kwh: 8, power_kw: 4, capex_per_kwh: 400, fixed_cost_per_kwh_year: 3}}
  cell: {{type: battery, capacity_kwh: 2, duration_h: 2, end_price: 0.1}}
  houses: {{type: electricity_demand, profile: bdew-h25, annual_kwh: 45000}}
  heat: {{type: heat_demand, profile: bdew-efh, annual_kwh: 50000}}
  heat_pump: {{type: heat_pump, power_kw: 20}}
  old_pump: {{type: heat_pump, power_kw: 5, source: ground, cop: {{source_c: [-10, 20], cop: [2, 4]}}}}
  curve_pump: {{type: heat_pump, power_kw: 5, minimum_load: 0.3, start_cost: 0.1, min_up_h: 2,
               sink_temperature_c: {{outdoor_c: [-10, 20], supply_c: [55, 35]}}}}
  buffer: {{type: heat_storage, capacity_kwh: 20, power_kw: 9}}
  gas: {{type: gas_supply, price_per_kwh: 0.06, co2_kg_per_kwh: 0.2}}
  boiler: {{type: gas_boiler, power_kw: 90}}
  rod: {{type: electric_boiler, power_kw: 9}}
  engine: {{type: converter, input: gas, output: electricity, ratio: 0.3, power_kw: 4,
            part_load: {{load: [0.4, 1], efficiency: [0.8, 1]}}, min_down_h: 3}}
  hydro: {{type: source, bus: electricity, power_kw: 4, cost_per_kwh: 0.02, renewable_share: 1}}
  wallbox: {{type: sink, bus: electricity, profile: {DAY}, unmet_cost_per_kwh: 2}}
  gasometer: {{type: storage, bus: gas, capacity_kwh: 30, power_kw: 9}}
  mains: {{type: water_grid, import_price_per_m3: 2}}
  network: {{type: heat_grid, price_per_kwh: 0.2, limit_kw: 3}}
  taps: {{type: water_demand, profile: {DAY}, annual_m3: null}}
  topup: {{type: converter, input: water, output: service_water}}
  roof: {{type: rainwater, bus: service_water, area_m2: 100, profile: {DAY}}}
  tank: {{type: water_tank, bus: service_water, capacity_m3: 4, evaporation_mm_per_day: 3, surface_m2: 2}}
  flushing: {{type: water_demand, bus: service_water, profile: {DAY}}}
"""
TARIFF = {"default": 0.25, "periods": [{"price": 0.1, "hours": "1-3"}, {"price": 0.5, "days": "sat,sun"}]}
NUMBERS = [0, 1, 3, 0.5, 0.25, 2.5, 40.0, 1e5]
LISTS = [[1.0] * STEPS, [1.0, 2.0]]
WRONG = [-1, True, "3", None, 1e300, *LISTS, TARIFF, {"default": 0.1, "wrong": 1}, "water", "bdew-h25"]
HEAD = ["economics.discount_rate", "economics.co2_price_per_kg", "description", "time.steps", "site.latitude"]


def town() -> Document:
    return parse_yaml(TOWN, "town.yaml")


def in_full(document: Document, values: Values) -> Told:
    """Return the system as it is read from the whole document, or what is wrong with it."""
    try:
        return load_system(with_values(document, values))
    except InputError as error:
        return error.findings


def quickly(variations: Variations, values: Values) -> Told:
    try:
        return variations.load(values)
    except InputError as error:
        return error.findings


def assert_same_problem(one: Problem, other: Problem) -> None:
    assert one.layout == other.layout
    assert (one.step_h, one.year_share, one.is_full_year, one.end) == (
        other.step_h,
        other.year_share,
        other.is_full_year,
        other.end,
    )
    for name in ("signals", "limit_signal", "ratio_signal", "cost_signal", "co2_signal", "months"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name, strict=True)
    for name in (one.name for one in fields(Coefficients)):
        found, expected = getattr(one.coefficients, name), getattr(other.coefficients, name)
        np.testing.assert_array_equal(found, expected, err_msg=name, strict=True)


def assert_same_system(one: System, other: System) -> None:
    assert one.described() == other.described()
    assert (one.head, one.clock, one.buses, one.file) == (other.head, other.clock, other.buses, other.file)
    assert list(one.components.items()) == list(other.components.items())
    assert list(one.buses) == list(other.buses)


def batches_of(points: list[Values]) -> list[Batch]:
    groups, wrong = Variations(town()).load_many(points)
    assert wrong == {}
    return Compiler().batches(groups)


def assert_lane(batch: Problem, lane: int, single: Problem) -> None:
    """The numbers of a lane and the shapes they scale are those of the problem by itself."""
    assert batch.layout == single.layout
    for name in (one.name for one in fields(Coefficients)):
        found = getattr(batch.coefficients, name)[..., lane]
        np.testing.assert_array_equal(found, getattr(single.coefficients, name), err_msg=name)
    for name in ("limit_signal", "ratio_signal", "cost_signal", "co2_signal"):
        rows = getattr(batch, name)
        rows = rows[:, lane] if rows.ndim == 2 else rows
        shapes = single.signals[getattr(single, name)]
        np.testing.assert_array_equal(batch.signals[rows], shapes, err_msg=name)


def assert_equal_ways(document: Document, points: list[Values]) -> dict[str, int]:
    """Read all points in every way; return how many were sound, wrong, and read side by side with others."""
    variations, compiler = Variations(document), Compiler()
    sound: dict[int, Problem] = {}
    wrong: dict[int, tuple[Finding, ...]] = {}
    for at, values in enumerate(points):
        found, expected = quickly(variations, values), in_full(document, values)
        if not isinstance(expected, System):
            assert found == expected, values
            wrong[at] = expected
            continue
        assert isinstance(found, System), (values, found)
        assert_same_system(found, expected)
        sound[at] = compile_problem(expected)
        assert_same_problem(compiler.compile(found), sound[at])
    groups, refused = Variations(document).load_many(points)
    assert {at: error.findings for at, error in refused.items()} == wrong
    batches = compiler.batches(groups)
    assert sorted(at for batch in batches for at in batch.members) == sorted(sound)
    for batch in batches:
        assert_same_problem(compiler.compile(batch.first), sound[batch.members[0]])
        for lane, at in enumerate(batch.members):
            assert_lane(batch.problem, lane, sound[at])
    together = sum(len(group.members) for group in groups if len(group.members) > 1)
    return {"sound": len(sound), "wrong": len(wrong), "together": together}


def test_the_town_has_every_type_of_component() -> None:
    system = load_system(town())
    assert {component.type for component in system.components.values()} == set(component_types())


@pytest.mark.parametrize("name", list(town().data["components"]))
def test_every_field_of_every_component(name: str) -> None:
    """A number, a size of 0, and what is wrong for it, one field at a time; then back to what it was."""
    document = town()
    model = component_types()[document.data["components"][name]["type"]]
    slow = {"tilt_deg", "azimuth_deg", "losses"} if name == "sun" else set()  # pvlib computes each anew
    points: list[Values] = [{}]
    for field in model.model_fields.keys() - slow:
        points += [{f"{name}.{field}": value} for value in (0, 2.5, 0.5, -1, "3", None, TARIFF, 0.75, 1.0, 0.3)]
    found = assert_equal_ways(document, [*points, {}, *points[::5]])
    assert found["sound"] > len(model.model_fields)
    assert found["wrong"] > len(model.model_fields)
    assert found["together"] > 2 * len(model.model_fields)


@st.composite
def points_of(draw: Any, document: Document) -> list[Values]:
    """Return points, each with values of some fields; some values come again, as in a grid."""
    sections = document.data["components"]
    names = [
        f"{name}.{field}"
        for name, section in sections.items()
        for field in component_types()[section["type"]].model_fields
        if not (name == "sun" and field in ("tilt_deg", "azimuth_deg", "losses"))
    ]
    nested = ["grid.import_price_per_kwh.default", "nowhere.size", "grid.wrong", "components.battery.capacity_kwh"]
    chosen = draw(st.lists(st.sampled_from([*names, *HEAD, *nested]), min_size=1, max_size=4, unique=True))
    values = {
        name: draw(st.lists(st.sampled_from([*NUMBERS, *NUMBERS, *NUMBERS, *WRONG]), min_size=1, max_size=3))
        for name in chosen
    }
    points = st.fixed_dictionaries({}, optional={name: st.sampled_from(values[name]) for name in chosen})
    return draw(st.lists(points, min_size=3, max_size=8))


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_points_of_the_town(data: Any) -> None:
    document = town()
    points = data.draw(points_of(document))
    note(json.dumps(points))
    assert_equal_ways(document, points)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_points_of_any_system(data: Any) -> None:
    document = parse_yaml(data.draw(system_texts()), "generated.yaml")
    points = data.draw(points_of(document))
    note(json.dumps(document.data, default=str))
    note(json.dumps(points))
    assert_equal_ways(document, points)


def test_a_wrong_document_that_a_variation_sets_right() -> None:
    """Nothing is known of it, so each point is read in full."""
    document = parse_yaml(TOWN.replace("power_kw: 90", "power_kw: -90"), "town.yaml")
    points: list[Values] = [{}, {"boiler.power_kw": 90}, {"battery.count": 2}, {"boiler.power_kw": 80.0}]
    assert assert_equal_ways(document, points) == {"sound": 2, "wrong": 2, "together": 0}


def test_a_shortage_that_only_some_points_have() -> None:
    """A hundred times the heat exceeds all pumps and boilers, unless it may be left unmet."""
    points: list[Values] = [{"heat.annual_kwh": annual} for annual in (5e4, 6e4, 5e6, 6e4, 6e6, 5e4)]
    found = assert_equal_ways(town(), [*points, {"heat.annual_kwh": 5e6, "heat.unmet_cost_per_kwh": 1}])
    assert found == {"sound": 5, "wrong": 2, "together": 0}  # some of them are short, so each is looked at by itself


def test_plain_values_need_no_reading_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: else all of these tests would compare the full way with itself."""
    readings: list[Document] = []
    real = SystemLoader.read
    monkeypatch.setattr(SystemLoader, "read", lambda self, document: readings.append(document) or real(self, document))
    variations = Variations(town())
    points: list[Values] = [
        {},
        *({"battery.capacity_kwh": size, "heat_pump.power_kw": 9} for size in (0, 1, 2.5)),
        {"grid.import_price_per_kwh": TARIFF},
        {"grid.import_price_per_kwh.default": 0.4, "houses.annual_kwh": 100.0},
        {"economics.discount_rate": 0.01, "description": "cheap"},
    ]
    for values in points:
        variations.load(values)
    assert len(readings) == 2  # the first point, and the document as it stands
    with pytest.raises(InputError):
        variations.load({"battery.capacity_kwh": -1})
    assert len(readings) == 3


def test_variations_of_sizes_share_what_did_not_change() -> None:
    """One layout, one array of signals, and components by identity: so solvers see it at a glance."""
    variations, compiler = Variations(town()), Compiler()
    systems = [variations.load({"battery.capacity_kwh": size, "heat_pump.power_kw": size}) for size in (3, 4, 5)]
    first, second, third = [compiler.compile(system) for system in systems]
    assert first.layout is second.layout is third.layout
    assert first.signals is second.signals is third.signals
    assert first.coefficients.capacity[0] != second.coefficients.capacity[0]
    (batch,) = compiler.batches([Group.of_one(system, at) for at, system in enumerate(systems)])
    assert batch.problem.signals is first.signals
    assert systems[1].placed[0] is systems[2].placed[0]


def test_sizes_are_read_side_by_side() -> None:
    """Every component once, however many there are; sizes of 0 are a system of their own, tariffs go by themselves."""
    sizes = {"battery.capacity_kwh": 0.5, "sun.capacity_kw": 0.1, "heat_pump.power_kw": 2.0}
    points: list[Values] = [
        {"tank.count": 2, **{name: factor * size for name, factor in sizes.items()}} for size in range(1, 20)
    ]
    (group,), wrong = Variations(town()).load_many(points)
    assert (group.members, wrong) == (tuple(range(19)), {})
    removed: list[Values] = [{**point, "battery.capacity_kwh": 0} for point in points[:5]]
    priced: list[Values] = [{**point, "grid.import_price_per_kwh": TARIFF} for point in points[:2]]
    groups, _ = Variations(town()).load_many([*points, *removed, *priced])
    assert sorted(len(group.members) for group in groups) == [1, 1, 5, 19]
    assert_equal_ways(town(), [*points, *removed, *priced])


@pytest.mark.parametrize("trick", ["branch", "number", "compiled", "array"])
def test_a_component_that_does_not_go_the_same_way_is_read_one_by_one(
    trick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a component's author writes, each variation is what it is by itself."""
    real = Battery.kinds

    def kinds(self: Battery, name: str, site: Any) -> Any:
        (storage,) = real(self, name, site)
        capacity = self.capacity_kwh
        if trick == "branch":
            price = 0.1 if capacity > 5 else 0.2
        elif trick == "number":
            price = 0.1 * float(capacity)
        elif trick == "compiled":
            price = 0.1 if math.sqrt(capacity) >= 0 else 0.2  # no number is: 0.2 of all, where each has 0.1
        else:
            price = float(np.full(3, capacity).sum())
        return (replace(storage, end_price=price),)

    monkeypatch.setattr(Battery, "kinds", kinds)
    points: list[Values] = [{"battery.capacity_kwh": 1.5 * size} for size in range(1, 9)]
    found = assert_equal_ways(town(), points)
    assert found == {"sound": 8, "wrong": 0, "together": 0}


def test_values_that_come_again_give_the_same_component() -> None:
    variations = Variations(town())
    sizes = [variations.load({"battery.capacity_kwh": size}).placed[4] for size in (1, 2.0, 3.0, 2.0, 3.0)]
    assert sizes[1] is sizes[3]
    assert sizes[2] is sizes[4]
    assert sizes[1] is not sizes[2]


def test_true_is_not_1_also_where_1_came_before() -> None:
    """They are equal to Python: what is known of one says nothing of the other."""
    variations = Variations(town())
    for count in (2, 1, 1):
        variations.load({"battery.count": count})
    for wrong in (True, 1.0, "1"):
        with pytest.raises(InputError, match=r"battery\.count"):
            variations.load({"battery.count": wrong})


@pytest.mark.parametrize("end", list(EndRule))
def test_the_end_rule_is_told(end: EndRule) -> None:
    system = load_system(town())
    assert_same_problem(Compiler().compile(system, end), compile_problem(system, end))
    assert Compiler().batches([Group.of_one(system)], end)[0].problem.end is end


def test_prices_of_other_hours_make_no_other_batch() -> None:
    """Whole tariffs, series and numbers side by side: each lane has its own signal."""
    prices: list[Any] = [0.3, TARIFF, {"default": 0.2}, [0.1 * (hour % 5) for hour in range(STEPS)], 0.2, TARIFF]
    points: list[Values] = [{"grid.import_price_per_kwh": price} for price in prices]
    assert_equal_ways(town(), points)
    (batch,) = batches_of(points)
    assert batch.members == (0, 1, 2, 3, 4, 5)
    assert batch.problem.cost_signal.shape == (len(batch.problem.layout.costs.flow), 6)


def test_profiles_of_other_hours_make_other_batches() -> None:
    """What is dispatched differs by more than numbers; equal lists make one batch, whoever wrote them."""
    other = [*DAY[:-1], 1.0]  # the last hour alone
    points: list[Values] = [{"roof_pv.profile": profile} for profile in (DAY, other, [*DAY], [*other])]
    assert [batch.members for batch in batches_of(points)] == [(0, 2), (1, 3)]


def test_discount_rates_and_co2_prices_stand_side_by_side() -> None:
    points: list[Values] = [
        {"economics.discount_rate": rate, "economics.co2_price_per_kg": price}
        for rate, price in ((0.05, 0), (0.0, 0.1), (0.02, 0.2), (0.05, 0.3))
    ]
    assert assert_equal_ways(town(), points) == {"sound": 4, "wrong": 0, "together": 4}
    assert len(batches_of(points)) == 1
