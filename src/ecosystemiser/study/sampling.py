"""Points spread over the unit cube."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["INSIDE", "Floats", "Method", "uniform_points"]

Floats = NDArray[np.float64]

Method = Literal["sobol", "lhs", "random"]

INSIDE = 2.0**-53
"""No coordinate is nearer to 0 or 1: quantiles of distributions without end stay finite."""


def uniform_points(method: Method, samples: int, dimensions: int, seed: int) -> Floats:
    """Return points of the open unit cube. (samples, dimensions)

    `sobol`: a scrambled Sobol sequence (Joe and Kuo 2008, Owen's scrambling); its first points are the same for any
    number of samples, as those of `random` are. `lhs`: a Latin hypercube, each of `samples` equal slices of each axis
    holding one point. The same seed gives the same points.
    """
    rng = np.random.default_rng(seed)
    if method == "random":
        points = rng.random((samples, dimensions))
    elif method == "lhs":
        points = _latin_hypercube(samples, dimensions, rng)
    else:
        from scipy.stats import qmc

        # All of the next power of 2: a part of it asked for is warned of, and is the same points.
        points = qmc.Sobol(dimensions, rng=rng).random_base2(max(0, samples - 1).bit_length())[:samples]
    return np.clip(points, INSIDE, 1 - INSIDE)


def _latin_hypercube(samples: int, dimensions: int, rng: np.random.Generator) -> Floats:
    slices = rng.permuted(np.tile(np.arange(samples), (dimensions, 1)), axis=1).T
    return np.asarray((slices + rng.random((samples, dimensions))) / samples)
