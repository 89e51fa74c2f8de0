"""The water demand, worked out by hand."""

import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Sink


def test_rates_become_amounts(kind_of, site_of):
    """3 flats of 0, 0.2 and 0.4 m3/h, a quarter of an hour each."""
    text = "{type: water_demand, bus: service_water, profile: [0.0, 0.2, 0.4], count: 3, variable_cost_per_m3: 0.1"
    flats = kind_of(text + ", co2_kg_per_m3: 0.2}", site_of("time: {step: 15min, steps: 3}"))
    assert isinstance(flats, Sink)
    assert (flats.bus, flats.unmet_cost, flats.cost.scale, flats.co2_kg.scale) == ("service_water", None, 0.1, 0.2)
    assert flats.demand.values(3) == pytest.approx([0, 0.15, 0.3], rel=1e-14)


def test_a_year_is_scaled_to_its_sum(kind_of):
    """A year of 1, 3, 1, 3, ... sums to 2 x 8760: 8760 m3 a year make 0.5, 1.5, 0.5 in the first three hours."""
    text = f"{{type: water_demand, profile: {[1.0, 3.0] * 4380}, annual_m3: 8760}}"
    assert kind_of(text).demand.values(3) == pytest.approx([0.5, 1.5, 0.5], rel=1e-14)


def test_it_may_go_unmet_for_a_price(kind_of):
    assert kind_of("{type: water_demand, profile: [1.0, 1.0, 1.0], unmet_cost_per_m3: 5}").unmet_cost == 5
    assert kind_of("{type: water_demand, profile: [1.0, 1.0, 1.0], unmet_cost_per_m3: 0}").unmet_cost == 0


def test_it_drinks_potable_water_unless_told(kind_of):
    assert kind_of("{type: water_demand, profile: [1.0, 1.0, 1.0]}").bus == "water"


def test_a_sum_of_0_removes_it(component_from):
    assert component_from("{type: water_demand, profile: [1.0], annual_m3: 0, capex: 5}").is_absent
    assert not component_from("{type: water_demand, profile: [1.0]}").is_absent


def test_a_demand_below_0_is_refused(kind_of):
    with pytest.raises(InputError, match="a demand is 0 or more in every step"):
        kind_of("{type: water_demand, profile: [1.0, -1.0, 1.0]}")
