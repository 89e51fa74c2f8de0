"""What a bus is supplied with and what it serves, step by step: a stack that the line of use runs over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ecosystemiser.charts.curves import Curve, Level, Price, RunCurves, as_curves
from ecosystemiser.charts.frame import axis, blank, layout_of, time_axis
from ecosystemiser.charts.numbers import plain
from ecosystemiser.charts.spans import Span
from ecosystemiser.charts.thinning import steps_to_show
from ecosystemiser.charts.tokens import Theme, faded, mixed, tokens_of
from ecosystemiser.model.kinds import Floats, Role
from ecosystemiser.results import SolvedSystem
from ecosystemiser.units import Carrier

__all__ = ["balance", "rate_name"]

_HEIGHTS = {"stack": 330, "levels": 130, "prices": 120}
LONG = 800
"""Steps from which on lines are thin."""
VALUE = "%{y:,.6~g}"
"""How a value is shown on hover."""


def rate_name(carrier: Carrier) -> str:
    """Return the unit of a mean rate of a step, as it is shown."""
    return "kW" if carrier.is_energy else "m³/h"


def balance(
    run: RunCurves | SolvedSystem, bus: str = "electricity", *, span: Span | None = None, theme: Theme = Theme.LIGHT
) -> go.Figure:
    """Return the stacked balance of a bus over a span of steps, by default the whole run.

    Above zero what comes onto the bus, in the order and colours of the roles, with what was unmet (red) and what was
    curtailed (hatched) on top; below zero what is charged and sold. The line is what demands ask for and converters
    draw. Mean rates of each step, in kW or m³/h. Below it the levels of the bus's storages and its prices, where there
    are some.
    """
    run = as_curves(run)
    if bus not in run.buses:
        return blank(theme, f"Nothing flows on {bus!r}; there are {', '.join(run.buses) or 'no buses'}.")
    drawing = _Drawing.of(run, bus, span or Span(0, run.clock.steps), theme)
    heights = [_HEIGHTS[row] for row in drawing.rows]
    shown = _rows(drawing, heights)
    drawing.add_stack(shown)
    if drawing.levels:
        drawing.add_levels(shown, 2)
    if drawing.prices:
        drawing.add_prices(shown, len(heights))
    return shown


def _rows(drawing: _Drawing, heights: Sequence[int]) -> go.Figure:
    theme, run = drawing.theme, drawing.run
    total = sum(heights) + 130
    shown = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        row_heights=[height / sum(heights) for height in heights],
        vertical_spacing=0.06 if len(heights) > 1 else 0,
    )
    shown.update_layout({**layout_of(theme, height=total), "hovermode": "x unified"})
    shown.update_xaxes(axis("", None, theme, showgrid=False))
    shown.update_xaxes(time_axis(theme, run.clock.timezone), row=len(heights), col=1)
    shown.update_yaxes(axis(drawing.bus, rate_name(drawing.carrier), theme, zeroline=True), row=1, col=1)
    return shown


@dataclass(frozen=True, eq=False)
class _Drawing:
    """A bus over a span, with the steps that are drawn."""

    run: RunCurves
    bus: str
    carrier: Carrier
    theme: Theme
    curves: tuple[Curve, ...]
    """Those that are not 0 in all of the run, so that a legend stays as it is from week to week."""
    levels: tuple[Level, ...]
    prices: tuple[Price, ...]
    steps: np.ndarray[tuple[int], np.dtype[np.int64]]

    @classmethod
    def of(cls, run: RunCurves, bus: str, span: Span, theme: Theme) -> _Drawing:
        curves = tuple(curve for curve in run.on(bus) if curve.values.any())
        levels = tuple(level for level in run.levels if level.bus == bus)
        prices = tuple(price for price in run.prices if price.bus == bus)
        shown: list[Curve | Level | Price] = [*curves, *levels, *prices]
        within = [each.values[span.slice] for each in shown] or [np.zeros(span.last - span.first)]
        return cls(run, bus, run.buses[bus], theme, curves, levels, prices, span.first + steps_to_show(within))

    @property
    def rows(self) -> list[str]:
        return ["stack", *(["levels"] if self.levels else []), *(["prices"] if self.prices else [])]

    @property
    def is_short(self) -> bool:
        """Whether single steps can be made out."""
        return len(self.steps) <= LONG

    @property
    def times(self) -> Floats:
        """Starts of the drawn steps and the end of the last, so that its value has a width."""
        local = self.run.clock.local[self.steps]
        return np.append(local, local[-1] + np.timedelta64(self.run.clock.step_s, "s"))

    def rates(self, values: Floats) -> Floats:
        """Return amounts a step as mean rates at the drawn times."""
        return self.held(values) / self.run.clock.step_h

    def held(self, values: Floats) -> Floats:
        """Return values at the drawn times, the last held to its end."""
        return np.append(values[self.steps], values[self.steps[-1]])

    def add_stack(self, shown: go.Figure) -> None:
        """Add the stack, what lies below zero, and the line of use."""
        colours, tokens = self.run.colours(self.theme), tokens_of(self.theme)
        for curve in _ordered(self.curves, _ABOVE, sign=1):
            self._add_area(shown, curve, colours[curve.component, curve.role], sign=1)
        for curve in _ordered(self.curves, _BELOW, sign=-1):
            colour = colours[curve.component, curve.role]
            self._add_area(shown, curve, mixed(colour, tokens.ground, 0.5) if _is_charge(curve) else colour, sign=-1)
        used = [curve.values for curve in self.curves if _is_use(curve)]
        if used:
            line = {"color": tokens.roles[Role.USED], "width": 2.2 if self.is_short else 1.0, "shape": "hv"}
            rates = self.rates(np.sum(used, axis=0))
            self._add(shown, 1, go.Scatter(x=self.times, y=rates, name="use", line=line, mode="lines"))

    def _add_area(self, shown: go.Figure, curve: Curve, colour: str, *, sign: int) -> None:
        tokens = tokens_of(self.theme)
        is_lost = curve.role is Role.LOST
        hatch = {"shape": "/", "fgcolor": tokens.muted, "bgcolor": faded(colour, 0.35), "size": 6, "solidity": 0.25}
        area = go.Scatter(
            x=self.times,
            y=sign * self.rates(curve.values),
            name=plain(_label(curve)),
            mode="lines",
            line={"width": 0, "shape": "hv", "color": colour},
            stackgroup="above" if sign > 0 else "below",
            fillcolor=colour,
            fillpattern=hatch if is_lost else None,
        )
        self._add(shown, 1, area)

    def add_levels(self, shown: go.Figure, row: int) -> None:
        """Add the contents of storages at each step's end."""
        unit = "kWh" if self.carrier.is_energy else "m³"
        colours, tokens = self.run.colours(self.theme), tokens_of(self.theme)
        ends = self.run.clock.local[self.steps] + np.timedelta64(self.run.clock.step_s, "s")
        for at, level in enumerate(self.levels):
            colour = colours.get((level.component, Role.STORED), tokens.roles[Role.STORED])
            line = {"color": colour, "width": 1.8, "dash": _DASHES[at % len(_DASHES)]}
            name = f"{level.component}, content"
            trace = go.Scatter(x=ends, y=level.values[self.steps], name=plain(name), line=line, mode="lines")
            self._add(shown, row, trace)
        shown.update_yaxes(axis("content", unit, self.theme, rangemode="tozero"), row=row, col=1)

    def add_prices(self, shown: go.Figure, row: int) -> None:
        """Add what the carrier costs in each step."""
        tokens = tokens_of(self.theme)
        for at, price in enumerate(self.prices):
            colour = tokens.accent if price.is_marginal else tokens.muted
            line = {"color": colour, "width": 1.6, "shape": "hv", "dash": _DASHES[at % len(_DASHES)]}
            trace = go.Scatter(x=self.times, y=self.held(price.values), name=plain(price.name), line=line, mode="lines")
            self._add(shown, row, trace)
        unit = f"{self.run.currency}/{'kWh' if self.carrier.is_energy else 'm³'}"
        shown.update_yaxes(axis("price", unit, self.theme), row=row, col=1)

    def _add(self, shown: go.Figure, row: int, trace: go.Scatter) -> None:
        trace.hovertemplate = VALUE
        shown.add_trace(trace, row=row, col=1)


_DASHES = ("solid", "dash", "dot", "dashdot")

_ABOVE = (Role.SUN, Role.SKY, Role.CONVERTED, Role.STORED, Role.BOUGHT, Role.UNMET, Role.LOST)
"""From the ground up."""
_BELOW = (Role.STORED, Role.SOLD)


def _ordered(curves: Sequence[Curve], roles: Sequence[Role], *, sign: int) -> list[Curve]:
    """Return what is stacked above (+1) or below zero (-1): role after role, in the order of the file."""
    chosen = [curve for curve in curves if (curve.sign < 0) == (sign < 0)]
    return [curve for role in roles for curve in chosen if curve.role is role]


def _is_charge(curve: Curve) -> bool:
    return curve.role is Role.STORED and curve.sign < 0


def _is_use(curve: Curve) -> bool:
    """Whether a curve is part of what is asked for: what is used, drawn by converters, or missing."""
    return curve.role is Role.UNMET or (curve.sign < 0 and curve.role in (Role.USED, Role.CONVERTED))


_WORDS = {
    "import": "bought",
    "export": "sold",
    "charge": "charged",
    "discharge": "discharged",
    "curtailed": "curtailed",
    "unmet": "unmet",
}


def _label(curve: Curve) -> str:
    """Return a component, with what it does where it may do more than one thing."""
    word = _WORDS.get(curve.name)
    return f"{curve.component}, {word}" if word else curve.component
