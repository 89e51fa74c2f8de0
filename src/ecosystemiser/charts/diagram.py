"""The system as a drawing: buses as bars from top to bottom, components beside them, an arrow where anything flows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from ecosystemiser.charts.curves import RunCurves, as_curves
from ecosystemiser.charts.frame import blank, figure
from ecosystemiser.charts.numbers import plain, plain_unit, significant
from ecosystemiser.charts.tokens import ROLE_WORDS, Theme, tokens_of
from ecosystemiser.model.kinds import Role
from ecosystemiser.results import ComponentFacts, SolvedSystem

__all__ = ["Box", "Plan", "diagram", "plan_of"]

ROW, COLUMN = 54, 170
"""Height of a row and width of a column. [pixels]"""
HALF = 0.42
"""Half the width of a component's box, in columns."""
BESIDE = 0.16
"""Between bars of one column whose rows overlap, in columns."""


@dataclass(frozen=True)
class Box:
    """A component's place: buses stand in odd columns, components in even ones."""

    name: str
    column: float
    row: int


@dataclass(frozen=True)
class Plan:
    """Where everything stands. Columns count from the left, rows from the top."""

    boxes: tuple[Box, ...]
    bars: dict[str, tuple[float, int, int]]
    """Of each bus: its column, its first and its last row."""


def plan_of(run: RunCurves | SolvedSystem) -> Plan:
    """Return where components and buses stand: what feeds a bus at its left, what it serves at its right.

    A bus that converters feed stands to the right of those that they draw from; loops are cut where they close.
    """
    run = as_curves(run)
    ties = _Ties(run)
    boxes: list[Box] = []
    row, order = 0, list(run.buses)
    # Energy first, then water; so that bars of one column lie one below the other.
    for bus in sorted(order, key=lambda name: (not run.buses[name].is_energy, ties.depth(name), order.index(name))):
        left, right = ties.only_feeding(bus), ties.served_by(bus)
        left_of_it = 2 * ties.depth(bus)
        boxes += [Box(name, left_of_it, row + at) for at, name in enumerate(left)]
        boxes += [Box(name, left_of_it + 2, row + at) for at, name in enumerate(right)]
        row += max(len(left), len(right))
    rows = {box.name: box.row for box in boxes}
    bars: dict[str, tuple[float, int, int]] = {}
    for bus in run.buses:
        tied = [rows[name] for name in ties.tied_to(bus)]
        first, last = min(tied), max(tied)
        column = 2.0 * ties.depth(bus) + 1
        while any(column == other and first <= low and high <= last for other, high, low in bars.values()):
            column += BESIDE
        bars[bus] = (column, first, last)
    return Plan(tuple(boxes), bars)


class _Ties:
    """Who gives to which bus, who takes from it."""

    def __init__(self, run: RunCurves) -> None:
        self.run = run
        self.feeds: dict[str, list[str]] = {}
        self.draws: dict[str, list[str]] = {}
        for flow in run.flows:
            ends = self.feeds if flow.sign > 0 else self.draws
            ends.setdefault(flow.component, []).append(flow.bus)
        self.names = list(dict.fromkeys(flow.component for flow in run.flows))
        self.sells = {flow.component for flow in run.flows if flow.role is Role.SOLD}

    def depth(self, bus: str, below: frozenset[str] = frozenset()) -> int:
        """Return how many buses stand before this one on the longest way to it."""
        before = {
            draw
            for name in self.names
            if bus in self.feeds.get(name, ())
            for draw in self.draws.get(name, ())
            if draw != bus and draw not in below
        }
        return max((1 + self.depth(other, below | {bus}) for other in before), default=0)

    def only_feeding(self, bus: str) -> list[str]:
        """Return the components that give to a bus and take from none; a grid that also buys is one of them."""
        return [
            name
            for name in self.names
            if bus in self.feeds.get(name, ()) and (name not in self.draws or name in self.sells)
        ]

    def served_by(self, bus: str) -> list[str]:
        """Return the components that first take from this bus: storages, demands, then converters."""
        served = [name for name in self.names if self.draws.get(name, [""])[0] == bus and name not in self.sells]
        return sorted(served, key=lambda name: len(set(self.feeds.get(name, ())) - {bus}))

    def tied_to(self, bus: str) -> list[str]:
        """Return all components on a bus."""
        return [name for name in self.names if bus in (*self.feeds.get(name, ()), *self.draws.get(name, ()))]


def diagram(run: RunCurves | SolvedSystem, *, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return the drawing of a system. Sizes stand under names; amounts of the run on hover."""
    run = as_curves(run)
    if not run.flows:
        return blank(theme, "Nothing is known of how this system is connected.")
    plan = plan_of(run)
    boxes = {box.name: box for box in plan.boxes}
    rows, columns = 1 + max(box.row for box in plan.boxes), 1 + max(box.column for box in plan.boxes)
    roles = _roles(run)
    facts = {each.name: each for each in run.inventory}
    colours = run.colours(theme)
    marks = _Marks(theme)
    _add_arrows(marks, run, plan, boxes)
    _add_bars(marks, plan)
    for box in plan.boxes:
        _add_box(marks, box, facts.get(box.name), colours[box.name, roles[box.name]])
    shown = figure(
        theme,
        height=round(60 + ROW * rows),
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        showlegend=False,
        hovermode="closest",
        annotations=marks.annotations,
        shapes=marks.shapes,
        xaxis={"visible": False, "range": [-0.6, columns - 0.3], "fixedrange": True},
        yaxis={"visible": False, "range": [rows - 0.35, -0.75], "fixedrange": True},
    )
    texts = [_hover(box.name, facts.get(box.name), roles[box.name]) for box in plan.boxes]
    places = {"x": [box.column for box in plan.boxes], "y": [box.row for box in plan.boxes]}
    marker = {"size": 34, "opacity": 0}
    shown.add_trace(go.Scatter(**places, mode="markers", marker=marker, hovertext=texts, hoverinfo="text"))
    return shown


@dataclass
class _Marks:
    """What is drawn, collected: plotly takes long over adding one at a time."""

    theme: Theme
    annotations: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)

    def write(self, text: str, x: float, y: float, **more: Any) -> None:
        """Write at a place."""
        font = {"size": 12, "color": tokens_of(self.theme).text}
        self.annotations.append({"text": text, "x": x, "y": y, "showarrow": False, "font": font, **more})


def _roles(run: RunCurves) -> dict[str, Role]:
    """Return the first role of each component, by which its box is coloured."""
    roles: dict[str, Role] = {}
    for flow in run.flows:
        roles.setdefault(flow.component, flow.role)
    return roles


def _add_arrows(marks: _Marks, run: RunCurves, plan: Plan, boxes: dict[str, Box]) -> None:
    colours = run.colours(marks.theme)
    for flow in run.flows:
        box, (bar, _, _) = boxes[flow.component], plan.bars[flow.bus]
        side = 1 if bar > box.column else -1
        both_ways = len({other.sign for other in run.on(flow.bus) if other.component == box.name} - {0}) > 1
        row = box.row + (0.1 * flow.sign if both_ways else 0.0)
        at_box, at_bar = box.column + side * HALF, bar
        x0, x1 = (at_box, at_bar) if flow.sign > 0 else (at_bar, at_box)
        arrow = {"axref": "x", "ayref": "y", "showarrow": True, "arrowhead": 2, "arrowsize": 1.1, "arrowwidth": 1.8}
        colour = colours[flow.component, flow.role]
        marks.write("", x1, row, ax=x0, ay=row, arrowcolor=colour, standoff=3, **arrow)


def _add_bars(marks: _Marks, plan: Plan) -> None:
    for bus, (column, first, last) in plan.bars.items():
        ends = {"x0": column, "x1": column, "y0": first - 0.3, "y1": last + 0.3}
        marks.shapes.append({"type": "line", **ends, "line": {"color": tokens_of(marks.theme).text, "width": 5}})
        marks.write(plain(bus), column, first - 0.3, yanchor="bottom", yshift=2)


def _add_box(marks: _Marks, box: Box, facts: ComponentFacts | None, colour: str) -> None:
    tokens = tokens_of(marks.theme)
    edges = {"x0": box.column - HALF, "x1": box.column + HALF, "y0": box.row - 0.36, "y1": box.row + 0.36}
    line = {"color": colour, "width": 2.5}
    marks.shapes.append({"type": "rect", **edges, "line": line, "fillcolor": tokens.raised})
    size = f"<br><span style='color:{tokens.muted}'>{_size(facts)}</span>" if facts and facts.size is not None else ""
    marks.write(f"{plain(box.name)}{size}", box.column, box.row)


def _size(facts: ComponentFacts) -> str:
    unit = {"m2": "m²"}.get(facts.size_unit, plain_unit(facts.size_unit))
    return f"{significant(facts.size or 0.0)} {unit}"


def _hover(name: str, facts: ComponentFacts | None, role: Role) -> str:
    if facts is None:
        return f"<b>{plain(name)}</b>"
    unit = plain_unit(facts.amount_unit)
    lines = [f"<b>{plain(name)}</b>: {plain(facts.type)}, {ROLE_WORDS[role]}"]
    lines += [f"size {_size(facts)}"] if facts.size is not None else []
    lines += [f"gave {significant(facts.given)} {unit}"] if facts.given else []
    lines += [f"took {significant(facts.taken)} {unit}"] if facts.taken else []
    return "<br>".join(lines)
