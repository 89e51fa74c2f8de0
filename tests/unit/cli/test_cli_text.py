"""Numbers and names as people read them."""

from __future__ import annotations

import math

import pytest

from ecosystemiser.cli.text import NOTHING, amount, duration, local_time, money, printable, share, sign, significant
from ecosystemiser.store.states import RunStatus


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-0.0, "0"),
        (21254.9, "21,300"),
        (-21254.9, "-21,300"),
        (999.6, "1,000"),
        (123.4, "123"),
        (80, "80.0"),
        (0.01234, "0.0123"),
        (1.2e-9, "1.20e-09"),
        (1234567890.0, "1,230,000,000"),
        (math.inf, "inf"),
    ],
)
def test_a_number_has_three_significant_digits_and_separated_thousands(value: float, shown: str) -> None:
    assert significant(value) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (9_999.0, "kWh", "10,000 kWh"),
        (10_000.0, "kWh", "10.0 MWh"),
        (55_762.4, "kWh", "55.8 MWh"),
        (-32_000_000.0, "kWh", "-32.0 GWh"),
        (60.45, "kW", "60.5 kW"),
        (22_047.4, "kg", "22,000 kg"),
        (12.3, "m3", "12.3 m³"),
        (290.4, "1", "290"),
        (0.4636, "share", "46.4 %"),
        (None, "kWh", NOTHING),
    ],
)
def test_an_amount_stands_in_the_unit_that_leaves_few_digits(value: float | None, unit: str, shown: str) -> None:
    assert amount(value, unit) == shown


def test_money_has_its_currency_where_it_is_known() -> None:
    assert (money(1190, "EUR"), money(1190, None), money(None, "EUR")) == ("1,190 EUR", "1,190", NOTHING)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 %"), (1e-16, "0 %"), (1e-6, "<0.01 %"), (0.00123, "0.12 %"), (0.129, "12.9 %"), (1, "100 %")],
)
def test_a_share_is_shown_in_per_cent(value: float, shown: str) -> None:
    assert share(value) == shown


def test_a_duration_is_shown_in_what_people_count_in() -> None:
    assert [duration(each) for each in (0.1234, 119, 150, 7300, None)] == [
        "0.123 s",
        "119 s",
        "2 min 30 s",
        "2 h 1 min",
        NOTHING,
    ]


def test_every_status_has_a_sign_of_its_own() -> None:
    signs = [sign(status) for status in RunStatus]
    assert len(set(signs)) == len(RunStatus)
    assert "?" not in signs


def test_what_could_steer_a_terminal_is_made_visible() -> None:
    assert printable("a\x1b[2Jb\nc\u202ed") == "a\\x1b[2Jb\\nc\\u202ed"


def test_a_time_that_is_none_is_shown_as_it_stands() -> None:
    assert local_time("no time") == "no time"
    assert local_time(None) == NOTHING
