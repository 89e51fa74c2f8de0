"""Electric heat pump."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.components.base import PowerSized, Site
from ecosystemiser.model.components.switched import Switched
from ecosystemiser.model.fields import ClosedModel, Kw, NumberSeries, SeriesSpec, check_points
from ecosystemiser.model.kinds import Converter, Floats, Output, Series
from ecosystemiser.units import Carrier, Unit

__all__ = ["CopTable", "HeatPump", "HeatingCurve", "coefficient_of_performance"]

KELVIN = 273.15


class HeatingCurve(ClosedModel):
    """Supply temperature by outdoor temperature, straight between the points and level beyond them."""

    outdoor_c: list[float]
    """Outdoor temperatures, rising. [deg C]"""
    supply_c: list[float]
    """Supply temperature at each. [deg C]"""

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        check_points("outdoor_c", self.outdoor_c, "supply_c", self.supply_c)
        return self


class CopTable(ClosedModel):
    """COP by source temperature, straight between the points and level beyond them."""

    source_c: list[float]
    """Source temperatures, rising. [deg C]"""
    cop: list[Annotated[float, Field(gt=0)]]
    """COP at each."""

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        check_points("source_c", self.source_c, "cop", self.cop)
        return self


def coefficient_of_performance(
    source_c: Floats | float,
    sink_c: Floats | float,
    quality: float = 0.4,
    approach_k: float = 5.0,
    bounds: tuple[float, float] = (1.5, 5.0),
) -> Floats:
    """Return the COP: `quality` x T_sink / (T_sink - T_source + `approach_k`), kept within `bounds`.

    Temperatures in deg C, used in kelvin; a source warmer than the sink counts as no lift. `quality` is the share of
    the Carnot (Lorenz) limit that real machines reach, `approach_k` the temperature differences across both heat
    exchangers. Source of the form: Carnot's limit with a constant exergetic efficiency, as in Staffell et al. (2012),
    "A review of domestic heat pumps", Energy & Environmental Science 5, 9291.
    """
    sink = np.asarray(sink_c, dtype=float)
    lift = np.maximum(sink - np.asarray(source_c, dtype=float), 0.0)
    cop: Floats = np.clip(quality * (sink + KELVIN) / (lift + approach_k), *bounds)
    return cop


class HeatPump(PowerSized, Switched):
    """Turns electricity into heat with a COP from temperatures, or given as a number, a series or a table."""

    carrier: ClassVar[Carrier] = Carrier.HEAT
    input_carriers: ClassVar[frozenset[Carrier]] = frozenset({Carrier.ELECTRICITY})

    type: Literal["heat_pump"]
    power_kw: Kw
    """Most electricity that one unit draws. Sizes and costs per kW mean this electric input. [kW]"""
    input: str = "electricity"
    """The bus it draws from."""
    source: Literal["air", "ground", "series"] = "air"
    """Where its heat comes from: the weather's air, ground at a constant temperature, or source_temperature_c."""
    source_temperature_c: NumberSeries | None = None
    """Source temperature, for `source: series`; for `ground` a number, by default the mean air temperature. [deg C]"""
    sink_temperature_c: float | HeatingCurve | SeriesSpec = 45.0
    """Supply temperature: a number, a series or a heating curve. [deg C]"""
    cop: Annotated[float, Field(gt=0)] | CopTable | SeriesSpec | None = None
    """COP, where it is known: a number, a series or a table by source temperature."""
    cop_quality: Annotated[float, Field(gt=0, le=1), Unit("1")] = 0.4
    """Share of Carnot's limit that it reaches."""
    cop_approach_k: Annotated[float, Field(gt=0), Unit("K")] = 5.0
    """Temperature differences across its heat exchangers together. [K]"""
    cop_min: Annotated[float, Field(gt=0), Unit("1")] = 1.5
    """The COP is never below."""
    cop_max: Annotated[float, Field(gt=0), Unit("1")] = 5.0
    """The COP is never above."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.cop_min > self.cop_max:
            raise ValueError("cop_min is above cop_max; exchange them")
        if self.source == "series" and self.source_temperature_c is None:
            raise ValueError("source: series needs source_temperature_c; add it")
        if self.source == "air" and self.source_temperature_c is not None:
            raise ValueError("source_temperature_c has no effect with source: air; write source: series")
        return self

    @property
    def size_kw(self) -> float:
        return self.power_kw

    def kinds(self, name: str, site: Site) -> tuple[Converter, ...]:
        """Return a converter limited at its input."""
        return (
            Converter(
                name=name,
                bus=self.input,
                outputs=(Output(self.own_bus, self._cop(site)),),
                limit=Series(self.power_kw * self.count * site.clock.step_h),
                cost=Series(self.variable_cost_per_kwh),
                co2_kg=Series(self.co2_kg_per_kwh),
                commitment=self.commitment(site),
            ),
        )

    def _cop(self, site: Site) -> Series:
        if isinstance(self.cop, float | int):
            return Series(self.cop if isinstance(self.cop, float) else float(self.cop))
        source = (self.source, self.source_temperature_c)
        if isinstance(self.cop, CopTable):
            table = self.cop
            return site.once(
                ("cop table", *source, table), lambda: np.interp(self._source_c(site), table.source_c, table.cop)
            )
        if self.cop is not None:
            return self._positive(site.numbers(self.cop, "cop"))
        machine = (self.sink_temperature_c, self.cop_quality, self.cop_approach_k, self.cop_min, self.cop_max)
        return site.once(("cop", *source, *machine), lambda: self._computed_cop(site))

    def _computed_cop(self, site: Site) -> Floats:
        limits = (self.cop_min, self.cop_max)
        source, sink = self._source_c(site), self._sink_c(site)
        values = coefficient_of_performance(source, sink, self.cop_quality, self.cop_approach_k, limits)
        return np.broadcast_to(values, site.clock.steps).copy()

    def _positive(self, series: Series) -> Series:
        if series.lowest() <= 0:
            raise InputError([Finding("holds a COP of 0 or less", "give values above 0", "cop")])
        return series

    def _source_c(self, site: Site) -> Floats:
        if self.source == "air":
            return site.outdoor_temperature_c("source")
        if self.source_temperature_c is not None:
            return site.numbers(self.source_temperature_c, "source_temperature_c").values(site.clock.steps)
        return np.full(site.clock.steps, site.mean_outdoor_temperature_c("source"))

    def _sink_c(self, site: Site) -> Floats:
        if isinstance(self.sink_temperature_c, HeatingCurve):
            curve = self.sink_temperature_c
            return np.interp(site.outdoor_temperature_c("sink_temperature_c"), curve.outdoor_c, curve.supply_c)
        return site.numbers(self.sink_temperature_c, "sink_temperature_c").values(site.clock.steps)
