"""Rain from a roof, worked out by hand."""

import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Investment, Role, Source


def test_mm_become_m3_by_area_runoff_and_filter(kind_of):
    """2 x 250 m2 x 0.8 x 0.9 = 360 m2, over which 1 mm is 0.36 m3: 0, 0.36 and 10 mm are 3.6."""
    text = "{type: rainwater, bus: service_water, area_m2: 250, count: 2, runoff: 0.8, filter_efficiency: 0.9"
    roof = kind_of(text + ", profile: [0.0, 1.0, 10.0], variable_cost_per_m3: 0.1, co2_kg_per_m3: 0.2}")
    assert isinstance(roof, Source)
    assert (roof.bus, roof.is_bought, roof.role, roof.renewable_share) == ("service_water", False, Role.SKY, 1)
    assert roof.available.values(3) == pytest.approx([0, 0.36, 3.6], rel=1e-14)
    assert (roof.cost.scale, roof.co2_kg.scale) == (0.1, 0.2)


def test_by_default_0_85_runs_off_and_0_9_passes_the_filter(kind_of):
    """1000 m2 x 0.85 x 0.9 / 1000 = 0.765 m3 of each mm."""
    roof = kind_of("{type: rainwater, area_m2: 1000, profile: [1.0, 2.0, 0.0]}")
    assert roof.available.values(3) == pytest.approx([0.765, 1.53, 0], rel=1e-14)


def test_a_profile_is_mm_an_hour_whatever_the_step(kind_of, site_of):
    """4 mm an hour for a quarter of an hour are 1 mm: 1 m3 from 1000 m2."""
    site = site_of("time: {step: 15min, steps: 2}")
    text = "{type: rainwater, area_m2: 1000, runoff: 1.0, filter_efficiency: 1.0, profile: [4.0, 0.0]}"
    assert kind_of(text, site).available.values(2) == pytest.approx([1, 0], rel=1e-14)


def test_weather_without_rain_is_refused_with_what_to_do(kind_of, site_of):
    with pytest.raises(InputError, match="needs rain, which the site's weather lacks; give the component a profile"):
        kind_of("{type: rainwater, area_m2: 100}", site_of("time: {steps: 3}", [10.0]))


def test_rain_below_0_is_refused(kind_of):
    with pytest.raises(InputError, match=r"profile: holds negative values \(-1\)"):
        kind_of("{type: rainwater, area_m2: 100, profile: [0.0, -1.0, 0.0]}")


def test_investment_is_per_m2(component_from):
    """2 x (300 + 250 x 4) = 2600; 2 x 20 a year; 2 x 50 kg."""
    roof = component_from(
        "{type: rainwater, area_m2: 250, count: 2, capex: 300, capex_per_m2: 4, fixed_cost_per_year: 20,"
        " embodied_co2_kg: 50, lifetime_years: 40}"
    )
    assert roof.investment() == Investment(2600, 40, 100, 40)
    assert component_from("{type: rainwater, area_m2: 0, capex: 300}").is_absent
