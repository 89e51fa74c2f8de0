"""The place a system is built on: resolves prices, profiles and weather into series for its components."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.clock import HOUR_S, Clock
from ecosystemiser.model.fields import FileColumn, NumberSeries, PriceSpec, SeriesSpec, TimeOfUse
from ecosystemiser.model.kinds import Series
from ecosystemiser.model.profiles.packaged import packaged_names, packaged_series, packaged_weather_names
from ecosystemiser.model.profiles.photovoltaics import pv_yield
from ecosystemiser.model.profiles.series_file import read_column
from ecosystemiser.model.profiles.weather import Weather, packaged_weather, pvlib_example_file, read_weather
from ecosystemiser.model.system import SiteSpec
from ecosystemiser.model.tariffs import time_of_use_prices
from ecosystemiser.units import BUSES, Carrier

__all__ = ["BuildSite"]

Floats = NDArray[np.float64]


class BuildSite:
    """Resolves what components ask for. One site serves all components of one system; equal asks share one array."""

    def __init__(self, clock: Clock, spec: SiteSpec, buses: Mapping[str, Carrier], folder: Path) -> None:
        self.clock = clock
        self._spec = spec
        self._buses = {**BUSES, **buses}
        self._folder = folder
        self._known: dict[str, Floats] = {}

    def carrier(self, bus: str, key: str) -> Carrier:
        """Return the carrier of `bus`. Raises InputError for an unknown one."""
        if bus in self._buses:
            return self._buses[bus]
        near = difflib.get_close_matches(bus, self._buses, 1)
        remedy = f"did you mean {near[0]!r}? " if near else ""
        remedy += f"declare it under `buses:` ({bus}: electricity), or use one of {', '.join(self._buses)}"
        raise InputError([Finding("is no bus of this system", remedy, key, bus)])

    def price(self, spec: PriceSpec, key: str) -> Series:
        """Return prices per kWh (m3) by step."""
        if isinstance(spec, TimeOfUse):
            try:
                return Series(1.0, self._once(spec.model_dump_json(), lambda: time_of_use_prices(spec, self.clock)))
            except InputError as error:
                raise _below(error, key) from None
        return self.numbers(spec, key)

    def numbers(self, spec: NumberSeries, key: str) -> Series:
        """Return a number or a series as it stands, by step."""
        if isinstance(spec, float | int):
            return Series(float(spec))
        return Series(1.0, self._part(spec, key))

    def profile(self, spec: SeriesSpec, annual: float | None, key: str) -> Series:
        """Return amounts per step: the full-year profile scaled to `annual`, or rates (kW, m3/h) as they stand.

        Raises InputError for negative values, and for `annual` beside values that are no full year.
        """
        values = self._part(spec, key)
        if float(values.min()) < 0:
            raise InputError([Finding("holds negative values", "a demand is 0 or more in every step", key, _name(spec))])
        if annual is None:
            return Series(self.clock.step_h, values)
        total = float(self._year(spec, key).sum()) * self.clock.step_h
        if total <= 0:
            raise InputError([Finding("sums to 0 and cannot be scaled", "give values above 0", key, _name(spec))])
        return Series(annual * self.clock.step_h / total, values)

    def outdoor_temperature_c(self, key: str) -> Floats:
        """Return the air temperature by step. Raises InputError where the site names no weather."""
        return self._once("temperature", lambda: self._cut(self._weather(key).temperature_c, key))

    def pv_yield(self, tilt_deg: float, azimuth_deg: float, losses: float, key: str) -> Floats:
        """Return AC kW per kWp by step, computed from the site's weather."""
        weather = self._weather(key)
        return self._once(
            f"pv {tilt_deg} {azimuth_deg} {losses}",
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
        if name.startswith("pvlib:"):
            return read_weather(pvlib_example_file(name.removeprefix("pvlib:")))
        return read_weather(self._folder / name)

    def _part(self, spec: SeriesSpec, key: str) -> Floats:
        """Return the run's part of a series. (steps,)"""
        if isinstance(spec, list) and len(spec) == self.clock.steps:
            return self._once(f"list {key} {hash(tuple(spec))}", lambda: np.array(spec))
        return self._once(f"part {_name(spec)}", lambda: self._cut(self._year(spec, key), key))

    def _year(self, spec: SeriesSpec, key: str) -> Floats:
        """Return the series of the whole year. (steps of the year,) or, if packaged, (8760,)"""
        expected = self.clock.steps_per_year
        if isinstance(spec, list):
            if len(spec) != expected:
                runs = f"{self.clock.steps} (the run) or " if self.clock.steps != expected else ""
                remedy = f"give {runs}{expected} values (the year)"
                raise InputError([Finding(f"has {len(spec)} values", remedy, key)])
            return np.array(spec)
        if isinstance(spec, FileColumn):
            return self._once(f"year {_name(spec)}", lambda: self._column(spec, expected, key))
        if "." in spec or spec not in packaged_names():
            raise self._unknown_profile(spec, key)
        return packaged_series(spec)

    def _column(self, spec: FileColumn, expected: int, key: str) -> Floats:
        path = self._folder / spec.file
        try:
            return read_column(
                path, spec.column, steps_per_year=expected, step_seconds=self.clock.step_s, timezone=spec.timezone
            )
        except InputError as error:
            raise InputError([_at_key(finding, key) for finding in error.findings]) from None

    def _unknown_profile(self, name: str, key: str) -> InputError:
        known = [known for known in packaged_names() if "." not in known]
        near = difflib.get_close_matches(name, known, 1)
        remedy = f"did you mean {near[0]!r}? " if near else ""
        remedy += f"packaged are {', '.join(known)}; a file is written {{file: loads.csv, column: houses}}"
        return InputError([Finding("is no packaged profile", remedy, key, name)])

    def _cut(self, year: Floats, key: str) -> Floats:
        """Return the run's part of a year of values, or of hourly ones where the run has other steps."""
        if len(year) != self.clock.steps_per_year:
            year = self._in_steps_of_the_run(year, key)
        first = self.clock.first_step_of_year
        part = year[first : first + self.clock.steps]
        if len(part) < self.clock.steps:
            remedy = f"start earlier or take at most {len(year) - first} steps"
            raise InputError([Finding("ends before the run does", remedy, key)])
        return np.ascontiguousarray(part)

    def _in_steps_of_the_run(self, hourly: Floats, key: str) -> Floats:
        """Return hourly rates in the run's steps: repeated for shorter, averaged over longer ones."""
        hours = self.clock.steps_per_year * self.clock.step_s // HOUR_S
        if len(hourly) != hours:
            remedy = f"a year of {self.clock.year} has {hours} hours; set time.start in a year of {len(hourly)} hours"
            raise InputError([Finding(f"is a year of {len(hourly)} hours", remedy, key)])
        if self.clock.step_s <= HOUR_S and HOUR_S % self.clock.step_s == 0:
            return np.repeat(hourly, HOUR_S // self.clock.step_s)
        if self.clock.step_s % HOUR_S == 0:
            return hourly.reshape(-1, self.clock.step_s // HOUR_S).mean(axis=1)
        raise InputError([Finding("is hourly", "use a step that divides an hour, or whole hours", key)])

    def _once(self, name: str, make: Callable[[], Floats]) -> Floats:
        """Return the array known by `name`, made at the first ask: equal asks share one array."""
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]


def _name(spec: SeriesSpec) -> str:
    if isinstance(spec, FileColumn):
        return f"{spec.file}:{spec.column}:{spec.timezone}"
    return spec if isinstance(spec, str) else f"list of {len(spec)} with hash {hash(tuple(spec))}"


def _below(error: InputError, key: str) -> InputError:
    findings = error.findings
    return InputError([Finding(f.message, f.remedy, f"{key}.{f.key}", f.value, f.file, f.line) for f in findings])


def _at_key(finding: Finding, key: str) -> Finding:
    """Keep the series file's own place and name the field of the system file that asked for it."""
    place = f"{key} ({finding.key})" if finding.key else key
    return Finding(finding.message, finding.remedy, place, finding.value, finding.file, finding.line)
