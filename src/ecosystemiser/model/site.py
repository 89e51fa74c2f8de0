"""The place a system is built on: resolves prices, profiles and weather into series for its components."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.clock import HOUR_S, Clock
from ecosystemiser.model.fields import FileColumn, NumberSeries, PriceSpec, SeriesSpec, TimeOfUse
from ecosystemiser.model.kinds import Series
from ecosystemiser.model.profiles.file_units import in_field_unit
from ecosystemiser.model.profiles.mending import Mending
from ecosystemiser.model.profiles.packaged import (
    packaged_names,
    packaged_series,
    packaged_weather_names,
    provenance,
)
from ecosystemiser.model.profiles.photovoltaics import pv_yield
from ecosystemiser.model.profiles.series_file import FileSeries, read_series
from ecosystemiser.model.profiles.weather import Weather, packaged_weather, pvlib_example_file, read_weather
from ecosystemiser.model.system import SiteSpec, step_seconds
from ecosystemiser.model.tariffs import time_of_use_prices
from ecosystemiser.units import BUSES, Carrier

__all__ = ["BuildSite"]

T = TypeVar("T")
Floats = NDArray[np.float64]

MOST_KNOWN = 128
"""Series that a site remembers: more than one system has, few enough for a study of ten thousand tariffs."""
LEAP_DAY_H = (31 + 28) * 24
"""Hour of a leap year at which 29 February begins."""
PLAIN = frozenset({str, int, float, bool, type(None)})
PACKAGED_YEAR = 2018
"""Calendar year whose weekdays and holidays the packaged profiles follow."""


class BuildSite:
    """Resolves what components ask for. One site serves all components of one system; equal asks share one array."""

    def __init__(
        self, clock: Clock, spec: SiteSpec, buses: Mapping[str, Carrier], folder: Path, *, listed_steps: int = 0
    ) -> None:
        """`listed_steps` is how many values a list of the whole run has, where `clock` is only its first part."""
        self.clock = clock
        self._listed_steps = max(listed_steps, clock.steps)
        self._spec = spec
        self.buses = {**BUSES, **buses}
        self._folder = folder
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._names: OrderedDict[int, tuple[BaseModel, str]] = OrderedDict()

    def carrier(self, bus: str, key: str) -> Carrier:
        """Return the carrier of `bus`. Raises InputError for an unknown one."""
        if bus in self.buses:
            return self.buses[bus]
        near = difflib.get_close_matches(bus, self.buses, 1)
        remedy = f"did you mean {near[0]!r}? " if near else ""
        remedy += f"declare it under `buses:` ({bus}: electricity), or use one of {', '.join(self.buses)}"
        raise InputError([Finding("is no bus of this system", remedy, key, bus)])

    def price(self, spec: PriceSpec, key: str) -> Series:
        """Return prices per kWh (m3) by step."""
        if isinstance(spec, TimeOfUse):
            try:
                return self.once((spec,), lambda: time_of_use_prices(spec, self.clock))
            except InputError as error:
                raise _below(error, key) from None
        return self.numbers(spec, key)

    def numbers(self, spec: NumberSeries, key: str) -> Series:
        """Return a number or a series as it stands, by step."""
        if isinstance(spec, float | int):
            return Series(spec if isinstance(spec, float) else float(spec))
        return self.once(("numbers", spec), lambda: self._part(spec, key))

    def profile(self, spec: SeriesSpec, annual: float | None, key: str) -> Series:
        """Return amounts per step: the full-year profile scaled to `annual`, or rates (kW, m3/h) as they stand.

        Raises InputError for negative values, and for `annual` beside values that are no full year.
        """
        is_scaled = annual is not None
        rates, mean = self._once(("demand", spec, is_scaled), lambda: self._demand(spec, key, is_scaled))
        return rates.times(self.clock.step_h if annual is None else annual / (mean * self.clock.steps_per_year))

    def _demand(self, spec: SeriesSpec, key: str, is_scaled: bool) -> tuple[Series, float]:  # noqa: FBT001
        """Return the run's part of a demand's profile, and the mean of its year where that is to be scaled."""
        year = self._year(spec, key, is_scaled=True) if is_scaled else None
        values = self._part(spec, key)
        lowest = float(values.min())
        if lowest < 0:
            message = f"holds negative values ({lowest:g})"
            raise InputError([Finding(message, "a demand is 0 or more in every step", key, _name(spec))])
        if year is None:
            _refuse_unscaled(spec, key)
            return Series(1.0, values), 1.0
        mean = float(year.mean())  # a packaged year is hourly, whatever the run's steps
        if mean <= 0:
            raise InputError([Finding("sums to 0 and cannot be scaled", "give values above 0", key, _name(spec))])
        return Series(1.0, values), mean

    def outdoor_temperature_c(self, key: str) -> Floats:
        """Return the air temperature by step. Raises InputError where the site names no weather."""
        return self._once(("temperature",), lambda: self._cut(self._weather(key).temperature_c, key))

    def mean_outdoor_temperature_c(self, key: str) -> float:
        """Return the mean air temperature of the whole year, whatever part of it is run."""
        return float(self._weather(key).temperature_c.mean())

    def wind_speed_m_s(self, key: str) -> Floats:
        """Return the wind speed at 10 m by step."""
        return self._once(("wind",), lambda: self._cut(self._weather(key).wind_speed_m_s, key))

    def rain_mm_per_h(self, key: str) -> Series:
        """Return the rain by step. Raises InputError where the weather holds none, with the reason."""
        weather = self._weather(key)
        if weather.rain_mm is None:
            remedy = f"give the component a profile of rain in mm per hour ({weather.rain_note})"
            raise InputError([Finding("needs rain, which the site's weather lacks", remedy, key, weather.name)])
        rain = weather.rain_mm
        return self.once(("rain",), lambda: self._cut(rain, key))

    def shares(self, spec: SeriesSpec, key: str) -> Series:
        """Return a series that scales a size: refuses values below 0."""
        series = self.numbers(spec, key)
        if series.lowest() < 0:
            remedy = "give amounts per unit of size, 0 or more"
            raise InputError([Finding(f"holds negative values ({series.lowest():g})", remedy, key)])
        return series

    def pv_yield(self, tilt_deg: float, azimuth_deg: float, losses: float, key: str) -> Series:
        """Return AC kW per kWp by step, computed from the site's weather."""
        weather = self._weather(key)
        return self.once(
            ("pv", tilt_deg, azimuth_deg, losses),
            lambda: self._cut(pv_yield(weather, tilt_deg, azimuth_deg, losses=losses), key),
        )

    def _weather(self, key: str) -> Weather:
        if self._spec.weather is None:
            remedy = f"add site.weather, a packaged set ({', '.join(packaged_weather_names())}) or a weather file"
            raise InputError([Finding("needs the site's weather", remedy, key)])
        return self._site_weather

    @cached_property
    def _site_weather(self) -> Weather:
        name = self._spec.weather or ""
        if name in packaged_weather_names():
            return packaged_weather(name)
        try:
            return self._weather_file(name)
        except InputError as error:
            raise InputError([_about_weather(finding) for finding in error.findings]) from None

    def _weather_file(self, name: str) -> Weather:
        if name.startswith("pvlib:"):
            return read_weather(pvlib_example_file(name.removeprefix("pvlib:")))
        path = self._folder / name
        if not path.is_file():
            near = difflib.get_close_matches(name, packaged_weather_names(), 1)
            remedy = f"did you mean {near[0]!r}? " if near else ""
            known = ", ".join(packaged_weather_names())
            remedy += f"packaged are {known}; a file is named as seen from the system file"
            raise InputError([Finding("is neither a packaged weather set nor a file", remedy, value=name)])
        return read_weather(
            path,
            latitude=self._spec.latitude,
            longitude=self._spec.longitude,
            utc_offset_h=self.clock.standard_offset / timedelta(hours=1),
            year_begins=self.clock.new_year_utc,
        )

    def _part(self, spec: SeriesSpec, key: str) -> Floats:
        """Return the run's part of a series. (steps,)"""
        if isinstance(spec, list) and len(spec) in (self.clock.steps, self._listed_steps):
            return self._once(("run", spec), lambda: np.array(spec[: self.clock.steps]))
        return self._once(("part", spec), lambda: self._cut(self._year(spec, key), key))

    def _year(self, spec: SeriesSpec, key: str, *, is_scaled: bool = False) -> Floats:
        """Return the series of the whole year. (steps of the year,) or, if packaged, (8760,)"""
        expected = self.clock.steps_per_year
        if isinstance(spec, list):
            if len(spec) != expected:
                is_run_enough = self.clock.steps != expected and not is_scaled
                runs = f"{self.clock.steps} (the run) or " if is_run_enough else ""
                remedy = f"give {runs}{expected} values (the year)"
                remedy += ", or rates in kW (m3/h) and no annual sum" if is_scaled else ""
                raise InputError([Finding(f"has {len(spec)} values", remedy, key)])
            return np.array(spec)
        if isinstance(spec, FileColumn):
            return self._once(("year", spec), lambda: self._column(spec, expected, key))
        if "." in spec or spec not in packaged_names():
            raise self._unknown_profile(spec, key)
        if self.clock.year != PACKAGED_YEAR:
            message = f"is a profile of {PACKAGED_YEAR} and the run starts in {self.clock.year}"
            remedy = f"set time.start in {PACKAGED_YEAR}, or give a file: {{file: loads.csv, column: houses}}"
            raise InputError([Finding(message, remedy, key, spec)])
        return packaged_series(spec)

    def _column(self, spec: FileColumn, expected: int, key: str) -> Floats:
        path = self._folder / spec.file
        step_s = self._file_step_s(spec, key)
        rows = expected * self.clock.step_s // step_s
        try:
            series = read_series(
                path,
                [spec.column],
                steps_per_year=rows,
                step_seconds=step_s,
                timezone=spec.timezone,
                mending=Mending(self.clock.new_year_utc, fill=spec.fill, most_hours=spec.fill_most_hours),
            )
            late = self._steps_late(series, path, step_s)
        except InputError as error:
            raise InputError([_at_key(finding, key) for finding in error.findings]) from None
        values = series.columns[spec.column]
        values = np.roll(values, late) if late else values
        values = in_field_unit(values, spec.unit, step_s / HOUR_S, key)
        return values if step_s == self.clock.step_s else _in_steps(values, step_s, self.clock.step_s, key)

    def _file_step_s(self, spec: FileColumn, key: str) -> int:
        """Return the step of a file; the run's unless it states its own."""
        if spec.step is None:
            return self.clock.step_s
        seconds = step_seconds(spec.step)
        if seconds is None or not 60 <= seconds <= 86_400 or 86_400 % seconds:
            remedy = 'write "1h" or "15min", a step that divides a day'
            raise InputError([Finding("is no step", remedy, f"{key}.step", spec.step)])
        return seconds

    def _steps_late(self, series: FileSeries, path: Path, step_s: int) -> int:
        """Return how many steps after New Year of standard time the file starts.

        That is 0, or, where the clock is ahead of standard time at New Year (as in Sydney) and the file starts
        at New Year of that clock, below 0: the first hours then stand at the year's end, which the file lacks.
        Raises InputError for any other start.
        """
        start = series.start
        if start is None:
            return 0
        if start.tzinfo is None:  # a clock that is never set
            if start == datetime(self.clock.year, 1, 1):  # noqa: DTZ001
                return 0
        else:
            steps = (start - self.clock.new_year_utc) / timedelta(seconds=step_s)
            if steps == 0 or (start == self.clock.local_new_year_utc and steps.is_integer()):
                return int(steps)
            start = start + self.clock.standard_offset
        message = f"is of the year from {start:%Y-%m-%d %H:%M} of standard time, the run is of {self.clock.year}"
        remedy = f"give the whole year {self.clock.year} from its New Year on, or set time.start in the file's year"
        line = 2 if path.suffix == ".csv" else None
        raise InputError([Finding(message, remedy, "time", None, str(path), line)])

    def _unknown_profile(self, name: str, key: str) -> InputError:
        known = [known for known in packaged_names() if "." not in known]
        near = difflib.get_close_matches(name, known, 1)
        remedy = f"did you mean {near[0]!r}? " if near else ""
        remedy += "a number stands without quotes; " if _is_number(name) else ""
        remedy += f"packaged are {', '.join(known)}; a file is written {{file: loads.csv, column: houses}}"
        return InputError([Finding("is no packaged profile", remedy, key, name)])

    def _cut(self, year: Floats, key: str) -> Floats:
        """Return the run's part of a year of values, or of hourly ones where the run has other steps."""
        if len(year) != self.clock.steps_per_year:
            year = self._in_steps_of_the_run(year, key)
        first = self.clock.first_step_of_year
        if first * self.clock.step_s != self.clock.seconds_of_year:
            remedy = "let time.start lie a whole number of steps after New Year of standard time"
            raise InputError([Finding("has no value that begins where the run starts", remedy, key)])
        if first < 0:  # south of the equator: what the year lacks at its start stands at its end
            year, first = np.roll(year, -first), 0
        part = year[first : first + self.clock.steps]
        if len(part) < self.clock.steps:
            remedy = f"start earlier or take at most {len(year) - first} steps"
            raise InputError([Finding("ends before the run does", remedy, key)])
        return np.ascontiguousarray(part)

    def _in_steps_of_the_run(self, hourly: Floats, key: str) -> Floats:
        """Return hourly rates in the run's steps: repeated for shorter, averaged over longer ones."""
        hours = self.clock.steps_per_year * self.clock.step_s // HOUR_S
        if len(hourly) == hours - 24 and self._spec.leap_day == "repeat":
            hourly = np.insert(hourly, LEAP_DAY_H, hourly[LEAP_DAY_H - 24 : LEAP_DAY_H])
        if len(hourly) != hours:
            remedy = f"a year of {self.clock.year} has {hours} hours; set time.start in a year of {len(hourly)} hours"
            remedy += ", or site.leap_day: repeat" if len(hourly) == hours - 24 else ""
            raise InputError([Finding(f"is a year of {len(hourly)} hours", remedy, key)])
        return _in_steps(hourly, HOUR_S, self.clock.step_s, key)

    def once(self, follows_from: tuple[object, ...], make: Callable[[], Floats]) -> Series:
        """Return the series that follows from what is given, values and specifications; it is made at the first ask."""
        return self._once(follows_from, lambda: Series(1.0, make()))

    def _once(self, follows_from: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what follows from what is given, made at the first ask: equal asks share it while it is remembered."""
        name = tuple([part if type(part) in PLAIN else self._named(part) for part in follows_from])
        found: T | None = self._known.get(name)
        if found is None:
            found = self._known[name] = make()
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(name)
        return found

    def _named(self, spec: object) -> Hashable:
        """Return what tells a specification from all others: equal ones have equal names."""
        if isinstance(spec, list):
            return tuple(spec)
        if not isinstance(spec, BaseModel):
            return spec if isinstance(spec, Hashable) else repr(spec)
        known = self._names.get(id(spec))
        if known is None:
            known = self._names[id(spec)] = (spec, spec.model_dump_json())
            if len(self._names) > MOST_KNOWN:
                self._names.popitem(last=False)
        return (type(spec), known[1])


def _in_steps(rates: Floats, step_s: int, wanted_s: int, key: str) -> Floats:
    """Return rates of one step in steps of another: repeated for shorter, averaged over longer ones."""
    if step_s % wanted_s == 0:
        return np.repeat(rates, step_s // wanted_s)
    if wanted_s % step_s == 0:
        return np.asarray(rates.reshape(-1, wanted_s // step_s).mean(axis=1))
    if step_s == HOUR_S:
        raise InputError([Finding("is hourly", "use a step that divides an hour, or whole hours", key)])
    remedy = "take a step that divides the other one"
    raise InputError([Finding(f"has steps of {step_s} s, the run of {wanted_s} s", remedy, key)])


def _name(spec: SeriesSpec) -> str:
    if isinstance(spec, FileColumn):
        return f"{spec.file}:{spec.column}"
    return spec if isinstance(spec, str) else f"list of {len(spec)} values"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_unscaled(spec: SeriesSpec, key: str) -> None:
    """Refuse a packaged profile of shares of a year where amounts are needed: it would be a demand of 1 a year."""
    shares = {row["column"] for row in provenance() if row["unit"] == "1 per year"}
    if isinstance(spec, str) and spec in shares:
        remedy = "add annual_kwh (annual_m3), the sum of the year"
        raise InputError([Finding("only says how a year's sum is spread", remedy, key, spec)])


def _about_weather(finding: Finding) -> Finding:
    """Name the field of the system file: the one that is missing, or the weather file whose own place is kept."""
    if finding.key in ("latitude", "longitude") and finding.value is None:
        return Finding(finding.message, finding.remedy, f"site.{finding.key}")
    return _at_key(finding, "site.weather")


def _below(error: InputError, key: str) -> InputError:
    findings = error.findings
    return InputError([Finding(f.message, f.remedy, f"{key}.{f.key}", f.value, f.file, f.line) for f in findings])


def _at_key(finding: Finding, key: str) -> Finding:
    """Keep the series file's own place and name the field of the system file that asked for it."""
    place = f"{key} ({finding.key})" if finding.key else key
    return Finding(finding.message, finding.remedy, place, finding.value, finding.file, finding.line)
