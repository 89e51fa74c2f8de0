"""How a search went: the front of what no run beats in every objective, and how it grew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ecosystemiser.charts.frame import axis, blank, figure, layout_of
from ecosystemiser.charts.points import StudyPoint, hover_of, kpi_axis, kpi_scale, shown_points
from ecosystemiser.charts.tokens import Theme, faded, tokens_of

__all__ = ["convergence", "hypervolume", "pareto_front"]


def pareto_front(
    points: Sequence[StudyPoint],
    front: Collection[str],
    objectives: tuple[str, str],
    *,
    currency: str | None = None,
    theme: Theme = Theme.LIGHT,
) -> go.Figure:
    """Return the runs of a search over two objectives; those of the front (run ids) stand out, joined by a line.

    On hover a run's parameters; `customdata` holds its id.
    """
    across, up = objectives
    known = [p for p in points if p.kpis.get(across) is not None and p.kpis.get(up) is not None]
    if not known:
        return blank(theme, f"No run of this study has {across} and {up} yet.")
    scales = [kpi_scale(name, [point.kpis[name] for point in known], currency) for name in objectives]
    best = sorted((point for point in known if point.run_id in front), key=lambda point: point.kpis[across] or 0.0)
    others, note = shown_points([point for point in known if point.run_id not in front])
    tokens = tokens_of(theme)
    shown = figure(theme, height=430, hovermode="closest")
    styles: tuple[tuple[list[StudyPoint], dict[str, Any]], ...] = (
        (others, {"mode": "markers", "name": "other runs", "marker": {"color": faded(tokens.muted, 0.4), "size": 6}}),
        (
            best,
            {
                "mode": "lines+markers",
                "name": "front: no run is better in both",
                "marker": {"color": tokens.accent, "size": 10, "line": {"width": 1, "color": tokens.ground}},
                "line": {"color": tokens.accent, "width": 1.5, "dash": "dot"},
            },
        ),
    )
    for drawn, style in styles:
        shown.add_trace(
            go.Scatter(
                x=scales[0].of([point.kpis[across] for point in drawn]),
                y=scales[1].of([point.kpis[up] for point in drawn]),
                customdata=[point.run_id for point in drawn],
                hovertext=[hover_of(point, objectives, currency) for point in drawn],
                hoverinfo="text",
                **style,
            )
        )
    shown.update_xaxes(kpi_axis(across, scales[0], theme))
    shown.update_yaxes(kpi_axis(up, scales[1], theme))
    if note:
        shown.add_annotation(text=note, showarrow=False, xref="paper", yref="paper", x=1, y=1.06)
    return shown


Rows = Sequence[Mapping[str, Any]]
"""Rows of `convergence_metrics`: generation, metric, value."""


def _metric(rows: Rows, name: str) -> tuple[list[int], list[float]]:
    found = sorted((int(row["generation"]), float(row["value"])) for row in rows if _has(row, name))
    return [generation for generation, _ in found], [value for _, value in found]


def _has(row: Mapping[str, Any], name: str) -> bool:
    return row["metric"] == name and row["value"] is not None


def convergence(rows: Rows, *, currency: str | None = None, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return the best and the mean of each objective in each generation, one below the other."""
    metrics = [str(row["metric"]) for row in rows]
    objectives = list(dict.fromkeys(name.removesuffix(".best") for name in metrics if name.endswith(".best")))
    if not objectives:
        return blank(theme, "No generation of this study has come to an end yet.")
    shown = make_subplots(rows=len(objectives), cols=1, shared_xaxes=True, vertical_spacing=0.08)
    shown.update_layout({**layout_of(theme, height=90 + 210 * len(objectives)), "hovermode": "x unified"})
    tokens = tokens_of(theme)
    lines = (("best", tokens.accent, "solid", 2.4), ("mean", tokens.muted, "dash", 1.6))
    for at, objective in enumerate(objectives, 1):
        values = [_metric(rows, f"{objective}.{which}") for which, *_ in lines]
        scale = kpi_scale(objective, [value for _, found in values for value in found], currency)
        for (which, colour, dash, width), (generations, found) in zip(lines, values, strict=True):
            style = {"color": colour, "dash": dash, "width": width}
            trace = go.Scatter(x=generations, y=scale.of(found), name=which, line=style, mode="lines+markers")
            trace.update(showlegend=at == 1, legendgroup=which, marker={"size": 4}, hovertemplate="%{y:,.5~g}")
            shown.add_trace(trace, row=at, col=1)
        shown.update_yaxes(kpi_axis(objective, scale, theme), row=at, col=1)
        shown.update_xaxes(axis("", None, theme), row=at, col=1)
    shown.update_xaxes(axis("generation", "1", theme), row=len(objectives), col=1)
    return shown


def hypervolume(rows: Rows, *, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return how much of the space of objectives the front of all runs so far covers, generation by generation.

    Measured in the box that the designs of the first generation span.
    """
    generations, values = _metric(rows, "hypervolume")
    if not generations:
        return blank(theme, "This study has no hypervolume: it takes two objectives and a generation that is done.")
    shown = figure(theme, height=300, showlegend=False)
    line = {"color": tokens_of(theme).accent, "width": 2.4}
    hover = "generation %{x}: %{y:.4g}<extra></extra>"
    shown.add_trace(go.Scatter(x=generations, y=values, line=line, mode="lines+markers", hovertemplate=hover))
    shown.update_xaxes(axis("generation", "1", theme))
    shown.update_yaxes(axis("hypervolume", "1", theme))
    return shown
