"""Which uncertain field moves a KPI how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.study.sampling import Floats

__all__ = [
    "KpiSensitivity",
    "Sampled",
    "SobolIndices",
    "TornadoBar",
    "rank_correlations",
    "regression",
    "sensitivities",
    "sobol_indices",
    "tornado_bars",
]

RESAMPLES = 500
"""Of the bootstrap behind the confidence intervals of Sobol indices."""
RESAMPLED_AT_ONCE = 500_000
"""Weights that are held in memory at a time."""
VALUES_AT_ONCE = 100_000
"""Values of KPIs that are looked at together: memory stays the same however many samples there are."""


@dataclass(frozen=True)
class KpiSensitivity:
    """How a KPI depends on an uncertain field; None: not asked for, or not defined."""

    kpi: str
    parameter: str
    design: int
    samples: int
    first_order: float | None
    """Share of the KPI's variance that the field explains alone."""
    first_order_low: float | None
    first_order_high: float | None
    total_order: float | None
    """Share of the variance that the field has a part in, with others too."""
    total_order_low: float | None
    total_order_high: float | None
    rank_correlation: float | None
    """Spearman's."""
    regression: float | None
    """Standardised coefficient of the linear regression on all numeric fields."""


@dataclass(frozen=True)
class TornadoBar:
    """A KPI when one field is moved alone, the others at their medians."""

    kpi: str
    parameter: str
    design: int
    low_value: Any
    """The field at its 10 % quantile."""
    high_value: Any
    """The field at its 90 % quantile."""
    at_low: float | None
    """The KPI there; None: the run failed, or the KPI is not defined."""
    at_high: float | None
    at_medians: float | None

    @property
    def swing(self) -> float | None:
        """How far apart the KPI's two values are."""
        return None if self.at_low is None or self.at_high is None else abs(self.at_high - self.at_low)


@dataclass(frozen=True)
class SobolIndices:
    """First and total order with the ends of their confidence intervals. (outputs, fields) each"""

    first: Floats
    first_low: Floats
    first_high: Floats
    total: Floats
    total_low: Floats
    total_high: Floats


@dataclass(frozen=True)
class Sampled:
    """Samples of one design."""

    fields: Sequence[str]
    inputs: Sequence[Sequence[Any]]
    """For each field its values at the independent points: at A, or in turn at A and B."""
    kpis: Sequence[str]
    outputs: Callable[[Sequence[str]], Floats]
    """Of these KPIs: (samples, 1 or fields + 2, KPIs); NaN where one is not defined."""
    design: int = 0


def sensitivities(sampled: Sampled, *, confidence: float, seed: int) -> list[KpiSensitivity]:
    """Return how each KPI depends on each field.

    Sobol indices where there are the points for them, of the samples that are complete; rank correlations and
    regressions of all independent points, for fields whose values are numbers.
    """
    found: dict[str, list[KpiSensitivity]] = {}
    given: _Given | None = None
    for kpis in _alike(sampled):
        outputs = sampled.outputs(kpis)
        is_there = ~np.isnan(outputs[:, :, 0])
        sobol = _sobol(outputs[is_there.all(axis=1)], len(sampled.fields), confidence, seed)
        if given is None or not np.array_equal(given.is_there, is_there):
            given = _Given(sampled, is_there)
        ranks, slopes = given.told(outputs)
        for column, kpi in enumerate(kpis):
            found[kpi] = [
                KpiSensitivity(
                    kpi=kpi,
                    parameter=name,
                    design=sampled.design,
                    samples=given.count,
                    first_order=_known(sobol.first[column, field]),
                    first_order_low=_known(sobol.first_low[column, field]),
                    first_order_high=_known(sobol.first_high[column, field]),
                    total_order=_known(sobol.total[column, field]),
                    total_order_low=_known(sobol.total_low[column, field]),
                    total_order_high=_known(sobol.total_high[column, field]),
                    rank_correlation=_known(ranks[column, field]),
                    regression=_known(slopes[column, field]),
                )
                for field, name in enumerate(sampled.fields)
            ]
    return [each for kpi in sampled.kpis for each in found[kpi]]


def _alike(sampled: Sampled) -> Iterator[list[str]]:
    """Yield KPIs that are defined at the same points, as many together as are looked at at once."""
    alike: dict[bytes, list[str]] = {}
    at_once = len(sampled.kpis)
    for kpi in sampled.kpis:
        outputs = sampled.outputs([kpi])
        at_once = max(1, VALUES_AT_ONCE // max(1, outputs.size))
        alike.setdefault(sha256(np.packbits(np.isnan(outputs)).tobytes()).digest(), []).append(kpi)
    for kpis in alike.values():
        for first in range(0, len(kpis), at_once):
            yield kpis[first : first + at_once]


def _sobol(outputs: Floats, fields: int, confidence: float, seed: int) -> SobolIndices:
    """Return the indices of complete samples (samples, points, KPIs); NaN where there are none, or too few."""
    if outputs.shape[1] == 1 or len(outputs) < 2:
        return SobolIndices(*np.full((6, outputs.shape[2], fields), np.nan))
    return sobol_indices(outputs[:, 0], outputs[:, 1], outputs[:, 2:], confidence=confidence, seed=seed)


class _Given:
    """The independent points at which KPIs are defined."""

    def __init__(self, sampled: Sampled, is_there: NDArray[np.bool_]) -> None:
        independent = 2 if is_there.shape[1] > 1 else 1
        self.is_there, self._independent, self._fields = is_there, independent, len(sampled.fields)
        self._rows = is_there[:, :independent].ravel()
        self.count = int(self._rows.sum())
        self._numeric = [at for at, values in enumerate(sampled.inputs) if _are_numbers(values)]
        columns = [np.asarray(sampled.inputs[at], dtype=float)[self._rows] for at in self._numeric]
        self._inputs = np.column_stack(columns) if columns else np.zeros((self.count, 0))
        self._ranks = _ranks(self._inputs) if self.count > 1 else self._inputs

    def told(self, outputs: Floats) -> tuple[Floats, Floats]:
        """Return rank correlations and regressions. (KPIs, fields)"""
        results = outputs[:, : self._independent].reshape(-1, outputs.shape[2])[self._rows]
        ranks, slopes = np.full((2, outputs.shape[2], self._fields), np.nan)
        if self._numeric and self.count > 1:
            ranks[:, self._numeric] = _ranks(results).T @ self._ranks / self.count
            slopes[:, self._numeric] = regression(self._inputs, results)
        return ranks, slopes


def _are_numbers(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {int, float}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def sobol_indices(a: Floats, b: Floats, ab: Floats, *, confidence: float = 0.95, seed: int = 0) -> SobolIndices:
    """Return the Sobol indices of outputs at A, B and, for each field, A with this field from B.

    (samples, outputs), the same, (samples, fields, outputs). First order by Saltelli et al. (2010), total order by
    Jansen (1999), intervals by bootstrap over the samples. Of an output that does not vary all are NaN.
    """
    middle = (a.mean(axis=0) + b.mean(axis=0)) / 2
    a, b, ab = a - middle, b - middle, ab - middle[None, None, :]
    moved = ab - a[:, None, :]
    parts = [(a + b) / 2, (a**2 + b**2) / 2, b[:, None, :] * moved, moved, moved**2 / 2]
    table = np.concatenate([part.reshape(len(a), -1) for part in parts], axis=1)
    shape = (a.shape[1], ab.shape[1])
    first, total = _indices(table.mean(axis=0)[None], shape)
    means = _resampled(table, np.random.default_rng(seed))
    firsts, totals = _indices(means, shape)
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    first_low, first_high = np.quantile(firsts, ends, axis=0)
    total_low, total_high = np.quantile(totals, ends, axis=0)
    return SobolIndices(first[0], first_low, first_high, total[0], total_low, total_high)


def _indices(means: Floats, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return first and total order from the means that they are made of. (resamples, outputs, fields)"""
    outputs, fields = shape
    mean, square, product, moved, total = np.split(
        means, np.cumsum([outputs, outputs, outputs * fields, outputs * fields]), axis=1
    )
    variance = np.where((found := square - mean**2) > 0, found, np.nan)[:, None, :]
    by_field = (len(means), fields, outputs)
    first = (product.reshape(by_field) - mean[:, None, :] * moved.reshape(by_field)) / variance
    return first.transpose(0, 2, 1), (total.reshape(by_field) / variance).transpose(0, 2, 1)


def _resampled(table: Floats, rng: np.random.Generator) -> Floats:
    """Return the means of the columns over samples drawn anew, many times. (resamples, columns)"""
    count = len(table)
    at_once = max(1, RESAMPLED_AT_ONCE // count)
    means = []
    for first in range(0, RESAMPLES, at_once):
        rows = min(at_once, RESAMPLES - first)
        drawn = rng.integers(0, count, size=(rows, count)) + count * np.arange(rows)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        means.append(weights @ table / count)
    return np.concatenate(means)


def tornado_bars(kpi: str, design: int, values: Mapping[str, Sequence[Any]], results: Floats) -> list[TornadoBar]:
    """Return the bars of a KPI, the widest first.

    `values` of each field and `results` are those at the points: all fields at their medians, then each in turn low and
    high. (1 + 2 x fields,)
    """
    bars = []
    for at, (name, own) in enumerate(values.items()):
        low, high = 1 + 2 * at, 2 + 2 * at
        told = [_known(value) for value in results[[low, high, 0]]]
        bars.append(TornadoBar(kpi, name, design, own[low], own[high], told[0], told[1], told[2]))
    return sorted(bars, key=lambda bar: -(bar.swing or 0.0))


def rank_correlations(inputs: Floats, outputs: Floats) -> Floats:
    """Return Spearman's rank correlations. (samples, fields), (samples, outputs) -> (outputs, fields)

    NaN where one of the two does not vary.
    """
    return np.asarray(_ranks(outputs).T @ _ranks(inputs) / len(inputs))


def _ranks(columns: Floats) -> Floats:
    from scipy.stats import rankdata

    return _standardised(rankdata(columns, axis=0))


def regression(inputs: Floats, outputs: Floats) -> Floats:
    """Return the standardised coefficients of the linear regressions on all fields.

    (samples, fields), (samples, outputs) -> (outputs, fields). NaN for what does not vary, and for all where there
    are no more samples than fields.
    """
    explaining, explained = _standardised(inputs), _standardised(outputs)
    fields, kpis = (np.flatnonzero(~np.isnan(columns).any(axis=0)) for columns in (explaining, explained))
    found = np.full((outputs.shape[1], inputs.shape[1]), np.nan)
    if len(inputs) > len(fields) + 1 and len(fields) and len(kpis):
        solved = np.linalg.lstsq(explaining[:, fields], explained[:, kpis], rcond=None)[0]
        found[np.ix_(kpis, fields)] = solved.T
    return found


def _standardised(columns: Floats) -> Floats:
    deviations = columns.std(axis=0)
    smallest = 1e-12 * np.abs(columns).max(axis=0, initial=0.0)
    return np.asarray((columns - columns.mean(axis=0)) / np.where(deviations > smallest, deviations, np.nan))
