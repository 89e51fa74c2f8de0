"""What a run costs, by component and kind of cost; several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ecosystemiser.charts.curves import RunCurves, as_curves
from ecosystemiser.charts.frame import axis, blank, figure
from ecosystemiser.charts.numbers import plain
from ecosystemiser.charts.tokens import Theme, mixed, tokens_of
from ecosystemiser.model.kinds import Role
from ecosystemiser.results import BillLine, CostKind, SolvedSystem

__all__ = ["cost_colours", "cost_stack", "cost_stacks"]


def cost_colours(theme: Theme) -> dict[CostKind, str]:
    """Return the colour of each kind of cost; what is bought, sold and unmet keeps the colour of its role."""
    tokens = tokens_of(theme)
    return {
        CostKind.CAPITAL: mixed(tokens.accent, tokens.text, 0.55),
        CostKind.FIXED: tokens.accent,
        CostKind.VARIABLE: mixed(tokens.accent, tokens.ground, 0.55),
        CostKind.STARTS: mixed(tokens.accent, tokens.ground, 0.3),
        CostKind.PURCHASE: tokens.roles[Role.BOUGHT],
        CostKind.DEMAND: mixed(tokens.roles[Role.BOUGHT], tokens.ground, 0.55),
        CostKind.STANDING: mixed(tokens.roles[Role.BOUGHT], tokens.ground, 0.3),
        CostKind.CO2: mixed(tokens.roles[Role.BOUGHT], tokens.text, 0.6),
        CostKind.UNMET: tokens.roles[Role.UNMET],
        CostKind.END: tokens.roles[Role.STORED],
        CostKind.REVENUE: tokens.roles[Role.SOLD],
    }


def cost_stack(run: RunCurves | SolvedSystem, *, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return what each component costs over the run, by kind of cost; what it earns lies left of zero."""
    run = as_curves(run)
    if not run.bill:
        return blank(theme, "Nothing in this run costs anything.")
    components = list(dict.fromkeys(line.component for line in run.bill))
    shown = figure(theme, height=150 + 30 * len(components), barmode="relative", bargap=0.3)
    colours = cost_colours(theme)
    for kind in CostKind:
        lines = [line for line in run.bill if line.kind is kind]
        if lines:
            names = [plain(line.component) for line in lines]
            hover = f"%{{y}}, {kind.value}: %{{x:,.4~g}} {plain(run.currency)}<extra></extra>"
            marker = {"color": colours[kind]}
            bar = go.Bar(y=names, x=[line.amount for line in lines], name=kind.value, marker=marker, orientation="h")
            shown.add_trace(bar.update(hovertemplate=hover))
    order = [plain(name) for name in components]
    named = axis("", None, theme, categoryorder="array", categoryarray=order, autorange="reversed", showgrid=False)
    shown.update_yaxes(named)
    shown.update_xaxes(axis("cost over the run", run.currency, theme, zeroline=True))
    return shown


def cost_stacks(
    runs: Sequence[RunCurves | SolvedSystem], names: Sequence[str] | None = None, *, theme: Theme = Theme.LIGHT
) -> go.Figure:
    """Return the costs of runs side by side, the kinds of cost stacked, the sum as a mark; parts by component on hover.

    `names` stand under the bars, the runs' titles by default. Runs of several currencies are not put side by side.
    """
    shown_runs = [as_curves(run) for run in runs]
    currencies = {run.currency for run in shown_runs}
    if len(currencies) != 1:
        several = ", ".join(sorted(currencies))
        return blank(theme, f"The runs count in several currencies ({several}); none is converted.")
    labels = [plain(name) for name in names or [run.title for run in shown_runs]]
    shown = figure(theme, height=400, barmode="relative", bargap=0.45)
    colours, currency = cost_colours(theme), plain(currencies.pop())
    for kind in CostKind:
        lines = [[line for line in run.bill if line.kind is kind] for run in shown_runs]
        if any(lines):
            sums = [sum(line.amount for line in own) for own in lines]
            parts = [_parts(own, currency) for own in lines]
            bar = go.Bar(x=labels, y=sums, name=kind.value, marker={"color": colours[kind]}, customdata=parts)
            hover = f"{kind.value}: %{{y:,.4~g}} {currency}<br>%{{customdata}}<extra></extra>"
            shown.add_trace(bar.update(hovertemplate=hover))
    totals = [sum(line.amount for line in run.bill) for run in shown_runs]
    tokens = tokens_of(theme)
    marker = {"symbol": "line-ew", "size": 46, "line": {"width": 3, "color": tokens.text}}
    hover = f"total: %{{y:,.4~g}} {currency}<extra></extra>"
    total = go.Scatter(x=labels, y=totals, name="total", mode="markers", marker=marker, hovertemplate=hover)
    shown.add_trace(total)
    shown.update_yaxes(axis("cost over the run", currency, theme, zeroline=True))
    shown.update_xaxes(axis("", None, theme, type="category", showgrid=False))
    return shown


def _parts(lines: Sequence[BillLine], currency: str) -> str:
    return "<br>".join(f"{plain(line.component)} {line.amount:,.4g} {currency}" for line in lines)
