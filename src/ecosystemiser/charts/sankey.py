"""Where energy, or water, came from and went to, summed over the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from ecosystemiser.charts.curves import Curve, RunCurves, as_curves
from ecosystemiser.charts.frame import blank, figure
from ecosystemiser.charts.numbers import plain, scale_of
from ecosystemiser.charts.tokens import Theme, faded, tokens_of
from ecosystemiser.model.kinds import Role
from ecosystemiser.results import SolvedSystem
from ecosystemiser.units import amount_unit

__all__ = ["Link", "Node", "links_of", "sankey"]

_UNITS = {"kwh": "kWh", "m3": "m3"}
VISIBLE = 1e-6
"""Share of the largest amount below which a link is not drawn."""


@dataclass(frozen=True)
class Node:
    """An end of a link; a bus and a component may have the same name."""

    name: str
    is_bus: bool = False


@dataclass(frozen=True)
class Link:
    """An amount from one node to another. [kWh or m3]"""

    source: Node
    target: Node
    amount: float
    component: str
    role: Role

    @property
    def own_end(self) -> Node:
        """The end that is no bus."""
        return self.target if self.source.is_bus else self.source


def links_of(run: RunCurves | SolvedSystem, *, water: bool = False) -> tuple[Link, ...]:
    """Return the amounts from component to bus and from bus to component, those of water or those of energy.

    A storage stands at both ends, since what it gives came from what it took; so does a grid that also buys.
    What was curtailed or missed is a link of its own.
    """
    found = list(_links(as_curves(run), water=water))
    largest = max((link.amount for link in found), default=0.0)
    return tuple(link for link in found if link.amount > VISIBLE * largest)


def _links(run: RunCurves, *, water: bool) -> Iterator[Link]:
    for curve in run.curves:
        if curve.carrier.is_energy is not water:
            yield Link(*_ends(curve), float(curve.values.sum()), curve.component, curve.role)


def _ends(curve: Curve) -> tuple[Node, Node]:
    own, bus = Node(curve.component), Node(curve.bus, is_bus=True)
    if curve.role is Role.LOST:
        return own, Node("curtailed" if curve.carrier.is_energy else "overflow")
    if curve.role is Role.UNMET:
        return Node("unmet"), own
    if curve.role is Role.STORED:
        own = Node(f"{curve.component}, {'discharged' if curve.sign > 0 else 'charged'}")
    elif curve.role is Role.SOLD:
        own = Node(f"{curve.component}, sold")
    return (own, bus) if curve.sign > 0 else (bus, own)


def sankey(run: RunCurves | SolvedSystem, *, water: bool = False, theme: Theme = Theme.LIGHT) -> go.Figure:
    """Return the Sankey diagram of all energy, or of all water, of the run.

    Where a converter is narrower at its left, it takes heat from its surroundings, which nobody meters.
    """
    run = as_curves(run)
    links = links_of(run, water=water)
    if not links:
        return blank(theme, f"No {'water' if water else 'energy'} flows in this run.")
    unit = _UNITS[amount_unit(next(c.carrier for c in run.curves if c.carrier.is_energy is not water))]
    scale = scale_of(unit, [link.amount for link in links])
    colours, tokens = run.colours(theme), tokens_of(theme)
    nodes = list(dict.fromkeys(node for link in links for node in (link.source, link.target)))
    node_colours = {node: tokens.text if node.is_bus else tokens.muted for node in nodes}
    for link in links:
        if link.role not in (Role.UNMET, Role.LOST):
            node_colours[link.own_end] = colours[link.component, link.role]
    shown = figure(theme, height=120 + 26 * len(nodes), margin={"l": 10, "r": 10, "t": 20, "b": 20})
    shown.add_trace(
        go.Sankey(
            valueformat=",.4~g",
            valuesuffix=f" {scale.unit}",
            node={
                "label": [plain(node.name) for node in nodes],
                "color": [node_colours[node] for node in nodes],
                "pad": 16,
                "thickness": 14,
                "line": {"width": 0},
            },
            link={
                "source": [nodes.index(link.source) for link in links],
                "target": [nodes.index(link.target) for link in links],
                "value": scale.of([link.amount for link in links]),
                "color": [faded(colours[link.component, link.role], 0.45) for link in links],
            },
        )
    )
    unit_shown = {"text": f"[{scale.unit}]", "x": 0, "y": 1, "xref": "paper", "yref": "paper", "yshift": 16}
    shown.add_annotation(**unit_shown, showarrow=False, font={"color": tokens.muted})
    return shown
