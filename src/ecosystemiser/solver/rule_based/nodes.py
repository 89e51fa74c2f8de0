"""Buses in the order in which the origin of what flows can be followed: a node after those it draws from."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

import numpy as np

from ecosystemiser.model.problem import Ints, Layout
from ecosystemiser.units import Carrier

__all__ = ["Nodes", "has_circle", "nodes_of"]

ELECTRICITY = 0
"""The node of all electricity buses; every other bus is a node of its own, one above its number."""


class Nodes(NamedTuple):
    """Nodes in order; `x_flow[x_first[n] : x_first[n + 1]]` are the flows of node n (in that order) of kind x."""

    order: Ints
    """Node at each place."""
    source_first: Ints
    source_flow: Ints
    import_first: Ints
    import_flow: Ints
    stored_first: Ints
    stored: Ints
    """Storages."""
    converted_first: Ints
    converted_flow: Ints
    converted_from: Ints
    """Node that each converter's output is drawn from."""
    converted_carries: Ints
    """1 for each converter's output that carries the origin of what is drawn, 0 for water made of energy."""
    used_first: Ints
    used_flow: Ints
    """What uses electricity: demands and inputs of converters to other carriers."""
    delivered_first: Ints
    delivered_flow: Ints
    """Demands of energy."""
    is_water: Ints
    """1 at each place whose node carries water."""
    watered_first: Ints
    watered_flow: Ints
    """Demands of water."""


def has_circle(layout: Layout) -> bool:
    """Return whether something can go in a circle of nodes within a step."""
    try:
        _order(layout)
    except CycleError:
        return True
    return False


def nodes_of(layout: Layout) -> Nodes:
    """Return the nodes of a layout; none where there is a circle."""
    order = [] if has_circle(layout) else _order(layout)
    nodes = [_node(layout, flow) for flow in range(len(layout.flows))]
    outputs = [
        (flow, nodes[layout.inputs[converter]])
        for flow, converter in zip(layout.outputs, layout.output_converter, strict=True)
        if not layout.is_internal(converter)
    ]
    electric_inputs = [f for c, f in enumerate(layout.inputs) if nodes[f] == ELECTRICITY and not layout.is_internal(c)]
    demands = [flow for flow in layout.sinks if layout.carrier(flow).is_energy]
    watered = [flow for flow in layout.sinks if flow not in demands]
    used = [flow for flow in (*layout.sinks, *electric_inputs) if nodes[flow] == ELECTRICITY]
    return Nodes(
        np.array(order, dtype=np.int64),
        *_grouped(order, [(nodes[flow], flow) for flow in layout.sources]),
        *_grouped(order, [(nodes[flow], flow) for flow in layout.imports]),
        *_grouped(order, [(nodes[flow], storage) for storage, flow in enumerate(layout.charges)]),
        *_grouped(order, [(nodes[flow], flow) for flow, _ in outputs]),
        _grouped(order, [(nodes[flow], origin) for flow, origin in outputs])[1],
        _grouped(order, [(nodes[flow], _carries(layout, nodes[flow], origin)) for flow, origin in outputs])[1],
        *_grouped(order, [(ELECTRICITY, flow) for flow in used]),
        *_grouped(order, [(nodes[flow], flow) for flow in demands]),
        np.array([_is_water(layout, node) for node in order], dtype=np.int64),
        *_grouped(order, [(nodes[flow], flow) for flow in watered]),
    )


def _node(layout: Layout, flow: int) -> int:
    is_electric = layout.carrier(flow) is Carrier.ELECTRICITY
    return ELECTRICITY if is_electric else layout.flows[flow].bus + 1


def _carries(layout: Layout, node: int, origin: int) -> int:
    return int(not _is_water(layout, node) or _is_water(layout, origin))


def _is_water(layout: Layout, node: int) -> bool:
    return node != ELECTRICITY and not layout.buses[node - 1].carrier.is_energy


def _order(layout: Layout) -> list[int]:
    graph: dict[int, set[int]] = {_node(layout, flow): set() for flow in range(len(layout.flows))}
    for flow, converter in zip(layout.outputs, layout.output_converter, strict=True):
        if not layout.is_internal(converter):
            graph[_node(layout, flow)].add(_node(layout, layout.inputs[converter]))
    return list(TopologicalSorter(graph).static_order())


def _grouped(order: list[int], pairs: list[tuple[int, int]]) -> tuple[Ints, Ints]:
    groups = [[item for node, item in pairs if node == wanted] for wanted in order]
    first = np.cumsum([0, *(len(group) for group in groups)])
    return first.astype(np.int64), np.array([item for group in groups for item in group], dtype=np.int64)
