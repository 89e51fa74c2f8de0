"""What all figures share: the layout of a theme, axes with units, text that stands for a figure without data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from ecosystemiser.charts.numbers import axis_title, plain
from ecosystemiser.charts.tokens import Theme, tokens_of

__all__ = ["NUMBERS", "axis", "blank", "figure", "layout_of", "time_axis"]

BELOW_AXIS = 58
"""Between the lower edge of what is drawn and the legend: room for ticks and the title of an axis. [pixels]"""
NUMBERS = ",.6~g"
"""How plotly writes numbers on axes: thousands separated, no letters for powers of ten."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


def figure(theme: Theme, *, title: str = "", height: int = 380, **layout: Any) -> go.Figure:
    """Return an empty figure in the colours of a theme; `layout` goes to plotly as it is."""
    axes = {"xaxis": axis("", None, theme), "yaxis": axis("", None, theme)}
    return go.Figure(layout={**layout_of(theme, title=title, height=height), **axes, **layout})


def layout_of(theme: Theme, *, title: str = "", height: int = 380) -> dict[str, Any]:
    """Return the layout of a theme without axes, for figures of several rows."""
    colours = tokens_of(theme)
    heading = {"text": plain(title), "x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 15}}
    return {
        "template": "none",
        "height": height,
        "margin": {"l": 70, "r": 20, "t": 56 if title else 30, "b": 50},
        "paper_bgcolor": colours.ground,
        "plot_bgcolor": colours.ground,
        "font": {"family": FONT, "size": 13, "color": colours.text},
        "hoverlabel": {"bgcolor": colours.raised, "bordercolor": colours.grid, "font": {"color": colours.text}},
        "legend": {
            "orientation": "h",
            "yanchor": "top",
            "y": -BELOW_AXIS / max(120, height - 130),
            "x": 0,
            "traceorder": "normal",
        },
        "colorway": list(colours.runs),
        **({"title": heading} if title else {}),
    }


def axis(text: str, unit: str | None, theme: Theme, **more: Any) -> dict[str, Any]:
    """Return an axis with its title and unit; a unit of None is an axis of names or of times."""
    colours = tokens_of(theme)
    title = plain(text) if unit is None else axis_title(text, unit)
    numbers = {} if unit is None else {"tickformat": NUMBERS}
    return {
        **numbers,
        "title": {"text": title, "standoff": 8, "font": {"size": 13}},
        "gridcolor": colours.grid,
        "linecolor": colours.grid,
        "zeroline": False,
        "zerolinecolor": colours.muted,
        "tickfont": {"color": colours.muted},
        "automargin": True,
        **more,
    }


def time_axis(theme: Theme, timezone: str, **more: Any) -> dict[str, Any]:
    """Return the axis of local times of a zone, which it names."""
    return axis(f"time in {timezone}", None, theme, showgrid=False, **more)


def blank(theme: Theme, reason: str, *, height: int = 160) -> go.Figure:
    """Return a figure that says why there is nothing to draw."""
    shown = figure(theme, height=height)
    hidden: Mapping[str, Any] = {"visible": False}
    shown.update_xaxes(hidden)
    shown.update_yaxes(hidden)
    shown.add_annotation(
        text=plain(reason),
        showarrow=False,
        xref="paper",
        yref="paper",
        x=0.5,
        y=0.5,
        font={"color": tokens_of(theme).muted},
    )
    return shown
