"""What a Monte Carlo study answers: how a KPI is distributed, and what it depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecosystemiser.charts.frame import axis, blank, figure
from ecosystemiser.charts.numbers import plain, significant
from ecosystemiser.charts.points import kpi_axis, kpi_scale
from ecosystemiser.charts.thinning import steps_to_show
from ecosystemiser.charts.tokens import MOST_RUNS, Theme, faded, tokens_of
from ecosystemiser.model.kinds import Floats

__all__ = ["PERCENTILES", "distribution", "exceedance", "sobol", "tornado"]

PERCENTILES = (10, 50, 90)
"""Of a distribution, those that are marked."""
MOST_BARS = 15
"""Parameters that a figure shows, those that matter most."""

Samples = Mapping[str, Sequence[float | None]]
"""Values of a KPI over the samples of each design, by the design's name."""


def _known(samples: Samples) -> dict[str, Floats]:
    some = list(samples.items())[:MOST_RUNS]
    arrays = {name: np.array([value for value in values if value is not None]) for name, values in some}
    return {name: values.astype(np.float64) for name, values in arrays.items() if values.size}


def distribution(samples: Samples, kpi: str, *, currency: str | None = None, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return how often which value of a KPI came out, with lines at P10, P50 and P90 (10, 50, 90 % lie below)."""
    known = _known(samples)
    if not known:
        return blank(theme, f"No sample of this study has {kpi} yet.")
    scale = kpi_scale(kpi, [float(v) for values in known.values() for v in (values.min(), values.max())], currency)
    tokens = tokens_of(theme)
    shown = figure(theme, height=360, barmode="overlay", bargap=0.02)
    pooled = scale.of(np.concatenate(list(known.values())))
    edges = np.histogram_bin_edges(pooled, bins=min(60, max(8, round(2 * len(pooled) ** (1 / 3)))))
    for at, (name, values) in enumerate(known.items()):
        colour = tokens.accent if len(known) == 1 else tokens.runs[at]
        counts, _ = np.histogram(scale.of(values), bins=edges)
        share = 100 * counts / counts.sum()
        marker = {"color": faded(colour, 0.6), "line": {"width": 1, "color": colour}}
        middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
        hover = f"%{{x:,.4~g}} {plain(scale.unit)}: %{{y:.3~g}} % of the samples"
        bar = go.Bar(x=middles, y=share, width=widths, name=plain(name), marker=marker, hovertemplate=hover)
        shown.add_trace(bar)
        for level, value in zip(PERCENTILES, np.percentile(scale.of(values), PERCENTILES), strict=True):
            dash = "solid" if level == 50 else "dash"
            mark = {"text": f"P{level}: {significant(float(value), 4)}", "font": {"color": tokens.text, "size": 12}}
            place = {"yanchor": "bottom", "y": 1.0 + 0.09 * at, "textangle": 0, "xanchor": "center"}
            line = {"color": colour, "dash": dash, "width": 2}
            shown.add_vline(x=value, line=line, annotation={**mark, **place})
    shown.update_xaxes(kpi_axis(kpi, scale, theme))
    shown.update_yaxes(axis("share of the samples", "%", theme, rangemode="tozero"))
    shown.update_layout(showlegend=len(known) > 1, margin={"t": 30 + 28 * len(known)})
    return shown


def exceedance(samples: Samples, kpi: str, *, currency: str | None = None, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return with which probability each value of a KPI is exceeded."""
    known = _known(samples)
    if not known:
        return blank(theme, f"No sample of this study has {kpi} yet.")
    scale = kpi_scale(kpi, [float(v) for values in known.values() for v in (values.min(), values.max())], currency)
    tokens = tokens_of(theme)
    shown = figure(theme, height=360)
    for at, (name, values) in enumerate(known.items()):
        rising = np.sort(scale.of(values))
        above = 100 * (1 - np.arange(1, len(rising) + 1) / len(rising))
        kept = steps_to_show([rising])
        line = {"color": tokens.accent if len(known) == 1 else tokens.runs[at], "width": 2.2, "shape": "hv"}
        hover = f"more than %{{x:,.4~g}} {plain(scale.unit)} in %{{y:.3~g}} % of the samples"
        trace = go.Scatter(x=rising[kept], y=above[kept], name=plain(name), mode="lines", line=line)
        shown.add_trace(trace.update(hovertemplate=hover))
    shown.update_xaxes(kpi_axis(kpi, scale, theme))
    shown.update_yaxes(axis("probability to exceed it", "%", theme, range=[0, 100]))
    shown.update_layout(showlegend=len(known) > 1)
    return shown


Rows = Sequence[Mapping[str, Any]]
"""Rows of `sensitivity_analysis` of one KPI and one design."""


def tornado(
    rows: Rows, kpi: str, *, at_medians: float | None = None, currency: str | None = None, theme: Theme = Theme.LIGHT
) -> go.Figure:
    """Return how far each parameter alone moves a KPI, from its 10 % to its 90 % quantile; the widest bar on top.

    `at_medians`: the KPI with all of them at their medians, from which bars reach out; by default the middle of all.
    """
    bars = [(row["parameter"], row["tornado_low"], row["tornado_high"]) for row in rows if _is_full(row)]
    bars = sorted(bars, key=lambda bar: abs(bar[2] - bar[1]))[-MOST_BARS:]
    if not bars:
        return blank(theme, f"This study has no tornado of {kpi}: monte_carlo.sensitivity makes one.")
    ends = [value for _, *both in bars for value in both]
    middle = at_medians if at_medians is not None else float(np.median(ends))
    scale = kpi_scale(kpi, [*ends, middle], currency)
    tokens = tokens_of(theme)
    base = float(scale.of(middle))
    names = [plain(name) for name, *_ in bars]
    shown = figure(theme, height=130 + 30 * len(bars), barmode="overlay", bargap=0.35)
    pattern: dict[str, Any] = {"fillmode": "overlay", "fgcolor": tokens.ground, "solidity": 0.2}
    sides = (("at its P10", 1, tokens.runs[1], ""), ("at its P90", 2, tokens.runs[2], "/"))
    for side, at, colour, shape in sides:
        values = scale.of([bar[at] for bar in bars])
        marker = {"color": colour, "pattern": {**pattern, "shape": shape}}
        hover = f"%{{y}} {side}: %{{customdata:,.4~g}} {plain(scale.unit)}<extra></extra>"
        bar = go.Bar(y=names, x=values - base, base=base, name=side, marker=marker, orientation="h", customdata=values)
        shown.add_trace(bar.update(hovertemplate=hover))
    shown.add_vline(x=base, line={"color": tokens.text, "width": 1.5})
    shown.update_xaxes(kpi_axis(kpi, scale, theme))
    shown.update_yaxes(axis("", None, theme, type="category", showgrid=False))
    return shown


def _is_full(row: Mapping[str, Any]) -> bool:
    return row.get("tornado_low") is not None and row.get("tornado_high") is not None


def sobol(rows: Rows, kpi: str, *, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return the shares of a KPI's variance that parameters explain: alone (first order) and in all (total order)."""
    known = [row for row in rows if row.get("total_order") is not None]
    known = sorted(known, key=lambda row: float(row["total_order"]))[-MOST_BARS:]
    if not known:
        return blank(theme, f"This study has no Sobol indices of {kpi}: monte_carlo.sensitivity makes them.")
    tokens = tokens_of(theme)
    shown = figure(theme, height=140 + 38 * len(known), barmode="group", bargap=0.3)
    names = [plain(row["parameter"]) for row in known]
    for order, label, colour in (("total", "in all", tokens.runs[4]), ("first", "alone", tokens.accent)):
        values = [row.get(f"{order}_order") for row in known]
        low, high = ([_distance(row, order, end) for row in known] for end in ("low", "high"))
        spread = {"type": "data", "symmetric": False, "array": high, "arrayminus": low, "color": tokens.muted}
        bar = go.Bar(y=names, x=values, name=label, orientation="h", marker={"color": colour}, error_x=spread)
        shown.add_trace(bar.update(hovertemplate=f"%{{y}}, {label}: %{{x:.3f}}<extra></extra>"))
    shown.update_xaxes(axis(f"share of the variance of {kpi}", "1", theme))
    shown.update_yaxes(axis("", None, theme, type="category", showgrid=False))
    shown.update_layout(legend_traceorder="reversed")
    return shown


def _distance(row: Mapping[str, Any], order: str, end: str) -> float:
    """Return how far an end of the confidence interval is from the index."""
    value, limit = row.get(f"{order}_order"), row.get(f"{order}_order_{end}")
    return 0.0 if value is None or limit is None else abs(float(limit) - float(value))
