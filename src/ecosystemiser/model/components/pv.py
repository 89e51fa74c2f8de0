"""Photovoltaics."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.components.base import PowerSized, Site
from ecosystemiser.model.fields import Kw, SeriesSpec, Share, Years
from ecosystemiser.model.kinds import Role, Series, Source
from ecosystemiser.units import Carrier, Unit

__all__ = ["Pv"]


class Pv(PowerSized):
    """Modules with their inverter: gives at most `capacity_kw` times the yield of the hour; the rest is curtailed."""

    carrier: ClassVar[Carrier] = Carrier.ELECTRICITY

    type: Literal["pv"]
    capacity_kw: Kw
    """Peak power of one unit under standard test conditions. [kW]"""
    profile: SeriesSpec | None = None
    """AC kW per kW of peak power by hour; if left out, computed by pvlib from the site's weather."""
    tilt_deg: Annotated[float, Field(ge=0, le=90), Unit("deg")] = 30.0
    """Tilt from horizontal, used where no profile is given. [deg]"""
    azimuth_deg: Annotated[float, Field(ge=0, le=360), Unit("deg")] = 180.0
    """Direction it faces, clockwise from north; used where no profile is given. [deg]"""
    losses: Share = 0.14
    """Soiling, wiring, mismatch, downtime (PVWatts' default); used where no profile is given."""
    lifetime_years: Years = 25.0
    """Years until it is replaced."""

    @property
    def size_kw(self) -> float:
        return self.capacity_kw

    def kinds(self, name: str, site: Site) -> tuple[Source, ...]:
        """Return a source of renewable electricity."""
        per_kw = self._yield_per_kw(site)
        return (
            Source(
                name=name,
                bus=self.own_bus,
                available=per_kw.times(self.capacity_kw * self.count * site.clock.step_h),
                cost=Series(self.variable_cost_per_kwh),
                co2_kg=Series(self.co2_kg_per_kwh),
                role=Role.SUN,
            ),
        )

    def _yield_per_kw(self, site: Site) -> Series:
        if self.profile is None:
            return site.pv_yield(self.tilt_deg, self.azimuth_deg, self.losses, "profile")
        geometry = self.model_fields_set & {"tilt_deg", "azimuth_deg", "losses"}
        if geometry:
            key = min(geometry)
            raise InputError(
                [Finding("has no effect beside a profile", f"remove {key} or remove profile", key, getattr(self, key))]
            )
        return site.shares(self.profile, "profile")
