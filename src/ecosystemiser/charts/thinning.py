"""Fewer points for the screen, without losing a peak."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints

__all__ = ["SCREEN_POINTS", "steps_to_show"]

SCREEN_POINTS = 4_000
"""Points of all curves of a figure together by time: two for each pixel of a wide screen."""


def steps_to_show(curves: Sequence[Floats], points: int = SCREEN_POINTS) -> Ints:
    """Return the steps at which curves of one length are drawn, rising; all of them where there are few.

    The run is cut into equal parts; of each part the steps are kept at which any of the curves is lowest or highest,
    and the first and the last step of all. So the highest and lowest value of every part are on the screen, and curves
    that are stacked stay aligned. At most `points` steps, or two of each curve where that is more.
    """
    steps = len(curves[0]) if curves else 0
    if steps <= points or steps <= 2:
        return np.arange(steps, dtype=np.int64)
    parts = max(1, (points - 2) // (2 * len(curves)))
    edges = np.linspace(0, steps, parts + 1).round().astype(np.int64)
    kept = [np.array([0, steps - 1], dtype=np.int64)]
    for curve in curves:
        low, high = np.where(np.isnan(curve), np.inf, curve), np.where(np.isnan(curve), -np.inf, curve)
        for first, last in pairwise(edges.tolist()):
            if last > first:
                kept.append(np.array([first + low[first:last].argmin(), first + high[first:last].argmax()]))
    return np.unique(np.concatenate(kept))
