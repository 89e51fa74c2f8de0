"""Quantiles of the distributions of uncertain fields."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ecosystemiser.config.distributions import (
    Discrete,
    Distribution,
    Empirical,
    LogNormal,
    Normal,
    Triangular,
    Uniform,
)
from ecosystemiser.study.sampling import Floats

__all__ = ["quantiles"]


def quantiles(spec: Distribution, shares: Floats) -> list[Any]:
    """Return the values below which these shares of a distribution lie, as plain data. (shares,)"""
    if isinstance(spec, Discrete):
        weights = np.ones(len(spec.values)) if spec.weights is None else np.array(spec.weights)
        steps = np.cumsum(weights) / weights.sum()
        last = int(np.flatnonzero(weights)[-1])  # rounding could lead past it
        positions = np.minimum(np.searchsorted(steps, shares, side="right"), last)
        return [spec.values[at] for at in positions.tolist()]
    return list(_numbers(spec, shares).tolist())


def _numbers(spec: Normal | LogNormal | Uniform | Triangular | Empirical, shares: Floats) -> Floats:
    if isinstance(spec, Uniform):
        return np.clip(spec.minimum + shares * (spec.maximum - spec.minimum), spec.minimum, spec.maximum)
    if isinstance(spec, Empirical):
        return np.asarray(np.quantile(np.array(spec.values), shares))
    if isinstance(spec, Triangular):
        return _triangular(spec, shares)
    values = spec.location + spec.scale * _cut_normal(*spec.ends(), shares)
    if isinstance(spec, LogNormal):
        values = np.exp(values)
    return np.clip(values, spec.minimum, spec.maximum)


def _triangular(spec: Triangular, shares: Floats) -> Floats:
    width, rise = spec.maximum - spec.minimum, spec.mode - spec.minimum
    rising = spec.minimum + np.sqrt(shares * width * rise)
    falling = spec.maximum - np.sqrt((1 - shares) * width * (spec.maximum - spec.mode))
    return np.where(shares * width < rise, rising, falling)


def _cut_normal(low: float, high: float, shares: Floats) -> Floats:
    """Return quantiles of the standard normal distribution between `low` and `high`."""
    from scipy.special import ndtr, ndtri

    if low > 0:  # the mirrored tail: near 1 the distribution has no digits left
        return -_cut_normal(-high, -low, 1 - shares)
    below, above = (0.0 if math.isinf(low) else ndtr(low)), (1.0 if math.isinf(high) else ndtr(high))
    return np.asarray(ndtri(below + shares * (above - below)))
