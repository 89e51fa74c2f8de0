"""What samples say about the distribution of a KPI, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ecosystemiser.config.kpi_words import KpiLimit
from ecosystemiser.kpis import KPIS
from ecosystemiser.study.sampling import Floats

__all__ = [
    "LEVELS",
    "DesignDifference",
    "KpiUncertainty",
    "LimitProbability",
    "Percentile",
    "difference",
    "half_width",
    "probability",
    "uncertainty",
]

LEVELS = (5, 10, 25, 50, 75, 90, 95)
"""The percentiles that are told."""

_HIGH_IS_GOOD = frozenset(kpi.name for kpi in KPIS if kpi.better == "higher")


@dataclass(frozen=True)
class Percentile:
    """The value below which `level` per cent of the samples lie, with its confidence interval."""

    level: int
    value: float
    low: float | None
    """None: there are too few samples to say."""
    high: float | None


@dataclass(frozen=True)
class KpiUncertainty:
    """The distribution of a KPI over the samples of a design."""

    kpi: str
    design: int
    """Counted from 0; of a study that compares none, 0."""
    samples: int
    """That have this KPI."""
    failed: int
    """Whose run failed; they are no part of the numbers."""
    mean: float
    mean_low: float | None
    """None: there is one sample only."""
    mean_high: float | None
    standard_deviation: float | None
    minimum: float
    maximum: float
    percentiles: tuple[Percentile, ...]
    value_at_risk: float
    """What is not exceeded with the probability `risk_level`; of KPIs that are to be high, what is not fallen below."""
    conditional_value_at_risk: float
    """Mean of what lies beyond: of the worst 1 - `risk_level`."""

    def percentile(self, level: int) -> float:
        """Return the value below which `level` per cent lie. Raises KeyError for a level that is not told."""
        return {each.level: each.value for each in self.percentiles}[level]


@dataclass(frozen=True)
class LimitProbability:
    """The probability that a limit is kept, with its confidence interval (Wilson 1927)."""

    limit: KpiLimit
    design: int
    samples: int
    probability: float
    low: float
    high: float


@dataclass(frozen=True)
class DesignDifference:
    """How much more of a KPI a design has than the first one, sample by sample (common random numbers)."""

    kpi: str
    design: int
    samples: int
    mean: float
    low: float | None
    high: float | None
    share_better: float
    """Share of the samples in which it is better than the first: lower, of KPIs that are to be high higher."""


def uncertainty(
    kpi: str, values: Floats, *, confidence: float, risk_level: float, design: int = 0, failed: int = 0
) -> KpiUncertainty:
    """Return what samples say about a KPI. (samples,), at least one.

    Intervals hold for independent samples; of Sobol points and Latin hypercubes they are wider than need be.
    """
    ordered = np.sort(values)
    mean, half = float(ordered.mean()), half_width(ordered, confidence)
    at_risk, beyond = _tail(-ordered[::-1] if kpi in _HIGH_IS_GOOD else ordered, risk_level)
    sign = -1.0 if kpi in _HIGH_IS_GOOD else 1.0
    return KpiUncertainty(
        kpi=kpi,
        design=design,
        samples=len(ordered),
        failed=failed,
        mean=mean,
        mean_low=None if half is None else mean - half,
        mean_high=None if half is None else mean + half,
        standard_deviation=float(ordered.std(ddof=1)) if len(ordered) > 1 else None,
        minimum=float(ordered[0]),
        maximum=float(ordered[-1]),
        percentiles=tuple(_percentiles(ordered, confidence)),
        value_at_risk=sign * at_risk,
        conditional_value_at_risk=sign * beyond,
    )


def half_width(values: Floats, confidence: float) -> float | None:
    """Return half the confidence interval of the mean (Student's t); None for fewer than two values."""
    if len(values) < 2:
        return None
    from scipy.special import stdtrit

    quantile = stdtrit(len(values) - 1, (1 + confidence) / 2)
    return float(quantile * values.std(ddof=1) / math.sqrt(len(values)))


def probability(limit: KpiLimit, values: Floats, confidence: float, design: int = 0) -> LimitProbability:
    """Return the probability that a limit is kept. (samples,), at least one."""
    from scipy.special import ndtri

    kept = values >= limit.limit if limit.relation == ">=" else values <= limit.limit
    count, share, z = len(values), float(kept.mean()), float(ndtri((1 + confidence) / 2))
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return LimitProbability(limit, design, count, share, max(0.0, centre - half), min(1.0, centre + half))


def difference(kpi: str, values: Floats, reference: Floats, confidence: float, design: int) -> DesignDifference:
    """Return how much more a design has than the reference in the same samples. (samples,) each, at least one."""
    more = values - reference
    mean, half = float(more.mean()), half_width(more, confidence)
    better = more > 0 if kpi in _HIGH_IS_GOOD else more < 0
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return DesignDifference(kpi, design, len(more), mean, low, high, float(better.mean()))


def _percentiles(ordered: Floats, confidence: float) -> Iterator[Percentile]:
    """Yield the percentiles; the interval of each lies between two samples, whatever the distribution."""
    values = np.quantile(ordered, np.array(LEVELS) / 100).tolist()
    for level, value, (low, high) in zip(LEVELS, values, _ranks(len(ordered), confidence), strict=True):
        yield Percentile(
            level=level,
            value=value,
            low=float(ordered[low]) if low >= 0 else None,
            high=float(ordered[high]) if high < len(ordered) else None,
        )


@lru_cache(maxsize=64)
def _ranks(count: int, confidence: float) -> list[tuple[int, int]]:
    """Return for each level the places of the sorted samples between which its percentile lies, by the binomial
    distribution of how many samples lie below it; places that do not exist where there are too few."""
    from scipy.stats import binom

    shares = np.array(LEVELS) / 100
    lows, highs = (binom.ppf(end, count, shares).astype(int) for end in ((1 - confidence) / 2, (1 + confidence) / 2))
    return list(zip((lows - 1).tolist(), highs.tolist(), strict=True))


def _tail(losses: Floats, level: float) -> tuple[float, float]:
    """Return value at risk and conditional value at risk of losses in rising order (Rockafellar and Uryasev 2002)."""
    count = len(losses)
    beyond = round((1 - level) * count, 9)  # 1 - 0.95 is a little more than 0.05
    weights = np.clip(beyond - np.arange(count), 0.0, 1.0)
    worst = losses[::-1]
    return float(losses[count - math.floor(beyond) - 1]), float(worst @ weights / weights.sum())
