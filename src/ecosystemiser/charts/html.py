"""Figures inside a page that needs nothing else: plotly.js once, then each figure as data."""

from __future__ import annotations

from typing import TypeAlias

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

__all__ = ["Figure", "figure_html", "plotly_script"]

Figure: TypeAlias = go.Figure

_CONFIG = {"displaylogo": False, "responsive": True, "showTips": False, "plotlyServerURL": ""}


def plotly_script() -> str:
    """Return plotly.js as the content of a script element; 5 MB."""
    script: str = get_plotlyjs()
    return script


def figure_html(figure: Figure, name: str) -> str:
    """Return a figure as an element of the id `name`, with the script that draws it; plotly.js must stand before it.

    No text in the figure can end the script: plotly writes `<` and `>` as escapes.
    """
    shown: str = plotly.io.to_html(
        figure, config=_CONFIG, include_plotlyjs=False, full_html=False, div_id=name, default_width="100%"
    )
    return shown
