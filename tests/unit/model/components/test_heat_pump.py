"""The heat pump: a converter whose ratio is its COP, worked out by hand from temperatures.

COP = 0.4 x T_sink / (T_sink - T_source + 5), in kelvin, kept within 1.5 and 5.
"""

import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.components.heat_pump import coefficient_of_performance
from ecosystemiser.model.kinds import Converter, Investment


def cop_of(heat_pump, steps=3):
    return heat_pump.outputs[0].ratio.values(steps).tolist()


def series(values, extra=""):
    return f"{{type: heat_pump, power_kw: 1, source: series, source_temperature_c: {values}{extra}}}"


@pytest.mark.parametrize(
    ("source_c", "sink_c", "cop"),
    [
        (0, 45, 0.4 * 318.15 / 50),
        (10, 45, 0.4 * 318.15 / 40),
        (-15, 55, 0.4 * 328.15 / 75),
        (7, 35, 0.4 * 308.15 / 33),
    ],
)
def test_cop_from_temperatures(source_c, sink_c, cop):
    """From 0 to 45 deg C: 0.4 x 318.15 / (318.15 - 273.15 + 5) = 127.26 / 50 = 2.5452.

    From 10: 127.26 / 40 = 3.1815. From -15 to 55: 131.26 / 75 = 1.750133. From 7 to 35: 123.26 / 33 = 3.735152.
    """
    assert float(coefficient_of_performance(source_c, sink_c)) == pytest.approx(cop, rel=1e-14)


def test_the_first_case_in_digits():
    assert float(coefficient_of_performance(0, 45)) == pytest.approx(2.5452, rel=1e-12)


@pytest.mark.parametrize(
    ("source_c", "sink_c", "cop"),
    [
        (-60, 60, 1.5),
        (20, 25, 5.0),
        (45, 45, 5.0),
        (60, 45, 5.0),
    ],
)
def test_cop_is_kept_within_its_bounds(source_c, sink_c, cop):
    """From -60 to 60: 133.26 / 125 = 1.066, so 1.5. From 20 to 25: 119.26 / 10 = 11.9, so 5.

    A source warmer than the sink counts as no lift: 127.26 / 5 = 25.5, so 5.
    """
    assert float(coefficient_of_performance(source_c, sink_c)) == cop


def test_no_lift_is_never_below_zero():
    """Without an upper bound, 60 to 45 deg C is 127.26 / 5 = 25.452, as 45 to 45 is."""
    found = coefficient_of_performance(np.array([45.0, 60.0]), 45.0, bounds=(1.5, 99.0))
    assert found.tolist() == pytest.approx([25.452, 25.452], rel=1e-12)


def test_it_draws_electricity_up_to_its_power_and_gives_heat(kind_of, site_of):
    """`power_kw` is the electric input: 2 x 15 kW x 0.25 h = 7.5 kWh."""
    pump = kind_of("{type: heat_pump, power_kw: 15, count: 2, cop: 3}", site_of("time: {step: 15min, steps: 4}"))
    assert isinstance(pump, Converter)
    assert pump.bus == "electricity"
    assert [output.bus for output in pump.outputs] == ["heat"]
    assert pump.limit.values(4).tolist() == [7.5] * 4
    assert cop_of(pump, 4) == [3, 3, 3, 3]


def test_air_is_the_weather_s(kind_of, site_of):
    """At 0, 10 and -40 deg C towards 45: 2.5452, 3.1815, and 127.26 / 90 = 1.414, so 1.5."""
    pump = kind_of("{type: heat_pump, power_kw: 1}", site_of(temperatures_c=[0, 10, -40]))
    assert cop_of(pump) == pytest.approx([2.5452, 3.1815, 1.5], rel=1e-12)


def test_air_of_a_run_that_starts_later_is_that_of_its_hours(kind_of, site_of):
    """The air is as warm as the hour of the day; at 2 and 3 o'clock 127.26 / 48 and 127.26 / 47."""
    site = site_of("time: {start: 2018-02-01 02:00:00, steps: 2}", temperatures_c=range(24))
    assert cop_of(kind_of("{type: heat_pump, power_kw: 1}", site), 2) == pytest.approx(
        [127.26 / 48, 127.26 / 47], rel=1e-12
    )


def test_ground_is_as_warm_as_the_whole_year_on_average(kind_of, site_of):
    """Air of 0 in the first half of the day and 20 in the second is 10 on average: 3.1815, also in the morning."""
    site = site_of("time: {steps: 3}", temperatures_c=[0] * 12 + [20] * 12)
    pump = kind_of("{type: heat_pump, power_kw: 1, source: ground}", site)
    assert cop_of(pump) == pytest.approx([3.1815] * 3, rel=1e-12)


def test_ground_may_be_given(kind_of):
    """10 deg C, without any weather: 127.26 / 40 = 3.1815."""
    pump = kind_of("{type: heat_pump, power_kw: 1, source: ground, source_temperature_c: 10}")
    assert cop_of(pump) == pytest.approx([3.1815] * 3, rel=1e-12)


def test_source_by_hour(kind_of):
    """0, 10 and 5 deg C: 127.26 over 50, 40 and 45."""
    assert cop_of(kind_of(series("[0, 10, 5]"))) == pytest.approx([2.5452, 3.1815, 2.828], rel=1e-12)


def test_two_sources_of_minus_one_and_minus_two_degrees_differ(kind_of, site_of):
    """127.26 / 51 and 127.26 / 52, though Python's hash of -1.0 is that of -2.0."""
    site = site_of()
    found = [cop_of(kind_of(series(values), site))[0] for values in ("[-1, -1, -1]", "[-2, -2, -2]")]
    assert found == pytest.approx([127.26 / 51, 127.26 / 52], rel=1e-12)


def test_sink_by_hour(kind_of):
    """From 0 to 45, 35 and 55 deg C: 127.26 / 50, 123.26 / 40, 131.26 / 60."""
    pump = kind_of(series("[0, 0, 0]", ", sink_temperature_c: [45, 35, 55]"))
    assert cop_of(pump) == pytest.approx([2.5452, 123.26 / 40, 131.26 / 60], rel=1e-12)


def test_heating_curve(kind_of, site_of):
    """Supply of 55 at -10 and 35 at 20 deg C: at 5 deg C 45, at -20 still 55, at 30 still 35.

    COPs from a source of 0: 127.26 / 50, 131.26 / 60, 123.26 / 40.
    """
    curve = ", sink_temperature_c: {outdoor_c: [-10, 20], supply_c: [55, 35]}"
    pump = kind_of(series("[0, 0, 0]", curve), site_of(temperatures_c=[5, -20, 30]))
    assert cop_of(pump) == pytest.approx([2.5452, 131.26 / 60, 123.26 / 40], rel=1e-12)


def test_its_own_quality_approach_and_bounds(kind_of):
    """0.5 x 318.15 / (45 + 10) = 2.892273; 0.5 x 318.15 / (5 + 10) = 10.6, so 6; / (145 + 10) = 1.026, so 1.2."""
    own = ", cop_quality: 0.5, cop_approach_k: 10, cop_min: 1.2, cop_max: 6"
    assert cop_of(kind_of(series("[0, 40, -100]", own))) == pytest.approx([159.075 / 55, 6, 1.2], rel=1e-12)


def test_cop_by_table(kind_of):
    """3 at 0 and 4 at 10 deg C: 3.5 at 5, level beyond the points: 3 at -5, 4 at 15."""
    table = ", cop: {source_c: [0, 10], cop: [3, 4]}"
    assert cop_of(kind_of(series("[5, -5, 15]", table))) == pytest.approx([3.5, 3, 4], rel=1e-14)


def test_cop_as_series_is_taken_as_it_stands(kind_of):
    """A COP that is known is not kept within bounds."""
    assert cop_of(kind_of("{type: heat_pump, power_kw: 1, cop: [1.1, 3, 7]}")) == [1.1, 3, 7]


def test_costs_are_per_heat(kind_of):
    text = "{type: heat_pump, power_kw: 1, cop: 3, variable_cost_per_kwh: 0.02, co2_kg_per_kwh: 0.03}"
    pump = kind_of(text)
    assert (pump.cost.scale, pump.co2_kg.scale) == (0.02, 0.03)


def test_investment_is_per_kw_of_electric_input(component_from):
    """2 x (1000 + 15 x 2200) = 68,000; 2 x 15 x 30 = 900 a year; 2 x (100 + 15 x 40) = 1400 kg."""
    pump = component_from(
        "{type: heat_pump, power_kw: 15, count: 2, cop: 3, capex: 1000, capex_per_kw: 2200, embodied_co2_kg: 100,"
        " fixed_cost_per_kw_year: 30, embodied_co2_kg_per_kw: 40, lifetime_years: 18}"
    )
    assert pump.investment() == Investment(68_000, 900, 1400, 18)


def test_a_power_of_zero_removes_it(component_from):
    assert component_from("{type: heat_pump, power_kw: 0, capex: 9}").is_absent


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("source: series", "source: series needs source_temperature_c; add it"),
        ("source_temperature_c: 3", "source_temperature_c has no effect with source: air; write source: series"),
        ("cop_min: 6", "cop_min is above cop_max; exchange them"),
        ("cop: {source_c: [0, 0], cop: [3, 4]}", "source_c does not rise; sort the points"),
        ("cop: {source_c: [0], cop: [3]}", "needs as many cop as source_c, two or more; add what is missing"),
        (
            "sink_temperature_c: {outdoor_c: [0, 1, 2], supply_c: [3, 4]}",
            "needs as many supply_c as outdoor_c, two or more; add what is missing",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(component_from, fields, message):
    from pydantic import ValidationError

    with pytest.raises(ValidationError) as raised:
        component_from(f"{{type: heat_pump, power_kw: 1, {fields}}}")
    assert any(message == str(error.get("ctx", {}).get("error")) for error in raised.value.errors())


def test_a_series_with_a_cop_of_zero_is_refused(kind_of):
    with pytest.raises(InputError) as raised:
        kind_of("{type: heat_pump, power_kw: 1, cop: [3, 0, 3]}")
    (finding,) = raised.value.findings
    assert (finding.key, finding.message, finding.remedy) == (
        "cop",
        "holds a COP of 0 or less",
        "give values above 0",
    )
