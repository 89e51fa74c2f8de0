"""The generic converter, worked out by hand."""

from math import inf

import pytest
from pydantic import ValidationError

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Converter, Investment


def test_it_gives_its_ratio_and_draws_up_to_its_power(kind_of, site_of):
    """An electrolyser of 2 x 100 kW at 0.65 draws 2 x 100 x 0.25 = 50 kWh in a quarter of an hour."""
    converter = kind_of(
        "{type: converter, input: electricity, output: hydrogen, ratio: 0.65, power_kw: 100, count: 2,"
        " variable_cost: 0.01, co2_kg: 0.02}",
        site_of("time: {step: 15min, steps: 2}"),
    )
    assert isinstance(converter, Converter)
    assert (converter.bus, [output.bus for output in converter.outputs]) == ("electricity", ["hydrogen"])
    assert converter.limit.values(2).tolist() == [50, 50]
    assert converter.outputs[0].ratio.values(2).tolist() == [0.65, 0.65]
    assert (converter.cost.scale, converter.co2_kg.scale) == (0.01, 0.02)


def test_water_flows_on_one_to_one_without_limit(kind_of):
    converter = kind_of("{type: converter, input: water, output: service_water}")
    assert (converter.limit.scale, converter.outputs[0].ratio.scale) == (inf, 1)


def test_water_is_limited_in_cubic_metres(kind_of):
    """2 x 1.5 m3/h over an hour."""
    text = "{type: converter, input: water, output: service_water, flow_m3_per_h: 1.5, count: 2}"
    assert kind_of(text).limit.scale == 3


def test_the_ratio_may_change_by_hour(kind_of):
    converter = kind_of("{type: converter, input: gas, output: heat, ratio: [0.8, 0.9, 1.05]}")
    assert converter.outputs[0].ratio.values(3).tolist() == [0.8, 0.9, 1.05]


def test_investment_is_per_kw_of_input(component_from):
    """2 x (40 + 100 x 9) = 1880; 2 x 3 a year."""
    converter = component_from(
        "{type: converter, input: electricity, output: hydrogen, power_kw: 100, count: 2, capex: 40,"
        " capex_per_kw: 9, fixed_cost_per_year: 3}"
    )
    assert converter.investment() == Investment(1880, 6, 0, 20)


@pytest.mark.parametrize("size", ["power_kw: 0", "flow_m3_per_h: 0"])
def test_a_size_of_zero_removes_it(component_from, size):
    assert component_from(f"{{type: converter, input: gas, output: heat, {size}}}").is_absent


@pytest.mark.parametrize(
    ("fields", "key", "value", "message", "remedy"),
    [
        (
            "input: gas, output: heat, bus: heat",
            "bus",
            "heat",
            "means nothing here",
            "name the buses in input and output",
        ),
        (
            "input: gas, output: heat, flow_m3_per_h: 3",
            "flow_m3_per_h",
            3.0,
            "does not fit input 'gas'",
            "use power_kw",
        ),
        ("input: water, output: heat, power_kw: 3", "power_kw", 3.0, "does not fit input 'water'", "use flow_m3_per_h"),
        ("input: gas, output: heat, ratio: 0", "ratio", 0.0, "is not above 0", "give a ratio above 0"),
        ("input: gas, output: heat, ratio: [1, -2, 1]", "ratio", -2.0, "is not above 0", "give a ratio above 0"),
    ],
)
def test_what_does_not_fit_is_told(kind_of, fields, key, value, message, remedy):
    with pytest.raises(InputError) as raised:
        kind_of(f"{{type: converter, {fields}}}")
    (finding,) = raised.value.findings
    assert (finding.key, finding.value) == (key, value)
    assert (finding.message, finding.remedy) == (message, remedy)


@pytest.mark.parametrize("key", ["input", "output"])
def test_an_unknown_bus_is_told_where_it_is_named(kind_of, key):
    buses = {"input": "gas", "output": "heat"} | {key: "haet"}
    with pytest.raises(InputError) as raised:
        kind_of(f"{{type: converter, input: {buses['input']}, output: {buses['output']}}}")
    (finding,) = raised.value.findings
    assert (finding.key, finding.value, finding.message) == (key, "haet", "is no bus of this system")
    assert finding.remedy.startswith("did you mean 'heat'? declare it under `buses:`")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("input: heat, output: heat, ratio: 2", "has bus 'heat' as input and as output; name two buses"),
        ("input: gas, output: heat, capex_per_kw: 9", "has a capex_per_kw of no power_kw; add power_kw"),
    ],
)
def test_what_makes_no_sense_is_refused(component_from, fields, message):
    with pytest.raises(ValidationError, match=message):
        component_from(f"{{type: converter, {fields}}}")
