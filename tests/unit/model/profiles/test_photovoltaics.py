from dataclasses import replace

import numpy as np
import pytest

from ecosystemiser.model.profiles import photovoltaics
from ecosystemiser.model.profiles.packaged import packaged_series
from ecosystemiser.model.profiles.photovoltaics import compute_pv_yield, pv_cache_folder, pv_yield
from ecosystemiser.model.profiles.weather import packaged_weather, pvlib_example_file, read_weather


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ecosystemiser" / "pv"


@pytest.fixture
def forbid_computing(monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("computed again")

    return lambda: monkeypatch.setattr(photovoltaics, "compute_pv_yield", refuse)


POTSDAM = packaged_weather("try2010-potsdam")


def test_south_roof_in_potsdam_yields_what_is_packaged():
    """The packaged series is this function on the packaged weather; 850 to 1150 kWh/kWp is usual there."""
    values = pv_yield(POTSDAM, 30, 180)
    assert values == pytest.approx(packaged_series("pv-potsdam-south-30"), rel=1e-5, abs=1e-9)
    assert 850 < values.sum() < 1150


def test_night_yields_nothing():
    values = pv_yield(POTSDAM, 30, 180)
    assert (values[POTSDAM.ghi_w_m2 == 0] == 0).all()
    assert values.min() == 0
    assert values.max() < 0.96  # the inverter's efficiency


def test_yield_follows_the_sun():
    """South beats north; the east roof leads in the morning, the west roof in the afternoon."""
    year = {azimuth: pv_yield(POTSDAM, 30, azimuth).reshape(365, 24) for azimuth in (0, 90, 180, 270)}
    assert year[180].sum() > year[90].sum() > year[0].sum()
    assert year[90][:, :9].sum() > 2 * year[270][:, :9].sum()
    assert year[270][:, 16:].sum() > 2 * year[90][:, 16:].sum()


def test_flat_modules_have_no_azimuth():
    assert pv_yield(POTSDAM, 0, 90) == pytest.approx(pv_yield(POTSDAM, 0, 180))


def test_no_losses_give_more_and_heat_gives_less():
    usual = pv_yield(POTSDAM, 30, 180).sum()
    assert pv_yield(POTSDAM, 30, 180, losses=0.0).sum() > 1.1 * usual
    warmer = replace(POTSDAM, temperature_c=POTSDAM.temperature_c + 10)
    assert pv_yield(warmer, 30, 180).sum() == pytest.approx(0.96 * usual, rel=0.005)


def test_half_hour_zone_is_understood():
    """The sun is computed with the zone's own offset, whole hours or not."""
    weather = replace(POTSDAM, utc_offset_h=1.5)
    assert pv_yield(weather, 30, 180).sum() == pytest.approx(pv_yield(POTSDAM, 30, 180).sum(), rel=0.05)


def test_greensboro_yields_more_than_potsdam():
    weather = read_weather(pvlib_example_file("723170TYA.CSV"))
    assert 1200 < pv_yield(weather, 30, 180).sum() < 1450


def test_second_call_reads_the_cache(cache, forbid_computing):
    first = pv_yield(POTSDAM, 30, 180)
    forbid_computing()
    second = pv_yield(POTSDAM, 30, 180)
    assert np.array_equal(first, second)
    assert not second.flags.writeable
    assert [file.suffix for file in cache.iterdir()] == [".npy"]


def test_another_plant_or_weather_is_another_entry(cache):
    pv_yield(POTSDAM, 30, 180)
    pv_yield(POTSDAM, 31, 180)
    pv_yield(POTSDAM, 30, 180, inverter_efficiency=0.97)
    pv_yield(replace(POTSDAM, latitude=52.5), 30, 180)
    pv_yield(replace(POTSDAM, temperature_c=POTSDAM.temperature_c + 1), 30, 180)
    assert len(list(cache.iterdir())) == 5


@pytest.mark.parametrize("damage", [b"", b"no numbers", None])
def test_damaged_cache_file_is_computed_again(cache, damage):
    """Empty, foreign or with one flipped bit: the checksum does not fit, the file is replaced."""
    first = pv_yield(POTSDAM, 30, 180)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[40_000] ^= 1
    file.write_bytes(bytes(flipped) if damage is None else damage)
    assert np.array_equal(pv_yield(POTSDAM, 30, 180), first)
    assert file.read_bytes() == whole


def test_unwritable_cache_is_no_error(tmp_path, monkeypatch):
    """A file stands where the folder should be; the yield comes all the same."""
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert pv_yield(POTSDAM, 30, 180).sum() > 850


def test_relative_cache_home_is_passed_over(monkeypatch, tmp_path):
    """The XDG specification says that relative paths are to be ignored."""
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert pv_cache_folder() == tmp_path / ".cache" / "ecosystemiser" / "pv"


def test_beam_on_a_plane_facing_the_sun_is_dni():
    """By hand: no sky light, the sun in the plane's normal, air at 10 degC, no wind, no losses.

    Ground light is albedo x GHI x (1 - cos tilt) / 2; cell, module and inverter by their formulas.
    """
    import pandas as pd
    import pvlib

    hour = 24 * 171 + 11
    zeros = np.zeros(8760)
    middle = pd.DatetimeIndex(["2018-06-21T11:30+01:00"])
    position = pvlib.solarposition.get_solarposition(middle, 52.4, 13.1)
    zenith, azimuth = float(position["apparent_zenith"].iloc[0]), float(position["azimuth"].iloc[0])
    beam = zeros.copy()
    beam[hour] = 500.0
    global_ = zeros.copy()
    global_[hour] = 500 * np.cos(np.radians(zenith))
    weather = replace(
        POTSDAM,
        dni_w_m2=beam,
        dhi_w_m2=zeros,
        ghi_w_m2=global_,
        temperature_c=zeros + 10,
        wind_speed_m_s=zeros,
    )
    value = compute_pv_yield(weather, zenith, azimuth, losses=0.0)[hour]
    ground = global_[hour] * 0.2 * (1 - np.cos(np.radians(zenith))) / 2
    light = 500 + ground
    cell = 10 + light * np.exp(-2.98) + light / 1000 * 1
    module = light / 1000 * (1 - 0.004 * (cell - 25))
    efficiency = 0.96 / 0.9637 * (-0.0162 * module - 0.0059 / module + 0.9858)
    assert value == pytest.approx(module * efficiency, rel=1e-6)
