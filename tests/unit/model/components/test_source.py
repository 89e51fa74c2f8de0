"""The generic source on energy and on water buses, worked out by hand."""

from math import inf

import pytest
from pydantic import ValidationError

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Investment, Role, Source


def test_it_offers_its_power_in_every_step(kind_of, site_of):
    """2 x 10 kW x 0.25 h = 5 kWh."""
    source = kind_of("{type: source, bus: heat, power_kw: 10, count: 2}", site_of("time: {step: 15min, steps: 2}"))
    assert isinstance(source, Source)
    assert (source.bus, source.is_bought, source.role) == ("heat", False, Role.BOUGHT)
    assert source.available.values(2).tolist() == [5, 5]
    assert (source.cost.scale, source.co2_kg.scale, source.renewable_share) == (0, 0, 0)


def test_a_profile_is_the_share_that_is_there(kind_of):
    """10 kW x 0, 0.5, 1."""
    source = kind_of("{type: source, bus: heat, power_kw: 10, profile: [0, 0.5, 1]}")
    assert source.available.values(3).tolist() == [0, 5, 10]


def test_without_size_it_has_no_limit(kind_of):
    assert kind_of("{type: source, bus: heat}").available.highest() == inf


def test_it_counts_water_in_cubic_metres(kind_of):
    """3 springs of 0.5 m3/h."""
    source = kind_of("{type: source, bus: water, flow_m3_per_h: 0.5, count: 3, cost_per_m3: [1, 2, 3], co2_kg: 0.4}")
    assert source.available.values(3).tolist() == [1.5, 1.5, 1.5]
    assert source.cost.values(3).tolist() == [1, 2, 3]
    assert source.co2_kg.scale == 0.4


def test_renewable_ones_come_from_the_sky(kind_of):
    text = "{type: source, bus: electricity, power_kw: 1, cost_per_kwh: 0.05, renewable_share: 0.6}"
    source = kind_of(text)
    assert (source.role, source.renewable_share, source.cost.scale) == (Role.SKY, 0.6, 0.05)


def test_investment(component_from):
    """2 x (100 + 10 x 30) = 800; 2 x (7 + 10 x 4) = 94 a year; 2 x 5 kg."""
    source = component_from(
        "{type: source, bus: heat, power_kw: 10, count: 2, capex: 100, capex_per_kw: 30, fixed_cost_per_year: 7,"
        " fixed_cost_per_kw_year: 4, embodied_co2_kg: 5}"
    )
    assert source.investment() == Investment(800, 94, 10, 20)


@pytest.mark.parametrize("size", ["power_kw: 0", "flow_m3_per_h: 0"])
def test_a_size_of_zero_removes_it(component_from, size):
    assert component_from(f"{{type: source, bus: heat, {size}, capex: 5}}").is_absent


@pytest.mark.parametrize(
    ("text", "key", "value", "message", "remedy"),
    [
        (
            "{type: source, bus: water, power_kw: 3}",
            "power_kw",
            3.0,
            "does not fit bus 'water', which carries water",
            "use flow_m3_per_h",
        ),
        (
            "{type: source, bus: gas, flow_m3_per_h: 3}",
            "flow_m3_per_h",
            3.0,
            "does not fit bus 'gas', which carries gas",
            "use power_kw",
        ),
        (
            "{type: source, bus: gas, cost_per_m3: 3}",
            "cost_per_m3",
            3.0,
            "does not fit bus 'gas', which carries gas",
            "use cost_per_kwh",
        ),
        (
            "{type: source, bus: water, cost_per_kwh: 3}",
            "cost_per_kwh",
            3.0,
            "does not fit bus 'water', which carries water",
            "use cost_per_m3",
        ),
        (
            "{type: source, bus: gas, profile: [1, 1, 1]}",
            "profile",
            None,
            "needs a size that it is a share of",
            "add power_kw or flow_m3_per_h",
        ),
        (
            "{type: source, bus: gas, power_kw: 1, profile: [1, -1, 1]}",
            "profile",
            None,
            "holds negative values (-1)",
            "give amounts per unit of size, 0 or more",
        ),
        (
            "{type: source, bus: water, cost_per_m3: [1, 2]}",
            "cost_per_m3",
            None,
            "has 2 values",
            "give 3 (the run) or 8760 values (the year)",
        ),
        (
            "{type: source, bus: gas, cost_per_kwh: []}",
            "cost_per_kwh",
            None,
            "has 0 values",
            "give 3 (the run) or 8760 values (the year)",
        ),
    ],
)
def test_what_does_not_fit_is_told(kind_of, text, key, value, message, remedy):
    with pytest.raises(InputError) as raised:
        kind_of(text)
    (finding,) = raised.value.findings
    assert (finding.key, finding.value) == (key, value)
    assert (finding.message, finding.remedy) == (message, remedy)


@pytest.mark.parametrize("cost", ["capex_per_kw", "fixed_cost_per_kw_year"])
def test_costs_per_kw_need_a_power(component_from, cost):
    with pytest.raises(ValidationError, match="has costs per kW of no power_kw; add it"):
        component_from(f"{{type: source, bus: heat, {cost}: 3}}")
