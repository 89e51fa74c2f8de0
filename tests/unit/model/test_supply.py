"""What a person may write of a supplier's bill, and what is told where it makes no sense."""

from datetime import date

import numpy as np
import pytest

from ecosystemiser.model.clock import Clock
from ecosystemiser.model.kinds import MeterKind

HOUSE = """
system_id: house
time: {{start: 2018-02-01, steps: 48{time}}}
components:
  grid:
    type: grid
    import_price_per_kwh: {price}
    {export}
    tariff: {tariff}
  house: {{type: electricity_demand, profile: [{load}]}}
"""
TWO_PRICES = '{default: 0.2, periods: [{price: 0.1, hours: "0-6"}]}'


def house(tariff="{}", price="0.2", export="", time=""):
    return HOUSE.format(tariff=tariff, price=price, export=export, time=time, load=", ".join(["1.0"] * 48))


def exchange_of(system):
    return system.kinds[0]


@pytest.mark.parametrize(
    ("fields", "key", "value", "message"),
    [
        ({"tariff": "{taxes: 0.1}"}, "tariff.taxes", None, "is not a known key"),
        ({"tariff": "{tax_share: 19}"}, "tariff.tax_share", 19, "is more than 1"),
        ({"tariff": "{fixed_per_month: -1}"}, "tariff.fixed_per_month", -1, "is negative"),
        ({"tariff": "{tiers: [{price_per_kwh: 0.1, up_to_kwh: 9}]}"}, "tariff", None, "tiers end"),
        (
            {"tariff": "{tiers: [{price_per_kwh: 1}, {price_per_kwh: 2}]}"},
            "tariff",
            None,
            "bounds of tiers do not rise",
        ),
        (
            {
                "tariff": "{tiers: [{price_per_kwh: 1, up_to_kwh: 9}, {price_per_kwh: 2, up_to_kwh: 9}, "
                "{price_per_kwh: 3}]}"
            },
            "tariff",
            None,
            "bounds of tiers do not rise",
        ),
        (
            {"tariff": '{demand_charges: [{price_per_kw: 1}, {price_per_kw: 1, hours: "25-26"}]}'},
            "tariff.demand_charges[1].hours",
            "25-26",
            "is no range of hours",
        ),
        (
            {"tariff": '{demand_charges: [{price_per_kw: 1, at: ["noon"]}]}'},
            "tariff.demand_charges[0].at[0]",
            "noon",
            "is no time",
        ),
        (
            {"tariff": "{net_metering: {}}", "export": "export_price_per_kwh: 0.1"},
            "tariff.net_metering",
            None,
            "export",
        ),
        (
            {"tariff": "{net_metering: {surplus_price_per_kwh: 0.15}}", "price": TWO_PRICES},
            "tariff.net_metering.surplus_price_per_kwh",
            0.15,
            "earns more than a purchase costs",
        ),
        (
            {
                "tariff": "{net_metering: {}, tiers: [{price_per_kwh: 0, up_to_kwh: 9}, {price_per_kwh: 1}]}",
            },
            "tariff.net_metering",
            None,
            "goes with tiers of the same settlement",
        ),
        (
            {"price": '{periods: [{price: 0.1, hours: "0-6"}]}'},
            "import_price_per_kwh.default",
            None,
            "has no price in 36 steps, the first on 2018-02-01 06:00",
        ),
    ],
)
def test_what_makes_no_sense_is_told_at_its_place(fields, key, value, message, findings_in):
    (finding,) = findings_in(house(**fields))
    assert finding.key == f"components.grid.{key}"
    assert message in finding.message
    assert finding.remedy
    assert value is None or finding.value == value


def test_a_price_by_hour_has_nothing_to_set_off_within(findings_in):
    text = house("{net_metering: {}}", price=str([0.1 + step / 1000 for step in range(120)]))
    text = text.replace("steps: 48", "steps: 120").replace(", ".join(["1.0"] * 48), ", ".join(["1.0"] * 120))
    (finding,) = findings_in(text)
    assert "there are 120" in finding.message


def test_periods_that_cover_all_hours_need_no_default(system_from):
    price = '{periods: [{price: 0.1, hours: "0-6"}, {price: 0.3, hours: "6-24"}]}'
    values = exchange_of(system_from(house(price=price))).import_price.values(48)
    assert values.tolist() == ([0.1] * 6 + [0.3] * 18) * 2


def test_fees_tax_and_the_first_tier_are_part_of_each_price(system_from):
    tariff = "{fees_per_kwh: 0.05, tax_share: 0.2, tiers: [{price_per_kwh: 0.01, up_to_kwh: 1}, {price_per_kwh: 0.03}]}"
    exchange = exchange_of(system_from(house(tariff, price=TWO_PRICES)))
    assert exchange.import_price.values(48)[[0, 6]] == pytest.approx([1.2 * 0.16, 1.2 * 0.26])
    (tiers,) = exchange.meters
    assert (tiers.kind, tiers.months) == (MeterKind.SUM, (0,))
    assert tiers.prices[0] == pytest.approx((0.0, 1.2 * 0.02))
    assert tiers.bounds[0] == pytest.approx((48 / 672,))


def test_under_net_metering_a_kwh_sold_earns_what_one_bought_costs(system_from):
    exchange = exchange_of(system_from(house("{tax_share: 0.1, net_metering: {}}", price=TWO_PRICES)))
    assert exchange.export_price is exchange.import_price
    (net,) = exchange.meters
    assert net.groups is not None
    assert net.groups[:7].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert [prices[0] for prices in net.prices] == pytest.approx([-0.11, -0.22])


@pytest.mark.parametrize(
    ("start", "steps", "zone", "months", "years"),
    [
        ("2018-03-01", 743, "Europe/Berlin", [1.0], [743 / 8760]),
        ("2018-01-31", 48, "Europe/Berlin", [24 / 744, 24 / 672], [48 / 8760]),
        ("2016-12-31", 48, "UTC", [24 / 744, 24 / 744], [24 / 8784, 24 / 8760]),
        ("2018-10-28", 25, "Europe/Berlin", [25 / 745], [25 / 8760]),
        ("2018-01-01", 8760, "Europe/Berlin", [1.0] * 12, [1.0]),
    ],
)
def test_shares_of_months_and_years_are_those_of_the_local_clock(start, steps, zone, months, years):
    clock = Clock.from_local(date.fromisoformat(start), 3600, steps, zone)
    assert clock.month_shares == pytest.approx(np.array(months))
    assert clock.year_shares == pytest.approx(np.array(years))
