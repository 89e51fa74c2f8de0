import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.profiles.series_file import read_column, read_series

HOURLY = {"steps_per_year": 8760, "step_seconds": 3600, "timezone": None}
BERLIN = HOURLY | {"timezone": "Europe/Berlin"}


def write(folder, rows, header="load_kw", name="load.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def findings_of(path, column="load_kw", **options):
    with pytest.raises(InputError) as raised:
        read_column(path, column, **(options or HOURLY))
    return raised.value.findings


def local_times(step="1h", zone="Europe/Berlin"):
    """Return the local clock of 2018, with the missing and the double hour."""
    import pandas as pd

    times = pd.date_range("2018-01-01", "2019-01-01", freq=step, tz=zone, inclusive="left")
    return [str(time)[:19].replace(" ", "T") for time in times]


def timed(times):
    return [f"{time},{number}" for number, time in enumerate(times)]


def test_plain_column_is_read_in_row_order(tmp_path):
    values = read_column(write(tmp_path, map(str, range(8760))), "load_kw", **HOURLY)
    assert np.array_equal(values, np.arange(8760.0))
    assert not values.flags.writeable


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_other_delimiters_and_a_byte_order_mark_are_read(tmp_path, delimiter):
    path = tmp_path / "excel.csv"
    lines = [delimiter.join(("hour", "load_kw")), *(f"{i}{delimiter}1.5" for i in range(8760))]
    path.write_text("\r\n".join(lines), encoding="utf-8-sig")
    assert read_column(path, "load_kw", **HOURLY).sum() == 1.5 * 8760


@pytest.mark.parametrize("unit", ["ms", "ns"])
def test_parquet_is_read_like_csv(tmp_path, unit):
    import pyarrow as pa
    import pyarrow.parquet as pq

    times = np.datetime64("2017-12-31T23:00", unit) + np.arange(8760) * np.timedelta64(1, "h")
    table = pa.table({"time": pa.array(times, type=pa.timestamp(unit, tz="UTC")), "load.kw": np.arange(8760.0)})
    pq.write_table(table, tmp_path / "load=1.parquet")
    series = read_series(tmp_path / "load=1.parquet", ["load.kw"], **HOURLY)
    assert series.columns["load.kw"][17] == 17.0
    assert series.start.isoformat() == "2017-12-31T23:00:00+00:00"


def test_local_clock_with_its_double_hour_becomes_absolute(tmp_path):
    """8,760 rows, 02:00 missing in March and twice there in October: row i is absolute hour i."""
    path = write(tmp_path, timed(local_times()), "time,load_kw")
    series = read_series(path, ["load_kw"], **BERLIN)
    assert np.array_equal(series.columns["load_kw"], np.arange(8760.0))
    assert series.start.isoformat() == "2017-12-31T23:00:00+00:00"


def test_quarter_hours_with_a_double_hour_are_read(tmp_path):
    path = write(tmp_path, timed(local_times("15min")), "time,load_kw")
    values = read_column(path, "load_kw", steps_per_year=35040, step_seconds=900, timezone="Europe/Berlin")
    assert values[-1] == 35039


def test_offsets_need_no_zone(tmp_path):
    rows = [f"{np.datetime64('2018-01-01T00:00') + i}+01:00,1" for i in np.arange(8760) * np.timedelta64(1, "h")]
    series = read_series(write(tmp_path, rows, "time,load_kw"), ["load_kw"], **HOURLY)
    assert series.start.isoformat() == "2017-12-31T23:00:00+00:00"


def test_regular_clock_without_zone_is_read(tmp_path):
    rows = timed(np.datetime64("2018-01-01T00:00") + i for i in np.arange(8760) * np.timedelta64(1, "h"))
    series = read_series(write(tmp_path, rows, "time,load_kw"), ["load_kw"], **HOURLY)
    assert series.start.isoformat() == "2018-01-01T00:00:00"


def test_double_hour_without_zone_is_refused(tmp_path):
    """The gap of March and the double hour of October are named; the remedy is to state the zone."""
    path = write(tmp_path, timed(local_times()), "time,load_kw")
    gap, double = findings_of(path)
    assert (gap.file, gap.line, gap.key, gap.value) == (str(path), 1996, "time", "2018-03-25T03:00:00")
    assert gap.message == "follows a gap: 1 rows are missing before it"
    assert (double.file, double.line, double.key, double.value) == (
        str(path),
        7204,
        "time",
        "2018-10-28T02:00:00",
    )
    assert double.message == "repeats an hour and no time zone is stated: daylight saving or a duplicate"
    assert double.remedy.startswith("state the timezone, as Europe/Berlin, or write each time with its offset")


def test_double_quarter_hours_without_zone_are_refused(tmp_path):
    path = write(tmp_path, timed(local_times("15min")), "time,load_kw")
    findings = findings_of(path, steps_per_year=35040, step_seconds=900, timezone=None)
    assert [finding.value for finding in findings] == ["2018-03-25T03:00:00", "2018-10-28T02:00:00"]


def test_standard_time_under_a_zone_with_summer_time_is_refused(tmp_path):
    """The file keeps winter time: 02:00 on 25 March is no time in Berlin."""
    times = [np.datetime64("2018-01-01T00:00") + i for i in np.arange(8760) * np.timedelta64(1, "h")]
    findings = findings_of(write(tmp_path, timed(times), "time,load_kw"), **BERLIN)
    assert (findings[0].line, findings[0].value) == (1996, "2018-03-25T02:00:00")
    assert findings[0].message == "does not exist in Europe/Berlin: the clock is set forward over it"
    assert "Etc/GMT-1 for UTC+1" in findings[0].remedy


def test_row_missing_is_told_with_its_gap(tmp_path):
    """8,759 rows: the length and the place of the gap come together."""
    times = local_times()
    del times[100]
    path = write(tmp_path, timed(times), "time,load_kw")
    length, gap = findings_of(path, **BERLIN)
    assert length.message == "8759 rows where a year of 3600 s steps has 8760"
    assert (length.file, length.line) == (str(path), 8760)
    assert length.remedy == "give one row per step of the whole year; a run takes its part itself"
    assert (gap.line, gap.key, gap.value) == (102, "time", "2018-01-05T05:00:00")
    assert gap.remedy == "add the missing rows; the row before is of 2018-01-05T03:00:00"


def test_row_missing_without_times_is_a_wrong_length(tmp_path):
    (finding,) = findings_of(write(tmp_path, ["1"] * 8759))
    assert finding.message == "8759 rows where a year of 3600 s steps has 8760"


def test_duplicate_row_is_told(tmp_path):
    times = local_times()
    times[100] = times[99]
    findings = findings_of(write(tmp_path, timed(times), "time,load_kw"), **BERLIN)
    assert (findings[0].line, findings[0].value) == (102, times[99])
    assert findings[0].message == "is a duplicate of the row before"
    assert findings[0].remedy == "remove one of the two rows"


def test_rows_out_of_order_are_told(tmp_path):
    times = local_times()
    times[100], times[103] = times[103], times[100]
    findings = findings_of(write(tmp_path, timed(times), "time,load_kw"), **BERLIN)
    assert [finding.line for finding in findings] == [102, 103, 105, 106]
    assert findings[1].message == "is 7200 s earlier than the row before"
    assert findings[1].remedy == "sort the rows by time"


def test_other_step_is_told_once(tmp_path):
    path = write(tmp_path, timed(local_times("15min")[:8760]), "time,load_kw")
    (finding,) = findings_of(path, **BERLIN)
    assert finding.message == "rows are 900 s apart where 3600 s are needed"


def test_text_that_is_no_time_is_told(tmp_path):
    times = local_times()
    times[5] = "25.03.2018 02:00"
    (finding,) = findings_of(write(tmp_path, timed(times), "time,load_kw"), **BERLIN)
    assert (finding.line, finding.key, finding.value) == (7, "time", "25.03.2018 02:00")
    assert finding.remedy.startswith("write ISO times")


def test_mixed_offsets_are_refused(tmp_path):
    times = local_times()
    times[5] += "+01:00"
    (finding,) = findings_of(write(tmp_path, timed(times), "time,load_kw"), **BERLIN)
    assert finding.message == "1 times have an offset and 8759 have none"


def test_unknown_zone_is_refused(tmp_path):
    path = write(tmp_path, timed(local_times()), "time,load_kw")
    (finding,) = findings_of(path, **HOURLY | {"timezone": "Europe/Potsdam"})
    assert (finding.key, finding.value) == ("timezone", "Europe/Potsdam")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("nan", "is not a finite number"),
        ("NaN", "is not a finite number"),
        ("inf", "is not a finite number"),
        ("-Infinity", "is not a finite number"),
        ("1e999", "is not a finite number"),
        ("n/a", "is not a number"),
        ("true", "is not a number"),
        ("1_000", "is not a number"),
        ('"1,5"', "is not a number"),
        ("' '", "is not a number"),
        ('""', "is empty"),
    ],
)
def test_cell_that_is_no_number_is_told(tmp_path, cell, message):
    rows = ["1"] * 8760
    rows[41] = cell
    path = write(tmp_path, rows)
    (finding,) = findings_of(path)
    assert (finding.file, finding.line, finding.key) == (str(path), 43, "load_kw")
    assert finding.value == cell.strip('"')
    assert finding.message == message
    assert finding.remedy == "give a finite number, with a point for decimals"


@pytest.mark.parametrize("cell", [None, float("nan"), True, "12"])
def test_parquet_cell_that_is_no_number_is_told(tmp_path, cell):
    import pyarrow as pa
    import pyarrow.parquet as pq

    other = cell if isinstance(cell, bool | str) else 1.0
    path = tmp_path / "load.parquet"
    pq.write_table(pa.table({"load_kw": [cell, *[other] * 8759]}), path)
    if cell == "12":  # text that reads as a number is one, as in CSV
        assert read_column(path, "load_kw", **HOURLY).sum() == 12 * 8760
        return
    finding = findings_of(path)[0]
    assert (finding.file, finding.line, finding.key) == (str(path), None, "load_kw")
    assert finding.message.endswith("(row 1)")


def test_missing_column_names_the_nearest(tmp_path):
    path = write(tmp_path, ["1,2"] * 8760, "load_kw,price")
    (finding,) = findings_of(path, "laod_kw")
    assert (finding.file, finding.line, finding.key) == (str(path), 1, "laod_kw")
    assert finding.message == "is not a column of the file"
    assert finding.remedy == "did you mean 'load_kw'? the file has load_kw, price"


def test_column_named_twice_is_refused(tmp_path):
    (finding,) = findings_of(write(tmp_path, ["1,2"] * 8760, "load_kw,load_kw"))
    assert (finding.line, finding.key, finding.message) == (1, "load_kw", "names two columns")


def test_row_with_too_many_fields_is_told(tmp_path):
    """A decimal comma splits a field in two."""
    rows = ["1,1.5"] * 8760
    rows[10] = "1,1,5"
    (finding,) = findings_of(write(tmp_path, rows, "hour,load_kw"))
    assert (finding.line, finding.message) == (12, "3 fields where the header has 2")


def test_all_problems_come_at_once_and_twenty_at_most(tmp_path):
    findings = findings_of(write(tmp_path, ["x"] * 8761))
    assert len(findings) == 20
    assert findings[0].message.startswith("8761 rows")
    assert findings[1].line == 2
    assert findings[-1].message == "and 8743 more problems"


def test_unreadable_files_are_refused(tmp_path):
    (missing,) = findings_of(tmp_path / "nowhere.csv")
    assert (missing.message, missing.value) == ("does not exist", str(tmp_path / "nowhere.csv"))
    (folder,) = findings_of(tmp_path)
    assert folder.message == "is a folder"
    latin = tmp_path / "latin.csv"
    latin.write_bytes("kälte\n1\n".encode("latin-1"))
    (encoding,) = findings_of(latin, "kälte")
    assert encoding.message.startswith("cannot be read: 'utf-8'")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    (parquet,) = findings_of(broken)
    assert parquet.remedy == "write the Parquet file again"


def test_empty_file_has_no_column(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("")
    (finding,) = findings_of(path)
    assert finding.remedy == "the file has no columns"
