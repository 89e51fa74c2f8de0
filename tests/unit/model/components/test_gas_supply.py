"""The gas supply: an exchange that only buys, its numbers worked out by hand."""

from math import inf

from ecosystemiser.model.kinds import Exchange, Investment


def test_it_buys_without_limit_and_never_sells(kind_of):
    gas = kind_of("{type: gas_supply, price_per_kwh: 0.11, co2_kg_per_kwh: 0.201}")
    assert isinstance(gas, Exchange)
    assert (gas.bus, gas.import_limit.highest(), gas.export_limit.highest()) == ("gas", inf, 0)
    assert gas.import_price.values(3).tolist() == [0.11, 0.11, 0.11]
    assert (gas.co2_kg.scale, gas.renewable_share) == (0.201, 0)


def test_limits_of_all_connections_over_the_step(kind_of, site_of):
    """3 x 40 kW x 0.25 h = 30 kWh."""
    site = site_of("time: {step: 15min, steps: 2}")
    gas = kind_of("{type: gas_supply, price_per_kwh: 0.11, limit_kw: 40, count: 3}", site)
    assert gas.import_limit.values(2).tolist() == [30, 30]


def test_price_by_hour_wear_and_origin(kind_of):
    text = "{type: gas_supply, price_per_kwh: [0.1, 0.2, 0.3], variable_cost_per_kwh: 0.01, renewable_share: 1}"
    gas = kind_of(text)
    assert gas.import_price.values(3).tolist() == [0.1, 0.2, 0.3]
    assert (gas.variable_cost.scale, gas.renewable_share) == (0.01, 1)


def test_investment_is_that_of_its_connections(component_from):
    """2 x 700 of capital, 2 x 90 a year."""
    gas = component_from("{type: gas_supply, price_per_kwh: 0.1, count: 2, capex: 700, fixed_cost_per_year: 90}")
    assert gas.investment() == Investment(1400, 180, 0, 20)
    assert not gas.is_absent
