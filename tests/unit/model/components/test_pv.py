"""Photovoltaics: a source, its numbers worked out by hand."""

import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Investment, Role, Source
from ecosystemiser.model.profiles.packaged import packaged_series
from ecosystemiser.model.profiles.photovoltaics import compute_pv_yield
from ecosystemiser.model.profiles.weather import packaged_weather

POTSDAM = "time: {start: 2018-06-01, steps: 24}\nsite: {weather: try2010-potsdam}"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_what_it_offers_is_size_times_yield(kind_of):
    """2 units of 10 kW at yields of 0, 0.5 and 0.8 kW/kW over an hour: 0, 10 and 16 kWh."""
    pv = kind_of("{type: pv, capacity_kw: 10, count: 2, profile: [0, 0.5, 0.8]}")
    assert isinstance(pv, Source)
    assert (pv.bus, pv.role, pv.renewable_share, pv.is_bought) == ("electricity", Role.SUN, 1.0, False)
    assert pv.available.values(3).tolist() == [0, 10, 16]


def test_a_quarter_hour_has_a_quarter_of_the_energy(kind_of, site_of):
    """10 kW x 0.5 x 0.25 h = 1.25 kWh."""
    site = site_of("time: {step: 15min, steps: 2}")
    assert kind_of("{type: pv, capacity_kw: 10, profile: [0.5, 0]}", site).available.values(2).tolist() == [1.25, 0]


def test_the_packaged_yield_is_cut_where_the_run_starts(kind_of, site_of):
    """1 June is day 151; its midnight of summer time is row 151 x 24 - 1 = 3623 of the year in standard time."""
    pv = kind_of("{type: pv, capacity_kw: 60, profile: pv-potsdam-south-30}", site_of(POTSDAM))
    expected = 60 * packaged_series("pv-potsdam-south-30")[3623 : 3623 + 24]
    assert np.allclose(pv.available.values(24), expected, rtol=1e-14, atol=0)


def test_hourly_yields_are_kept_through_the_quarters_of_an_hour(kind_of, site_of):
    """Rates are repeated: each quarter has a quarter of the hour's energy."""
    hour = kind_of("{type: pv, capacity_kw: 60, profile: pv-potsdam-south-30}", site_of(POTSDAM))
    site = site_of(POTSDAM.replace("steps: 24", "step: 15min, steps: 96"))
    quarters = kind_of("{type: pv, capacity_kw: 60, profile: pv-potsdam-south-30}", site)
    expected = np.repeat(hour.available.values(24) / 4, 4)
    assert np.allclose(quarters.available.values(96), expected, rtol=1e-14, atol=0)


def test_without_profile_the_site_s_weather_gives_the_yield(kind_of, site_of):
    """Tilt 20, azimuth 90, losses 0.1 reach the model; the run's hours are rows 3623 on."""
    text = "{type: pv, capacity_kw: 5, tilt_deg: 20, azimuth_deg: 90, losses: 0.1}"
    expected = 5 * compute_pv_yield(packaged_weather("try2010-potsdam"), 20, 90, losses=0.1)[3623:3647]
    found = kind_of(text, site_of(POTSDAM)).available.values(24)
    assert np.allclose(found, expected, rtol=1e-12, atol=0)
    assert found.max() > 2


def test_two_geometries_on_one_site_keep_their_own_yield(kind_of, site_of):
    site = site_of(POTSDAM)
    east, west = (
        kind_of(f"{{type: pv, capacity_kw: 1, azimuth_deg: {azimuth}}}", site).available.values(24)
        for azimuth in (90, 270)
    )
    assert np.argmax(east) < np.argmax(west)


def test_costs_per_kwh_are_operation(kind_of):
    pv = kind_of("{type: pv, capacity_kw: 1, profile: [1, 1, 1], variable_cost_per_kwh: 0.01, co2_kg_per_kwh: 0.02}")
    assert (pv.cost.scale, pv.co2_kg.scale) == (0.01, 0.02)


def test_investment(component_from):
    """3 x (100 + 10 x 950) = 28,800; 3 x (20 + 10 x 15) = 510 a year; 3 x (5 + 10 x 1200) = 36,015 kg."""
    pv = component_from(
        "{type: pv, capacity_kw: 10, count: 3, capex: 100, capex_per_kw: 950, fixed_cost_per_year: 20,"
        " fixed_cost_per_kw_year: 15, embodied_co2_kg: 5, embodied_co2_kg_per_kw: 1200}"
    )
    assert pv.investment() == Investment(28_800, 510, 36_015, 25)


def test_a_size_of_zero_removes_it_with_its_costs(system_from):
    """Not even the price of a unit is left, nor is the weather asked for that the site lacks."""
    system = system_from("""
system_id: test
time: {steps: 2}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  pv: {type: pv, capacity_kw: 0, capex: 100, fixed_cost_per_year: 20}
  load: {type: electricity_demand, profile: [1, 1]}
""")
    assert list(system.components) == ["grid", "load"]
    assert [kind.name for kind in system.kinds] == ["grid", "load"]
    assert sum(one.capital + one.fixed_per_year for one in system.investments().values()) == 0


@pytest.mark.parametrize(
    ("text", "key", "message", "remedy"),
    [
        (
            "{type: pv, capacity_kw: 1}",
            "profile",
            "needs the site's weather",
            "add site.weather, a packaged set (try2010-potsdam) or a weather file",
        ),
        (
            "{type: pv, capacity_kw: 1, profile: [1, 1, 1], tilt_deg: 30}",
            "tilt_deg",
            "has no effect beside a profile",
            "remove tilt_deg or remove profile",
        ),
        (
            "{type: pv, capacity_kw: 1, profile: [1, -0.5, 1]}",
            "profile",
            "holds negative values (-0.5)",
            "give amounts per unit of size, 0 or more",
        ),
    ],
)
def test_what_does_not_fit_is_told(kind_of, text, key, message, remedy):
    with pytest.raises(InputError) as raised:
        kind_of(text)
    (finding,) = raised.value.findings
    assert (finding.key, finding.message, finding.remedy) == (key, message, remedy)
