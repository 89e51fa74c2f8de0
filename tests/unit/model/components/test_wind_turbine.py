"""The wind turbine: power law and power curve, worked out by hand."""

import numpy as np
import pytest
from pydantic import ValidationError

from ecosystemiser.errors import InputError
from ecosystemiser.model.components.wind_turbine import GENERIC_CURVE, PowerCurve, wind_yield
from ecosystemiser.model.kinds import Investment, Role, Source

CURVE = PowerCurve(wind_m_s=[4.0, 8.0, 20.0], share=[0.1, 0.9, 1.0])


def test_wind_rises_with_the_height_by_a_power_law():
    """At 40 m with an exponent of 0.5 the wind is (40 / 10)^0.5 = 2 times that at 10 m: 3 becomes 6: 0.5."""
    assert wind_yield(np.array([3.0]), CURVE, 40.0, 0.5) == pytest.approx([0.5], rel=1e-14)


@pytest.mark.parametrize(("height", "exponent"), [(10.0, 0.3), (80.0, 0.0)])
def test_wind_is_that_of_the_file_at_its_height_and_without_an_exponent(height, exponent):
    """1 x v in both: 5 m/s are a quarter of the way from 4 to 8, so 0.1 + 0.8 / 4."""
    assert wind_yield(np.array([5.0]), CURVE, height, exponent) == pytest.approx([0.3], rel=1e-14)


def test_a_curve_is_straight_between_its_points_and_0_beyond():
    """Below 4: 0. At 4: 0.1. At 7: 0.1 + 0.8 x 3/4. At 14, half way: 0.95. At 20: 1. Above: cut out."""
    speeds = np.array([0.0, 3.999, 4.0, 7.0, 8.0, 14.0, 20.0, 20.001, 60.0])
    expected = [0, 0, 0.1, 0.7, 0.9, 0.95, 1, 0, 0]
    assert wind_yield(speeds, CURVE, 10.0, 0.143) == pytest.approx(expected, rel=1e-14)


def test_the_generic_curve_is_cubic_from_3_to_11_and_full_to_25():
    """At 5: (125 - 27) / (1331 - 27) = 98/1304. At 9.5, half way from 9 to 10: (702 + 973) / 2 / 1304. Out after 25."""
    speeds = np.array([2.9, 3.0, 5.0, 9.5, 11.0, 18.0, 25.0, 25.1])
    expected = [0, 0, 98 / 1304, 837.5 / 1304, 1, 1, 1, 0]
    assert wind_yield(speeds, GENERIC_CURVE, 10.0, 0.143) == pytest.approx(expected, rel=1e-14)


def test_it_gives_its_power_times_the_yield_of_the_step(kind_of, site_of):
    """2 x 50 kW x 1/4 h x 0, 0.5, 1."""
    text = "{type: wind_turbine, capacity_kw: 50, count: 2, profile: [0.0, 0.5, 1.0], variable_cost_per_kwh: 0.01}"
    turbine = kind_of(text, site_of("time: {step: 15min, steps: 3}"))
    assert isinstance(turbine, Source)
    assert (turbine.bus, turbine.is_bought, turbine.role, turbine.renewable_share) == (
        "electricity",
        False,
        Role.SKY,
        1,
    )
    assert turbine.available.values(3).tolist() == [0, 12.5, 25]
    assert turbine.cost.scale == 0.01


def test_it_takes_the_wind_of_the_site(kind_of, site_of):
    """The weather of these tests blows at 1 m/s at 10 m: with an exponent of 0.5 at 2 m/s at 40 m, at 3 m/s at 90 m."""
    text = (
        "{{type: wind_turbine, capacity_kw: 10, hub_height_m: {height}, roughness_exponent: 0.5,"
        " power_curve: {{wind_m_s: [0.0, 4.0], share: [0.0, 1.0]}}}}"
    )
    site = site_of("time: {steps: 3}", [10.0])
    for height, share in ((10, 0.25), (40, 0.5), (90, 0.75)):
        assert kind_of(text.format(height=height), site).available.values(3) == pytest.approx([10 * share] * 3)


def test_without_weather_it_asks_for_it(kind_of):
    with pytest.raises(InputError, match=r"profile: needs the site's weather; add site\.weather"):
        kind_of("{type: wind_turbine, capacity_kw: 10}")


def test_a_profile_below_0_is_refused(kind_of):
    with pytest.raises(InputError, match=r"profile: holds negative values \(-0\.1\)"):
        kind_of("{type: wind_turbine, capacity_kw: 10, profile: [0.0, -0.1, 0.0]}")


@pytest.mark.parametrize("field", ["hub_height_m: 50", "roughness_exponent: 0.2"])
def test_what_a_profile_makes_useless_is_refused(component_from, field):
    with pytest.raises(ValidationError, match=f"{field.split(':')[0]} has no effect beside a profile; remove one"):
        component_from(f"{{type: wind_turbine, capacity_kw: 10, profile: [1.0], {field}}}")


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ("wind_m_s: [3.0], share: [1.0]", "needs as many share as wind_m_s, two or more"),
        ("wind_m_s: [3.0, 4.0], share: [1.0]", "needs as many share as wind_m_s, two or more"),
        ("wind_m_s: [3.0, 3.0], share: [0.0, 1.0]", "wind_m_s does not rise; sort the points"),
        ("wind_m_s: [5.0, 3.0], share: [0.0, 1.0]", "wind_m_s does not rise; sort the points"),
        ("wind_m_s: [3.0, 5.0], share: [0.0, 1.1]", "less than or equal to 1"),
        ("wind_m_s: [-3.0, 5.0], share: [0.0, 1.0]", "greater than or equal to 0"),
    ],
)
def test_a_curve_that_is_none_is_refused(component_from, curve, message):
    with pytest.raises(ValidationError, match=message):
        component_from(f"{{type: wind_turbine, capacity_kw: 10, power_curve: {{{curve}}}}}")


def test_investment_is_per_kw(component_from):
    """2 x (1000 + 50 x 1500); 2 x 50 x 30 a year; 2 x 50 x 700 kg."""
    turbine = component_from(
        "{type: wind_turbine, capacity_kw: 50, count: 2, capex: 1000, capex_per_kw: 1500, fixed_cost_per_kw_year: 30,"
        " embodied_co2_kg_per_kw: 700}"
    )
    assert turbine.investment() == Investment(152_000, 3_000, 70_000, 20)
    assert component_from("{type: wind_turbine, capacity_kw: 0, capex: 5}").is_absent
