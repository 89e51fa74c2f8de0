"""The hours of a run, worked out from calendars on paper."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from ecosystemiser.model.clock import Clock

HOUR = 3600
BERLIN = "Europe/Berlin"


def berlin(start, steps, step_s=HOUR):
    return Clock.from_local(start, step_s, steps, BERLIN)


@pytest.mark.parametrize(
    ("start", "zone", "utc"),
    [
        (date(2018, 1, 1), BERLIN, datetime(2017, 12, 31, 23, tzinfo=UTC)),
        (date(2018, 7, 1), BERLIN, datetime(2018, 6, 30, 22, tzinfo=UTC)),
        (datetime.fromisoformat("2018-07-01T12:30"), BERLIN, datetime(2018, 7, 1, 10, 30, tzinfo=UTC)),
        (datetime(2018, 1, 1, tzinfo=UTC), BERLIN, datetime(2018, 1, 1, tzinfo=UTC)),
        (
            datetime(2018, 1, 1, tzinfo=timezone(timedelta(hours=-5))),
            BERLIN,
            datetime(2018, 1, 1, 5, tzinfo=UTC),
        ),
        (date(2018, 1, 1), "Asia/Kolkata", datetime(2017, 12, 31, 18, 30, tzinfo=UTC)),
    ],
)
def test_a_start_without_zone_is_local_and_one_with_zone_an_instant(start, zone, utc):
    """Berlin is UTC+1 in winter and UTC+2 in summer, Kolkata UTC+5:30."""
    assert Clock.from_local(start, HOUR, 1, zone).start_utc == utc


@pytest.mark.parametrize(
    ("year", "step_s", "steps"),
    [
        (2018, 3600, 8760),
        (2020, 3600, 8784),
        (2018, 900, 35_040),
        (2020, 900, 35_136),
        (2018, 86_400, 365),
        (2020, 86_400, 366),
        (1900, 3600, 8760),
        (2000, 3600, 8784),
    ],
)
def test_steps_of_a_year(year, step_s, steps):
    """365 or 366 days of 24 hours; 1900 was no leap year, 2000 was one."""
    clock = berlin(date(year, 1, 1), 1, step_s)
    assert (clock.year, clock.steps_per_year, clock.first_step_of_year) == (year, steps, 0)


def test_step_length_in_hours():
    assert berlin(date(2018, 1, 1), 1, 900).step_h == 0.25
    assert berlin(date(2018, 1, 1), 1, 86_400).step_h == 24


@pytest.mark.parametrize(
    ("start", "position"),
    [
        (date(2018, 1, 2), 24),
        (date(2018, 3, 26), 2015),
        (date(2018, 7, 1), 4343),
        (date(2018, 11, 1), 7296),
        (datetime.fromisoformat("2018-12-31T23:00"), 8759),
        (date(2020, 3, 1), 1440),
    ],
)
def test_position_in_the_year_is_counted_in_standard_time(start, position):
    """1 January to 1 July are 181 days; midnight of summer time is 23:00 of standard time: 181 x 24 - 1.

    26 March is day 84, its midnight the first of summer time: 84 x 24 - 1 = 2015. 1 November is day 304,
    again in standard time: 7296. In a leap year 1 March is day 60: 1440.
    """
    assert berlin(start, 1).first_step_of_year == position


def test_the_first_local_hour_of_a_southern_year_lies_in_the_year_before():
    """At New Year Sydney has summer time (UTC+11) and is an hour ahead of its standard time (UTC+10)."""
    clock = Clock.from_local(date(2018, 1, 1), HOUR, 8760, "Australia/Sydney")
    assert clock.start_utc == datetime(2017, 12, 31, 13, tzinfo=UTC)
    assert clock.standard_offset == timedelta(hours=10)
    assert (clock.year, clock.first_step_of_year, clock.year_share) == (2018, -1, pytest.approx(1, abs=1e-15))
    assert clock.new_year_utc - clock.local_new_year_utc == timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        (BERLIN, 1),
        ("Europe/London", 0),
        ("Europe/Dublin", 0),
        ("America/New_York", -5),
        ("Australia/Sydney", 10),
        ("Asia/Kolkata", 5.5),
        ("UTC", 0),
        ("Australia/Lord_Howe", 10.5),
    ],
)
def test_standard_time_is_the_clock_without_daylight_saving(zone, hours):
    clock = Clock.from_local(date(2018, 7, 1), HOUR, 1, zone)
    assert clock.standard_offset == timedelta(hours=hours)


def test_a_step_past_the_spring_change_has_no_local_hour_two():
    """On 2018-03-25 at 01:00 UTC the clock goes from 02:00 to 03:00: the day has 23 hours."""
    clock = berlin(date(2018, 3, 25), 24)
    assert clock.local_hours[:5].tolist() == [0, 1, 3, 4, 5]
    assert clock.local_hours[22] == 23
    assert clock.local[23] == np.datetime64("2018-03-26T00:00:00")
    assert clock.utc[2] == np.datetime64("2018-03-25T01:00:00")


def test_the_autumn_change_repeats_local_hour_two():
    """On 2018-10-28 at 01:00 UTC the clock goes from 03:00 back to 02:00: the day has 25 hours."""
    clock = berlin(date(2018, 10, 28), 26)
    assert clock.local_hours[:6].tolist() == [0, 1, 2, 2, 3, 4]
    assert clock.local_hours[24] == 23
    assert clock.local[25] == np.datetime64("2018-10-29T00:00:00")
    assert np.all(np.diff(clock.utc) == np.timedelta64(3600, "s"))


def test_quarter_hours_over_the_autumn_change():
    """From 02:45 summer time the next quarter is 02:00 standard time."""
    clock = berlin(datetime(2018, 10, 28, 0, 15, tzinfo=UTC), 5, 900)
    assert clock.local_hours.tolist() == [2.25, 2.5, 2.75, 2.0, 2.25]


@pytest.mark.parametrize("step_s", [60, 900, 3600, 10_800, 86_400])
def test_local_time_is_what_the_zone_says_at_every_step(step_s):
    """The offsets, looked up once a day, are those that Python finds for each instant."""
    from zoneinfo import ZoneInfo

    start = datetime(2018, 3, 23, tzinfo=UTC)
    clock = Clock(start, step_s, 4 * 86_400 // step_s, BERLIN)
    expected = [
        (start + timedelta(seconds=i * step_s)).astimezone(ZoneInfo(BERLIN)).replace(tzinfo=None)
        for i in range(clock.steps)
    ]
    assert clock.local.astype("datetime64[us]").tolist() == expected


def test_weekdays_of_2018():
    """1 January 2018 was a Monday, so was 31 December."""
    days = berlin(date(2018, 1, 1), 365, 86_400)
    assert days.local_weekdays[:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert berlin(date(2018, 12, 31), 1).local_weekdays.tolist() == [0]


def test_months_count_from_the_first_of_the_run():
    """From 31 October 22:00: two hours of month 0, then month 1; of the calendar (January 0) 9 and 10."""
    clock = berlin(datetime.fromisoformat("2018-10-31T22:00"), 26)
    assert clock.months.tolist() == [0, 0] + [1] * 24
    assert clock.local_months.tolist() == [9, 9] + [10] * 24


def test_months_go_on_over_new_year():
    """December, January, February: 0, 1, 2, while the calendar month starts again at 0."""
    clock = berlin(date(2018, 12, 1), 90, 86_400)
    assert clock.months[[0, 30, 31, 61, 62]].tolist() == [0, 0, 1, 1, 2]
    assert clock.local_months[[0, 31, 62]].tolist() == [11, 0, 1]


def test_months_of_a_full_year_have_the_hours_of_the_local_calendar():
    """March lacks an hour (743), October has one more (745)."""
    hours = np.bincount(berlin(date(2018, 1, 1), 8760).months)
    assert hours.tolist() == [744, 672, 743, 720, 744, 720, 744, 744, 720, 745, 720, 744]


@pytest.mark.parametrize(
    ("start", "steps", "share", "is_full"),
    [
        (date(2018, 1, 1), 8760, 1.0, True),
        (date(2018, 1, 1), 8759, 8759 / 8760, False),
        (date(2018, 1, 1), 168, 168 / 8760, False),
        (date(2018, 1, 1), 1, 1 / 8760, False),
        (date(2020, 1, 1), 8784, 1.0, True),
        (date(2020, 1, 1), 8760, 8760 / 8784, False),
        (date(2018, 1, 1), 17_520, 2.0, True),
        (date(2019, 12, 31), 48, 24 / 8760 + 24 / 8784, False),
        (date(2018, 7, 1), 8760, 1.0, True),
        (date(2019, 1, 1), 8760 + 8784, 2.0, True),
    ],
)
def test_share_of_the_calendar_years(start, steps, share, is_full):
    """Each year's hours count over that year's: 24 of 8760 in 2019 and 24 of 8784 in 2020."""
    clock = berlin(start, steps)
    assert clock.year_share == pytest.approx(share, rel=1e-14)
    assert clock.is_full_year is is_full


def test_first_steps_keep_the_start():
    clock = berlin(date(2018, 1, 1), 8760).first_steps(2)
    assert clock.steps == 2
    assert clock.utc.astype(str).tolist() == ["2017-12-31T23:00:00", "2018-01-01T00:00:00"]
