"""A whole run at a glance: hour by day, sorted, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ecosystemiser.charts.carrier_balance import rate_name
from ecosystemiser.charts.curves import Curve, Level, RunCurves, as_curves
from ecosystemiser.charts.frame import axis, blank, figure
from ecosystemiser.charts.numbers import plain, scale_of
from ecosystemiser.charts.thinning import steps_to_show
from ecosystemiser.charts.tokens import Theme, scale_of_colours, tokens_of
from ecosystemiser.model.clock import HOUR_S, Clock
from ecosystemiser.model.kinds import Floats, Role
from ecosystemiser.results import SolvedSystem

__all__ = ["carpet", "curve_values", "day_matrix", "duration", "duration_of", "month_axis", "month_sums", "monthly"]

DAY_S = 86_400


def curve_values(curve: Curve | Level, step_h: float) -> tuple[Floats, str]:
    """Return what is drawn of a curve, and its unit: of a flow mean rates, of a level its content."""
    if isinstance(curve, Level):
        return curve.values, "kWh" if curve.carrier.is_energy else "m³"
    return curve.values / step_h, rate_name(curve.carrier)


def day_matrix(clock: Clock, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the local days, the hours of their steps, and values by hour and day. (days,), (hours,), (hours, days)

    An hour that the clock left out in spring has none (NaN); one that it had twice in autumn has the mean.
    """
    days = clock.local.astype("datetime64[D]")
    columns = (days - days[0]).astype(np.int64)
    slots = DAY_S // clock.step_s
    rows = np.round(clock.local_hours * HOUR_S / clock.step_s).astype(np.int64) % slots
    sums, counts = np.zeros((slots, columns[-1] + 1)), np.zeros((slots, columns[-1] + 1))
    np.add.at(sums, (rows, columns), values)
    np.add.at(counts, (rows, columns), 1)
    matrix = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return days[0] + np.arange(columns[-1] + 1), np.arange(slots) * clock.step_s / HOUR_S, matrix


def carpet(run: RunCurves | SolvedSystem, path: str, *, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return a flow or level by hour of the day (up) and day (along), as a carpet of colours."""
    run = as_curves(run)
    curve = run.series().get(path)
    if curve is None:
        return blank(theme, f"This run has no series {path!r}.")
    values, unit = curve_values(curve, run.clock.step_h)
    days, hours, matrix = day_matrix(run.clock, values)
    tokens = tokens_of(theme)
    shown = figure(theme, height=330)
    shown.add_trace(
        go.Heatmap(
            x=days,
            y=hours,
            z=matrix,
            colorscale=scale_of_colours(tokens.ramp),
            colorbar={"title": {"text": f"[{unit}]"}, "outlinewidth": 0, "thickness": 14},
            hovertemplate=f"%{{x|%d %b %Y}}, %{{y}} h: %{{z:,.4~g}} {unit}<extra></extra>",
        )
    )
    hours_axis = axis("hour of the day", "h", theme, showgrid=False, tickvals=[0, 6, 12, 18, 24], range=[0, 24])
    shown.update_yaxes(hours_axis)
    shown.update_xaxes(axis(f"day in {run.clock.timezone}", None, theme, showgrid=False))
    return shown


def duration_of(values: Floats, step_h: float) -> tuple[Floats, Floats]:
    """Return the hours for which each value is reached or passed, and the values, falling; thinned for the screen."""
    falling = np.sort(values)[::-1]
    kept = steps_to_show([falling])
    return np.asarray((kept + 1) * step_h, dtype=np.float64), falling[kept]


def duration(run: RunCurves | SolvedSystem, *paths: str, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return the duration curves of flows or levels: for how many hours each value was reached or passed."""
    run = as_curves(run)
    known = run.series()
    chosen = {path: known[path] for path in paths if path in known}
    if not chosen:
        return blank(theme, f"This run has no series {', '.join(paths) or 'chosen'}.")
    shown = figure(theme, height=330)
    units = []
    for (path, curve), colour in zip(chosen.items(), _line_colours(run, chosen, theme), strict=True):
        values, unit = curve_values(curve, run.clock.step_h)
        units.append(unit)
        hours, falling = duration_of(values, run.clock.step_h)
        line = {"color": colour, "width": 2}
        hover = f"for %{{x:,.6~g}} h at least %{{y:,.4~g}} {unit}"
        shown.add_trace(go.Scatter(x=hours, y=falling, name=plain(path), mode="lines", line=line, hovertemplate=hover))
    title, unit = (next(iter(chosen)), units[0]) if len(chosen) == 1 else ("value", ", ".join(dict.fromkeys(units)))
    shown.update_yaxes(axis(title, unit, theme, rangemode="tozero"))
    shown.update_xaxes(axis("duration", "h", theme, range=[0, run.clock.steps * run.clock.step_h]))
    shown.update_layout(showlegend=len(chosen) > 1)
    return shown


def _line_colours(run: RunCurves, chosen: Mapping[str, Curve | Level], theme: Theme) -> list[str]:
    colours = run.colours(theme)
    roles = [Role.STORED if isinstance(each, Level) else each.role for each in chosen.values()]
    pairs = zip(chosen.values(), roles, strict=True)
    return [colours.get((each.component, role), tokens_of(theme).text) for each, role in pairs]


def month_sums(clock: Clock, values: Floats) -> tuple[list[str], Floats]:
    """Return the local calendar months of a run, as `2018-01`, and the sum of `values` in each. (months,)"""
    calendar = clock.local.astype("datetime64[M]")
    months = np.unique(calendar)
    sums = np.zeros(len(months))
    np.add.at(sums, np.searchsorted(months, calendar), values)
    return [str(month) for month in months], sums


def month_axis(months: Sequence[str], theme: Theme) -> dict[str, Any]:
    """Return the axis of months as `month_sums` names them: short names, the year under the first of each."""
    texts, years = [], set()
    for month in months:
        year, number = month.split("-")
        texts.append(f"{_MONTHS[int(number) - 1]}<br>{year}" if year not in years else _MONTHS[int(number) - 1])
        years.add(year)
    step = -(-len(months) // MOST_MONTHS)
    ticks = {"tickmode": "array", "tickvals": list(months)[::step], "ticktext": texts[::step], "tickangle": 0}
    order = {"categoryorder": "array", "categoryarray": list(months)}
    return axis("", None, theme, type="category", showgrid=False, **order, **ticks)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST_MONTHS = 24
"""Months that an axis names; of more, every so manyth."""


def monthly(run: RunCurves | SolvedSystem, bus: str = "electricity", *, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return what came onto a bus in each month, stacked, what was sold below zero, and the use as a line with marks.

    Storages are left out: what they take and give within a month is no supply.
    """
    run = as_curves(run)
    curves = [curve for curve in run.on(bus) if curve.values.any() and curve.role is not Role.STORED]
    if not curves:
        return blank(theme, f"Nothing flows on {bus!r} in this run.")
    unit = "kWh" if curves[0].carrier.is_energy else "m3"
    sums = {curve.path: month_sums(run.clock, curve.values)[1] for curve in curves}
    months = month_sums(run.clock, curves[0].values)[0]
    scale = scale_of(unit, *[each.tolist() for each in sums.values()])
    shown = figure(theme, height=360, barmode="relative", bargap=0.25)
    colours, tokens = run.colours(theme), tokens_of(theme)
    for curve in curves:
        if curve.sign < 0 and curve.role is not Role.SOLD:
            continue
        amounts = scale.of(sums[curve.path]) * (-1 if curve.role is Role.SOLD else 1)
        shape = "/" if curve.role is Role.LOST else ""
        pattern = {"shape": shape, "fillmode": "overlay", "fgcolor": tokens.muted, "solidity": 0.25}
        marker = {"color": colours[curve.component, curve.role], "pattern": pattern}
        name = plain(curve.component if curve.name == "out" else curve.path.replace(".", ", "))
        shown.add_trace(go.Bar(x=months, y=amounts, name=name, marker=marker, hovertemplate=_hover(scale.unit)))
    used = [sums[curve.path] for curve in curves if curve.role is Role.UNMET or _is_drawn(curve)]
    if used:
        line = {"color": tokens.roles[Role.USED], "width": 2}
        total = scale.of(np.sum(used, axis=0))
        line_of_use = go.Scatter(x=months, y=total, name="use", line=line, mode="lines+markers")
        shown.add_trace(line_of_use.update(hovertemplate=_hover(scale.unit)))
    shown.update_yaxes(axis(bus, scale.unit, theme, zeroline=True))
    shown.update_xaxes(month_axis(months, theme))
    shown.update_layout(hovermode="x unified")
    return shown


def _is_drawn(curve: Curve) -> bool:
    return curve.sign < 0 and curve.role in (Role.USED, Role.CONVERTED)


def _hover(unit: str) -> str:
    return f"%{{y:,.4~g}} {unit}"
