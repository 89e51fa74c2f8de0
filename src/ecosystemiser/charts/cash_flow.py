"""What an investment costs and earns year by year, and when it has paid itself back."""

from __future__ import annotations

from itertools import accumulate

import plotly.graph_objects as go

from ecosystemiser.charts.bills import cost_colours
from ecosystemiser.charts.frame import NUMBERS, axis, figure
from ecosystemiser.charts.numbers import plain
from ecosystemiser.charts.tokens import Theme, mixed, tokens_of
from ecosystemiser.results import CASH_PARTS, CostKind, InvestmentCase, return_over

__all__ = ["cash_flow", "paid_back"]

_WORDS = {"sales": "sales", "loan": "loan and its repayment", "salvage": "what is left at the end"}


def cash_flow(case: InvestmentCase, baseline: InvestmentCase | None = None, *, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return two pictures above each other: what is paid (below zero) and received in each year, and the sum so far.

    The sum is discounted to the start. Over `baseline`, a case of the same currency and length, it is what the system
    has brought more than that one, and a ring stands where this comes to zero. Raises InputError for unlike cases.
    """
    currency, years = plain(case.currency), [year.year for year in case.years]
    shown = figure(theme, height=520, barmode="relative", bargap=0.25)
    for name, colour in _colours(theme).items():
        values = [float(getattr(year, name)) for year in case.years]
        if any(values):
            word = _WORDS.get(name, name)
            hover = f"year %{{x}}, {word}: %{{y:,.4~g}} {currency}<extra></extra>"
            shown.add_trace(go.Bar(x=years, y=values, name=word, marker={"color": colour}, hovertemplate=hover))
    cash = case.cash if baseline is None else return_over(case, baseline).cash
    word = "all so far" if baseline is None else "gain over the baseline so far"
    sums = list(accumulate(value / (1 + case.discount_rate) ** year for year, value in enumerate(cash)))
    tokens = tokens_of(theme)
    hover = f"year %{{x}}, {word}, discounted: %{{y:,.4~g}} {currency}<extra></extra>"
    line = go.Scatter(x=years, y=sums, name=f"{word}, discounted", mode="lines+markers", hovertemplate=hover)
    shown.add_trace(line.update(line={"color": tokens.text, "width": 2}, marker={"size": 4}, yaxis="y2"))
    payback = None if baseline is None else return_over(case, baseline).discounted_payback_years
    if payback is not None:
        ring = {"symbol": "circle-open", "size": 13, "color": tokens.accent, "line": {"width": 3}}
        told = f"paid back after {payback:.1f} years"
        shown.add_trace(
            go.Scatter(x=[payback], y=[0.0], name=told, mode="markers", marker=ring, yaxis="y2", hoverinfo="name")
        )
    paid = {**axis("in the year", case.currency, theme, zeroline=True), "domain": [0.46, 1.0]}
    summed = {**axis("so far", case.currency, theme, zeroline=True), "domain": [0.0, 0.38], "anchor": "x"}
    across = axis("year of the project", None, theme, showgrid=False, anchor="y2", tickformat=NUMBERS)
    shown.update_layout(yaxis=paid, yaxis2=summed, xaxis=across, margin={"l": 70, "r": 20, "t": 20, "b": 50})
    return shown


def paid_back(case: InvestmentCase, baseline: InvestmentCase) -> str:
    """Return in a sentence what a case brings over its baseline. Raises InputError for unlike cases."""
    gain = return_over(case, baseline)
    words = [f"Net present value over the baseline {gain.net_present_value:,.0f} {plain(case.currency)}"]
    if gain.internal_rate_of_return is not None:
        words.append(f"internal rate of return {gain.internal_rate_of_return:.1%}")
    back = gain.discounted_payback_years
    words.append("never paid back" if back is None else f"paid back after {back:.1f} years (discounted)")
    return ", ".join(words) + "."


def _colours(theme: Theme) -> dict[str, str]:
    """Return the colour of each part: that of its kind of cost on bills."""
    costs, tokens = cost_colours(theme), tokens_of(theme)
    found = {
        "capital": costs[CostKind.CAPITAL],
        "replacement": mixed(costs[CostKind.CAPITAL], tokens.ground, 0.5),
        "operation": costs[CostKind.FIXED],
        "purchases": costs[CostKind.PURCHASE],
        "loan": tokens.muted,
        "sales": costs[CostKind.REVENUE],
        "subsidy": mixed(costs[CostKind.REVENUE], tokens.text, 0.5),
        "salvage": mixed(costs[CostKind.REVENUE], tokens.ground, 0.5),
    }
    return {name: found[name] for name in sorted(CASH_PARTS, key=[*found].index)}
