"""Generic converter."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.components.base import Site
from ecosystemiser.model.components.switched import Switched
from ecosystemiser.model.fields import Kw, MoneyPerKw, NumberSeries
from ecosystemiser.model.kinds import UNLIMITED, Converter, Investment, Output, Series
from ecosystemiser.units import Unit

__all__ = ["GenericConverter"]


class GenericConverter(Switched):
    """Turns what it draws from one bus into `ratio` times as much on another."""

    type: Literal["converter"]
    input: str
    """The bus it draws from."""
    output: str
    """The bus it delivers to."""
    ratio: NumberSeries = 1.0
    """Output per input, a number or a series."""
    power_kw: Kw | None = None
    """Most input of one unit, from an energy bus; no limit if left out. [kW]"""
    flow_m3_per_h: Annotated[float, Field(ge=0), Unit("m3/h")] | None = None
    """Most input of one unit, from a water bus; no limit if left out. [m3/h]"""
    variable_cost: Annotated[float, Field(ge=0), Unit("currency/kWh or m3")] = 0.0
    """Cost per kWh (m3) of output."""
    co2_kg: Annotated[float, Field(ge=0), Unit("kg/kWh or m3")] = 0.0
    """CO2 emitted per kWh (m3) of output."""
    capex_per_kw: MoneyPerKw = 0.0
    """Price per kW of its size."""

    @model_validator(mode="after")
    def _has_two_buses_and_what_its_costs_are_per(self) -> Self:
        if self.input == self.output:
            message = f"has bus {self.input!r} as input and as output; name two buses"
            raise ValueError(message)
        if self.capex_per_kw and self.power_kw is None:
            raise ValueError("has a capex_per_kw of no power_kw; add power_kw, or write capex")
        if self.is_switched and self.power_kw is None and self.flow_m3_per_h is None:
            raise ValueError("is switched on and off but has no size; add power_kw or flow_m3_per_h")
        return self

    @property
    def is_absent(self) -> bool:
        return self.power_kw == 0 or self.flow_m3_per_h == 0

    @property
    def own_bus(self) -> str:
        return self.output

    def investment(self) -> Investment:
        return self._investment(self.power_kw or 0.0, self.capex_per_kw, 0.0, 0.0)

    def kinds(self, name: str, site: Site) -> tuple[Converter, ...]:
        """Return a converter limited at its input."""
        if self.bus is not None:
            raise InputError([Finding("means nothing here", "name the buses in input and output", "bus", self.bus)])
        site.carrier(self.output, "output")
        is_energy = site.carrier(self.input, "input").is_energy
        most = self.power_kw if is_energy else self.flow_m3_per_h
        fitting, misfit = ("power_kw", "flow_m3_per_h") if is_energy else ("flow_m3_per_h", "power_kw")
        if getattr(self, misfit) is not None:
            found = getattr(self, misfit)
            raise InputError([Finding(f"does not fit input {self.input!r}", f"use {fitting}", misfit, found)])
        if self.input == self.output:
            raise InputError([Finding("is also its input", "name another bus", "output", self.output)])
        ratio = site.numbers(self.ratio, "ratio")
        if ratio.lowest() <= 0:
            raise InputError([Finding("is not above 0", "give a ratio above 0", "ratio", ratio.lowest())])
        return (
            Converter(
                name=name,
                bus=self.input,
                outputs=(Output(self.output, ratio),),
                limit=UNLIMITED if most is None else Series(most * self.count * site.clock.step_h),
                cost=Series(self.variable_cost),
                co2_kg=Series(self.co2_kg),
                commitment=self.commitment(site),
            ),
        )
