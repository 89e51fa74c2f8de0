"""Columns of users' files: their unit, their step, their gaps, one year of several, leap years."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.clock import Clock
from ecosystemiser.model.fields import FileColumn
from ecosystemiser.model.site import BuildSite
from ecosystemiser.model.system import SiteSpec

YEAR = 8760


def site(tmp_path, start="2018-01-01", step_s=3600, steps=24, **spec):
    clock = Clock.from_local(datetime.fromisoformat(start), step_s, steps, "UTC")
    return BuildSite(clock, SiteSpec(**spec), {}, tmp_path)


def written(tmp_path, values, start=None, step_min=60, skip=()):
    """Write a file of a column `x`, with times if `start` is given; rows in `skip` are left out."""
    lines = ["time,x" if start else "row,x"]
    for at, value in enumerate(values):
        if at in skip:
            continue
        moment = datetime.fromisoformat(start) + timedelta(minutes=step_min * at) if start else None
        lines.append(f"{moment.isoformat() if moment else at},{value}")
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding="utf-8")


def column(**more):
    return FileColumn(file="x.csv", column="x", **more)


def loads(place, **more):
    return place.profile(column(**more), None, "profile").values(place.clock.steps)


def refused(place, ask="profile", **more):
    with pytest.raises(InputError) as raised:
        place.profile(column(**more), None, ask) if ask == "profile" else place.numbers(column(**more), ask)
    return raised.value.findings


@pytest.mark.parametrize(
    ("unit", "kwh_per_step"),
    [("W", 0.002), ("kW", 2.0), ("MW", 2000.0), ("Wh", 0.002), ("kWh", 2.0), ("MWh", 2000.0), (None, 2.0)],
)
def test_a_column_has_its_unit(unit, kwh_per_step, tmp_path):
    written(tmp_path, [2.0] * YEAR)
    assert loads(site(tmp_path), unit=unit).tolist() == pytest.approx([kwh_per_step] * 24)


def test_amounts_of_a_step_are_no_rates(tmp_path):
    """3 kWh in each quarter of an hour are 12 kW; 3 l/s are 10.8 m3/h, 2.7 m3 in a quarter."""
    written(tmp_path, [3.0] * 4 * YEAR)
    place = site(tmp_path, step_s=900)
    assert loads(place, unit="kWh").tolist() == pytest.approx([3.0] * 24)
    assert loads(place, unit="kW").tolist() == pytest.approx([0.75] * 24)
    assert loads(place, unit="l/s").tolist() == pytest.approx([2.7] * 24)


@pytest.mark.parametrize(
    ("key", "unit", "expected"),
    [
        ("import_price_per_kwh", "ct per kWh", 0.2),
        ("import_price_per_kwh", "per MWh", 0.02),
        ("source_temperature_c", "K", 20 - 273.15),
        ("source_temperature_c", "degF", (20 - 32) / 1.8),
        ("cop", "%", 0.2),
    ],
)
def test_prices_temperatures_and_shares_have_units(key, unit, expected, tmp_path):
    written(tmp_path, [20.0] * YEAR)
    assert site(tmp_path).numbers(column(unit=unit), key).values(24)[0] == pytest.approx(expected)


@pytest.mark.parametrize(("key", "unit"), [("import_price_per_kwh", "kW"), ("source_temperature_c", "per kWh")])
def test_a_unit_that_does_not_fit_is_refused(key, unit, tmp_path):
    written(tmp_path, [20.0] * YEAR)
    (finding,) = refused(site(tmp_path), key, unit=unit)
    assert (finding.key, finding.value) == (f"{key}.unit", unit)
    assert "use one of" in finding.remedy


def test_a_file_of_shorter_steps_is_averaged(tmp_path):
    written(tmp_path, [1.0, 2.0, 3.0, 6.0] * YEAR)
    assert loads(site(tmp_path), step="15min").tolist() == [3.0] * 24
    assert loads(site(tmp_path), step="15min", unit="kWh").tolist() == [12.0] * 24


@pytest.mark.parametrize(
    ("step", "value", "rows", "kwh"),
    [("24h", 12.0, 365, 1.0), ("1h", 1.0, YEAR, 1 / 12), ("5min", 1.0, 12 * YEAR, 1 / 12)],
)
def test_steps_from_five_minutes_to_a_day(step, value, rows, kwh, tmp_path):
    """A run of five minutes: 12 kW are 1 kWh in each of them."""
    written(tmp_path, [value] * rows)
    assert loads(site(tmp_path, step_s=300, steps=288), step=step).tolist() == pytest.approx([kwh] * 288)


def test_steps_that_do_not_divide_each_other_are_refused(tmp_path):
    written(tmp_path, [1.0] * (YEAR * 4 // 3 * 1))
    place = site(tmp_path, step_s=3600)
    (finding,) = refused(place, step="45min")
    assert "has steps of 2700 s, the run of 3600 s" in finding.message


def test_a_file_of_another_step_is_refused_with_the_way_out(tmp_path):
    written(tmp_path, [1.0] * 4 * YEAR, start="2018-01-01T00:00", step_min=15)
    assert any("`step: 15min`" in finding.remedy for finding in refused(site(tmp_path)))


# Gaps.


def test_gaps_are_reported_and_not_filled(tmp_path):
    written(tmp_path, range(YEAR), start="2018-01-01T00:00", skip={5, 6})
    told = " ".join(str(finding) for finding in refused(site(tmp_path)))
    assert "2 rows are missing before it" in told


@pytest.mark.parametrize(
    ("fill", "values"),
    [("interpolate", [4.0, 5.0, 6.0, 7.0]), ("previous", [4.0, 4.0, 4.0, 7.0]), ("zero", [4.0, 0.0, 0.0, 7.0])],
)
def test_gaps_are_filled_as_asked(fill, values, tmp_path):
    written(tmp_path, range(YEAR), start="2018-01-01T00:00", skip={5, 6})
    assert loads(site(tmp_path), fill=fill)[4:8].tolist() == values


@pytest.mark.parametrize("fill", ["interpolate", "previous", "zero"])
def test_empty_cells_are_gaps(fill, tmp_path):
    written(tmp_path, ["" if at == 3 else 2.0 for at in range(YEAR)])
    assert loads(site(tmp_path), fill=fill)[3] == (0.0 if fill == "zero" else 2.0)
    assert any("is empty" in finding.message for finding in refused(site(tmp_path)))


def test_a_gap_at_the_beginning_takes_what_comes_first(tmp_path):
    written(tmp_path, ["" if at < 2 else 7.0 for at in range(YEAR)])
    assert loads(site(tmp_path), fill="previous")[:3].tolist() == [7.0, 7.0, 7.0]


def test_long_gaps_are_not_filled(tmp_path):
    written(tmp_path, range(YEAR), start="2018-01-01T00:00", skip=set(range(100, 130)))
    (finding,) = refused(site(tmp_path), fill="zero")
    assert "is missing for 30 h, more than may be filled (24 h)" in finding.message
    assert loads(site(tmp_path), fill="zero", fill_most_hours=30.0)[0] == 0.0


def test_what_is_no_number_is_told_and_not_filled(tmp_path):
    written(tmp_path, ["much" if at == 3 else 2.0 for at in range(YEAR)])
    assert any("is not a number" in finding.message for finding in refused(site(tmp_path), fill="zero"))


def test_doubled_and_unsorted_rows_are_not_mended(tmp_path):
    written(tmp_path, [1.0] * YEAR, start="2018-01-01T00:00")
    text = (tmp_path / "x.csv").read_text().splitlines()
    (tmp_path / "x.csv").write_text("\n".join([*text[:10], text[9], *text[10:]]))
    (finding,) = refused(site(tmp_path), fill="interpolate")
    assert "is no later step" in finding.message
    assert finding.line == 11


# Years.


def test_of_several_years_that_of_the_run_is_taken(tmp_path):
    hours = YEAR * 2 + 24
    written(tmp_path, [float(at) for at in range(hours)], start="2019-01-01T00:00")
    assert loads(site(tmp_path, start="2019-01-01"))[0] == 0.0
    leap = site(tmp_path, start="2020-01-01", steps=8784)
    assert loads(leap)[[0, -1]].tolist() == [YEAR, hours - 1]
    (finding,) = refused(site(tmp_path, start="2022-01-01"))
    assert "holds no row of the year" in finding.message


def test_8784_and_35040_steps_run(system_from, tmp_path):
    from ecosystemiser.model.compiling import compile_problem
    from ecosystemiser.solver.door import prepare

    for start, step, steps in (("2020-01-01", "1h", 8784), ("2018-01-01", "15min", 35040)):
        written(tmp_path, [1.0] * steps)
        system = system_from(
            f"""
system_id: house
time: {{start: {start}, step: {step}, steps: {steps}}}
site: {{latitude: 52.4, longitude: 13.1, weather: try2010-potsdam, leap_day: repeat}}
components:
  grid: {{type: grid, import_price_per_kwh: {{default: 0.3, periods: [{{price: 0.2, hours: "22-06"}}]}}}}
  roof: {{type: pv, capacity_kw: 1}}
  house: {{type: electricity_demand, profile: {{file: x.csv, column: x}}}}
"""
        )
        problem = compile_problem(system)
        plan = prepare("rule_based", problem).solve(problem)
        assert plan.flows.shape[1] == steps
        assert system.clock.is_full_year


def test_a_leap_day_is_repeated_only_as_asked(tmp_path):
    place = site(tmp_path, start="2020-02-28", steps=48, weather="try2010-potsdam", latitude=52.4, longitude=13.1)
    with pytest.raises(InputError, match="leap_day: repeat"):
        place.outdoor_temperature_c("source")
    asked = site(
        tmp_path,
        start="2020-02-28",
        steps=48,
        weather="try2010-potsdam",
        latitude=52.4,
        longitude=13.1,
        leap_day="repeat",
    )
    temperature = asked.outdoor_temperature_c("source")
    assert np.array_equal(temperature[:24], temperature[24:])


def test_weather_of_several_years_in_one_table(tmp_path: Path) -> None:
    """Three years, one of them a leap year, whose 29 February is left out."""
    header = "time,ghi_w_m2,dni_w_m2,dhi_w_m2,temperature_c,wind_speed_m_s"
    begin = datetime.fromisoformat("2019-01-01")
    hours = (datetime.fromisoformat("2022-01-01") - begin) // timedelta(hours=1)
    rows = [begin + timedelta(hours=at) for at in range(hours)]
    text = [f"{row.isoformat()},0,0,0,{row.year - 2000 + row.month / 100},1" for row in rows]
    (tmp_path / "years.csv").write_text("\n".join([header, *text]), encoding="utf-8")
    for year, leap in ((2019, None), (2020, "repeat"), (2021, None)):
        spec = {"weather": "years.csv", "latitude": 52.0, "longitude": 13.0, "leap_day": leap}
        place = site(tmp_path, start=f"{year}-01-01", steps=8784 if leap else 8760, **spec)
        found = place.outdoor_temperature_c("source")
        assert found[[0, 59 * 24 + (24 if leap else 0), -1]] == pytest.approx(
            [year - 2000 + 0.01, year - 2000 + 0.03, year - 2000 + 0.12]
        )
