"""A KPI over the parameters of a study: lines, heat maps, and dots where values were drawn and not listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecosystemiser.charts.frame import axis, blank, figure
from ecosystemiser.charts.numbers import amount, plain
from ecosystemiser.charts.points import (
    StudyPoint,
    best_of,
    hover_of,
    is_number,
    kpi_axis,
    kpi_named,
    kpi_scale,
    parameter_axis,
    shown_points,
    values_of,
)
from ecosystemiser.charts.tokens import Theme, best_ramp, faded, tokens_of

__all__ = ["heat_map", "parametric_lines"]

MOST_LINES = 8
"""Lines in one figure; of more values of the second parameter every so manyth has one."""
MOST_VALUES = 40
"""Values of a parameter that stand as columns of a heat map or as places of a line; more are a sample of a range."""
_DASHES = ("solid", "dash", "dot", "dashdot")


def parametric_lines(
    points: Sequence[StudyPoint],
    parameter: str,
    kpi: str = "total_cost",
    *,
    by: str | None = None,
    currency: str | None = None,
    theme: Theme = Theme.LIGHT,
) -> go.Figure:
    """Return a KPI over a parameter, a line for each value of another (`by`); every run is a dot.

    A line runs through the best run at each value, where further parameters vary. Values sampled from a range have dots
    alone. Dots carry their run in `customdata`.
    """
    known = [point for point in points if point.kpis.get(kpi) is not None and parameter in point.parameters]
    if not known:
        return blank(theme, f"No run of this study has {kpi} and {parameter} yet.")
    scale = kpi_scale(kpi, [point.kpis[kpi] for point in known], currency)
    shown = figure(theme, height=380, hovermode="closest")
    colours = tokens_of(theme).runs
    places = values_of(known, parameter)
    groups = _lines_of(known, by)
    for at, (name, own) in enumerate(groups.items()):
        colour = colours[(at + 1) % len(colours)]
        if len(places) <= MOST_VALUES:
            here = _by_value(own, parameter)
            line = [best for place in places if (best := best_of(here.get(place, []), kpi)) is not None]
            x, y = [point.parameters[parameter] for point in line], scale.of([point.kpis[kpi] for point in line])
            style = {"color": colour, "width": 2, "dash": _DASHES[at // 4 % 4]}
            trace = go.Scatter(x=x, y=y, name=plain(name or kpi), mode="lines", line=style, hoverinfo="skip")
            shown.add_trace(trace)
        dots, _ = shown_points(own)
        shown.add_trace(
            go.Scatter(
                x=[point.parameters[parameter] for point in dots],
                y=scale.of([point.kpis[kpi] for point in dots]),
                mode="markers",
                marker={"color": faded(colour, 0.75), "size": 7},
                name=plain(name or kpi),
                customdata=[point.run_id for point in dots],
                hovertext=[hover_of(point, [kpi], currency) for point in dots],
                hoverinfo="text",
                showlegend=len(places) > MOST_VALUES,
            )
        )
    shown.update_xaxes(parameter_axis(parameter, places, theme, currency))
    shown.update_yaxes(kpi_axis(kpi, scale, theme))
    shown.update_layout(showlegend=list(groups) != [""])
    return shown


def heat_map(
    points: Sequence[StudyPoint],
    across: str,
    up: str,
    kpi: str = "total_cost",
    *,
    currency: str | None = None,
    theme: Theme = Theme.LIGHT,
) -> go.Figure:
    """Return a KPI over two parameters as colours; of several runs at one place the best. The best of all has a ring.

    Where values were sampled from a range, each run is a dot at its place. Cells and dots carry their run in
    `customdata`.
    """
    known = [p for p in points if p.kpis.get(kpi) is not None and across in p.parameters and up in p.parameters]
    if not known:
        return blank(theme, f"No run of this study has {kpi}, {across} and {up} yet.")
    columns, rows = values_of(known, across), values_of(known, up)
    is_sampled = max(len(columns), len(rows)) > MOST_VALUES
    scale = kpi_scale(kpi, [point.kpis[kpi] for point in known], currency)
    shown = figure(theme, height=460 if is_sampled else max(340, 180 + 34 * len(rows)), hovermode="closest")
    look = {
        "colorscale": best_ramp(theme, low_is_best=kpi_named(kpi).better != "higher"),
        "colorbar": {
            "title": {"text": f"{plain(kpi)} [{plain(scale.unit) or '1'}]", "side": "top"},
            "outlinewidth": 0,
            "orientation": "h",  # beside the map it would take half of a narrow screen
            "thickness": 12,
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
        },
    }
    if is_sampled:
        dots, _ = shown_points(known)
        shown.add_trace(
            go.Scatter(
                x=[_place(point, across) for point in dots],
                y=[_place(point, up) for point in dots],
                mode="markers",
                marker={"color": scale.of([point.kpis[kpi] for point in dots]), "size": 8, "showscale": True, **look},
                customdata=[point.run_id for point in dots],
                hovertext=[hover_of(point, [kpi], currency) for point in dots],
                hoverinfo="text",
                showlegend=False,
            )
        )
    else:
        across_of = _by_value(known, across)
        cells = {x: _by_value(across_of[x], up) for x in columns}
        best = [[best_of(cells[x].get(y, []), kpi) for x in columns] for y in rows]
        shown.add_trace(
            go.Heatmap(
                x=[_name(x) for x in columns],
                y=[_name(y) for y in rows],
                z=[[np.nan if one is None else float(scale.of(one.kpis[kpi])) for one in row] for row in best],
                customdata=[[None if one is None else one.run_id for one in row] for row in best],
                hovertext=[["" if one is None else hover_of(one, [kpi], currency) for one in row] for row in best],
                hoverinfo="text",
                xgap=2,
                ygap=2,
                **look,
            )
        )
    winner = best_of(known, kpi)
    if winner is not None:
        at = _place if is_sampled else _named_place
        shown.add_trace(_ring(winner, at(winner, across), at(winner, up), kpi, currency, theme))
    for update, path, values in ((shown.update_xaxes, across, columns), (shown.update_yaxes, up, rows)):
        along = parameter_axis(path, values, theme, currency)
        if not is_sampled:
            along = {**axis("", None, theme, type="category", showgrid=False), "title_text": along["title"]["text"]}
        update(along)
    shown.update_layout(showlegend=True)
    return shown


def _ring(winner: StudyPoint, x: object, y: object, kpi: str, currency: str | None, theme: Theme) -> go.Scatter:
    tokens = tokens_of(theme)
    ring = {"symbol": "circle", "size": 13, "color": tokens.ground, "line": {"width": 3, "color": tokens.text}}
    text = f"best: {amount(winner.kpis[kpi], kpi_named(kpi).unit, currency)}"
    return go.Scatter(
        x=[x],
        y=[y],
        mode="markers",
        marker=ring,
        name=plain(text),
        customdata=[winner.run_id],
        hovertext=[hover_of(winner, [kpi], currency)],
        hoverinfo="text",
    )


def _lines_of(points: Sequence[StudyPoint], by: str | None) -> dict[str, Sequence[StudyPoint]]:
    values = values_of(points, by) if by else []
    if by is None or len(values) > MOST_VALUES:
        return {"": points}
    step = max(1.0, (len(values) - 1) / (MOST_LINES - 1))
    chosen = [values[round(at * step)] for at in range(min(len(values), MOST_LINES))]
    held = _by_value(points, by)
    return {f"{by} = {_name(value)}": held[value] for value in chosen}


def _by_value(points: Sequence[StudyPoint], path: str) -> dict[Any, list[StudyPoint]]:
    found: dict[Any, list[StudyPoint]] = {}
    for point in points:
        if path in point.parameters:
            found.setdefault(_place(point, path), []).append(point)
    return found


def _place(point: StudyPoint, path: str) -> Any:
    value = point.parameters[path]
    return value if is_number(value) else str(value)


def _named_place(point: StudyPoint, path: str) -> str:
    return _name(point.parameters[path])


def _name(value: object) -> str:
    return f"{value:,.6g}" if is_number(value) else plain(value)
