"""Two to eight runs on the same axes, the first of them the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ecosystemiser.charts.curves import Curve, Level, RunCurves
from ecosystemiser.charts.frame import axis, blank, figure, layout_of, time_axis
from ecosystemiser.charts.numbers import amount, difference, plain, relative, scale_of
from ecosystemiser.charts.spans import Span
from ecosystemiser.charts.thinning import steps_to_show
from ecosystemiser.charts.tokens import MOST_RUNS, Theme, better_or_worse, tokens_of
from ecosystemiser.charts.year import curve_values, duration_of, month_axis, month_sums
from ecosystemiser.kpis import KPIS, Kpi
from ecosystemiser.model.kinds import Floats

__all__ = ["KpiChange", "common_series", "durations", "kpi_changes", "kpi_differences", "months", "overlay"]

DASHES = ("solid", "solid", "solid", "solid", "dash", "dash", "dash", "dash")


@dataclass(frozen=True)
class KpiChange:
    """A KPI of a run beside that of the baseline."""

    kpi: Kpi
    baseline: float
    value: float

    @property
    def relative(self) -> float | None:
        """(value - baseline) / |baseline|; None where the baseline is 0."""
        return (self.value - self.baseline) / abs(self.baseline) if self.baseline else None

    @property
    def is_better(self) -> bool | None:
        """By the KPI's direction; None where they are equal or neither direction is better."""
        if self.kpi.better == "neither" or self.value == self.baseline:
            return None
        return (self.value > self.baseline) == (self.kpi.better == "higher")


def kpi_changes(
    baseline: Mapping[str, float | None], other: Mapping[str, float | None], names: Sequence[str] | None = None
) -> tuple[KpiChange, ...]:
    """Return the KPIs that both runs have, in the order of tables; `names`: only these."""
    return tuple(
        KpiChange(kpi, float(one), float(two))
        for kpi in KPIS
        if names is None or kpi.name in names
        if (one := baseline.get(kpi.name)) is not None and (two := other.get(kpi.name)) is not None
    )


def kpi_differences(
    changes: Sequence[KpiChange], *, currency: str | None = None, is_ranked: bool = True, theme: Theme = Theme.LIGHT
) -> go.Figure:
    """Return by how many per cent KPIs of a run differ from the baseline, blue where better, orange where worse.

    An arrow and a word say the same as the colour. Equal KPIs, and those of a baseline of 0, are left out.
    `is_ranked`: whether the two may be ranked at all; where not, nothing is called better.
    """
    known = [change for change in changes if change.relative]
    if not known:
        return blank(theme, "No KPI differs from the baseline.")
    tokens = tokens_of(theme)
    shown = figure(theme, height=110 + 28 * len(known), showlegend=False, bargap=0.35)
    colours, texts, hovers = [], [], []
    for change in known:
        arrow = "▲" if change.value > change.baseline else "▼"
        colour, word = tokens.muted, ""
        if is_ranked and change.is_better is not None:
            colour, word = better_or_worse(tokens, is_better=change.is_better)
        colours.append(colour)
        texts.append(f"{arrow} {relative(change.relative)} {word}".strip())
        values = [amount(value, change.kpi.unit, currency) for value in (change.baseline, change.value)]
        step = difference(change.value - change.baseline, change.kpi.unit, currency)
        hovers.append(f"{change.kpi.name}: {values[0]} → {values[1]} ({step})<br>{change.kpi.meaning}")
    shown.add_trace(
        go.Bar(
            y=[change.kpi.name for change in known],
            x=[100 * (change.relative or 0.0) for change in known],
            orientation="h",
            marker={"color": colours},
            text=texts,
            textposition="outside",
            textfont={"color": tokens.text},
            cliponaxis=False,
            hovertext=hovers,
            hoverinfo="text",
        )
    )
    widest = max(abs(100 * (change.relative or 0.0)) for change in known)
    reach = [-1.5 * widest, 1.5 * widest]
    shown.update_xaxes(axis("relative difference from the baseline", "%", theme, zeroline=True, range=reach))
    shown.update_yaxes(axis("", None, theme, autorange="reversed", showgrid=False))
    return shown


def common_series(runs: Sequence[RunCurves]) -> list[str]:
    """Return the paths of the flows and levels that at least one run has, in the order of the first that has them."""
    return list(dict.fromkeys(path for run in runs for path in run.series()))


def overlay(
    runs: Sequence[RunCurves],
    path: str,
    names: Sequence[str] | None = None,
    *,
    span: Span | None = None,
    theme: Theme = Theme.LIGHT,
) -> go.Figure:
    """Return a series of aligned runs on one time axis, and below it by how much each differs from the baseline.

    `runs` have one clock (see `aligned`), the baseline first; those without the series are left out.
    """
    drawn = _drawn(runs, path, names, theme)
    if not drawn:
        return blank(theme, f"None of the runs has a series {path!r}.")
    clock = runs[0].clock
    part = span or Span(0, clock.steps)
    base = drawn[0].values if runs[0].series().get(path) is not None else None
    gaps = [] if base is None else [one.values - base for one in drawn[1:]]
    within = [each[part.slice] for each in (*(one.values for one in drawn), *gaps)]
    steps = part.first + steps_to_show(within)
    is_level = isinstance(drawn[0].series, Level)
    times = clock.local[steps] + np.timedelta64(clock.step_s if is_level else 0, "s")  # contents are those at the end
    shape = "linear" if is_level else "hv"
    shown = make_subplots(rows=2 if gaps else 1, cols=1, shared_xaxes=True, vertical_spacing=0.07)
    total = 520 if gaps else 340
    shown.update_layout({**layout_of(theme, height=total), "hovermode": "x unified"})
    for one in drawn:
        line = {"color": one.colour, "width": 1.8, "dash": one.dash, "shape": shape}
        trace = go.Scatter(x=times, y=one.values[steps], name=one.name, line=line, mode="lines", legendgroup=one.name)
        shown.add_trace(trace.update(hovertemplate="%{y:,.6~g}"), row=1, col=1)
    for one, gap in zip(drawn[1:], gaps, strict=False):
        line = {"color": one.colour, "width": 1.8, "dash": one.dash, "shape": shape}
        trace = go.Scatter(x=times, y=gap[steps], name=f"{one.name}, difference", line=line, mode="lines")
        trace.update(hovertemplate="%{y:+,.6~g}", legendgroup=one.name, showlegend=False)
        shown.add_trace(trace, row=2, col=1)
    shown.update_xaxes(axis("", None, theme, showgrid=False))
    shown.update_yaxes(axis(path, drawn[0].unit, theme), row=1, col=1)
    if gaps:
        shown.update_yaxes(axis("less the baseline", drawn[0].unit, theme, zeroline=True), row=2, col=1)
    shown.update_xaxes(time_axis(theme, clock.timezone), row=2 if gaps else 1, col=1)
    return shown


def durations(
    runs: Sequence[RunCurves], path: str, names: Sequence[str] | None = None, *, theme: Theme = Theme.LIGHT
) -> go.Figure:
    """Return the duration curves of a series of runs; those without it are left out. They need no common clock."""
    drawn = _drawn(runs, path, names, theme)
    if not drawn:
        return blank(theme, f"None of the runs has a series {path!r}.")
    shown = figure(theme, height=350)
    for one in drawn:
        hours, falling = duration_of(one.values, one.run.clock.step_h)
        line = {"color": one.colour, "width": 2, "dash": one.dash}
        hover = f"for %{{x:,.6~g}} h at least %{{y:,.4~g}} {one.unit}"
        trace = go.Scatter(x=hours, y=falling, name=one.name, line=line, mode="lines", hovertemplate=hover)
        shown.add_trace(trace)
    shown.update_xaxes(axis("duration", "h", theme, rangemode="tozero"))
    shown.update_yaxes(axis(path, drawn[0].unit, theme, rangemode="tozero"))
    return shown


def months(
    runs: Sequence[RunCurves], path: str, names: Sequence[str] | None = None, *, theme: Theme = Theme.LIGHT
) -> go.Figure:
    """Return the monthly sums of a flow of runs side by side; of a level, its content at the end of each month."""
    drawn = _drawn(runs, path, names, theme)
    if not drawn:
        return blank(theme, f"None of the runs has a series {path!r}.")
    found = [(one, *_monthly(one.series, one.run)) for one in drawn]
    unit = "kWh" if drawn[0].series.carrier.is_energy else "m3"
    scale = scale_of(unit, *[sums.tolist() for _, _, sums in found])
    shown = figure(theme, height=350, barmode="group", bargap=0.25)
    for one, labels, sums in found:
        shape = "/" if one.dash == "dash" else ""
        pattern = {"shape": shape, "fillmode": "overlay", "fgcolor": tokens_of(theme).ground, "solidity": 0.2}
        marker = {"color": one.colour, "pattern": pattern}
        hover = f"%{{x}}: %{{y:,.4~g}} {scale.unit}"
        shown.add_trace(go.Bar(x=labels, y=scale.of(sums), name=one.name, marker=marker, hovertemplate=hover))
    shown.update_xaxes(month_axis(sorted({label for _, labels, _ in found for label in labels}), theme))
    shown.update_yaxes(axis(path, scale.unit, theme, zeroline=True))
    return shown


def _monthly(series: Curve | Level, run: RunCurves) -> tuple[list[str], Floats]:
    if isinstance(series, Curve):
        return month_sums(run.clock, series.values)
    calendar = run.clock.local.astype("datetime64[M]")
    labels, first = np.unique(calendar[::-1], return_index=True)
    return [str(label) for label in labels], series.values[::-1][first]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A run's series in a comparison."""

    run: RunCurves
    series: Curve | Level
    name: str
    values: Floats
    """Rates of a flow, contents of a level."""
    unit: str
    colour: str
    dash: str


def _drawn(runs: Sequence[RunCurves], path: str, names: Sequence[str] | None, theme: Theme) -> list[_Drawn]:
    colours = tokens_of(theme).runs
    found = []
    for at, run in enumerate(runs[:MOST_RUNS]):
        series = run.series().get(path)
        if series is not None:
            values, unit = curve_values(series, run.clock.step_h)
            name = plain(names[at] if names else run.title)
            found.append(_Drawn(run, series, name, values, unit, colours[at], DASHES[at]))
    return found
