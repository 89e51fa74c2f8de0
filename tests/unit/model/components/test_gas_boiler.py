"""The gas boiler: a converter, its numbers worked out by hand."""

import pytest

from ecosystemiser.model.kinds import Converter, Investment


def test_the_limit_of_gas_is_that_of_heat_over_the_efficiency(kind_of):
    """2 boilers of 46 kW of heat at 0.92: 92 kWh of heat an hour need 92 / 0.92 = 100 kWh of gas."""
    boiler = kind_of("{type: gas_boiler, power_kw: 46, efficiency: 0.92, count: 2}")
    assert isinstance(boiler, Converter)
    assert (boiler.bus, [output.bus for output in boiler.outputs]) == ("gas", ["heat"])
    assert boiler.limit.values(3) == pytest.approx([100, 100, 100], rel=1e-14)
    assert boiler.outputs[0].ratio.values(3).tolist() == [0.92, 0.92, 0.92]


def test_most_heat_is_its_power_over_the_step(kind_of, site_of):
    """60 kW over a quarter of an hour: limit x efficiency = 15 kWh."""
    boiler = kind_of("{type: gas_boiler, power_kw: 60}", site_of("time: {step: 15min, steps: 2}"))
    assert boiler.limit.scale * boiler.outputs[0].ratio.scale == pytest.approx(15, rel=1e-14)


def test_costs_are_per_heat(kind_of):
    text = "{type: gas_boiler, power_kw: 1, variable_cost_per_kwh: 0.002, co2_kg_per_kwh: 0.001}"
    boiler = kind_of(text)
    assert (boiler.cost.scale, boiler.co2_kg.scale) == (0.002, 0.001)


def test_it_may_burn_hydrogen(kind_of, site_of):
    site = site_of("time: {steps: 3}\nbuses: {pipe: hydrogen}")
    assert kind_of("{type: gas_boiler, power_kw: 1, input: pipe}", site).bus == "pipe"


def test_investment_is_per_kw_of_heat(component_from):
    """60 x 120 = 7200 and 800 for the unit; 60 x 2 = 120 a year; 60 x 5 = 300 kg."""
    boiler = component_from(
        "{type: gas_boiler, power_kw: 60, capex: 800, capex_per_kw: 120, fixed_cost_per_kw_year: 2,"
        " embodied_co2_kg_per_kw: 5}"
    )
    assert boiler.investment() == Investment(8000, 120, 300, 20)


def test_a_power_of_zero_removes_it(component_from):
    assert component_from("{type: gas_boiler, power_kw: 0, capex: 800}").is_absent
