"""The grid: an exchange, its numbers worked out by hand."""

from math import inf

import pytest

from ecosystemiser.model.kinds import Exchange, Investment

QUARTER_HOURS = "time: {step: 15min, steps: 4}"


def test_limits_are_amounts_per_step_of_all_connections(kind_of, site_of):
    """2 connections of 200 kW over a quarter of an hour: 2 x 200 x 0.25 = 100 kWh; sold 2 x 30 x 0.25 = 15."""
    text = "{type: grid, import_price_per_kwh: 0.3, import_limit_kw: 200, export_limit_kw: 30, count: 2}"
    grid = kind_of(text, site_of(QUARTER_HOURS))
    assert isinstance(grid, Exchange)
    assert (grid.name, grid.bus) == ("it", "electricity")
    assert grid.import_limit.values(4).tolist() == [100] * 4
    assert grid.export_limit.values(4).tolist() == [15] * 4


def test_without_limits_all_can_be_bought_and_sold(kind_of):
    grid = kind_of("{type: grid, import_price_per_kwh: 0.3}")
    assert (grid.import_limit.highest(), grid.export_limit.highest()) == (inf, inf)
    assert grid.export_price.values(3).tolist() == [0, 0, 0]


def test_a_limit_of_zero_is_a_limit_and_does_not_remove_it(kind_of, component_from):
    text = "{type: grid, import_price_per_kwh: 0.3, import_limit_kw: 0, export_limit_kw: 0}"
    grid = kind_of(text)
    assert (grid.import_limit.highest(), grid.export_limit.highest()) == (0, 0)
    assert not component_from(text).is_absent


def test_prices_may_be_a_number_a_list_or_a_table(kind_of):
    """Of hours 0, 1, 2 the table's period from 1 to 2 holds in the second."""
    table = "{default: 0.28, periods: [{price: 0.18, hours: 1-2}]}"
    grid = kind_of(f"{{type: grid, import_price_per_kwh: {table}, export_price_per_kwh: [0.1, -0.2, 0.3]}}")
    assert grid.import_price.values(3).tolist() == [0.28, 0.18, 0.28]
    assert grid.export_price.values(3).tolist() == [0.1, -0.2, 0.3]


def test_a_packaged_price_is_that_of_the_hour(kind_of, site_of):
    """Row 0 of the packaged year is the first hour of 2018 in Berlin; the third day starts with row 48."""
    from ecosystemiser.model.profiles.packaged import packaged_series

    site = site_of("time: {start: 2018-01-03, steps: 3}")
    grid = kind_of("{type: grid, import_price_per_kwh: smard-2018}", site)
    assert grid.import_price.values(3).tolist() == packaged_series("smard-2018")[48:51].tolist()


def test_carbon_wear_and_renewable_share_are_of_what_is_bought(kind_of):
    text = "{type: grid, import_price_per_kwh: 0.3, co2_kg_per_kwh: 0.381, variable_cost_per_kwh: 0.01"
    grid = kind_of(text + ", renewable_share: 0.5}")
    assert grid.co2_kg.values(1).tolist() == [0.381]
    assert grid.variable_cost.values(1).tolist() == [0.01]
    assert grid.renewable_share == 0.5


def test_investment_is_that_of_its_connections(component_from):
    """2 x 1000 of capital, 2 x 120 a year, 2 x 50 kg; a grid has no size that anything is per."""
    text = "{type: grid, import_price_per_kwh: 0.3, count: 2, capex: 1000, fixed_cost_per_year: 120"
    grid = component_from(text + ", embodied_co2_kg: 50, lifetime_years: 40}")
    assert grid.investment() == Investment(2000, 240, 100, 40)


def test_two_grids_with_prices_of_minus_one_and_minus_two_keep_their_own(system_from):
    """Python's hash of -1.0 is that of -2.0, so equal lists must be told apart by their values."""
    system = system_from("""
system_id: test
time: {steps: 2}
components:
  one: {type: grid, import_price_per_kwh: [-1, -1]}
  two: {type: grid, import_price_per_kwh: [-2, -2]}
  load: {type: electricity_demand, profile: [1, 1]}
""")
    assert [kind.import_price.values(2).tolist() for kind in system.kinds[:2]] == [[-1, -1], [-2, -2]]


def test_equal_lists_share_one_array(system_from):
    """What a variation of a size shares with the others is one array in memory."""
    system = system_from("""
system_id: test
time: {steps: 2}
components:
  one: {type: grid, import_price_per_kwh: [1, 2]}
  two: {type: grid, import_price_per_kwh: [1, 2]}
  load: {type: electricity_demand, profile: [1, 1]}
""")
    assert system.kinds[0].import_price.shape is system.kinds[1].import_price.shape


@pytest.mark.parametrize("steps", [1, 2])
def test_the_first_steps_of_a_run_take_the_first_values_of_a_list(system_from, steps):
    text = """
system_id: test
time: {steps: 3}
components:
  grid: {type: grid, import_price_per_kwh: [1, 2, 3]}
  load: {type: electricity_demand, profile: [4, 5, 6]}
"""
    grid, load = system_from(text, steps=steps).kinds
    assert grid.import_price.values(steps).tolist() == [1, 2, 3][:steps]
    assert load.demand.values(steps).tolist() == [4, 5, 6][:steps]
