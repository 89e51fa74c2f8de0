"""Points of a study: which values each varied field takes together, and in which order they are best solved."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeVar

import numpy as np

__all__ = ["CHUNKS", "Point", "chunks_of", "grid_points", "near_neighbour_order", "zipped_points"]

T = TypeVar("T")

CHUNKS = 8
"""Pieces that a study is cut into, where it has enough points."""
LARGEST_CHUNK = 250
MOST_ORDERED = 2_000
"""Above this many points, order by the first fields' values instead of nearest neighbours, whose cost is quadratic."""


@dataclass(frozen=True)
class Point:
    """One variation: its number within the study, the values of the varied fields, the generation that asked first."""

    number: int
    values: Mapping[str, Any]
    generation: int | None = None


def grid_points(parameters: Mapping[str, Sequence[Any]]) -> list[Point]:
    """Return every combination of the values, the last field changing fastest; one empty point without fields."""
    names = list(parameters)
    combinations = itertools.product(*parameters.values())
    return [Point(at, dict(zip(names, values, strict=True))) for at, values in enumerate(combinations)]


def zipped_points(parameters: Mapping[str, Sequence[Any]]) -> list[Point]:
    """Return the first values of all fields together, then the second, and so on. Lengths must be equal."""
    names = list(parameters)
    rows = zip(*parameters.values(), strict=True) if names else [()]
    return [Point(at, dict(zip(names, values, strict=True))) for at, values in enumerate(rows)]


def near_neighbour_order(points: Sequence[Point]) -> list[Point]:
    """Return the points so that each follows one near it: a warm solve starts from its neighbour's answer.

    Distances count numbers by their share of the field's range and other values by their place among the values.
    Greedy from the first point; fixed by the points alone.
    """
    places = _places(points)
    if len(points) > MOST_ORDERED:
        return [points[at] for at in sorted(range(len(points)), key=lambda at: places[at])]
    if not points or not places[0]:
        return list(points)
    coordinates, order = np.array(places).T.copy(), [0]
    distances, offsets = np.empty(len(points)), np.empty_like(coordinates)
    while len(order) < len(points):
        here = coordinates[:, order[-1], None].copy()
        coordinates[:, order[-1]] = np.inf  # is passed
        np.square(np.subtract(coordinates, here, out=offsets), out=offsets)
        order.append(int(np.argmin(np.sum(offsets, axis=0, out=distances))))  # the first of equally near ones
    return [points[at] for at in order]


def chunks_of(items: Sequence[T], pieces: int = CHUNKS) -> list[list[T]]:
    """Return items in pieces to be solved one after the other by one worker; fixed by their number alone.

    There are at least as many pieces as wanted, where there are enough items.
    """
    size = max(1, min(LARGEST_CHUNK, math.ceil(len(items) / pieces)))
    return [list(items[first : first + size]) for first in range(0, len(items), size)]


def _places(points: Sequence[Point]) -> list[tuple[float, ...]]:
    """Return each point's place: one coordinate a field, 0 to 1."""
    names = list(points[0].values) if points else []
    if not names:
        return [()] * len(points)
    columns = [_coordinates([point.values[name] for point in points]) for name in names]
    return list(zip(*columns, strict=True))


def _coordinates(values: Sequence[Any]) -> list[float]:
    if all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        low, high = min(values), max(values)
        return [float(value - low) / float(high - low) if high > low else 0.0 for value in values]
    position = {text: at for at, text in enumerate(dict.fromkeys(map(repr, values)))}
    if len(position) > len(values) / 2:  # nearly all differ: none is nearer than another
        return [0.0] * len(values)
    return [position[repr(value)] / max(1, len(position) - 1) for value in values]
