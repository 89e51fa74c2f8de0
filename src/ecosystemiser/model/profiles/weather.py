"""Weather by packaged name or from a file: TMY3, TMY2, EPW, PVGIS, CSV, Parquet."""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.profiles.packaged import (
    packaged_names,
    packaged_series,
    packaged_weather_names,
    provenance,
    unknown_name,
)
from ecosystemiser.model.profiles.weather_files import read_epw, read_pvgis, read_tmy2, read_tmy3, read_weather_table
from ecosystemiser.model.profiles.weather_year import OPTIONAL, REQUIRED, Weather, check_site
from ecosystemiser.names import did_you_mean

__all__ = ["Weather", "packaged_weather", "pvlib_example_file", "read_weather"]

_SITES = {"try2010-potsdam": (52.4, 13.1, 1.0)}
"""Latitude, longitude [deg], standard time [h ahead of UTC]. The TRY file says 52°23'N 13°04'E and MEZ."""

_EXAMPLE_ENDINGS = {"723170TYA.CSV", "703165TY.csv", "12839.tm2"}
"""The weather files among pvlib's data; the others there are tables of modules and spectra."""


def packaged_weather(name: str) -> Weather:
    """Return the packaged weather set `name`. Raises InputError if there is none of that name."""
    if name not in packaged_weather_names():
        raise InputError([unknown_name(name, packaged_weather_names())])
    present = [key for key in (*REQUIRED, *OPTIONAL) if f"{name}.{key}" in packaged_names()]
    columns = {key: packaged_series(f"{name}.{key}") for key in present}
    done = {row["column"]: row["what_was_done"] for row in provenance()}
    rain_note = done.get(f"{name}.rain_mm", "the set has no rain")
    return Weather.from_columns(name, "packaged", _SITES[name], columns, rain_note)


def pvlib_example_file(name: str) -> Path:
    """Return the path of a weather file that pvlib itself brings, as `723170TYA.CSV` (Greensboro).

    Raises InputError if `name` is not one of them; a path cannot be given.
    """
    spec = find_spec("pvlib")  # finds the package without importing it
    if name not in _EXAMPLE_ENDINGS or spec is None or spec.origin is None:
        known = ", ".join(sorted(_EXAMPLE_ENDINGS))
        remedy = f"{did_you_mean(name, _EXAMPLE_ENDINGS)}pvlib brings {known}"
        raise InputError([Finding("is not a weather file of pvlib", remedy, value=name)])
    return Path(spec.origin).parent / "data" / name


def read_weather(
    path: Path,
    *,
    latitude: float | None = None,
    longitude: float | None = None,
    utc_offset_h: float | None = None,
    year_begins: datetime | None = None,
) -> Weather:
    """Return the year of weather in the file at `path`: TMY3, TMY2, EPW, PVGIS, or a table with unit-named columns.

    The kind is told by the content. TMY3, TMY2, EPW and PVGIS name their own site, which is used; a typical year of
    PVGIS (CSV, JSON) is in UTC and moved by `utc_offset_h`. A table (CSV or Parquet) has the columns `ghi_w_m2`,
    `dni_w_m2`, `dhi_w_m2`, `temperature_c`, `wind_speed_m_s`, may have `pressure_hpa`, `rain_mm` and `time` (standard
    time), and needs `latitude` and `longitude` [deg] and `utc_offset_h` [h ahead of UTC, no daylight saving] from the
    caller.
    Of a table of several years the one that begins at `year_begins` is taken.
    Raises InputError if the file is of no such kind, is not one whole year, or holds impossible values.
    """
    kind = _kind_of(path)
    readers = {"tmy3": read_tmy3, "tmy2": read_tmy2, "epw": read_epw}
    if kind in readers:
        weather = readers[kind](path)
    elif kind == "pvgis":
        weather = read_pvgis(path, utc_offset_h or 0.0)
    else:
        site = _given_site(path, latitude=latitude, longitude=longitude, utc_offset_h=utc_offset_h)
        weather = read_weather_table(path, site, year_begins)
    check_site(weather.latitude, weather.longitude, weather.utc_offset_h, str(path))
    return weather


def _kind_of(path: Path) -> str:
    """Return the kind of weather file by its first lines; the ending alone decides nothing."""
    try:
        with path.open("rb") as source:
            first, second = (source.readline(20_000).decode("latin-1") for _ in range(2))
    except OSError as error:
        finding = Finding(f"cannot be read: {error.strerror}", "name a weather file", value=str(path), file=str(path))
        raise InputError([finding]) from error
    if first.startswith("LOCATION,"):
        return "epw"
    if first.startswith(("Latitude (decimal degrees)", "{")):
        return "pvgis"
    if second.startswith("Date (MM/DD/YYYY)"):
        return "tmy3"
    if first[:6].strip().isdigit() and len(second.rstrip()) == 142:  # TMY2 records are 142 characters
        return "tmy2"
    if first.startswith("PAR1") or any(name in first for name in REQUIRED):
        return "table"
    message = "is not a weather file: neither TMY3, TMY2, EPW, PVGIS nor a table with weather columns"
    remedy = f"give one of these; a CSV needs the columns {', '.join(REQUIRED)}"
    raise InputError([Finding(message, remedy, value=path.name, file=str(path), line=1)])


def _given_site(path: Path, **site: float | None) -> tuple[float, float, float]:
    missing = [key for key, value in site.items() if value is None]
    if missing:
        message = "is not known: a table of weather does not say where it was measured"
        raise InputError([Finding(message, f"give the site's {key}", key, None, str(path)) for key in missing])
    latitude, longitude, utc_offset_h = (value for value in site.values() if value is not None)
    return latitude, longitude, utc_offset_h
