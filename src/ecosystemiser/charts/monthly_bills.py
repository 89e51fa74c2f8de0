"""The bill of a supplier, month by month: what each kind of line costs, and the peaks that are billed."""

from __future__ import annotations

import plotly.graph_objects as go

from ecosystemiser.charts.curves import RunCurves, as_curves
from ecosystemiser.charts.frame import axis, blank, figure
from ecosystemiser.charts.numbers import plain
from ecosystemiser.charts.tokens import Theme, mixed, tokens_of
from ecosystemiser.model.kinds import Role
from ecosystemiser.results import MonthlyItem, SolvedSystem, amounts_by_month

__all__ = ["monthly_bills", "suppliers"]


def suppliers(run: RunCurves | SolvedSystem) -> tuple[str, ...]:
    """Return the components that send a bill, in the order of the file."""
    return tuple(dict.fromkeys(line.component for line in as_curves(run).months))


def monthly_bills(run: RunCurves | SolvedSystem, supplier: str, *, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return the bills of a supplier: a bar a month, its lines stacked, earnings below zero, the sum as a mark."""
    run = as_curves(run)
    lines = [line for line in run.months if line.component == supplier]
    if not lines:
        return blank(theme, "This supplier bills nothing in this run.")
    shown = figure(theme, height=340, barmode="relative", bargap=0.3)
    colours, currency = _colours(theme), plain(run.currency)
    months = list(dict.fromkeys(line.month for line in lines))
    for item, sums in amounts_by_month(lines).items():
        hover = f"%{{x}}, {item.value}: %{{y:,.4~g}} {currency}<extra></extra>"
        bar = go.Bar(x=months, y=list(sums.values()), name=item.value, marker={"color": colours[item]})
        shown.add_trace(bar.update(hovertemplate=hover))
    totals = [sum(line.amount for line in lines if line.month == month) for month in months]
    marker = {"symbol": "line-ew", "size": 26, "line": {"width": 3, "color": tokens_of(theme).text}}
    hover = f"%{{x}}, bill: %{{y:,.4~g}} {currency}<extra></extra>"
    shown.add_trace(go.Scatter(x=months, y=totals, name="bill", mode="markers", marker=marker, hovertemplate=hover))
    shown.update_xaxes(axis("", None, theme, type="category", showgrid=False))
    shown.update_yaxes(axis("bill of the month", run.currency, theme, zeroline=True))
    return shown


def _colours(theme: Theme) -> dict[MonthlyItem, str]:
    tokens = tokens_of(theme)
    bought, sold = tokens.roles[Role.BOUGHT], tokens.roles[Role.SOLD]
    return {
        MonthlyItem.BOUGHT: bought,
        MonthlyItem.TIERS: mixed(bought, tokens.text, 0.4),
        MonthlyItem.DEMAND: mixed(bought, tokens.ground, 0.55),
        MonthlyItem.STANDING: tokens.accent,
        MonthlyItem.SOLD: sold,
        MonthlyItem.SURPLUS: mixed(sold, tokens.text, 0.5),
        MonthlyItem.MINIMUM: mixed(tokens.accent, tokens.ground, 0.55),
    }
