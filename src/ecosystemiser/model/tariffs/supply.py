"""From a tariff to what solvers and bills know: prices by step, and meters that gather over months and years."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.clock import Clock
from ecosystemiser.model.fields import PriceSpec
from ecosystemiser.model.kinds import Floats, Meter, MeterKind, Series
from ecosystemiser.model.tariffs.fields import DemandCharge, NetMetering, Settlement, Tariff
from ecosystemiser.model.tariffs.hours import steps_within

__all__ = ["Ask", "Supply", "supply_of"]

Ints = NDArray[np.int64]

MOST_PRICES = 100
"""Different prices within which net metering sets off; more are a price by hour, where nothing would be set off."""


class Site(Protocol):
    """What is asked of the place; see `components.base.Site`."""

    @property
    def clock(self) -> Clock:
        """The hours of the run."""

    def price(self, spec: PriceSpec, key: str) -> Series:
        """Return prices per kWh (m3) by step."""

    def once(self, follows_from: tuple[object, ...], make: Callable[[], Floats]) -> Series:
        """Return the series that follows from what is given."""


@dataclass(frozen=True)
class Ask:
    """What an exchange says of its prices."""

    import_price: PriceSpec
    import_key: str
    """The field's name, for errors."""
    export_price: PriceSpec = 0.0
    export_key: str = ""
    count: int = 1
    """Connections, each with its fixed charges."""


@dataclass(frozen=True, eq=False)
class Supply:
    """What an amount bought or sold costs and earns at once, and what meters bill besides."""

    import_price: Series
    export_price: Series
    meters: tuple[Meter, ...] = ()


def supply_of(tariff: Tariff | None, ask: Ask, site: Site) -> Supply:
    """Return the prices and meters of an exchange. Raises InputError with keys relative to the component.

    Tax is part of every price of what is bought. The first tier's price is part of the price of an amount, so that a
    solver that plans hour by hour sees it; meters bill what differs from that. Under net metering an amount sold earns
    what one bought in the same hour costs, and a meter takes back what surplus earns less.
    """
    price = site.price(ask.import_price, ask.import_key)
    export = site.price(ask.export_price, ask.export_key)
    if tariff is None:
        return Supply(price, export)
    tiers = tariff.steps_of_price
    price = _with_fees(price, tariff.fees + (tiers[0].price if tiers else 0.0), ask.import_price, site)
    price = price.times(1.0 + tariff.tax_share)
    bill = _Bill(tariff, site, ask.count)
    meters = [*bill.standing(), *bill.peaks()]
    if tariff.netting is None:
        meters += bill.tiers()
    else:
        meters.append(bill.netting(tariff.netting, ask, price))
        export = price
    return Supply(price, export, (*meters, *bill.minimum()))


def _with_fees(price: Series, fees: float, spec: PriceSpec, site: Site) -> Series:
    if price.shape is None:
        return Series(price.scale + fees)
    if fees == 0:
        return price
    shape, scale = price.shape, price.scale
    return site.once(("with fees", spec, fees), lambda: scale * shape + fees)


class _Bill:
    """The meters of a tariff."""

    def __init__(self, tariff: Tariff, site: Site, count: int) -> None:
        self._tariff, self._site, self._clock, self._count = tariff, site, site.clock, count
        self._taxed = 1.0 + tariff.tax_share
        self._months = tuple(range(len(site.clock.month_shares)))

    def standing(self) -> Iterator[Meter]:
        yield from self._monthly(MeterKind.STANDING, self._tariff.fixed_per_month)

    def minimum(self) -> Iterator[Meter]:
        yield from self._monthly(MeterKind.MINIMUM, self._tariff.minimum_per_month)

    def _monthly(self, kind: MeterKind, amount: float) -> Iterator[Meter]:
        if amount:
            whole = amount * self._count * self._taxed
            prices = tuple([(whole * share,) for share in self._clock.month_shares.tolist()])
            yield Meter(kind, self._months, prices, ((),) * len(prices))

    def tiers(self) -> Iterator[Meter]:
        """Yield what tiers cost beyond the price of the first."""
        tiers = self._tariff.steps_of_price
        if len(tiers) < 2:
            return
        shares, months, groups = _settlement(self._tariff.tiers_settle, self._site)
        bounds = tuple([self._bounds(share) for share in shares.tolist()])
        yield Meter(MeterKind.SUM, months, (self._dearer(),) * len(months), bounds, groups)

    def _dearer(self) -> tuple[float, ...]:
        """Return what a unit of each tier costs more than one of the first."""
        tiers = self._tariff.steps_of_price
        return tuple([self._taxed * (tier.price - tiers[0].price) for tier in tiers])

    def _bounds(self, share: float) -> tuple[float, ...]:
        """Return where tiers end in a share of a month or year."""
        return tuple([share * (tier.up_to or 0.0) for tier in self._tariff.steps_of_price[:-1]])

    def netting(self, netting: NetMetering, ask: Ask, price: Series) -> Meter:
        """Return the meter that takes back what surplus was credited above its price, and bills tiers of what is left.

        Sales and purchases of one price in one month (year) are a group. Raises InputError.
        """
        site, tiers = self._site, self._tariff.steps_of_price
        levels, level = np.unique(price.values(site.clock.steps), return_inverse=True)
        _check_netting(netting, ask, self._tariff, levels)
        shares, months, spans = _settlement(netting.settle, site)
        span = np.zeros(site.clock.steps, dtype=np.int64) if spans is None else spans.astype(np.int64)
        found, groups = np.unique(span * len(levels) + level, return_inverse=True)
        has_tiers = len(tiers) > 1
        above = self._dearer() if has_tiers else (0.0,)
        lost = [float(netting.surplus_price_per_kwh - levels[one % len(levels)]) for one in found.tolist()]
        spans_of = [one // len(levels) for one in found.tolist()]
        return Meter(
            MeterKind.NET,
            tuple([months[one] for one in spans_of]),
            tuple([(each, *above) for each in lost]),
            tuple([(0.0, *(self._bounds(float(shares[one])) if has_tiers else ())) for one in spans_of]),
            groups.astype(np.float64),
        )

    def peaks(self) -> Iterator[Meter]:
        """Yield the demand charges. An amount in a step is a power (flow) times its hours."""
        for position, charge in enumerate(self._tariff.peaks):
            try:
                within = _steps_of(charge, self._clock)
            except InputError as error:
                place = f"tariff.demand_charges[{position}]"
                found = [Finding(f.message, f.remedy, f"{place}.{f.key}", f.value) for f in error.findings]
                raise InputError(found) from None
            groups = np.where(within, self._clock.months, -1)
            is_billed = np.bincount(self._clock.months[within], minlength=len(self._months)) > 0
            price = self._taxed * charge.price / self._clock.step_h
            shares = np.where(is_billed, self._clock.month_shares, 0.0).tolist()
            named = (charge.hours, charge.days, charge.months, *(charge.at or ()))
            yield Meter(
                MeterKind.PEAK,
                self._months,
                tuple([(price * share,) for share in shares]),
                ((),) * len(shares),
                self._site.once(("peaks", *named), partial(_as_floats, groups)).shape,
                floor=charge.least * self._clock.step_h,
                ratchet=charge.ratchet,
                ratchet_groups=charge.ratchet_months if charge.ratchet else 0,
            )


def _settlement(settle: Settlement, site: Site) -> tuple[Floats, tuple[int, ...], Floats | None]:
    """Return of each month or year its share in the run and on which month's bill it stands, and the steps' groups."""
    clock = site.clock
    if settle == "month":
        groups = site.once(("months of the run",), lambda: clock.months.astype(np.float64)).shape
        return clock.month_shares, tuple(range(len(clock.month_shares))), groups
    groups = site.once(("years of the run",), lambda: clock.years.astype(np.float64)).shape
    last = [int(clock.months[clock.years == year].max()) for year in range(len(clock.year_shares))]
    return clock.year_shares, tuple(last), groups


def _as_floats(groups: Ints) -> Floats:
    return groups.astype(np.float64)


def _steps_of(charge: DemandCharge, clock: Clock) -> NDArray[np.bool_]:
    """Return which steps count for a demand charge. (steps,)"""
    within = np.zeros(clock.steps, dtype=bool)
    within[steps_within(charge, clock)] = True
    if charge.at is None:
        return within
    named = np.zeros(clock.steps, dtype=bool)
    for position, text in enumerate(charge.at):
        try:
            moment = np.datetime64(datetime.fromisoformat(text).replace(tzinfo=None), "s")
        except ValueError:
            remedy = 'write local times as "2018-07-03 17:00", in quotes'
            raise InputError([Finding("is no time", remedy, f"at[{position}]", text)]) from None
        named |= (clock.local <= moment) & (moment < clock.local + np.timedelta64(clock.step_s, "s"))
    return within & named


def _check_netting(netting: NetMetering, ask: Ask, tariff: Tariff, levels: Floats) -> None:
    """Raise InputError where sales cannot be set off against purchases at these prices, lowest first."""
    key = "tariff.net_metering"
    if ask.export_price != 0:
        remedy = f"leave {ask.export_key} out, and say in surplus_price_per_kwh what surplus earns"
        raise InputError([Finding("goes with no export price", remedy, key)])
    if len(levels) > MOST_PRICES:
        remedy = f"give {ask.import_key} as a number or a time-of-use table, or sell at an export price"
        raise InputError([Finding(f"sets off within each price, and there are {len(levels)}", remedy, key)])
    if len(tariff.steps_of_price) > 1 and (len(levels) > 1 or tariff.tiers_settle != netting.settle):
        remedy = f"set tiers_settle to {netting.settle}, and give {ask.import_key} as one number"
        raise InputError([Finding("goes with tiers of the same settlement and one price only", remedy, key)])
    surplus = netting.surplus_price_per_kwh
    if surplus > levels[0]:
        remedy = f"take at most the lowest price bought at, with fees and tax: {levels[0]:g}"
        raise InputError([Finding("earns more than a purchase costs", remedy, f"{key}.surplus_price_per_kwh", surplus)])
