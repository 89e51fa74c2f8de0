"""The electric boiler: a converter, its numbers worked out by hand."""

import pytest

from ecosystemiser.model.kinds import Converter, Investment


def test_the_limit_of_electricity_is_that_of_heat_over_the_efficiency(kind_of, site_of):
    """2 boilers of 49 kW of heat at 0.98, a quarter of an hour: 24.5 kWh of heat need 25 kWh of electricity."""
    boiler = kind_of(
        "{type: electric_boiler, power_kw: 49, efficiency: 0.98, count: 2}", site_of("time: {step: 15min, steps: 2}")
    )
    assert isinstance(boiler, Converter)
    assert (boiler.bus, [output.bus for output in boiler.outputs]) == ("electricity", ["heat"])
    assert boiler.limit.values(2) == pytest.approx([25, 25], rel=1e-14)
    assert boiler.outputs[0].ratio.values(2).tolist() == [0.98, 0.98]


def test_costs_are_per_heat(kind_of):
    boiler = kind_of("{type: electric_boiler, power_kw: 1, variable_cost_per_kwh: 0.002, co2_kg_per_kwh: 0.001}")
    assert (boiler.cost.scale, boiler.co2_kg.scale) == (0.002, 0.001)


def test_it_may_stand_between_buses_of_ones_own(kind_of, site_of):
    site = site_of("time: {steps: 3}\nbuses: {cellar: electricity, spa: heat}")
    boiler = kind_of("{type: electric_boiler, power_kw: 1, input: cellar, bus: spa}", site)
    assert (boiler.bus, boiler.outputs[0].bus) == ("cellar", "spa")


def test_investment_is_per_kw_of_heat(component_from):
    """60 x 80 = 4800 and 200 for the unit; 60 x 1 a year; 60 x 2 kg."""
    boiler = component_from(
        "{type: electric_boiler, power_kw: 60, capex: 200, capex_per_kw: 80, fixed_cost_per_kw_year: 1,"
        " embodied_co2_kg_per_kw: 2}"
    )
    assert boiler.investment() == Investment(5000, 60, 120, 20)
    assert component_from("{type: electric_boiler, power_kw: 0, capex: 800}").is_absent
