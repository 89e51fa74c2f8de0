"""The generic sink on energy and on water buses, worked out by hand."""

import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Investment, Sink


def test_values_are_rates(kind_of, site_of):
    """2 x (4, 0) kW over a quarter of an hour: 2 and 0 kWh."""
    site = site_of("time: {step: 15min, steps: 2}")
    sink = kind_of("{type: sink, bus: hydrogen, profile: [4, 0], count: 2}", site)
    assert isinstance(sink, Sink)
    assert (sink.bus, sink.unmet_cost) == ("hydrogen", None)
    assert sink.demand.values(2).tolist() == [2, 0]


def test_water_is_scaled_to_its_annual_volume(kind_of, site_of):
    """The packaged profile sums to 1, so the year sums to 2 x 700 m3."""
    text = "{type: sink, bus: water, profile: district, annual_m3: 700, unmet_cost_per_m3: 9, count: 2}"
    sink = kind_of(text, site_of("time: {steps: 8760}"))
    assert sink.demand.values(8760).sum() == pytest.approx(1400, rel=1e-12)
    assert sink.unmet_cost == 9


def test_energy_is_scaled_to_its_annual_sum(kind_of, site_of):
    """365 days of 1 and 3 kW in turn, 12 h each, are 17,520 kWh; half as much is 0.5 and 1.5 kW x 12 h."""
    values = [1, 3] * 365
    text = f"{{type: sink, bus: heat, profile: {values}, annual_kwh: 8760, unmet_cost_per_kwh: 0}}"
    sink = kind_of(text, site_of("time: {step: 12h, steps: 730}"))
    assert sink.demand.values(730)[:2] == pytest.approx([6, 18], rel=1e-12)
    assert sink.unmet_cost == 0


def test_investment_is_that_of_its_units(component_from):
    sink = component_from("{type: sink, bus: heat, profile: [1], count: 3, capex: 10, embodied_co2_kg: 2}")
    assert sink.investment() == Investment(30, 0, 6, 20)


@pytest.mark.parametrize("annual", ["annual_kwh: 0", "annual_m3: 0"])
def test_an_annual_sum_of_zero_removes_it(component_from, annual):
    assert component_from(f"{{type: sink, bus: heat, profile: district, {annual}}}").is_absent


@pytest.mark.parametrize(
    ("bus", "field", "fitting"),
    [
        ("heat", "annual_m3", "annual_kwh"),
        ("water", "annual_kwh", "annual_m3"),
        ("grey_water", "unmet_cost_per_kwh", "unmet_cost_per_m3"),
        ("gas", "unmet_cost_per_m3", "unmet_cost_per_kwh"),
    ],
)
def test_fields_of_the_other_unit_are_refused(kind_of, bus, field, fitting):
    with pytest.raises(InputError) as raised:
        kind_of(f"{{type: sink, bus: {bus}, profile: [1, 1, 1], {field}: 3}}")
    (finding,) = raised.value.findings
    assert (finding.key, finding.value, finding.remedy) == (field, 3.0, f"use {fitting}")
