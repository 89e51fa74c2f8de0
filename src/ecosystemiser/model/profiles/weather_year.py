"""One year of weather at one place, checked for what no place on earth has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.errors import Finding, InputError

__all__ = ["OPTIONAL", "PLAUSIBLE", "REQUIRED", "Weather", "check_site", "implausible"]

REQUIRED = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temperature_c", "wind_speed_m_s")
OPTIONAL = ("pressure_hpa", "rain_mm")

PLAUSIBLE: dict[str, tuple[float, float]] = {
    "ghi_w_m2": (0, 2000),  # solar constant 1361 W/m2; broken clouds may exceed it for a moment
    "dni_w_m2": (0, 1420),  # above the atmosphere at perihelion
    "dhi_w_m2": (0, 1420),
    "temperature_c": (-90, 60),  # WMO records: -89.2 Vostok, 56.7 Furnace Creek
    "wind_speed_m_s": (0, 114),  # WMO record gust: 113.3 Barrow Island
    "pressure_hpa": (400, 1100),  # 8,800 m above the sea to the Siberian high
    "rain_mm": (0, 305),  # WMO record of an hour: Holt, Missouri
}
"""What an hour can hold. Outside it stands a missing-value mark (9999, -9900) or another unit."""


@dataclass(frozen=True, eq=False)
class Weather:
    """Hourly weather of one year of standard time: index i covers the hour [i, i + 1) of 365 days. (8760,)"""

    name: str
    latitude: float
    """Degrees, north positive."""
    longitude: float
    """Degrees, east positive."""
    utc_offset_h: float
    """Standard time is this much ahead of UTC. [h]"""
    ghi_w_m2: NDArray[np.float64]
    """Global horizontal irradiance, mean of the hour. [W/m2]"""
    dni_w_m2: NDArray[np.float64]
    """Direct normal irradiance, mean of the hour. [W/m2]"""
    dhi_w_m2: NDArray[np.float64]
    """Diffuse horizontal irradiance, mean of the hour. [W/m2]"""
    temperature_c: NDArray[np.float64]
    """Air at 2 m. [degC]"""
    wind_speed_m_s: NDArray[np.float64]
    """Wind at 10 m. [m/s]"""
    pressure_hpa: NDArray[np.float64] | None
    """At the station's height. [hPa]"""
    rain_mm: NDArray[np.float64] | None
    """Depth fallen in the hour [mm]; None where the source has none that can be used, see `rain_note`."""
    kind: str
    """`packaged`, `tmy3`, `tmy2`, `epw` or `table`."""
    rain_note: str = ""
    """Where the rain comes from, or why there is none."""

    @classmethod
    def from_columns(
        cls,
        name: str,
        kind: str,
        site: tuple[float, float, float],
        columns: Mapping[str, NDArray[np.float64]],
        rain_note: str,
    ) -> Weather:
        """Return the weather of `columns`, named as fields; `site` is latitude, longitude, utc_offset_h."""
        return cls(
            name,
            *site,
            ghi_w_m2=columns["ghi_w_m2"],
            dni_w_m2=columns["dni_w_m2"],
            dhi_w_m2=columns["dhi_w_m2"],
            temperature_c=columns["temperature_c"],
            wind_speed_m_s=columns["wind_speed_m_s"],
            pressure_hpa=columns.get("pressure_hpa"),
            rain_mm=columns.get("rain_mm"),
            kind=kind,
            rain_note=rain_note,
        )


def implausible(key: str, values: NDArray[np.float64], file: str | None, first_line: int | None) -> list[Finding]:
    """Return a finding for the first value that no place on earth has, saying how many there are.

    `first_line` is the line of hour 0 in `file`, None where lines are not known.
    """
    low, high = PLAUSIBLE[key]
    bad = np.flatnonzero(~((values >= low) & (values <= high)))
    if not len(bad):
        return []
    hour = int(bad[0])
    others = f", and in {len(bad) - 1} more hours" if len(bad) > 1 else ""
    return [
        Finding(
            f"is outside {low:g} to {high:g} in hour {hour} of the year{others}",
            "fill missing values and check the unit",
            key,
            float(values[hour]),
            file,
            None if first_line is None else first_line + hour,
        )
    ]


def check_site(latitude: float, longitude: float, utc_offset_h: float, file: str | None) -> None:
    """Raise InputError unless the site is a place on earth whose standard time fits its longitude."""
    findings = [
        Finding(f"is outside {low:g} to {high:g}", f"give the {key} in {unit}", key, value, file)
        for key, value, low, high, unit in (
            ("latitude", latitude, -90, 90, "degrees, north positive"),
            ("longitude", longitude, -180, 180, "degrees, east positive"),
            ("utc_offset_h", utc_offset_h, -12, 14, "hours ahead of UTC, without daylight saving"),
        )
        if not low <= value <= high
    ]
    if findings:
        raise InputError(findings)
