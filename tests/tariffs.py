"""Tariffs whose bills were computed by hand: nothing can be shifted, so all plans are the same one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecosystemiser.results.bill import CostKind

__all__ = ["CASES", "FEBRUARY", "Case", "loads", "sun"]

FEBRUARY, MARCH, JANUARY = 672, 743, 744


def loads(base: float, steps: int, **hours: float) -> str:
    """Return a load of `base` kW with other powers in some steps, as h10=5."""
    values = np.full(steps, base)
    for name, power in hours.items():
        values[int(name[1:])] = power
    return str(values.tolist())


@dataclass(frozen=True)
class Case:
    """A tariff, what is bought under it, and its bill."""

    tariff: str
    load: str
    total: float
    start: str = "2018-02-01"
    price: str = "0.0"
    head: str = ""
    more: str = ""
    limit: str = ""
    lines: tuple[tuple[CostKind, float], ...] = ()

    def text(self) -> str:
        steps = self.load.count(",") + 1
        return f"""
system_id: bill
time: {{start: {self.start}, steps: {steps}{self.head}}}
components:
  grid:
    type: grid
    import_price_per_kwh: {self.price}
    {self.limit}
    tariff: {self.tariff}
  house: {{type: electricity_demand, profile: {self.load}}}
{self.more}
"""


def sun(power: float, first: int, last: int, steps: int) -> str:
    values = [power if first <= step < last else 0.0 for step in range(steps)]
    return f"  pv: {{type: source, bus: electricity, profile: {values}, power_kw: 1, renewable_share: 1}}"


QUARTER = JANUARY + FEBRUARY + MARCH
DAY_AND_NIGHT = '{default: 0.2, periods: [{price: 0.1, hours: "22-06"}]}'
BANDS = '{default: 0.1, periods: [{price: 0.3, hours: "12-24"}]}'
CASES = {
    # 744 kWh x (0.20 + 0.05) + 10, and 19 % tax on all of it
    "fees, a fixed charge and tax": Case(
        "{fees_per_kwh: 0.05, fixed_per_month: 10, tax_share: 0.19}",
        loads(1, JANUARY),
        (744 * 0.25 + 10) * 1.19,
        start="2018-01-01",
        price="0.2",
        lines=((CostKind.PURCHASE, 744 * 0.25 * 1.19), (CostKind.STANDING, 11.9)),
    ),
    # from Monday 24 December on: 24, 27 and 28 are working days, 12 dear hours each
    "holidays are no weekdays": Case(
        "{}",
        loads(1, 168),
        36 * 0.3 + 132 * 0.1,
        start="2018-12-24",
        price='{default: 0.1, periods: [{price: 0.3, hours: "8-20", days: mon-fri}]}',
        head=", holidays: [2018-12-25, 2018-12-26]",
    ),
    "holidays have a price of their own": Case(
        "{}",
        loads(1, 168),
        48 * 0.05 + 48 * 0.3 + 72 * 0.1,  # two holidays, the weekend, three working days
        start="2018-12-24",
        price="{default: 0.1, periods: [{price: 0.05, days: holiday}, {price: 0.3, days: 'sat,sun'}]}",
        head=", holidays: [2018-12-25, 2018-12-26]",
    ),
    # the day of 23 hours has 5 of the 6 hours to 6 o'clock, and two from 22 o'clock
    "the hour that summer time takes": Case("{}", loads(1, 23), 7 * 0.1 + 16 * 0.2, "2018-03-25", DAY_AND_NIGHT),
    "the hour that winter time gives": Case("{}", loads(1, 25), 9 * 0.1 + 16 * 0.2, "2018-10-28", DAY_AND_NIGHT),
    # March has 743 hours on the local clock, and is a whole month all the same
    "a month with the change of the clock": Case(
        "{fixed_per_month: 30, demand_charges: [{price_per_kw: 5}]}", loads(2, MARCH), 40.0, "2018-03-01"
    ),
    # 168 of January's 744 hours, 72 of February's 672
    "parts of months": Case(
        "{fixed_per_month: 31, demand_charges: [{price_per_kw: 10}]}",
        str([4.0] * 168 + [6.0] * 72),
        (31 + 40) * 168 / 744 + (31 + 60) * 72 / 672,
        start="2018-01-25",
    ),
    # Sunday the 4th at noon does not count, Tuesday the 6th at 10 does
    "a peak within hours": Case(
        '{demand_charges: [{price_per_kw: 12, hours: "8-20", days: mon-fri}]}',
        loads(1, FEBRUARY, h84=5, h130=3),
        36.0,
        lines=((CostKind.DEMAND, 36.0),),
    ),
    "two demand charges add up": Case(
        '{tax_share: 0.1, demand_charges: [{price_per_kw: 12, hours: "8-20", days: mon-fri}, {price_per_kw: 2}]}',
        loads(1, FEBRUARY, h84=5, h130=3),
        (36 + 10) * 1.1,
    ),
    # a charge of a season is not due in other months
    "a peak within a season": Case(
        "{demand_charges: [{price_per_kw: 5, months: feb-mar}]}",
        loads(1, QUARTER, h3=10, h800=4, h1500=6),
        5 * (4 + 6),
        start="2018-01-01",
    ),
    # peaks of 10, 4 and 6 kW: 0.8 of the highest before counts
    "a ratchet over a year": Case(
        "{demand_charges: [{price_per_kw: 5, ratchet: 0.8}]}",
        loads(1, QUARTER, h3=10, h800=4, h1500=6),
        5 * (10 + 8 + 8),
        start="2018-01-01",
    ),
    "a ratchet over one month": Case(
        "{demand_charges: [{price_per_kw: 5, ratchet: 0.8, ratchet_months: 1}]}",
        loads(1, QUARTER, h3=10, h800=4, h1500=6),
        5 * (10 + 8 + 6),
        start="2018-01-01",
    ),
    "a least peak": Case("{demand_charges: [{price_per_kw: 3, least_kw: 50}]}", loads(2, FEBRUARY), 150.0),
    "a least peak and a ratchet": Case(
        "{demand_charges: [{price_per_kw: 1, least_kw: 7, ratchet: 0.8}]}",
        loads(1, QUARTER, h3=10, h800=4, h1500=6),
        10 + 8 + 8,
        start="2018-01-01",
    ),
    # Tuesday the 6th, 17 to 18 o'clock: step 5 x 24 + 17
    "the supplier's own peak": Case(
        '{demand_charges: [{price_per_kw: 4, at: ["2018-02-06 17:30", "2019-02-06 17:30"]}]}',
        loads(1, FEBRUARY, h137=7, h138=9),
        28.0,
    ),
    "rising tiers": Case(
        "{tiers: [{price_per_kwh: 0.1, up_to_kwh: 200}, {price_per_kwh: 0.2, up_to_kwh: 500}, {price_per_kwh: 0.3}]}",
        loads(1, FEBRUARY),
        200 * 0.1 + 300 * 0.2 + 172 * 0.3,
    ),
    "falling tiers": Case(
        "{tiers: [{price_per_kwh: 0.3, up_to_kwh: 200}, {price_per_kwh: 0.2, up_to_kwh: 500}, {price_per_kwh: 0.1}]}",
        loads(1, FEBRUARY),
        200 * 0.3 + 300 * 0.2 + 172 * 0.1,
        limit="import_limit_kw: 2",
    ),
    "tiers of half a month": Case(
        "{tiers: [{price_per_kwh: 0.1, up_to_kwh: 200}, {price_per_kwh: 0.2, up_to_kwh: 500}, {price_per_kwh: 0.3}]}",
        loads(1, FEBRUARY // 2),
        100 * 0.1 + 150 * 0.2 + 86 * 0.3,
    ),
    # 1416 of 8760 hours of the year: its share of 5,000 kWh is reached
    "tiers of a year, on a price by hour, with tax": Case(
        "{tax_share: 0.2, tiers_settle: year, tiers: [{price_per_kwh: 0.1, up_to_kwh: 5000}, {price_per_kwh: 0.2}]}",
        loads(1, 31 * 24 + FEBRUARY),
        1.2 * (1416 * 0.05 + 1416 * 0.1 + (1416 - 5000 * 1416 / 8760) * 0.1),
        start="2018-01-01",
        price="0.05",
    ),
    # 272 hours bought, 400 sold: 128 kWh of surplus
    "net metering with a surplus": Case(
        "{net_metering: {settle: month, surplus_price_per_kwh: 0.05}}",
        loads(1, FEBRUARY),
        -128 * 0.05,
        price="0.3",
        more=sun(2, 0, 400, FEBRUARY),
        lines=((CostKind.PURCHASE, 272 * 0.3), (CostKind.REVENUE, -(272 * 0.3 + 128 * 0.05))),
    ),
    "net metering without a surplus": Case(
        "{tax_share: 0.1, net_metering: {settle: month}}",
        loads(1, FEBRUARY),
        (472 - 200) * 0.33,
        price="0.3",
        more=sun(2, 0, 200, FEBRUARY),
    ),
    "net metering settled by the month": Case(
        "{net_metering: {settle: month, surplus_price_per_kwh: 0.05}}",
        loads(1, FEBRUARY + MARCH),
        -128 * 0.05 + 743 * 0.3,
        price="0.3",
        more=sun(2, 0, 400, FEBRUARY + MARCH),
    ),
    "net metering settled by the year": Case(
        "{net_metering: {surplus_price_per_kwh: 0.05}}",
        loads(1, FEBRUARY + MARCH),
        (743 - 128) * 0.3,
        price="0.3",
        more=sun(2, 0, 400, FEBRUARY + MARCH),
    ),
    # 14 days of sun all day: within each price 168 hours sold, 168 bought in the other 14 days
    "net metering within each price": Case(
        "{net_metering: {settle: month, surplus_price_per_kwh: 0.02}}",
        str(([1.0] * 12 + [2.0] * 12) * 28),
        # before noon 168 h sell 1 kW and 168 h buy 1 kW; after noon nothing is sold and 168 h buy 2 kW
        168 * 2 * 0.3,
        price=BANDS,
        more=sun(2, 0, 336, FEBRUARY),
    ),
    # 472 kWh bought and 200 sold leave 272 for the tiers
    "net metering with tiers": Case(
        "{net_metering: {settle: month}, tiers: [{price_per_kwh: 0.1, up_to_kwh: 200}, {price_per_kwh: 0.3}]}",
        loads(1, FEBRUARY),
        200 * 0.3 + 72 * 0.5,
        price="0.2",
        more=sun(2, 0, 200, FEBRUARY),
    ),
    "a least bill": Case(
        "{minimum_per_month: 100}", loads(1, FEBRUARY), 100.0, price="0.1", lines=((CostKind.STANDING, 32.8),)
    ),
    "a least bill that is reached": Case("{minimum_per_month: 60}", loads(1, FEBRUARY), 67.2, price="0.1"),
    "a least bill of part of a month, with tax": Case(
        "{minimum_per_month: 100, fixed_per_month: 10, tax_share: 0.1}",
        loads(1, FEBRUARY // 4),
        25 * 1.1,
        price="0.1",
    ),
    "a least bill after what is sold": Case(
        "{minimum_per_month: 20, demand_charges: [{price_per_kw: 4}]}",
        loads(1, FEBRUARY + MARCH),
        # February: 27.2 + 4 bought, 40 sold; March: 74.3 + 4
        20 + 78.3,
        price="0.1",
        limit="export_price_per_kwh: 0.1",
        more=sun(2, 0, 400, FEBRUARY + MARCH),
    ),
    "two connections": Case(
        "{fixed_per_month: 10, minimum_per_month: 30}", loads(1, FEBRUARY), 60.0, price="0.05", limit="count: 2"
    ),
    "a second meter": Case(
        "{fixed_per_month: 10, demand_charges: [{price_per_kw: 1}]}",
        loads(1, FEBRUARY, h10=5),
        (67.2 + 0.4 + 10 + 5) + (134.4 * 0.5 + 7 + 2 * 2),
        price="0.1",
        head="}\nbuses: {barn_bus: electricity",
        more=(
            "  barn_grid: {type: grid, bus: barn_bus, import_price_per_kwh: 0.05,"
            " tariff: {fixed_per_month: 7, demand_charges: [{price_per_kw: 2}]}}\n"
            f"  barn: {{type: electricity_demand, bus: barn_bus, profile: {loads(2, FEBRUARY)}}}"
        ),
    ),
    "gas, heat and water": Case(
        "{}",
        loads(1, FEBRUARY),
        (1344 * 0.06 + 5 + 2 * 3) * 1.1 + 672 * 0.1 + 1 * 4 + (67.2 * 2 + 6 + 17.2 * 1 + 0.1 * 10),
        more=(
            "  gas: {type: gas_supply, price_per_kwh: 0.05, tariff: {tax_share: 0.1, fees_per_kwh: 0.01,"
            " fixed_per_month: 5, demand_charges: [{price_per_kw: 3}]}}\n"
            "  boiler: {type: gas_boiler, power_kw: 9, efficiency: 0.5}\n"
            f"  room: {{type: heat_demand, profile: {loads(1, FEBRUARY)}}}\n"
            "  network: {type: heat_grid, bus: low, price_per_kwh: 0.1,"
            " tariff: {demand_charges: [{price_per_kw: 4}]}}\n"
            f"  bath: {{type: heat_demand, bus: low, profile: {loads(1, FEBRUARY)}}}\n"
            "  mains: {type: water_grid, import_price_per_m3: 2, tariff: {fixed_per_month: 6,"
            " tiers: [{price_per_m3: 0, up_to_m3: 50}, {price_per_m3: 1}],"
            " demand_charges: [{price_per_m3_per_h: 10}]}}\n"
            f"  taps: {{type: water_demand, profile: {loads(0.1, FEBRUARY)}}}"
        ),
        head="}\nbuses: {low: heat",
    ),
    "steps of a quarter of an hour": Case(
        "{fixed_per_month: 28, demand_charges: [{price_per_kw: 5, least_kw: 1}]}",
        loads(1, 4 * 24, h10=3),
        (28 + 5 * 3) / 28 + (24 + 0.5) * 0.2,
        price="0.2",
        head=", step: 15min",
    ),
    "two years": Case(
        "{tiers_settle: year, tiers: [{price_per_kwh: 0, up_to_kwh: 3650}, {price_per_kwh: 0.1}]}",
        str([1.0] * 240 + [2.0] * 240),
        (240 - 100) * 0.1 + (480 - 100) * 0.1,
        start="2018-12-22",
    ),
}
