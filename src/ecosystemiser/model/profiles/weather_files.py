"""The readers of weather files. Their rows end the hour they describe, so that row i covers hour [i, i + 1).

TMY3 and TMY2 label rows 01:00 to 24:00 and EPW 1 to 24 with irradiance of the hour before the label; the
row's place in the file, not its label (each month may be of another year), gives the hour of the year.
Temperature, wind and pressure are readings at the label, taken as the value of the hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.profiles.mending import Mending
from ecosystemiser.model.profiles.series_file import read_series
from ecosystemiser.model.profiles.table_file import refuse
from ecosystemiser.model.profiles.weather_year import OPTIONAL, REQUIRED, Weather, implausible

__all__ = ["read_epw", "read_pvgis", "read_tmy2", "read_tmy3", "read_weather_table"]

_HOURS = 8760
_PA_PER_HPA = 100.0
_TENTHS = 10.0


@dataclass(frozen=True)
class _Format:
    """The layout of one kind of file: pvlib's reader, its column for each quantity, what to divide by."""

    kind: str
    reader: str
    header_lines: int
    columns: Mapping[str, tuple[str, float]]
    hour_of: Callable[[Any], NDArray[np.int64]]


_TMY3 = _Format(
    "tmy3",
    "read_tmy3",
    2,
    {
        "ghi_w_m2": ("ghi", 1),
        "dni_w_m2": ("dni", 1),
        "dhi_w_m2": ("dhi", 1),
        "temperature_c": ("temp_air", 1),
        "wind_speed_m_s": ("wind_speed", 1),
        "pressure_hpa": ("pressure", 1),  # mbar
    },
    lambda table: np.asarray([int(str(label)[:2]) for label in table["Time (HH:MM)"]]),
)
_TMY2 = _Format(
    "tmy2",
    "read_tmy2",
    1,
    {
        "ghi_w_m2": ("GHI", 1),
        "dni_w_m2": ("DNI", 1),
        "dhi_w_m2": ("DHI", 1),
        "temperature_c": ("DryBulb", _TENTHS),
        "wind_speed_m_s": ("Wspd", _TENTHS),
        "pressure_hpa": ("Pressure", 1),
    },
    lambda table: np.asarray(table["hour"], dtype=np.int64),
)
_EPW = _Format(
    "epw",
    "read_epw",
    8,
    {
        "ghi_w_m2": ("ghi", 1),
        "dni_w_m2": ("dni", 1),
        "dhi_w_m2": ("dhi", 1),
        "temperature_c": ("temp_air", 1),
        "wind_speed_m_s": ("wind_speed", 1),
        "pressure_hpa": ("atmospheric_pressure", _PA_PER_HPA),
    },
    lambda table: np.asarray(table["hour"], dtype=np.int64),
)


def read_tmy3(path: Path) -> Weather:
    """Return the weather of a TMY3 file (NREL/TP-581-43156). Rain is read as tenths of a millimetre.

    The manual says millimetres; the files hold tenths: their values are hundredths of an inch (3, 5, 8, 10,
    13 for 0.01 to 0.05 inch), and Greensboro's would else be 8,345 mm a year.
    """
    table, site = _load(_TMY3, path)
    depth = np.asarray(table["Lprecip depth (mm)"], dtype=np.float64)
    hours = np.asarray(table["Lprecip quantity (hr)"], dtype=np.float64)
    month = np.repeat(np.arange(12), np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 24)
    rain, note = _rain(np.where(depth < 0, np.nan, depth / _TENTHS), hours, month)
    name = str(site["Name"]).strip('"')
    return Weather.from_columns(name, "tmy3", _site(site), _columns(_TMY3, path, table) | rain, note)


def read_tmy2(path: Path) -> Weather:
    """Return the weather of a TMY2 file (NREL/SP-463-7668); the format has no rain."""
    table, site = _load(_TMY2, path)
    columns = _columns(_TMY2, path, table)
    return Weather.from_columns(str(site["City"]), "tmy2", _site(site), columns, "TMY2 files hold no rain")


def read_epw(path: Path) -> Weather:
    """Return the weather of an EPW file (EnergyPlus auxiliary programs); its rain is in millimetres."""
    table, site = _load(_EPW, path)
    depth = np.asarray(table["liquid_precipitation_depth"], dtype=np.float64)
    hours = np.asarray(table["liquid_precipitation_quantity"], dtype=np.float64)
    month = np.asarray(table["month"], dtype=np.int64) - 1
    rain, note = _rain(np.where((depth < 0) | (depth >= 999), np.nan, depth), hours, month)
    columns = _columns(_EPW, path, table) | rain
    return Weather.from_columns(str(site["city"]), "epw", _site(site), columns, note)


def read_pvgis(path: Path, utc_offset_h: float) -> Weather:
    """Return the weather of a typical year of PVGIS (CSV or JSON as downloaded), whose hours are UTC; it has no rain.

    Its hours are moved to those of the place's standard time, `utc_offset_h` ahead of UTC.
    """
    from pvlib import iotools

    lines = path.read_bytes().splitlines()
    is_json = lines[0].startswith(b"{")
    hours = sum(line[:8].isdigit() and line[8:9] == b":" for line in lines)
    if not is_json and hours != _HOURS:  # pvlib reads on past the end of a file that is cut
        message = f"holds {hours} rows where a typical year of PVGIS has {_HOURS} hours"
        raise InputError([Finding(message, "give the file as PVGIS publishes it", file=str(path))])
    try:
        table, meta = iotools.read_pvgis_tmy(str(path), pvgis_format="json" if is_json else "csv")
        inputs = meta["inputs"]["location"] if is_json else meta["inputs"]
        site = (float(inputs["latitude"]), float(inputs["longitude"]), utc_offset_h)
        raw = {key: np.asarray(table[source], dtype=np.float64) for key, (source, _) in _PVGIS.items()}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        message = f"cannot be read as a typical year of PVGIS: {error}"
        raise InputError([Finding(message, "give the file as PVGIS publishes it", file=str(path))]) from error
    if utc_offset_h != round(utc_offset_h) or {len(values) for values in raw.values()} != {_HOURS}:
        message = f"hours of UTC are no hours of a clock {utc_offset_h:g} h ahead of it, or no whole year"
        raise InputError([Finding(message, "give an EPW or CSV file of the place's clock", file=str(path))])
    columns, findings = {}, []
    for key, values in raw.items():
        columns[key] = np.roll(values / _PVGIS[key][1], round(utc_offset_h))
        findings += implausible(key, columns[key], str(path), None)
    if findings:
        refuse(findings)
    return Weather.from_columns(path.stem, "pvgis", site, columns, "typical years of PVGIS hold no rain")


_PVGIS = {
    "ghi_w_m2": ("ghi", 1.0),
    "dni_w_m2": ("dni", 1.0),
    "dhi_w_m2": ("dhi", 1.0),
    "temperature_c": ("temp_air", 1.0),
    "wind_speed_m_s": ("wind_speed", 1.0),
    "pressure_hpa": ("pressure", _PA_PER_HPA),
}
"""pvlib's column of each quantity, and what to divide by."""


def read_weather_table(path: Path, site: tuple[float, float, float], year_begins: datetime | None = None) -> Weather:
    """Return the weather in a CSV or Parquet file whose columns are named as the fields of Weather.

    `site`: latitude, longitude [deg], standard time [h ahead of UTC]. Of a file of several years the one that begins at
    `year_begins` is taken; of a leap year 29 February is left out.

    `time`, if there, is standard time or has offsets, and starts at 1 January 00:00 of standard time.
    """
    utc_offset_h = site[2]
    series = read_series(
        path,
        REQUIRED,
        OPTIONAL,
        steps_per_year=_HOURS,
        step_seconds=3600,
        timezone=None,
        mending=Mending(year_begins, drops_leap_day=True),
    )
    start = series.start
    if start is not None and start.tzinfo is not None:
        start = start.replace(tzinfo=None) + timedelta(hours=utc_offset_h)
    findings = []
    if start is not None and (start.month, start.day, start.hour, start.minute) != (1, 1, 0, 0):
        message = f"the year starts at {start:%d %B %H:%M} of standard time, not at 1 January 00:00"
        findings.append(Finding(message, "start the file at New Year", "time", None, str(path), 2))
    for key, values in series.columns.items():
        findings += implausible(key, values, str(path), None)
    if findings:
        refuse(findings)
    rain_note = "" if "rain_mm" in series.columns else "the file has no column rain_mm"
    return Weather.from_columns(path.stem, "table", site, series.columns, rain_note)


def _load(layout: _Format, path: Path) -> tuple[Any, dict[str, Any]]:
    """Return pvlib's table and site, refusing a file that is not 365 days of hours ending 1 to 24."""
    from pvlib import iotools

    try:
        table, site = getattr(iotools, layout.reader)(str(path))
        hours = layout.hour_of(table)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        message = f"cannot be read as {layout.kind.upper()}: {error}"
        raise InputError([Finding(message, "give the file as its source publishes it", file=str(path))]) from error
    if len(hours) != _HOURS:
        message = f"{len(hours)} rows where a year has {_HOURS} hours"
        line = layout.header_lines + len(hours)
        raise InputError([Finding(message, "give one whole year of 365 days", file=str(path), line=line)])
    wrong = np.flatnonzero(hours != np.tile(np.arange(1, 25), 365))
    if len(wrong):
        row = int(wrong[0])
        message = f"stands where hour {row % 24 + 1} is due"
        line = layout.header_lines + row + 1
        raise InputError([Finding(message, "put the hours in order", "hour", int(hours[row]), str(path), line)])
    return table, site


def _columns(layout: _Format, path: Path, table: Any) -> dict[str, NDArray[np.float64]]:
    """Return the quantities of pvlib's table in our units, refusing what no place on earth has."""
    columns = {}
    findings = []
    for key, (source, divisor) in layout.columns.items():
        values = np.asarray(table[source], dtype=np.float64) / divisor
        values.setflags(write=False)
        columns[key] = values
        findings += implausible(key, values, str(path), layout.header_lines + 1)
    if findings:
        refuse(findings)
    return columns


def _site(site: Mapping[str, Any]) -> tuple[float, float, float]:
    return float(site["latitude"]), float(site["longitude"]), float(site["TZ"])


def _rain(
    depth_mm: NDArray[np.float64], hours: NDArray[np.float64], month: NDArray[np.int64]
) -> tuple[dict[str, NDArray[np.float64]], str]:
    """Return hourly rain under `rain_mm` and a note, or nothing and the reason why it cannot be used.

    A missing hour spoils the year: filling it with nothing would read as drought. A sum over several hours
    is no hourly rain. A month without a drop is kept and named: the file does not tell drought from a gap.
    """
    missing = int(np.isnan(depth_mm).sum())
    if missing:
        return {}, f"rain is missing in {missing} of {len(depth_mm)} hours ({missing / len(depth_mm):.0%})"
    longer = int(((depth_mm > 0) & (hours != 1)).sum())
    if longer:
        return {}, f"rain is summed over another time than one hour in {longer} rows"
    if depth_mm.sum() == 0:
        return {}, "the rain column is zero all year"
    if implausible("rain_mm", depth_mm, None, None):
        return {}, f"an hour with {depth_mm.max():g} mm of rain is above any record"
    depth_mm.setflags(write=False)
    dry = [f"{index + 1}" for index in range(12) if depth_mm[month == index].sum() == 0]
    note = f"{depth_mm.sum():.1f} mm a year"
    if dry:
        note += f"; no rain at all in month {', '.join(dry)}: probably missing"
    return {"rain_mm": depth_mm}, note
