"""The vocabulary of fields: numbers with their unit and bounds, series, prices."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ecosystemiser.units import Unit

__all__ = [
    "ClosedModel",
    "Efficiency",
    "FileColumn",
    "Kg",
    "KgPerKw",
    "KgPerKwh",
    "Kw",
    "Kwh",
    "Money",
    "MoneyPerKw",
    "MoneyPerKwYear",
    "MoneyPerKwh",
    "MoneyPerKwhYear",
    "MoneyPerYear",
    "NumberSeries",
    "Period",
    "PriceSpec",
    "SeriesSpec",
    "Share",
    "TimeOfUse",
    "Years",
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
MoneyPerYear = Annotated[float, Field(ge=0, le=LARGEST), Unit("currency/a")]
Years = Annotated[float, Field(gt=0), Unit("a")]


class FileColumn(ClosedModel):
    """A column of a user's CSV or Parquet file."""

    file: str
    """Path, relative to the system file."""
    column: str
    """Name of the column."""
    timezone: str | None = None
    """Zone of time labels that carry none; needed where a daylight-saving double hour occurs."""


SeriesSpec = str | FileColumn | list[float]
"""A packaged profile's name, a file's column, or the values themselves."""

NumberSeries = float | SeriesSpec


class Period(ClosedModel):
    """Hours at which another price holds, on the local clock."""

    price: float
    """Price in these hours."""
    hours: str | None = None
    """As "22-06", end exclusive; past midnight allowed; several with commas. All hours if left out."""
    days: str | None = None
    """As "mon-fri" or "sat,sun"; the day on which the hour lies. All days if left out."""
    months: str | None = None
    """As "nov-feb" or "jun". All months if left out."""


class TimeOfUse(ClosedModel):
    """A price by hour, weekday and month; a later period wins over an earlier one."""

    default: float
    """Price outside all periods."""
    periods: list[Period] = []
    """Exceptions, in order."""


PriceSpec = float | TimeOfUse | FileColumn | list[float] | str
"""A number, a time-of-use table, a file's column, values, or a packaged series."""
