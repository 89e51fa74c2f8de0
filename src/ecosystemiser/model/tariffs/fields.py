"""The vocabulary of a supplier's bill, as it is written in a system file beside the price of each kWh (m3)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecosystemiser.model.fields import (
    LARGEST,
    ClosedModel,
    HoursOfYear,
    Kw,
    M3PerH,
    MoneyPerKwh,
    MoneyPerKwMonth,
    MoneyPerM3,
    MoneyPerM3PerHMonth,
    MoneyPerMonth,
    Share,
)
from ecosystemiser.units import Unit

__all__ = [
    "DemandCharge",
    "ElectricityTariff",
    "EnergyDemandCharge",
    "EnergyTariff",
    "EnergyTier",
    "NetMetering",
    "Settlement",
    "Tariff",
    "Tier",
    "WaterDemandCharge",
    "WaterTariff",
    "WaterTier",
]

Settlement = Literal["month", "year"]


class DemandCharge(HoursOfYear):
    """A price of each month's peak, the largest mean of a step bought in these hours; a month without any has none."""

    at: list[str] | None = None
    """Local times such as "2018-07-03 17:00": only their steps count (a coincident peak). All steps if left out."""
    ratchet: Share = 0.0
    """So much of the highest peak of the months before is billed at least."""
    ratchet_months: Annotated[int, Field(ge=1, le=120)] = 11
    """How many months a ratchet looks back, within the run."""

    @property
    def price(self) -> float:
        """Per kW (m3/h) and month."""
        raise NotImplementedError

    @property
    def least(self) -> float:
        """The least peak that is billed. [kW or m3/h]"""
        raise NotImplementedError


class EnergyDemandCharge(DemandCharge):
    """A price of each month's peak power."""

    price_per_kw: MoneyPerKwMonth
    """Price of a kW of the month's peak; part of a month costs its share."""
    least_kw: Kw = 0.0
    """The least peak that is billed."""

    @property
    def price(self) -> float:
        """Price of a unit of it."""
        return self.price_per_kw

    @property
    def least(self) -> float:
        """The least that is billed."""
        return self.least_kw


class WaterDemandCharge(DemandCharge):
    """A price of each month's peak flow."""

    price_per_m3_per_h: MoneyPerM3PerHMonth
    """Price of a m3/h of the month's peak; part of a month costs its share."""
    least_m3_per_h: M3PerH = 0.0
    """The least peak that is billed."""

    @property
    def price(self) -> float:
        """Price of a unit of it."""
        return self.price_per_m3_per_h

    @property
    def least(self) -> float:
        """The least that is billed."""
        return self.least_m3_per_h


class Tier(ClosedModel):
    """A price of what is bought in a month (year) up to a bound, beyond the price by hour."""

    @property
    def price(self) -> float:
        """Per kWh (m3)."""
        raise NotImplementedError

    @property
    def up_to(self) -> float | None:
        """Where the next tier begins; None: nowhere. [kWh or m3]"""
        raise NotImplementedError


class EnergyTier(Tier):
    """A price of energy up to a bound."""

    price_per_kwh: float
    """Price of a kWh, added to the price by hour."""
    up_to_kwh: Annotated[float, Field(gt=0, le=LARGEST), Unit("kWh")] | None = None
    """Where the next tier begins; left out of the last one. Part of a month (year) has its share."""

    @property
    def price(self) -> float:
        """Price of a unit of it."""
        return self.price_per_kwh

    @property
    def up_to(self) -> float | None:
        """Where the next tier begins."""
        return self.up_to_kwh


class WaterTier(Tier):
    """A price of water up to a bound."""

    price_per_m3: float
    """Price of a m3, added to the price by hour."""
    up_to_m3: Annotated[float, Field(gt=0, le=LARGEST), Unit("m3")] | None = None
    """Where the next tier begins; left out of the last one. Part of a month (year) has its share."""

    @property
    def price(self) -> float:
        """Price of a unit of it."""
        return self.price_per_m3

    @property
    def up_to(self) -> float | None:
        """Where the next tier begins."""
        return self.up_to_m3


class NetMetering(ClosedModel):
    """What is sold is set off, kWh for kWh, against what is bought at the same price in the same month or year."""

    settle: Settlement = "year"
    """When what is left over is settled; a year ends with December, or with the run."""
    surplus_price_per_kwh: float = 0.0
    """What a kWh sold beyond what was bought earns; at most what a kWh bought costs."""


class Tariff(ClosedModel):
    """What a supplier bills beyond the price of each kWh (m3)."""

    tax_share: Share = 0.0
    """Tax on all that is bought and charged, as 0.19; what is sold is without."""
    fixed_per_month: MoneyPerMonth = 0.0
    """A fixed charge of each connection; part of a month costs its share."""
    minimum_per_month: MoneyPerMonth = 0.0
    """The least bill of a month, after what is sold; part of a month has its share."""
    tiers_settle: Settlement = "month"
    """Over what tiers count: each month, or each calendar year."""

    @property
    def fees(self) -> float:
        """Per kWh (m3) bought, before tax."""
        raise NotImplementedError

    @property
    def steps_of_price(self) -> list[Tier]:
        """The tiers, the first one first."""
        raise NotImplementedError

    @property
    def peaks(self) -> list[DemandCharge]:
        """The demand charges."""
        raise NotImplementedError

    @property
    def netting(self) -> NetMetering | None:
        """How sales are set off, if they are."""
        return None

    @model_validator(mode="after")
    def _tiers_rise(self) -> Self:
        bounds = [tier.up_to for tier in self.steps_of_price]
        if bounds and bounds[-1] is not None:
            raise ValueError("tiers end; leave the bound out of the last one")
        inner = [bound for bound in bounds[:-1] if bound is not None]
        if len(inner) < len(bounds) - 1 or any(after <= before for before, after in pairwise(inner)):
            raise ValueError("bounds of tiers do not rise; sort them and give all but the last one a bound")
        return self


class EnergyTariff(Tariff):
    """The bill of a supplier of gas or heat, beyond the price of each kWh."""

    fees_per_kwh: MoneyPerKwh = 0.0
    """Levies and grid fees of each kWh bought, before tax."""
    tiers: list[EnergyTier] = Field(default=[])
    """Prices that change with the amount, in order."""
    demand_charges: list[EnergyDemandCharge] = Field(default=[])
    """Prices of peaks; each is billed for itself."""

    @property
    def fees(self) -> float:
        """What each unit costs besides."""
        return self.fees_per_kwh

    @property
    def steps_of_price(self) -> list[Tier]:
        """The tiers."""
        return [*self.tiers]

    @property
    def peaks(self) -> list[DemandCharge]:
        """The demand charges."""
        return [*self.demand_charges]


class ElectricityTariff(EnergyTariff):
    """The bill of a supplier of electricity, beyond the price of each kWh."""

    net_metering: NetMetering | None = None
    """How sales are set off against purchases, instead of an export price."""

    @property
    def netting(self) -> NetMetering | None:
        """The net metering."""
        return self.net_metering


class WaterTariff(Tariff):
    """The bill of a supplier of water, beyond the price of each m3."""

    fees_per_m3: MoneyPerM3 = 0.0
    """Levies of each m3 bought, before tax."""
    tiers: list[WaterTier] = Field(default=[])
    """Prices that change with the amount, in order."""
    demand_charges: list[WaterDemandCharge] = Field(default=[])
    """Prices of peaks; each is billed for itself."""

    @property
    def fees(self) -> float:
        """What each unit costs besides."""
        return self.fees_per_m3

    @property
    def steps_of_price(self) -> list[Tier]:
        """The tiers."""
        return [*self.tiers]

    @property
    def peaks(self) -> list[DemandCharge]:
        """The demand charges."""
        return [*self.demand_charges]
