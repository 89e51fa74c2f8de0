"""Wind turbine."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from ecosystemiser.model.components.base import PowerSized, Site
from ecosystemiser.model.fields import ClosedModel, Kw, SeriesSpec, Share, check_points
from ecosystemiser.model.kinds import Floats, Role, Series, Source
from ecosystemiser.units import Carrier, Unit

__all__ = ["PowerCurve", "WindTurbine", "wind_yield"]

MEASURED_AT_M = 10.0
"""Height of the wind in weather files. [m]"""


class PowerCurve(ClosedModel):
    """Power by wind speed at the hub, straight between the points, 0 beyond them."""

    wind_m_s: list[Annotated[float, Field(ge=0)]]
    """Wind speeds, rising. [m/s]"""
    share: list[Share]
    """Share of the rated power at each."""

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        check_points("wind_m_s", self.wind_m_s, "share", self.share)
        return self


CUT_IN_M_S, RATED_M_S, CUT_OUT_M_S = 3, 11, 25
_RISE = range(CUT_IN_M_S, RATED_M_S + 1)
GENERIC_CURVE = PowerCurve(
    wind_m_s=[*(float(speed) for speed in _RISE), float(CUT_OUT_M_S)],
    share=[*((v**3 - CUT_IN_M_S**3) / (RATED_M_S**3 - CUT_IN_M_S**3) for v in _RISE), 1.0],
)
"""Cubic from cut-in at 3 m/s to rated power at 11 m/s, cut-out at 25 m/s: a textbook shape, to be replaced by the
maker's curve."""


def wind_yield(wind_m_s: Floats, curve: PowerCurve, hub_height_m: float, roughness_exponent: float) -> Floats:
    """Return power as a share of the rated one from the wind at 10 m. (steps,)

    The wind at the hub is v x (hub height / 10 m) ^ exponent, the power law of wind profiles (Hellmann 1916).
    """
    at_hub = wind_m_s * (hub_height_m / MEASURED_AT_M) ** roughness_exponent
    return np.asarray(np.interp(at_hub, curve.wind_m_s, curve.share, left=0.0, right=0.0))


class WindTurbine(PowerSized):
    """Gives at most `capacity_kw` times the yield of the hour; the rest is curtailed."""

    carrier: ClassVar[Carrier] = Carrier.ELECTRICITY

    type: Literal["wind_turbine"]
    capacity_kw: Kw
    """Rated power of one unit. [kW]"""
    profile: SeriesSpec | None = None
    """kW per kW of rated power by hour; if left out, computed from the site's wind at 10 m."""
    hub_height_m: Annotated[float, Field(gt=0, le=300), Unit("m")] = 30.0
    """Height of the hub. [m]"""
    roughness_exponent: Annotated[float, Field(ge=0, le=1), Unit("1")] = 0.143
    """Exponent of the power law of wind profiles; 1/7 for open land."""
    power_curve: PowerCurve = GENERIC_CURVE
    """Power by wind speed at the hub."""

    @model_validator(mode="after")
    def _uses_what_it_is_given(self) -> Self:
        unused = self.model_fields_set & {"hub_height_m", "roughness_exponent", "power_curve"}
        if self.profile is not None and unused:
            raise ValueError(f"{min(unused)} has no effect beside a profile; remove one of the two")
        return self

    @property
    def size_kw(self) -> float:
        return self.capacity_kw

    def kinds(self, name: str, site: Site) -> tuple[Source, ...]:
        """Return a source of renewable electricity."""
        return (
            Source(
                name=name,
                bus=self.own_bus,
                available=self._yield_per_kw(site).times(self.capacity_kw * self.count * site.clock.step_h),
                cost=Series(self.variable_cost_per_kwh),
                co2_kg=Series(self.co2_kg_per_kwh),
                role=Role.SKY,
            ),
        )

    def _yield_per_kw(self, site: Site) -> Series:
        if self.profile is not None:
            return site.shares(self.profile, "profile")
        wind, curve = site.wind_speed_m_s("profile"), self.power_curve
        height, exponent = self.hub_height_m, self.roughness_exponent
        return site.once(("wind yield", curve, height, exponent), lambda: wind_yield(wind, curve, height, exponent))
