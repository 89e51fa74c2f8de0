"""A KPI over the parameters of a study: lines and heat maps."""

from __future__ import annotations

from collections.abc import Sequence

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

    A line runs through the best run at each value, where further parameters vary. Dots carry their run in `customdata`.
    """
    known = [point for point in points if point.kpis.get(kpi) is not None and parameter in point.parameters]
    if not known:
        return blank(theme, f"No run of this study has {kpi} and {parameter} yet.")
    scale = kpi_scale(kpi, [point.kpis[kpi] for point in known], currency)
    shown = figure(theme, height=380, hovermode="closest")
    colours = tokens_of(theme).runs
    places = values_of(known, parameter)
    groups = values_of(known, by)[:MOST_LINES] if by else [None]
    for at, group in enumerate(groups):
        own = known if group is None else [point for point in known if _is_at(point, by or "", group)]
        best = [best_of([point for point in own if _is_at(point, parameter, place)], kpi) for place in places]
        line = [point for point in best if point is not None]
        name = kpi if group is None else f"{by} = {group:,.6g}" if is_number(group) else f"{by} = {group}"
        colour = colours[(at + 1) % len(colours)]
        style = {"color": colour, "width": 2, "dash": _DASHES[at // 4 % 4]}
        x, y = [point.parameters[parameter] for point in line], scale.of([point.kpis[kpi] for point in line])
        trace = go.Scatter(x=x, y=y, name=plain(name), mode="lines", line=style, hoverinfo="skip")
        shown.add_trace(trace)
        dots, _ = shown_points(own)
        shown.add_trace(
            go.Scatter(
                x=[point.parameters[parameter] for point in dots],
                y=scale.of([point.kpis[kpi] for point in dots]),
                mode="markers",
                marker={"color": faded(colour, 0.75), "size": 7},
                customdata=[point.run_id for point in dots],
                hovertext=[hover_of(point, [kpi], currency) for point in dots],
                hoverinfo="text",
                showlegend=False,
            )
        )
    shown.update_xaxes(parameter_axis(parameter, places, theme, currency))
    shown.update_yaxes(kpi_axis(kpi, scale, theme))
    shown.update_layout(showlegend=by is not None)
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

    Cells carry their run in `customdata`.
    """
    known = [p for p in points if p.kpis.get(kpi) is not None and across in p.parameters and up in p.parameters]
    if not known:
        return blank(theme, f"No run of this study has {kpi}, {across} and {up} yet.")
    columns, rows = values_of(known, across), values_of(known, up)
    scale = kpi_scale(kpi, [point.kpis[kpi] for point in known], currency)
    cells: dict[tuple[object, object], list[StudyPoint]] = {}
    for point in known:
        cells.setdefault((_key(point.parameters[across]), _key(point.parameters[up])), []).append(point)
    best = [[best_of(cells.get((x, y), []), kpi) for x in columns] for y in rows]
    values = [[np.nan if one is None else float(scale.of(one.kpis[kpi])) for one in row] for row in best]
    tokens = tokens_of(theme)
    names = [_name(x) for x in columns], [_name(y) for y in rows]
    shown = figure(theme, height=max(300, 120 + 34 * len(rows)), hovermode="closest")
    shown.add_trace(
        go.Heatmap(
            x=names[0],
            y=names[1],
            z=values,
            colorscale=best_ramp(theme, low_is_best=kpi_named(kpi).better != "higher"),
            colorbar={"title": {"text": f"{plain(kpi)} [{plain(scale.unit) or '1'}]"}, "outlinewidth": 0},
            customdata=[[None if one is None else one.run_id for one in row] for row in best],
            hovertext=[["" if one is None else hover_of(one, [kpi], currency) for one in row] for row in best],
            hoverinfo="text",
            xgap=2,
            ygap=2,
        )
    )
    winner = best_of(known, kpi)
    if winner is not None:
        place = {"x": [_name(winner.parameters[across])], "y": [_name(winner.parameters[up])]}
        ring = {"symbol": "circle", "size": 13, "color": tokens.ground, "line": {"width": 3, "color": tokens.text}}
        text = f"best: {amount(winner.kpis[kpi], kpi_named(kpi).unit, currency)}"
        shown.add_trace(go.Scatter(**place, mode="markers", marker=ring, hoverinfo="skip", name=plain(text)))
    for update, path, texts in ((shown.update_xaxes, across, columns), (shown.update_yaxes, up, rows)):
        title = parameter_axis(path, texts, theme, currency)["title"]["text"]
        update(axis("", None, theme, type="category", showgrid=False))
        update(title_text=title)
    shown.update_layout(showlegend=True)
    return shown


def _is_at(point: StudyPoint, path: str, value: object) -> bool:
    return path in point.parameters and _key(point.parameters[path]) == value


def _key(value: object) -> object:
    return value if is_number(value) else str(value)


def _name(value: object) -> str:
    return f"{value:,.6g}" if is_number(value) else plain(value)
