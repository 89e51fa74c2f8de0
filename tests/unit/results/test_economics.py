"""The formulas of an investment: by hand, against numpy-financial, and what must hold of any cash flow."""

from pathlib import Path

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosystemiser.results import economics
from ecosystemiser.results.economics import (
    discounted_payback,
    internal_rate_of_return,
    levelised_cost,
    loan_payment,
    present_value,
    replacement_years,
    salvage_value,
    simple_payback,
)

MONEY = st.floats(-1e6, 1e6).map(lambda value: round(value, 2))
GAINS = st.integers(0, 10_000_000).map(lambda cents: cents / 100)
RATES = st.sampled_from([0.0, 0.01, 0.05, 0.12, 0.4])


def test_a_worked_example_of_the_textbook():
    """Brealey, Myers, Allen, Principles of Corporate Finance: -4,000, +2,000, +4,000.

    (1 + r) is the positive root of 4 x^2 - 2 x - 4 = 0: (1 + sqrt(17)) / 4, so r = 28.08 %. At 10 %:
    -4,000 + 2,000 / 1.1 + 4,000 / 1.21 = 1,123.97.
    """
    cash = [-4000.0, 2000.0, 4000.0]
    assert internal_rate_of_return(cash) == pytest.approx((1 + 17**0.5) / 4 - 1, abs=1e-9)
    assert round(present_value(0.10, cash), 2) == 1123.97
    assert simple_payback(cash) == 1.5  # 2,000 are left after a year, half of the second year's 4,000


@given(cash=st.lists(MONEY, min_size=2, max_size=30), rate=RATES)
def test_present_values_are_those_of_numpy_financial(cash, rate):
    assert present_value(rate, cash) == pytest.approx(npf.npv(rate, cash), rel=1e-9, abs=1e-6)


@given(price=st.floats(10, 1e6), gains=st.lists(GAINS, min_size=1, max_size=30))
def test_rates_of_return_are_those_of_numpy_financial(price, gains):
    """An investment and what it brings have one rate at most."""
    cash = [-price, *gains]
    rate, theirs = internal_rate_of_return(cash), npf.irr(cash)
    if rate is None:
        assert np.isnan(theirs) or not -0.98 < theirs < 9.9
    elif -0.5 < rate < 5:
        assert rate == pytest.approx(theirs, abs=1e-6)
        assert present_value(rate, cash) == pytest.approx(0.0, abs=1e-6 * price)


@given(principal=st.floats(1, 1e6), rate=RATES, years=st.integers(1, 40))
def test_payments_are_those_of_numpy_financial_and_repay_the_loan(principal, rate, years):
    payment = loan_payment(principal, rate, years)
    assert payment == pytest.approx(-npf.pmt(rate, years, principal), rel=1e-9)
    assert present_value(rate, [0.0, *[payment] * years]) == pytest.approx(principal, rel=1e-9)


@pytest.mark.parametrize("cash", [[1.0, 2.0], [-1.0, -2.0], [], [0.0, 0.0], [-100.0, 0.5]])
def test_what_has_no_rate_of_return_has_none(cash):
    assert internal_rate_of_return(cash) is None


def test_of_several_rates_the_nearest_to_zero_is_taken():
    """-1,000 + 3,600 x - 4,310 x^2 + 1,716 x^3 = 0 at x = 1 / 1.1, 1 / 1.2 and 1 / 1.3."""
    cash = np.polynomial.polynomial.polyfromroots([1 / 1.1, 1 / 1.2, 1 / 1.3]).tolist()
    assert internal_rate_of_return(cash) == pytest.approx(0.1, abs=1e-9)


@pytest.mark.parametrize(
    ("cash", "rate", "years"),
    [
        ([-100.0, 25.0, 25.0, 25.0, 25.0], 0.0, 4.0),
        ([-100.0, 40.0, 40.0, 40.0], 0.0, 2.5),
        ([-100.0, 110.0], 0.1, 1.0),
        ([-100.0, 60.0, 60.0], 0.1, 1 + (100 - 60 / 1.1) / (60 / 1.21)),
        ([-100.0, 10.0], 0.0, None),
        ([50.0, -10.0, 10.0], 0.0, 0.0),
        ([-100.0, 120.0, -60.0, 30.0, 30.0], 0.0, 3 + 10 / 30),  # a replacement brings it below once more
        ([], 0.0, 0.0),
    ],
)
def test_paybacks(cash, rate, years):
    found = discounted_payback(rate, cash)
    assert found is None if years is None else found == pytest.approx(years)


@pytest.mark.parametrize(
    ("lifetime", "project", "years", "left"),
    [
        (25.0, 20, [], 20.0),  # 5 of 25 years
        (20.0, 20, [], 0.0),
        (15.0, 20, [15], 100 * 10 / 15),
        (10.0, 20, [10], 0.0),
        (7.5, 20, [8, 15], 100 * 2.5 / 7.5),
        (6.0, 20, [6, 12, 18], 100 * 4 / 6),
        (0.5, 2, [1, 1, 2], 0.0),
        (1.0, 1, [], 0.0),
    ],
)
def test_replacements_and_what_is_left(lifetime, project, years, left):
    assert replacement_years(lifetime, project) == years
    assert salvage_value(100.0, lifetime, project) == pytest.approx(left, abs=1e-9)


def test_a_levelised_cost_is_the_price_at_which_nothing_is_gained():
    """1,000 at the start, 50 a year, 400 kWh a year, 10 years at 5 %."""
    costs, amounts = [1000.0, *[50.0] * 10], [0.0, *[400.0] * 10]
    price = levelised_cost(0.05, costs, amounts)
    assert price == pytest.approx((1000 * 0.05 / (1 - 1.05**-10) + 50) / 400)
    assert present_value(0.05, [price * a - c for a, c in zip(amounts, costs, strict=True)]) == pytest.approx(
        0, abs=1e-9
    )
    assert levelised_cost(0.05, costs, [0.0] * 11) is None


def test_every_formula_stands_in_the_documentation_with_its_source():
    text = (Path(__file__).parents[3] / "docs" / "economics.md").read_text("utf-8")
    sections = {line.removeprefix("### `").removesuffix("`"): at for at, line in enumerate(text.splitlines())}
    lines = text.splitlines()
    for name in economics.__all__:
        assert name in sections, name
        body = " ".join(lines[sections[name] + 1 : sections[name] + 14]).partition("###")[0]
        assert "Source:" in body, name
