"""All parameters and some KPIs of a study's runs beside each other; axes can be brushed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecosystemiser.charts.frame import NUMBERS, blank, figure
from ecosystemiser.charts.numbers import axis_title, plain
from ecosystemiser.charts.points import (
    StudyPoint,
    is_number,
    kpi_named,
    kpi_scale,
    parameter_unit,
    shown_points,
    values_of,
)
from ecosystemiser.charts.tokens import Theme, best_ramp, faded, tokens_of

__all__ = ["parallel_coordinates"]


def parallel_coordinates(
    points: Sequence[StudyPoint],
    parameters: Sequence[str],
    kpis: Sequence[str] = ("total_cost", "total_co2"),
    *,
    currency: str | None = None,
    theme: Theme = Theme.LIGHT,
) -> go.Figure:
    """Return a line for each run over its parameters and KPIs, coloured by the first of the KPIs.

    Drag along an axis to see only the runs that pass through there. Runs without all of the values are left out.
    """
    known = [
        point
        for point in points
        if all(point.kpis.get(kpi) is not None for kpi in kpis) and all(path in point.parameters for path in parameters)
    ]
    if not known or not kpis:
        return blank(theme, "No run of this study has a result yet.")
    drawn, note = shown_points(known)
    tokens = tokens_of(theme)
    axes = [_parameter(drawn, path, currency) for path in parameters] + [_kpi(drawn, kpi, currency) for kpi in kpis]
    first = axes[len(parameters)]
    shown = figure(theme, height=420, margin={"l": 80, "r": 60, "t": 90, "b": 40})
    shown.add_trace(
        go.Parcoords(
            dimensions=axes,
            line={
                "color": first["values"],
                "colorscale": best_ramp(theme, low_is_best=kpi_named(kpis[0]).better != "higher"),
                "showscale": True,
                "colorbar": {"title": {"text": first["label"]}, "outlinewidth": 0, "thickness": 12},
            },
            labelfont={"size": 12, "color": tokens.text},
            tickfont={"size": 11, "color": tokens.muted},
            rangefont={"size": 11, "color": faded(tokens.muted, 0.0)},  # it would lie under names of two lines
            unselected={"line": {"color": tokens.grid, "opacity": 0.25}},
        )
    )
    if note:
        shown.add_annotation(text=note, showarrow=False, xref="paper", yref="paper", x=0, y=-0.08)
    return shown


def _parameter(points: Sequence[StudyPoint], path: str, currency: str | None) -> dict[str, Any]:
    values = [point.parameters[path] for point in points]
    if all(is_number(value) for value in values):
        label = f"{_two_lines(path)} [{parameter_unit(path, currency) or '1'}]"
        return {"label": label, "values": np.array(values, dtype=np.float64)}
    # Texts of ticks are taken as they are here, not as markup.
    names = [str(value) for value in values_of(points, path)]
    places = [names.index(str(value)) for value in values]
    ticks = {"tickvals": list(range(len(names))), "ticktext": names}
    return {"label": _two_lines(path), "values": np.array(places, dtype=np.float64), **ticks}


def _kpi(points: Sequence[StudyPoint], kpi: str, currency: str | None) -> dict[str, Any]:
    values = [point.kpis[kpi] for point in points]
    scale = kpi_scale(kpi, values, currency)
    return {"label": axis_title(kpi, scale.unit), "values": scale.of(values), "tickformat": NUMBERS}


def _two_lines(path: str) -> str:
    """Return a component above its field, so that neighbours have room."""
    component, _, name = path.rpartition(".")
    return f"{plain(component)}<br>{plain(name)}" if component else plain(name)
