"""The battery: a storage, its numbers worked out by hand."""

from math import sqrt

import pytest

from ecosystemiser.model.kinds import Investment, Storage


def test_amounts_are_those_of_all_units(kind_of):
    """3 x 80 = 240 kWh; 3 x 40 kW over an hour: 120 kWh either way."""
    battery = kind_of("{type: battery, capacity_kwh: 80, power_kw: 40, count: 3}")
    assert isinstance(battery, Storage)
    assert (battery.bus, battery.capacity, battery.initial_level) == ("electricity", 240, 0.5)
    assert (battery.charge_limit.scale, battery.discharge_limit.scale) == (120, 120)
    assert battery.end_price is None


def test_power_over_a_quarter_hour(kind_of, site_of):
    """40 kW x 0.25 h = 10 kWh."""
    battery = kind_of("{type: battery, capacity_kwh: 80, power_kw: 40}", site_of("time: {step: 15min, steps: 4}"))
    assert (battery.capacity, battery.charge_limit.scale) == (80, 10)


@pytest.mark.parametrize(("hours", "limit"), [(2, 80), (0.5, 320), (4, 40)])
def test_duration_stands_for_power(kind_of, hours, limit):
    """2 units of 80 kWh, each emptied in `hours`: 2 x 80 / hours kW."""
    battery = kind_of(f"{{type: battery, capacity_kwh: 80, duration_h: {hours}, count: 2}}")
    assert (battery.charge_limit.scale, battery.discharge_limit.scale) == (limit, limit)


def test_power_grows_with_the_capacity_where_a_duration_is_given(kind_of):
    """The duration stays: 10 kWh in 2 h are 5 kW, 20 kWh in 2 h are 10 kW."""
    sizes = [kind_of(f"{{type: battery, capacity_kwh: {size}, duration_h: 2}}") for size in (10, 20)]
    assert [battery.charge_limit.scale for battery in sizes] == [5, 10]


@pytest.mark.parametrize(
    ("given", "charge", "discharge", "round_trip"),
    [
        ("", 0.95, 0.95, 0.9025),
        (", efficiency: 0.9", 0.9, 0.9, 0.81),
        (", charge_efficiency: 0.8", 0.8, 0.95, 0.76),
        (", efficiency: 0.9, discharge_efficiency: 0.5", 0.9, 0.5, 0.45),
        (", charge_efficiency: 0.97, discharge_efficiency: 0.96", 0.97, 0.96, 0.9312),
    ],
)
def test_efficiency_is_one_way(kind_of, given, charge, discharge, round_trip):
    """One way of 0.95 makes a round trip of 0.95 x 0.95 = 0.9025; either way may differ."""
    battery = kind_of(f"{{type: battery, capacity_kwh: 1, power_kw: 1{given}}}")
    assert (battery.charge_efficiency, battery.discharge_efficiency) == (charge, discharge)
    assert battery.charge_efficiency * battery.discharge_efficiency == pytest.approx(round_trip, rel=1e-14)


def test_loss_is_compounded_over_the_step(kind_of, site_of):
    """19 % an hour keep 0.81; half an hour keeps sqrt(0.81) = 0.9, two hours keep 0.81 x 0.81 = 0.6561."""
    text = "{type: battery, capacity_kwh: 1, power_kw: 1, loss_per_hour: 0.19}"
    losses = [kind_of(text, site_of(f"time: {{step: {step}, steps: 4}}")).loss for step in ("30min", "1h", "2h")]
    assert losses == pytest.approx([1 - sqrt(0.81), 0.19, 1 - 0.6561], rel=1e-12)


def test_ends_and_costs_are_handed_on(kind_of):
    battery = kind_of(
        "{type: battery, capacity_kwh: 10, power_kw: 1, initial_level: 0.2, end_price: 0.4,"
        " variable_cost_per_kwh: 0.03, co2_kg_per_kwh: 0.01}"
    )
    assert (battery.initial_level, battery.end_price) == (0.2, 0.4)
    assert (battery.cost.scale, battery.co2_kg.scale) == (0.03, 0.01)


def test_an_end_price_of_zero_is_a_price(kind_of):
    assert kind_of("{type: battery, capacity_kwh: 10, power_kw: 1, end_price: 0}").end_price == 0


def test_investment(component_from):
    """2 x (500 + 80 x 420) = 68,200; 2 x (10 + 80 x 2) = 340 a year; 2 x (7 + 80 x 75) = 12,014 kg."""
    battery = component_from(
        "{type: battery, capacity_kwh: 80, power_kw: 40, count: 2, capex: 500, capex_per_kwh: 420,"
        " fixed_cost_per_year: 10, fixed_cost_per_kwh_year: 2, embodied_co2_kg: 7,"
        " embodied_co2_kg_per_kwh: 75, lifetime_years: 12}"
    )
    assert battery.investment() == Investment(68_200, 340, 12_014, 12)


def test_a_capacity_of_zero_removes_it_with_its_costs(system_from):
    system = system_from("""
system_id: test
time: {steps: 2}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  battery: {type: battery, capacity_kwh: 0, duration_h: 2, capex: 500}
  load: {type: electricity_demand, profile: [1, 1]}
""")
    assert list(system.components) == ["grid", "load"]
    assert [kind.name for kind in system.kinds] == ["grid", "load"]


def test_a_power_of_zero_keeps_it_and_its_costs(component_from, kind_of):
    text = "{type: battery, capacity_kwh: 10, power_kw: 0, capex: 500}"
    assert not component_from(text).is_absent
    assert kind_of(text).charge_limit.scale == 0
