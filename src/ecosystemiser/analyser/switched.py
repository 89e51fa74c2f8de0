"""What the audit asks of converters that are switched on and off, from their kinds alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.model.kinds import Commitment, Floats

__all__ = ["broken_times", "load_bounds", "output_shares", "starts"]


def starts(on: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many units are switched on at each step; before the first all were off. (steps,)"""
    before = np.concatenate([[0], on[:-1]])
    return np.where(on > before, on - before, 0)


def load_bounds(one: Commitment, on: NDArray[np.int64], limit: Floats) -> tuple[Floats, Floats]:
    """Return the least and the most that the units which are on may draw, given the limit of all. (steps,)"""
    full = limit / one.units * on
    return one.curve[0][0] * full, full


def output_shares(one: Commitment, on: NDArray[np.int64], limit: Floats, drawn: Floats) -> Floats:
    """Return what is given, over the ratio, by units that share equally what they draw. (steps,)"""
    found = np.zeros(len(on))
    for step in np.flatnonzero(on):
        full = limit[step] / one.units * on[step]
        load = min(max(drawn[step] / full if full else 0.0, one.curve[0][0]), 1.0)
        for (low, below), (high, above) in zip(one.curve[:-1], one.curve[1:], strict=True):
            if load <= high:
                slope = (above - below) / (high - low) if high > low else 0.0
                found[step] = full * (below + slope * (load - low))
                break
    return found


def broken_times(one: Commitment, on: NDArray[np.int64]) -> Iterator[tuple[str, Floats]]:
    """Yield what the times of a plan break, with how many units too many at each step. (steps,)"""
    before = np.concatenate([[0], on[:-1]])
    changes = (
        ("is switched off too soon", np.maximum(on - before, 0), one.min_up, on),
        ("is switched on too soon", np.maximum(before - on, 0), one.min_down, one.units - on),
    )
    for what, begun, span, still in changes:
        reach = np.convolve(begun, np.ones(span))[: len(on)]
        yield what, reach - still
