"""Which points no other beats, and how much of the space of objectives they dominate."""

from __future__ import annotations

import numpy as np

from ecosystemiser.study.sampling import Floats

__all__ = ["crowding_distances", "hypervolume", "non_dominated"]


def non_dominated(amounts: Floats) -> list[int]:
    """Return the rows of `amounts` (points, objectives; small is good) that no other row dominates.

    Of equal rows the first.
    """
    if not len(amounts):
        return []
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    _, first = np.unique(amounts, axis=0, return_index=True)
    kept = np.sort(first)
    front = NonDominatedSorting().do(amounts[kept], only_non_dominated_front=True)
    return sorted(kept[front].tolist())


def crowding_distances(amounts: Floats) -> list[float | None]:
    """Return for each point of a front how far its neighbours are apart, as shares of the front's extent, the mean
    over the objectives (Deb et al. 2002); None at the ends of the front. (points, objectives)"""
    if len(amounts) <= 2:
        return [None] * len(amounts)
    from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance

    distances = calc_crowding_distance(amounts)
    return [float(distance) if np.isfinite(distance) else None for distance in distances]


def hypervolume(amounts: Floats, reference: Floats) -> float:
    """Return the volume that points dominate, up to the reference point. (points, objectives), (objectives,)"""
    inside = amounts[np.all(amounts < reference, axis=1)]
    if not len(inside):
        return 0.0
    if len(reference) == 1:
        return float(reference[0] - inside.min())
    from pymoo.indicators.hv import HV

    return float(HV(ref_point=reference)(inside))
