"""The cash flow of an investment as bars and a line."""

import pytest

from ecosystemiser import charts
from ecosystemiser.errors import InputError
from ecosystemiser.results.investment import CashYear, InvestmentCase

WITH = InvestmentCase(
    (CashYear(0, capital=-100.0, subsidy=20.0), CashYear(1, purchases=-10.0, sales=5.0), CashYear(2, purchases=-10.0)),
    discount_rate=0.25,
    currency="EUR",
)
WITHOUT = InvestmentCase((CashYear(0), CashYear(1, purchases=-90.0), CashYear(2, purchases=-90.0)), 0.25, "EUR")


def drawn(figure):
    return {trace.name: list(trace.y) for trace in figure.data}


def test_each_part_is_a_bar_of_its_year_and_the_line_is_what_it_comes_to():
    """-80; -80 - 5 / 1.25 = -84; -84 - 10 / 1.5625 = -90.4."""
    found = drawn(charts.cash_flow(WITH))
    assert found["capital"] == [-100, 0, 0]
    assert found["subsidy"] == [20, 0, 0]
    assert found["purchases"] == [0, -10, -10]
    assert found["sales"] == [0, 5, 0]
    assert "replacement" not in found  # nothing is replaced
    assert found["all so far, discounted"] == pytest.approx([-80, -84, -90.4])


def test_over_a_baseline_a_ring_stands_where_it_has_paid_itself_back():
    """-80, then 85 / 1.25 = 68: -12; then 80 / 1.5625 = 51.2: 39.2. Paid back 12 / 51.2 of a year after the first."""
    figure = charts.cash_flow(WITH, WITHOUT)
    found = drawn(figure)
    assert found["gain over the baseline so far, discounted"] == pytest.approx([-80, -12, 39.2])
    (ring,) = [trace for trace in figure.data if trace.name.startswith("paid back")]
    assert ring.name == "paid back after 1.2 years"
    assert list(ring.x) == pytest.approx([1 + 12 / 51.2])
    words = charts.paid_back(WITH, WITHOUT)
    assert words.startswith("Net present value over the baseline 39 EUR, internal rate of return ")
    assert words.endswith("paid back after 1.2 years (discounted).")


def test_what_never_pays_itself_back_has_no_ring():
    worse = charts.cash_flow(WITHOUT, WITH)
    assert not any(trace.name.startswith("paid back") for trace in worse.data if trace.name)
    dear = InvestmentCase((CashYear(0, capital=-1e6), CashYear(1), CashYear(2)), 0.25, "EUR")
    assert "never paid back" in charts.paid_back(dear, WITHOUT)


def test_cases_of_other_lengths_are_not_drawn_over_each_other():
    longer = InvestmentCase((*WITHOUT.years, CashYear(3)), 0.25, "EUR")
    with pytest.raises(InputError, match="counts otherwise than the run"):
        charts.cash_flow(WITH, longer)
