"""Numbers as people read them, and the units of axes."""

import pytest

from ecosystemiser.charts import numbers


def test_energies_are_shown_in_the_unit_that_leaves_few_digits() -> None:
    assert numbers.scale_of("kWh", [1.0, 9_999.0]) == numbers.Scale(1.0, "kWh")
    scale = numbers.scale_of("kWh", [None, 45_000.0, float("nan")], [-120_000.0])
    assert scale == numbers.Scale(1000.0, "MWh")
    assert scale.of([45_000.0]).tolist() == [45.0]
    assert numbers.scale_of("kWh", [3e7]).unit == "GWh"


def test_shares_are_shown_in_per_cent_and_money_in_its_currency() -> None:
    assert numbers.scale_of("share", [0.4]).of([0.4]).tolist() == pytest.approx([40.0])
    assert numbers.unit_name("share") == "%"
    assert numbers.unit_name("currency", "EUR") == "EUR"
    assert numbers.unit_name("m3") == "m³"
    assert numbers.unit_name("1") == ""


def test_nothing_to_show_has_a_scale_too() -> None:
    assert numbers.scale_of("kWh") == numbers.Scale(1.0, "kWh")


def test_every_axis_names_its_unit() -> None:
    assert numbers.axis_title("power", "kW") == "power [kW]"
    assert numbers.axis_title("cycles", "") == "cycles [1]"


def test_text_of_people_is_no_markup() -> None:
    assert numbers.plain("<img src=x onerror=alert(1)>") == "&lt;img src=x onerror=alert(1)&gt;"
    assert numbers.plain("a\nb\x00c & <b>") == "a b c &amp; &lt;b&gt;"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234.5, "kWh", "+1,230 kWh"),
        (-1234.5, "currency", "\N{MINUS SIGN}1,230 EUR"),
        (0.0, "kWh", "0 kWh"),
        (None, "kWh", numbers.NOTHING),
        (0.05, "share", "+5.00 pp"),
    ],
)
def test_differences_have_a_sign(value: float | None, unit: str, text: str) -> None:
    assert numbers.difference(value, unit, "EUR") == text


def test_relative_differences() -> None:
    assert numbers.relative(0.5) == "+50.0 %"
    assert numbers.relative(-0.001) == "\N{MINUS SIGN}0.10 %"
    assert numbers.relative(0.0) == "0 %"
    assert numbers.relative(None) == numbers.NOTHING
