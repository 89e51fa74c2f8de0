"""A System: what a file describes, read, checked, with every series resolved. Knows nothing of solvers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from ecosystemiser.model.clock import Clock
from ecosystemiser.model.components import Component
from ecosystemiser.model.fields import ClosedModel
from ecosystemiser.model.kinds import Investment, Kind
from ecosystemiser.model.lanes import largest
from ecosystemiser.model.placed import Placed
from ecosystemiser.names import IDENTIFIER_RULE, is_identifier
from ecosystemiser.units import BUSES, Carrier, Unit

__all__ = ["Economics", "SiteSpec", "System", "SystemHead", "TimeSpec", "step_seconds"]

STEP_UNITS_S = {"h": 3600, "min": 60}
FIRST_YEAR, LAST_YEAR = 1900, 2200


class TimeSpec(ClosedModel):
    """The hours of a run."""

    start: date | datetime = date(2018, 1, 1)
    """First step's start, local to `timezone`; the packaged profiles are those of 2018."""
    step: str = "1h"
    """Length of a step, as "1h" or "15min"."""
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 8760
    """Number of steps."""
    timezone: str = "Europe/Berlin"
    """Whose clock tariffs and calendars follow."""
    holidays: Annotated[tuple[Annotated[date, Field(strict=False)], ...], Field(strict=False)] = ()
    """Days that tariffs count as `holiday`, as [2018-12-25, 2018-12-26]."""

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone; write an IANA name such as Europe/Berlin or UTC") from None
        return name

    @field_validator("step")
    @classmethod
    def _is_a_step(cls, text: str) -> str:
        seconds = step_seconds(text)
        if seconds is None or not (60 <= seconds <= 86_400) or 86_400 % seconds:
            raise ValueError('is no step that divides a day; write "1h" or "15min"')
        return text

    @field_validator("start")
    @classmethod
    def _is_in_our_time(cls, start: date | datetime) -> date | datetime:
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            message = f"is too far away; start in {FIRST_YEAR} to {LAST_YEAR}"
            raise ValueError(message)
        return start

    @model_validator(mode="after")
    def _starts_once(self) -> Self:
        if isinstance(self.start, datetime) and self.start.tzinfo is None:
            zone = ZoneInfo(self.timezone)
            instants = {self.start.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
            if len(instants) > 1:
                happens = "twice" if min(instants).astimezone(zone).replace(tzinfo=None) == self.start else "never"
                hour = f"{self.start:%Y-%m-%d %H:%M:%S}"
                message = f"start {hour} happens {happens} on the clock of {self.timezone}"
                message += f"; write it with its offset, as {hour}+01:00"
                raise ValueError(message)
        return self

    def clock(self, steps: int | None = None) -> Clock:
        """Return the clock of the run, or of its first `steps` steps."""
        seconds = step_seconds(self.step) or 0
        return Clock.from_local(
            self.start, seconds, self.steps if steps is None else steps, self.timezone, self.holidays
        )


def step_seconds(text: str) -> int | None:
    """Return the length of a step such as "1h" or "15min"; None for text that names none. [s]"""
    match = re.fullmatch(r"(\d{1,4})\s*(h|min)", text)
    return int(match[1]) * STEP_UNITS_S[match[2]] if match else None


class SiteSpec(ClosedModel):
    """Where the system stands and what weather it has."""

    latitude: Annotated[float, Field(ge=-90, le=90), Unit("deg")] | None = None
    """North is positive; by default that of the weather file. [deg]"""
    longitude: Annotated[float, Field(ge=-180, le=180), Unit("deg")] | None = None
    """East is positive; by default that of the weather file. [deg]"""
    weather: str | None = None
    """A packaged weather set, or the path of a TMY3, TM2, EPW, PVGIS or CSV file, relative to the system file."""
    leap_day: Literal["repeat"] | None = None
    """In a leap year: let 28 February stand for the day that weather of 365 days lacks."""


class Economics(ClosedModel):
    """What money means in this system."""

    currency: str = "EUR"
    """Word behind amounts of money; nothing is converted."""
    discount_rate: Annotated[float, Field(ge=0, lt=1), Unit("1/a")] = 0.05
    """Real rate at which capital is spread over a component's life."""
    project_years: Annotated[int, Field(ge=1, le=200), Unit("a")] = 20
    """Years over which an investment is judged."""
    co2_price_per_kg: Annotated[float, Field(ge=0), Unit("currency/kg")] = 0.0
    """Price of operational CO2; part of every solver's objective and of total_cost."""
    co2_limit_kg: Annotated[float, Field(ge=0), Unit("kg")] | None = None
    """Most total_co2 of the run; milp and hybrid keep it, the other solvers refuse it."""
    price_escalation_per_year: Annotated[float, Field(gt=-1, lt=1), Unit("1/a")] = 0.0
    """Real rise of what is bought and sold from year to year. This and what follows: of the investment case alone, not
    of total_cost."""
    subsidy_share: Annotated[float, Field(ge=0, le=1), Unit("1")] = 0.0
    """Share of the first investment that others pay."""
    loan_share: Annotated[float, Field(ge=0, le=1), Unit("1")] = 0.0
    """Share of what is left of it that is lent."""
    loan_rate: Annotated[float, Field(ge=0, lt=1), Unit("1/a")] = 0.0
    """Real interest of the loan."""
    loan_years: Annotated[int, Field(ge=1, le=200), Unit("a")] = 10
    """Years in which it is repaid, in equal payments; what is left at the project's end is repaid then."""


class SystemHead(ClosedModel):
    """All of a system file but its components."""

    system_id: str
    """Name under which its runs are found."""
    description: str = ""
    """One sentence for people."""
    time: TimeSpec = TimeSpec()
    """The hours of a run."""
    site: SiteSpec = SiteSpec()
    """Where it stands."""
    economics: Economics = Economics()
    """Money and CO2 price."""
    buses: dict[str, Annotated[Carrier, Field(strict=False)]] = Field(default={})
    """Buses of its own: name and carrier. Each carrier's own bus is always there."""

    @field_validator("system_id")
    @classmethod
    def _is_identifier(cls, text: str) -> str:
        if not is_identifier(text):
            raise ValueError(f"is no id; use {IDENTIFIER_RULE}")
        return text

    @field_validator("buses")
    @classmethod
    def _are_its_own(cls, buses: dict[str, Carrier]) -> dict[str, Carrier]:
        for name, carrier in buses.items():
            if BUSES.get(name, carrier) is not carrier:
                message = f"gives bus {name!r} another carrier; choose another name, {name!r} carries {BUSES[name]}"
                raise ValueError(message)
        return buses


@dataclass(frozen=True, eq=False)
class System:
    """A system of components on buses over the hours of a clock; checked and complete."""

    head: SystemHead
    clock: Clock
    placed: tuple[Placed, ...]
    """Every component with its kinds, absent ones (size 0) left out, in the order of the file."""
    buses: dict[str, Carrier]
    """The buses that something stands on."""
    file: Path | None = None

    @cached_property
    def components(self) -> dict[str, Component]:
        """Every component by name, in the order of the file."""
        return {placed.name: placed.component for placed in self.placed}

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """What the components are made of, in the same order; a kind bears its component's name."""
        return tuple([kind for placed in self.placed for kind in placed.kinds])

    @property
    def system_id(self) -> str:
        """Name under which its runs are found."""
        return self.head.system_id

    @property
    def economics(self) -> Economics:
        """Money and CO2 price."""
        return self.head.economics

    def investments(self) -> dict[str, Investment]:
        """Return what each component costs before it runs."""
        return {placed.name: placed.investment for placed in self.placed}

    def described(self) -> dict[str, object]:
        """Return everything that was asked, defaults filled in, as JSON can hold it."""
        head = self.head.model_dump(mode="json")
        components = {name: component.model_dump(mode="json") for name, component in self.components.items()}
        return {**head, "steps": self.clock.steps, "components": components}

    def end_price(self, bus: str) -> float | None:
        """Return what a unit missing from a storage on `bus` costs where it names no price; None: it must name one.

        The highest purchase price of the carrier in the run (heat and cold: of electricity or fuel).
        """
        carrier = self.buses[bus]
        prices = [price for other in _PRICED_BY.get(carrier, (carrier,)) for price in self._prices.get(other, ())]
        return largest(0.0, *prices) if prices else None

    @cached_property
    def _prices(self) -> dict[Carrier, list[float]]:
        """The highest price of each kind that buys, by carrier."""
        prices: dict[Carrier, list[float]] = {}
        for placed in self.placed:
            for reach in placed.reaches:
                if reach.links.buys:
                    prices.setdefault(self.buses[reach.links.bus], []).append(reach.dearest)
        return prices


_FUELS = (Carrier.ELECTRICITY, Carrier.GAS, Carrier.HYDROGEN)
_PRICED_BY = {carrier: (*_FUELS, carrier) for carrier in (Carrier.HEAT, Carrier.COOLING)}
"""Carriers whose prices tell what a missing unit costs, where they are not the unit's own."""
