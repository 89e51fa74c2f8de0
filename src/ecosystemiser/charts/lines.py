"""Any flows and levels of a run as lines over time: rates above, contents below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ecosystemiser.charts.curves import Curve, Level, RunCurves, as_curves
from ecosystemiser.charts.frame import axis, blank, layout_of, time_axis
from ecosystemiser.charts.numbers import plain
from ecosystemiser.charts.spans import Span
from ecosystemiser.charts.thinning import steps_to_show
from ecosystemiser.charts.tokens import Theme, tokens_of
from ecosystemiser.charts.year import curve_values
from ecosystemiser.results import SolvedSystem

__all__ = ["curve_lines"]

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
ROW = 260
"""Height of a unit's lines. [pixels]"""


def curve_lines(
    run: RunCurves | SolvedSystem, paths: Sequence[str], *, span: Span | None = None, theme: Theme = Theme.LIGHT
) -> go.Figure:
    """Return flows and levels as lines, a row for each unit, over a span of steps, by default the whole run.

    Lines of one colour differ in their dashes. Flows are mean rates of each step, levels contents at its end.
    """
    run = as_curves(run)
    known = run.series()
    chosen = [known[path] for path in paths if path in known]
    if not chosen:
        return blank(theme, "Choose flows or levels to see their curves.")
    part = span or Span(0, run.clock.steps)
    drawn = [(each, *curve_values(each, run.clock.step_h)) for each in chosen]
    steps = part.first + steps_to_show([values[part.slice] for _, values, _ in drawn])
    units = list(dict.fromkeys(unit for *_, unit in drawn))
    total = 110 + ROW * len(units)
    shown = make_subplots(rows=len(units), cols=1, shared_xaxes=True, vertical_spacing=0.08 if len(units) > 1 else 0)
    shown.update_layout({**layout_of(theme, height=total), "hovermode": "x unified", "showlegend": True})
    for (each, values, unit), style in zip(drawn, _styles(run, chosen, theme), strict=True):
        is_level = isinstance(each, Level)
        times = run.clock.local[steps] + np.timedelta64(run.clock.step_s if is_level else 0, "s")
        line = {**style, "width": 1.8, "shape": "linear" if is_level else "hv"}
        trace = go.Scatter(x=times, y=values[steps], name=plain(each.path), mode="lines", line=line)
        shown.add_trace(trace.update(hovertemplate="%{y:,.6~g}"), row=1 + units.index(unit), col=1)
    shown.update_xaxes(axis("", None, theme, showgrid=False))
    for at, unit in enumerate(units, 1):
        title = "content" if unit in ("kWh", "m³") else "rate"
        shown.update_yaxes(axis(title, unit, theme, zeroline=True), row=at, col=1)
    shown.update_xaxes(time_axis(theme, run.clock.timezone), row=len(units), col=1)
    return shown


def _styles(run: RunCurves, chosen: Sequence[Curve | Level], theme: Theme) -> list[dict[str, str]]:
    """Return colour and dash of each line: the colour of its component, another dash where it was used before."""
    by_component = {name: colour for (name, _), colour in reversed(run.colours(theme).items())}
    used: dict[str, int] = {}
    styles = []
    for each in chosen:
        colour = by_component.get(each.component, tokens_of(theme).text)
        styles.append({"color": colour, "dash": _DASHES[used.get(colour, 0) % len(_DASHES)]})
        used[colour] = used.get(colour, 0) + 1
    return styles
