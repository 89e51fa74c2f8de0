"""Which points a Monte Carlo study makes, and which number each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.study.correlation import correlated
from ecosystemiser.study.distributions import quantiles
from ecosystemiser.study.points import Point
from ecosystemiser.study.sampling import Floats, uniform_points

__all__ = ["TORNADO_SHARES", "SamplePlan"]

TORNADO_SHARES = (0.1, 0.9)
"""Quantiles to which each field is moved alone."""


@dataclass(frozen=True)
class SamplePlan:
    """Samples of the uncertain fields, the same ones for every design (common random numbers).

    A sample is one point, or with sensitivity those of Saltelli's scheme (2010): A, B, and for each field A with this
    field from B. The points of the tornado come first, then sample after sample; each stands for all designs side by
    side.
    """

    settings: MonteCarloSettings
    designs: Sequence[Mapping[str, Any]] = field(default_factory=lambda: [{}])

    @property
    def fields(self) -> list[str]:
        """The uncertain fields."""
        return list(self.settings.distributions)

    @property
    def per_sample(self) -> int:
        """Points of one sample of one design."""
        return self.settings.points_per_sample

    @property
    def alone(self) -> int:
        """Points of the tornado of one design: all at their medians, then each field low, high."""
        return 2 * len(self.fields) + 1 if self.settings.has_tornado else 0

    @property
    def size(self) -> int:
        """Points in all."""
        return len(self.designs) * (self.alone + self.settings.n_samples * self.per_sample)

    @cached_property
    def shares(self) -> Floats:
        """Points of the unit cube: of A, and with sensitivity beside them those of B. (samples, fields or twice)"""
        settings = self.settings
        width = len(self.fields) * (2 if settings.sensitivity else 1)
        points = uniform_points(settings.sampling, settings.n_samples, width, settings.seed)
        return correlated(points, settings.correlation_matrix()) if settings.correlations else points

    def tornado_points(self) -> list[Point]:
        """Return the points at which each field is moved alone."""
        columns = self.tornado_values()
        return self._points([dict(zip(self.fields, row, strict=True)) for row in zip(*columns, strict=True)], 0)

    def tornado_values(self) -> list[list[Any]]:
        """Return for each field its values at the points of the tornado."""
        shares = np.full((len(self.fields), 2 * len(self.fields) + 1), 0.5)
        for at, row in enumerate(shares):
            row[1 + 2 * at : 3 + 2 * at] = TORNADO_SHARES
        return [quantiles(spec, row) for spec, row in zip(self.settings.distributions.values(), shares, strict=True)]

    def points(self, first: int, end: int) -> list[Point]:
        """Return the points of the samples from `first` to before `end`."""
        columns = [self._column(at, first, end) for at in range(len(self.fields))]
        rows = [dict(zip(self.fields, row, strict=True)) for row in zip(*columns, strict=True)]
        return self._points(rows, self.alone + first * self.per_sample)

    def values(self, end: int) -> list[list[Any]]:
        """Return for each field its values at all A and B of the samples before `end`: A, B, A, B, ..."""
        return [
            quantiles(spec, self.shares[:end, at :: len(self.fields)].ravel())
            for at, spec in enumerate(self.settings.distributions.values())
        ]

    def tornado_numbers(self, design: int) -> slice:
        """Return the numbers of the points of one design's tornado."""
        return slice(design, len(self.designs) * self.alone, len(self.designs))

    def sample_numbers(self, design: int, end: int) -> slice:
        """Return the numbers of the points of one design's samples before `end`."""
        count = len(self.designs)
        return slice(count * self.alone + design, count * (self.alone + end * self.per_sample), count)

    def _column(self, at: int, first: int, end: int) -> list[Any]:
        """Return the values of a field at the points of samples."""
        count = len(self.fields)
        shares = np.repeat(self.shares[first:end, at, None], self.per_sample, axis=1)
        if self.settings.sensitivity:
            shares[:, 1] = shares[:, 2 + at] = self.shares[first:end, count + at]
        return quantiles(list(self.settings.distributions.values())[at], shares.ravel())

    def _points(self, rows: Sequence[Mapping[str, Any]], first: int) -> list[Point]:
        number = first * len(self.designs)
        pairs = ((design, row) for row in rows for design in self.designs)
        return [Point(number + at, {**design, **row} if design else row) for at, (design, row) in enumerate(pairs)]
