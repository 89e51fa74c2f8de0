"""Typical years of PVGIS as they are downloaded: CSV and JSON, in UTC."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.clock import Clock
from ecosystemiser.model.profiles.weather import read_weather
from ecosystemiser.model.site import BuildSite
from ecosystemiser.model.system import SiteSpec

HOURS = 8760
COLUMNS = ("T2m", "RH", "G(h)", "Gb(n)", "Gd(h)", "IR(h)", "WS10m", "WD10m", "SP")


def rows():
    """Yield the hours of 2018; temperature counts the hours of a day, irradiance is 100 at 12 UTC."""
    for hour in range(HOURS):
        label = np.datetime64("2018-01-01T00", "h") + hour
        sun = 100.0 if hour % 24 == 12 else 0.0
        yield str(label), (float(hour % 24), 50.0, sun, sun, 0.0, 300.0, 2.0, 180.0, 101_325.0)


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    head = "Latitude (decimal degrees): 52.400\nLongitude (decimal degrees): 13.100\nElevation (m): 35.0\n"
    head += "Irradiance Time Offset (h): 0.1761\nmonth,year\n" + "".join(f"{month},2018\n" for month in range(1, 13))
    lines = [f"time(UTC),{','.join(COLUMNS)}"]
    for label, values in rows():
        moment = label.replace("-", "").replace("T", ":") + "00"
        lines.append(f"{moment},{','.join(map(str, values))}")
    path = tmp_path / "tmy.csv"
    path.write_text(head + "\n".join(lines) + "\n\nT2m: 2-m air temperature (degree Celsius)\n", encoding="utf-8")
    return path


@pytest.fixture
def json_file(tmp_path: Path) -> Path:
    hourly = []
    for label, values in rows():
        moment = label.replace("-", "").replace("T", ":") + "00"
        hourly.append({"time(UTC)": moment, **dict(zip(COLUMNS, values, strict=True))})
    months = [{"month": month, "year": 2018} for month in range(1, 13)]
    content = {
        "inputs": {"location": {"latitude": 52.4, "longitude": 13.1, "elevation": 35.0}},
        "outputs": {"months_selected": months, "tmy_hourly": hourly},
        "meta": {"inputs": {}},
    }
    path = tmp_path / "tmy.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["csv_file", "json_file"])
def test_hours_are_those_of_the_place(kind: str, request: pytest.FixtureRequest) -> None:
    """Noon of UTC is 13 o'clock of a place an hour ahead."""
    weather = read_weather(request.getfixturevalue(kind), utc_offset_h=1.0)
    assert (weather.kind, weather.latitude, weather.longitude) == ("pvgis", 52.4, 13.1)
    assert weather.utc_offset_h == 1.0
    assert np.flatnonzero(weather.ghi_w_m2[:24]).tolist() == [13]
    assert weather.temperature_c[:3].tolist() == [23.0, 0.0, 1.0]
    assert weather.rain_mm is None
    assert "no rain" in weather.rain_note


def test_a_clock_of_half_hours_is_refused(csv_file: Path) -> None:
    with pytest.raises(InputError, match=r"5\.5 h ahead"):
        read_weather(csv_file, utc_offset_h=5.5)


def test_a_cut_file_is_refused(csv_file: Path) -> None:
    text = csv_file.read_text().splitlines()
    csv_file.write_text("\n".join(text[:500]))
    with pytest.raises(InputError, match="PVGIS"):
        read_weather(csv_file, utc_offset_h=1.0)


def test_a_system_takes_it(csv_file: Path) -> None:
    clock = Clock.from_local(np.datetime64("2018-01-01").astype(object), 3600, 24, "Europe/Berlin")
    site = BuildSite(clock, SiteSpec(weather=csv_file.name), {}, csv_file.parent)
    assert site.outdoor_temperature_c("source")[:2].tolist() == [23.0, 0.0]
