"""Prices by hour, read off a clock by hand."""

from datetime import date, datetime

import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.clock import Clock
from ecosystemiser.model.fields import Period, TimeOfUse
from ecosystemiser.model.tariffs import time_of_use_prices

MONDAY = date(2018, 1, 1)
NAMES_OF_DAYS = "names are mon, tue, wed, thu, fri, sat, sun"
NAMES_OF_MONTHS = "names are jan, feb, mar, apr, may, jun, jul, aug, sep, oct, nov, dec"


def clock(start=MONDAY, steps=24, step_s=3600):
    return Clock.from_local(start, step_s, steps, "Europe/Berlin")


def hours_at(price_period, when):
    """Return the steps at which the price is 1 rather than 0."""
    tariff = TimeOfUse(default=0.0, periods=[Period(price=1.0, **price_period)])
    prices = time_of_use_prices(tariff, when)
    return [step for step, price in enumerate(prices) if price == 1.0]


def test_without_periods_the_default_holds():
    assert time_of_use_prices(TimeOfUse(default=0.28), clock(steps=3)).tolist() == [0.28, 0.28, 0.28]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("17-21", [17, 18, 19, 20]),
        ("22-06", [0, 1, 2, 3, 4, 5, 22, 23]),
        ("22-6", [0, 1, 2, 3, 4, 5, 22, 23]),
        ("0-24", list(range(24))),
        ("23-24", [23]),
        ("24-2", [0, 1]),
        ("22-0", [22, 23]),
        ("6-8,18-20", [6, 7, 18, 19]),
        (" 6 - 8 , 18-20 ", [6, 7, 18, 19]),
        ("07:30-10", [8, 9]),
        ("07:30-09:30", [8, 9]),
        ("5-8,7-9", [5, 6, 7, 8]),
    ],
)
def test_hours_end_before_their_end_and_may_pass_midnight(text, hours):
    """A step has the price that holds at its start: from 07:30 on that is 08:00, before 09:30 still 09:00."""
    assert hours_at({"hours": text}, clock()) == hours


def test_half_hours_are_read_in_shorter_steps():
    """07:30 is step 30 of quarter hours, 09:15 step 37."""
    assert hours_at({"hours": "07:30-09:15"}, clock(steps=96, step_s=900)) == [30, 31, 32, 33, 34, 35, 36]


def test_every_minute_of_a_day_is_a_boundary_to_the_minute():
    """A range of one minute holds in that minute's step and in no other."""
    day = clock(steps=1440, step_s=60)
    for minute in range(1439):
        first, last = (f"{at // 60:02}:{at % 60:02}" for at in (minute, minute + 1))
        assert hours_at({"hours": f"{first}-{last}"}, day) == [minute]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", [0, 1, 2, 3, 4]),
        ("sat,sun", [5, 6]),
        ("fri-mon", [0, 4, 5, 6]),
        ("wed", [2]),
        ("Mon - Wed , SUN", [0, 1, 2, 6]),
        ("mon-sun", [0, 1, 2, 3, 4, 5, 6]),
        ("tue-tue", [1]),
    ],
)
def test_days_of_the_week(text, days):
    """1 January 2018 was a Monday: day d of the run is weekday d."""
    assert hours_at({"days": text}, clock(steps=7, step_s=86_400)) == days


@pytest.mark.parametrize(
    ("text", "months"),
    [("nov-feb", [0, 1, 10, 11]), ("jun", [5]), ("mar,may-jun", [2, 4, 5]), ("jan-dec", list(range(12)))],
)
def test_months(text, months):
    """The first days of the twelve months of 2018 have the day numbers below."""
    first_days = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    year = clock(date(2018, 1, 1), 365 * 24)
    held = hours_at({"months": text}, year)
    assert [month for month, day in enumerate(first_days) if day * 24 + 12 in held] == months


def test_hours_days_and_months_hold_together():
    """Of Monday to Sunday, 0 to 48 h shown: Tuesday from 17 to 19 are steps 24 + 17 and 24 + 18."""
    assert hours_at({"hours": "17-19", "days": "tue", "months": "jan"}, clock(steps=48)) == [41, 42]
    assert hours_at({"hours": "17-19", "days": "tue", "months": "feb"}, clock(steps=48)) == []


def test_a_day_is_that_on_which_the_hour_lies():
    """ "fri" with "22-06" is Friday from 0 to 6 and from 22 to 24, not Saturday morning."""
    thursday = clock(date(2018, 1, 4), 72)
    assert hours_at({"hours": "22-06", "days": "fri"}, thursday) == [24, 25, 26, 27, 28, 29, 46, 47]


def test_a_later_period_wins():
    """0.28 all day, 0.18 from 22 to 6, then 0.38 from 5 to 7: at 5 the last one holds."""
    periods = [Period(price=0.18, hours="22-06"), Period(price=0.38, hours="5-7")]
    prices = time_of_use_prices(TimeOfUse(default=0.28, periods=periods), clock())
    assert prices[[0, 4, 5, 6, 7, 21, 22]].tolist() == [0.18, 0.18, 0.38, 0.38, 0.28, 0.28, 0.18]


def test_a_period_without_bounds_always_holds():
    assert hours_at({}, clock(steps=3)) == [0, 1, 2]


def test_a_negative_price_is_a_price():
    tariff = TimeOfUse(default=0.1, periods=[Period(price=-0.05, hours="1-2")])
    assert time_of_use_prices(tariff, clock(steps=3)).tolist() == [0.1, -0.05, 0.1]


def test_the_spring_day_has_no_hour_from_two_to_three():
    """2018-03-25 goes 0, 1, 3, 4: a price from 2 to 3 never holds, one from 1 to 4 holds in steps 1 and 2."""
    spring = clock(date(2018, 3, 25), 23)
    assert hours_at({"hours": "2-3"}, spring) == []
    assert hours_at({"hours": "1-4"}, spring) == [1, 2]
    assert hours_at({"hours": "22-24"}, spring) == [21, 22]


def test_the_autumn_day_has_two_hours_from_two_to_three():
    """2018-10-28 goes 0, 1, 2, 2, 3: a price from 2 to 3 holds in steps 2 and 3; 22 is step 23."""
    autumn = clock(date(2018, 10, 28), 25)
    assert hours_at({"hours": "2-3"}, autumn) == [2, 3]
    assert hours_at({"hours": "22-24"}, autumn) == [23, 24]


def test_the_local_clock_counts_not_utc():
    """17:00 in Berlin on 1 July is 15:00 UTC, the 16th step of a run from 0:00 UTC."""
    from datetime import UTC

    summer = Clock(datetime(2018, 7, 1, tzinfo=UTC), 3600, 24, "Europe/Berlin")
    assert hours_at({"hours": "17-18"}, summer) == [15]


@pytest.mark.parametrize(
    ("key", "text", "remedy"),
    [
        *(
            ("hours", text, 'write a range as "22-06" or "07:30-12", in quotes')
            for text in (
                "",
                "17",
                "17-",
                "-5",
                "17-21-23",
                "5pm-9pm",
                "17:5-18",
                "7:60-9",
                "7:75-9",
                "1-2,",
                "1.5-2",
                "17\N{EN DASH}21",
                "22:00:00-06:00:00",
                "100-101",
                "\N{ARABIC-INDIC DIGIT THREE}-4",
            )
        ),
        *(
            ("hours", text, "hours run from 0 to 24 and a range is not empty")
            for text in ("5-5", "0-25", "25-3", "24:01-3", "3-24:30", "1-2,7-7")
        ),
        *(
            ("days", text, f"write it as mon-fri or sat,sun,holiday; {NAMES_OF_DAYS}")
            for text in ("", "monday", "mon-", "mon-fri-sun", "mo-fr", "mon;tue", "weekend", "1-5", "mon,,tue")
        ),
        *(
            ("months", text, f"write it as nov-feb or jun; {NAMES_OF_MONTHS}")
            for text in ("", "june", "11-2", "nov-", "jan..mar", "winter", "jan,")
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(key, text, remedy):
    periods = [Period(price=1.0), Period(price=2.0, **{key: text})]
    with pytest.raises(InputError) as raised:
        time_of_use_prices(TimeOfUse(default=0.0, periods=periods), clock())
    (finding,) = raised.value.findings
    assert (finding.key, finding.value) == (f"periods[1].{key}", text)
    assert (finding.message, finding.remedy) == (f"is no range of {key}", remedy)


def test_every_unreadable_period_is_told_at_once():
    periods = [Period(price=1.0, hours="x"), Period(price=1.0), Period(price=1.0, days="x", months="x")]
    with pytest.raises(InputError) as raised:
        time_of_use_prices(TimeOfUse(default=0.0, periods=periods), clock())
    assert [finding.key for finding in raised.value.findings] == ["periods[0].hours", "periods[2].days"]
