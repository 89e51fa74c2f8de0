"""Demand for electricity: a sink, its numbers worked out by hand."""

import numpy as np
import pytest

from ecosystemiser.model.kinds import Investment, Sink
from ecosystemiser.model.profiles.packaged import packaged_series


def test_values_are_rates_where_no_annual_sum_is_given(kind_of, site_of):
    """4, 8 and 0 kW over a quarter of an hour, in 3 households: 3, 6 and 0 kWh."""
    site = site_of("time: {step: 15min, steps: 3}")
    load = kind_of("{type: electricity_demand, profile: [4, 8, 0], count: 3}", site)
    assert isinstance(load, Sink)
    assert (load.bus, load.unmet_cost) == ("electricity", None)
    assert load.demand.values(3).tolist() == [3, 6, 0]


def test_the_annual_sum_is_that_of_the_full_year(kind_of, site_of):
    """The profile sums to 1 over 8760 hours, so each hour is 45,000 times its share; a week keeps its part."""
    week = kind_of(
        "{type: electricity_demand, profile: bdew-h25, annual_kwh: 45000}",
        site_of("time: {start: 2018-01-08, steps: 168}"),
    )
    expected = 45_000 * packaged_series("bdew-h25")[168:336]
    assert np.allclose(week.demand.values(168), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("step", "steps"), [("15min", 35_040), ("1h", 8760), ("3h", 2920), ("12h", 730), ("24h", 365)])
def test_the_annual_sum_is_the_same_in_steps_of_any_length(kind_of, site_of, step, steps):
    """300 kWh a year are 300 kWh whatever a year is cut into."""
    site = site_of(f"time: {{step: {step}, steps: {steps}}}")
    load = kind_of("{type: electricity_demand, profile: bdew-h25, annual_kwh: 300}", site)
    assert load.demand.values(steps).sum() == pytest.approx(300, rel=1e-12)


def test_hours_keep_their_energy_in_shorter_and_longer_steps(kind_of, site_of):
    """A step of 3 h has the energy of its three hours, a quarter of an hour a quarter of its hour's."""
    text = "{type: electricity_demand, profile: bdew-g25, annual_kwh: 1000}"
    cases = {"15min": 96, "1h": 24, "3h": 8}
    demand = {
        step: kind_of(text, site_of(f"time: {{step: {step}, steps: {steps}}}")).demand.values(steps)
        for step, steps in cases.items()
    }
    assert np.allclose(demand["15min"].reshape(24, 4), demand["1h"][:, np.newaxis] / 4, rtol=1e-12, atol=0)
    assert np.allclose(demand["1h"].reshape(8, 3).sum(axis=1), demand["3h"], rtol=1e-12, atol=0)


def test_a_list_of_the_whole_year_is_scaled_too(kind_of, site_of):
    """8759 hours of 1 and the first of 3 sum to 8762; 4381 kWh a year make 1.5 and 0.5 kWh."""
    values = [3] + [1] * 8759
    load = kind_of(f"{{type: electricity_demand, profile: {values}, annual_kwh: 4381}}", site_of("time: {steps: 3}"))
    assert load.demand.values(3) == pytest.approx([1.5, 0.5, 0.5], rel=1e-12)


def test_a_list_of_the_whole_year_is_cut_where_the_run_starts(kind_of, site_of):
    """The second day starts with hour 24."""
    site = site_of("time: {start: 2018-01-02, steps: 3}")
    load = kind_of(f"{{type: electricity_demand, profile: {list(range(8760))}}}", site)
    assert load.demand.values(3).tolist() == [24, 25, 26]


def test_a_column_of_a_file_is_read_from_the_run_s_hour_on(system_from):
    """Hour 8736 is the first of 31 December."""
    system = system_from(
        """
system_id: test
time: {start: 2018-12-31, steps: 3}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  load: {type: electricity_demand, profile: {file: loads.csv, column: house}}
""",
        {"loads.csv": "\n".join(["other,house", *(f"0,{hour}" for hour in range(8760))])},
    )
    assert system.kinds[1].demand.values(3).tolist() == [8736, 8737, 8738]


def test_what_is_not_met_may_have_a_price(kind_of):
    load = kind_of("{type: electricity_demand, profile: [1, 1, 1], unmet_cost_per_kwh: 2.5}")
    assert load.unmet_cost == 2.5
    assert kind_of("{type: electricity_demand, profile: [1, 1, 1], unmet_cost_per_kwh: 0}").unmet_cost == 0


def test_costs_and_carbon_are_of_what_is_received(kind_of):
    text = "{type: electricity_demand, profile: [1, 1, 1], variable_cost_per_kwh: 0.1, co2_kg_per_kwh: 0.2}"
    load = kind_of(text)
    assert (load.cost.scale, load.co2_kg.scale) == (0.1, 0.2)


def test_investment_is_that_of_its_units(component_from):
    """10 x 300 of capital, 10 x 25 a year."""
    load = component_from("{type: electricity_demand, profile: [1], count: 10, capex: 300, fixed_cost_per_year: 25}")
    assert load.investment() == Investment(3000, 250, 0, 20)


def test_an_annual_sum_of_zero_removes_it(system_from):
    system = system_from("""
system_id: test
time: {steps: 2}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  house: {type: electricity_demand, profile: bdew-h25, annual_kwh: 0, capex: 100}
  load: {type: electricity_demand, profile: [1, 1]}
""")
    assert list(system.components) == ["grid", "load"]
