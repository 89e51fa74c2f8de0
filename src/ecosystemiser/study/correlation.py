"""Correlated points by a Gaussian copula."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecosystemiser.study.sampling import INSIDE, Floats

__all__ = ["correlated"]


def correlated(points: Floats, rank_correlations: Sequence[Sequence[float]]) -> Floats:
    """Return points of the unit cube whose coordinates have these Spearman rank correlations. (points, dimensions)

    Each coordinate stays uniform. A Gaussian copula: normal variables have the Spearman correlation s where their
    Pearson correlation is 2 sin(pi s / 6) (Pearson 1907). Each point is changed by itself, so that points can be added;
    unlike by the method of Iman and Conover (1982), which reorders a whole sample. The reached correlation is that of a
    sample of this size; ties, as of discrete fields, bring it nearer to 0.
    """
    from scipy.special import ndtr, ndtri

    pearson = 2 * np.sin(np.pi / 6 * np.array(rank_correlations))
    normal = ndtri(points) @ np.linalg.cholesky(pearson).T
    return np.asarray(np.clip(ndtr(normal), INSIDE, 1 - INSIDE))
