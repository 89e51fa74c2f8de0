"""The vocabulary of fields: numbers with their unit and bounds, series, prices."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ecosystemiser.units import Unit

__all__ = [
    "LARGEST",
    "M2",
    "M3",
    "ClosedModel",
    "Efficiency",
    "FileColumn",
    "FileUnit",
    "HoursOfYear",
    "Kg",
    "KgPerKw",
    "KgPerKwh",
    "KgPerM3",
    "Kw",
    "Kwh",
    "M3PerH",
    "Money",
    "MoneyPerKw",
    "MoneyPerKwMonth",
    "MoneyPerKwYear",
    "MoneyPerKwh",
    "MoneyPerKwhYear",
    "MoneyPerM2",
    "MoneyPerM3",
    "MoneyPerM3PerHMonth",
    "MoneyPerM3Year",
    "MoneyPerMonth",
    "MoneyPerYear",
    "NumberSeries",
    "Period",
    "PriceSpec",
    "SeriesSpec",
    "Share",
    "TimeOfUse",
    "Years",
    "check_points",
]


class ClosedModel(BaseModel):
    """A closed, frozen table of fields; the sentence under a field is its documentation."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


LARGEST = 1e12
"""No size, price or mass is larger: products of two stay finite with digits to spare."""

Share = Annotated[float, Field(ge=0, le=1), Unit("1")]
Efficiency = Annotated[float, Field(gt=0, le=1), Unit("1")]
"""A share above 0."""
Kw = Annotated[float, Field(ge=0, le=LARGEST), Unit("kW")]
Kwh = Annotated[float, Field(ge=0, le=LARGEST), Unit("kWh")]
Kg = Annotated[float, Field(ge=0, le=LARGEST), Unit("kg")]
KgPerKw = Annotated[float, Field(ge=0, le=LARGEST), Unit("kg/kW")]
KgPerKwh = Annotated[float, Field(ge=0, le=LARGEST), Unit("kg/kWh")]
Money = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency")]
MoneyPerKw = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/kW")]
MoneyPerKwh = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/kWh")]
MoneyPerKwYear = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/kW/a")]
MoneyPerKwhYear = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/kWh/a")]
M2 = Annotated[float, Field(ge=0, le=LARGEST), Unit("m2")]
M3 = Annotated[float, Field(ge=0, le=LARGEST), Unit("m3")]
M3PerH = Annotated[float, Field(ge=0, le=LARGEST), Unit("m3/h")]
KgPerM3 = Annotated[float, Field(ge=0, le=LARGEST), Unit("kg/m3")]
MoneyPerM2 = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/m2")]
MoneyPerM3 = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/m3")]
MoneyPerM3Year = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/m3/a")]
MoneyPerYear = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/a")]
MoneyPerMonth = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/month")]
MoneyPerKwMonth = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/kW/month")]
MoneyPerM3PerHMonth = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/(m3/h)/month")]
Years = Annotated[float, Field(gt=0), Unit("a")]


def check_points(key: str, points: list[float], other: str, values: list[float]) -> None:
    """Raise ValueError unless `points` rise and there are as many `values`: a curve to interpolate on."""
    if len(points) < 2 or len(points) != len(values):
        raise ValueError(f"needs as many {other} as {key}, two or more; add what is missing")
    if any(after <= before for before, after in pairwise(points)):
        raise ValueError(f"{key} does not rise; sort the points")


FileUnit = Literal[
    "W", "kW", "MW", "Wh", "kWh", "MWh", "m3/h", "l/h", "l/min", "l/s", "m3", "l",
    "per kWh", "ct per kWh", "per MWh", "per m3", "ct per m3", "degC", "K", "degF", "mm/h", "mm", "1", "%",
]  # fmt: skip
"""Units that a file's column may be in."""


class FileColumn(ClosedModel):
    """A column of a user's CSV or Parquet file."""

    file: str
    """Path, relative to the system file."""
    column: str
    """Name of the column."""
    timezone: str | None = None
    """Zone of time labels that carry none; needed where a daylight-saving double hour occurs."""
    unit: FileUnit | None = None
    """What the column is in, where that is not the field's own unit; kWh and the like are amounts of a step."""
    step: str | None = None
    """The file's own step, as "15min", where that is not the run's: values are repeated or averaged."""
    fill: Literal["interpolate", "previous", "zero"] | None = None
    """How missing rows and empty cells are filled; without it they are refused."""
    fill_most_hours: Annotated[float, Field(gt=0), Unit("h")] = 24.0
    """The longest gap that is filled."""


SeriesSpec = str | FileColumn | list[float]
"""A packaged profile's name, a file's column, or the values themselves."""

NumberSeries = float | SeriesSpec


class HoursOfYear(ClosedModel):
    """Hours of the local clock."""

    hours: str | None = None
    """As "22-06", end exclusive; past midnight allowed; several with commas. All hours if left out."""
    days: str | None = None
    """As "mon-fri" or "sat,sun,holiday"; the day on which the hour lies. All days if left out.

    A day of `time.holidays` is a holiday and no weekday.
    """
    months: str | None = None
    """As "nov-feb" or "jun". All months if left out."""


class Period(HoursOfYear):
    """Hours at which another price holds."""

    price: float
    """Price in these hours."""


class TimeOfUse(ClosedModel):
    """A price by hour, weekday and month; a later period wins over an earlier one."""

    default: float | None = None
    """Price outside all periods; may be left out where they cover all hours."""
    periods: list[Period] = []
    """Exceptions, in order."""


PriceSpec = float | TimeOfUse | FileColumn | list[float] | str
"""A number, a time-of-use table, a file's column, values, or a packaged series."""
