"""Demand for heat: a sink on the heat bus, its numbers worked out by hand."""

import numpy as np
import pytest

from ecosystemiser.model.kinds import Investment, Sink
from ecosystemiser.model.profiles.packaged import packaged_series


def test_values_are_rates_on_the_heat_bus(kind_of):
    """2 units of 5, 0 and 2.5 kW over an hour: 10, 0 and 5 kWh."""
    heat = kind_of("{type: heat_demand, profile: [5, 0, 2.5], count: 2}")
    assert isinstance(heat, Sink)
    assert (heat.bus, heat.unmet_cost) == ("heat", None)
    assert heat.demand.values(3).tolist() == [10, 0, 5]


def test_the_packaged_profile_is_scaled_to_the_year(kind_of, site_of):
    """Its hours sum to 1: of 120,000 kWh the first of July's has 120,000 times the share in row 4343."""
    site = site_of("time: {start: 2018-07-01, steps: 24}")
    heat = kind_of("{type: heat_demand, profile: bdew-efh, annual_kwh: 120000}", site)
    expected = 120_000 * packaged_series("bdew-efh")[4343:4367]
    assert np.allclose(heat.demand.values(24), expected, rtol=1e-12, atol=0)


def test_a_bus_of_its_own(kind_of, site_of):
    site = site_of("time: {steps: 3}\nbuses: {north: heat}")
    assert kind_of("{type: heat_demand, profile: [1, 1, 1], bus: north}", site).bus == "north"


def test_what_is_not_met_may_have_a_price(kind_of):
    assert kind_of("{type: heat_demand, profile: [1, 1, 1], unmet_cost_per_kwh: 1.5}").unmet_cost == 1.5


def test_investment_is_that_of_its_units(component_from):
    """4 x 50 of capital, 4 x 2 a year, 4 x 10 kg."""
    heat = component_from(
        "{type: heat_demand, profile: [1], count: 4, capex: 50, fixed_cost_per_year: 2, embodied_co2_kg: 10}"
    )
    assert heat.investment() == Investment(200, 8, 40, 20)


@pytest.mark.parametrize("name", ["bdew-efh", "bdew-mfh"])
def test_the_annual_sum_is_reached_over_the_whole_year(kind_of, site_of, name):
    heat = kind_of(f"{{type: heat_demand, profile: {name}, annual_kwh: 777}}", site_of("time: {steps: 8760}"))
    assert heat.demand.values(8760).sum() == pytest.approx(777, rel=1e-12)


def test_an_annual_sum_of_zero_removes_it(component_from):
    assert component_from("{type: heat_demand, profile: bdew-efh, annual_kwh: 0}").is_absent
    assert not component_from("{type: heat_demand, profile: bdew-efh, annual_kwh: 1}").is_absent
