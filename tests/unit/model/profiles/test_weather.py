import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.profiles.weather import packaged_weather, pvlib_example_file, read_weather

COLUMNS = "ghi_w_m2,dni_w_m2,dhi_w_m2,temperature_c,wind_speed_m_s"
SITE = {"latitude": 52.4, "longitude": 13.1, "utc_offset_h": 1.0}


def the_finding(raised):
    (finding,) = raised.value.findings
    return finding


@pytest.fixture
def greensboro_lines():
    return pvlib_example_file("723170TYA.CSV").read_text().splitlines(keepends=True)


def changed(lines, line, column, value):
    """Return the lines with one field changed; `line` counts from 1, `column` from 0."""
    fields = lines[line - 1].split(",")
    fields[column] = value
    return [*lines[: line - 1], ",".join(fields), *lines[line:]]


def test_packaged_weather_is_potsdam_in_standard_time():
    weather = packaged_weather("try2010-potsdam")
    assert (weather.latitude, weather.longitude, weather.utc_offset_h) == (52.4, 13.1, 1.0)
    assert weather.kind == "packaged"
    assert weather.temperature_c[0] == -2.6  # first data row of the TRY file
    assert weather.temperature_c[-1] == -0.8  # last one
    assert weather.pressure_hpa[0] == 1005.3
    assert "Schwingbach" in weather.rain_note


def test_unknown_weather_set_is_refused():
    with pytest.raises(InputError) as raised:
        packaged_weather("try2010-postdam")
    assert the_finding(raised).remedy.startswith("did you mean 'try2010-potsdam'?")


def test_tmy3_row_is_the_hour_before_its_label():
    """Values as they stand in lines 3, 14, 4430 and 8762 of Greensboro's file; 12:00 ends hour 11."""
    weather = read_weather(pvlib_example_file("723170TYA.CSV"))
    assert (weather.name, weather.kind) == ("GREENSBORO PIEDMONT TRIAD INT", "tmy3")
    assert (weather.latitude, weather.longitude, weather.utc_offset_h) == (36.1, -79.95, -5.0)
    assert (weather.temperature_c[0], weather.wind_speed_m_s[0], weather.pressure_hpa[0]) == (10.0, 6.2, 993)
    assert (weather.ghi_w_m2[11], weather.dni_w_m2[11], weather.dhi_w_m2[11]) == (261, 3, 260)
    assert (weather.ghi_w_m2[4427], weather.dni_w_m2[4427], weather.dhi_w_m2[4427]) == (870, 624, 275)
    assert (weather.temperature_c[8759], weather.wind_speed_m_s[8759]) == (2.2, 2.6)


def test_tmy3_sun_stands_in_the_middle_of_the_hour():
    """Read by position, GHI and DHI + DNI cos(zenith) of the hour's middle agree; an hour off they do not."""
    import pandas as pd
    import pvlib

    weather = read_weather(pvlib_example_file("723170TYA.CSV"))
    errors = {}
    for minutes in (-30, 30, 90):
        times = pd.date_range("2018-01-01", periods=8760, freq="h", tz="Etc/GMT+5") + pd.Timedelta(minutes=minutes)
        zenith = pvlib.solarposition.get_solarposition(times, 36.1, -79.95)["zenith"].to_numpy()
        horizontal = weather.dni_w_m2 * np.maximum(np.cos(np.radians(zenith)), 0)
        errors[minutes] = np.abs(weather.ghi_w_m2 - weather.dhi_w_m2 - horizontal).mean()
    assert errors[30] < 5 < 15 < min(errors[-30], errors[90])


def test_tmy3_rain_is_in_tenths_of_a_millimetre():
    """Line 6259 says 500; 8,345 mm a year would be ten times Greensboro's. February is named as missing."""
    weather = read_weather(pvlib_example_file("723170TYA.CSV"))
    assert weather.rain_mm[6256] == 50.0
    assert weather.rain_mm.sum() == pytest.approx(834.5)
    assert weather.rain_note == "834.5 mm a year; no rain at all in month 2: probably missing"


def test_tmy3_with_missing_rain_has_none_and_says_why():
    weather = read_weather(pvlib_example_file("703165TY.csv"))
    assert weather.rain_mm is None
    assert weather.rain_note == "rain is missing in 8011 of 8760 hours (91%)"


def test_tmy2_counts_in_tenths():
    """Line 14 of Miami's file: GHI 145, DNI 9, DHI 137, 189 and 41 for 18.9 degC and 4.1 m/s."""
    weather = read_weather(pvlib_example_file("12839.tm2"))
    assert (weather.kind, weather.name, weather.utc_offset_h) == ("tmy2", "MIAMI", -5.0)
    assert weather.longitude == pytest.approx(-80.2667, abs=1e-4)
    assert (weather.temperature_c[12], weather.wind_speed_m_s[12], weather.pressure_hpa[12]) == (
        18.9,
        4.1,
        1015,
    )
    assert (weather.ghi_w_m2[12], weather.dni_w_m2[12], weather.dhi_w_m2[12]) == (145, 9, 137)
    assert weather.rain_mm is None
    assert weather.rain_note == "TMY2 files hold no rain"


def epw_file(folder, *, rain="0.4,1", hours=8760):
    head = [
        "LOCATION,Testville,-,DEU,TMYx,100000,52.4,13.1,1.0,81.0",
        *("DESIGN CONDITIONS,0", "TYPICAL/EXTREME PERIODS,0", "GROUND TEMPERATURES,0"),
        *("HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0", "COMMENTS 1,x", "COMMENTS 2,x"),
        "DATA PERIODS,1,1,Data,Sunday,1/1,12/31",
    ]
    dates = np.datetime64("2017-01-01T00") + np.arange(hours)
    rows = [
        f"{str(d)[:4]},{int(str(d)[5:7])},{int(str(d)[8:10])},{int(str(d)[11:13]) + 1},0,A,"
        f"{i % 24},2.0,80,101325,0,0,300,{i % 24},0,{i % 24},0,0,0,0,180,3.5,5,5,20.0,77777,9,"
        f"999999999,100,0.1,0,88,0.2,{rain}"
        for i, d in enumerate(dates)
    ]
    path = folder / "place.epw"
    path.write_text("\n".join(head + rows) + "\n")
    return path


def test_epw_is_read_by_position(tmp_path):
    weather = read_weather(epw_file(tmp_path))
    assert (weather.kind, weather.name, weather.utc_offset_h) == ("epw", "Testville", 1.0)
    assert weather.temperature_c[:3].tolist() == [0.0, 1.0, 2.0]
    assert weather.pressure_hpa[0] == 1013.25
    assert weather.rain_mm.sum() == pytest.approx(0.4 * 8760)


def test_epw_with_missing_rain_has_none(tmp_path):
    assert read_weather(epw_file(tmp_path, rain="999,99")).rain_mm is None


def test_epw_of_8759_hours_is_refused(tmp_path):
    path = epw_file(tmp_path, hours=8759)
    with pytest.raises(InputError) as raised:
        read_weather(path)
    finding = the_finding(raised)
    assert (finding.file, finding.line) == (str(path), 8767)
    assert finding.message == "8759 rows where a year has 8760 hours"


def test_tmy3_hour_out_of_order_is_refused(tmp_path, greensboro_lines):
    path = tmp_path / "swapped.csv"
    path.write_text("".join(changed(greensboro_lines, 100, 1, "05:00")))
    with pytest.raises(InputError) as raised:
        read_weather(path)
    finding = the_finding(raised)
    assert (finding.file, finding.line, finding.key, finding.value) == (str(path), 100, "hour", 5)
    assert (finding.message, finding.remedy) == ("stands where hour 2 is due", "put the hours in order")


def test_missing_value_mark_in_weather_is_refused(tmp_path, greensboro_lines):
    path = tmp_path / "holes.csv"
    path.write_text("".join(changed(greensboro_lines, 200, 4, "9999")))
    with pytest.raises(InputError) as raised:
        read_weather(path)
    finding = the_finding(raised)
    assert (finding.file, finding.line, finding.key, finding.value) == (str(path), 200, "ghi_w_m2", 9999.0)
    assert finding.remedy == "fill missing values and check the unit"


def test_broken_tmy3_is_refused(tmp_path, greensboro_lines):
    path = tmp_path / "broken.csv"
    path.write_text("".join(changed(greensboro_lines, 200, 1, "noon")))
    with pytest.raises(InputError, match="cannot be read as TMY3"):
        read_weather(path)


def weather_table(folder, *, rows=8760, header=COLUMNS, row="100,200,30,8.5,3", name="weather.csv"):
    path = folder / name
    path.write_text("\n".join([header, *[row] * rows]) + "\n")
    return path


def test_table_with_unit_named_columns_is_read(tmp_path):
    path = weather_table(tmp_path, header=COLUMNS + ",rain_mm", row="100,200,30,8.5,3,0.1")
    weather = read_weather(path, **SITE)
    assert (weather.kind, weather.name, weather.latitude) == ("table", "weather", 52.4)
    assert weather.rain_mm.sum() == pytest.approx(876)
    assert weather.pressure_hpa is None


def test_table_without_rain_says_so(tmp_path):
    assert read_weather(weather_table(tmp_path), **SITE).rain_note == "the file has no column rain_mm"


def test_table_needs_a_site(tmp_path):
    path = weather_table(tmp_path)
    with pytest.raises(InputError) as raised:
        read_weather(path, latitude=52.4)
    assert [finding.key for finding in raised.value.findings] == ["longitude", "utc_offset_h"]
    assert raised.value.findings[0].remedy == "give the site's longitude"


def test_impossible_site_is_refused(tmp_path):
    with pytest.raises(InputError) as raised:
        read_weather(weather_table(tmp_path), **SITE | {"latitude": 524.0})
    assert (the_finding(raised).key, the_finding(raised).value) == ("latitude", 524.0)


def test_table_that_starts_in_april_is_refused(tmp_path):
    times = np.datetime64("2017-04-01T00:00") + np.arange(8760) * np.timedelta64(1, "h")
    path = tmp_path / "april.csv"
    path.write_text("\n".join([f"time,{COLUMNS}", *(f"{time},100,200,30,8.5,3" for time in times)]))
    with pytest.raises(InputError) as raised:
        read_weather(path, **SITE)
    finding = the_finding(raised)
    assert (finding.key, finding.remedy) == ("time", "start the file at New Year")
    assert finding.message == "the year starts at 01 April 00:00 of standard time, not at 1 January 00:00"


def test_table_with_utc_times_starts_at_local_new_year(tmp_path):
    times = np.datetime64("2017-12-31T23:00") + np.arange(8760) * np.timedelta64(1, "h")
    path = tmp_path / "utc.csv"
    path.write_text("\n".join([f"time,{COLUMNS}", *(f"{time}Z,100,200,30,8.5,3" for time in times)]))
    assert read_weather(path, **SITE).ghi_w_m2.shape == (8760,)


def test_table_with_a_missing_column_names_the_nearest(tmp_path):
    path = weather_table(tmp_path, header=COLUMNS.replace("temperature_c", "temperatur_c"))
    with pytest.raises(InputError) as raised:
        read_weather(path, **SITE)
    finding = the_finding(raised)
    assert (finding.file, finding.line, finding.key) == (str(path), 1, "temperature_c")
    assert finding.remedy.startswith("did you mean 'temperatur_c'?")


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\x00\x01\x02"])
def test_other_files_are_no_weather(tmp_path, content):
    path = tmp_path / "other.txt"
    path.write_text(content)
    with pytest.raises(InputError) as raised:
        read_weather(path)
    assert the_finding(raised).message.startswith("is not a weather file: neither TMY3, TMY2, EPW")
    assert the_finding(raised).value == "other.txt"


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_weather(tmp_path / "nowhere.epw")


@pytest.mark.parametrize("name", ["723170TYA.csv", "../__init__.py", "/etc/passwd", "Altitude.h5"])
def test_only_weather_files_of_pvlib_can_be_named(name):
    with pytest.raises(InputError) as raised:
        pvlib_example_file(name)
    assert the_finding(raised).value == name
    assert "723170TYA.CSV" in the_finding(raised).remedy
