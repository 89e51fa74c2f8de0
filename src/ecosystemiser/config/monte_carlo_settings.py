"""What a Monte Carlo study is asked to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ecosystemiser.config.distributions import Discrete, Distribution
from ecosystemiser.config.genetic_settings import Seed
from ecosystemiser.config.kpi_words import KpiLimit, KpiName, LimitText
from ecosystemiser.config.value_range import MOST_POINTS
from ecosystemiser.names import did_you_mean

__all__ = ["MonteCarloSettings", "Sampling"]

Sampling = Literal["sobol", "lhs", "random"]

SMALLEST_EIGENVALUE = 1e-9
"""Of a matrix of correlations; below, it is taken for singular."""

_Correlations = dict[str, dict[str, Annotated[float, Field(gt=-1, lt=1)]]]
_Share = Annotated[float, Field(gt=0, lt=1)]


class MonteCarloSettings(BaseModel):
    """What is uncertain, how it is sampled, and what is asked of the KPIs' distributions."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    distributions: Annotated[dict[str, Distribution], Field(min_length=1)]
    """How each uncertain field of the system is distributed, by path."""
    correlations: _Correlations = {}
    """Spearman rank correlations: `{houses.annual_kwh: {heat.annual_kwh: 0.6}}`; pairs left out are independent."""
    n_samples: Annotated[int, Field(ge=2, le=MOST_POINTS)] = 256
    """Samples, at most where `precision` is set. Powers of 2 suit sobol best."""
    sampling: Sampling = "sobol"
    """Scrambled Sobol points, Latin hypercube, or random ones."""
    seed: Seed = 0
    """What chance starts from: the same seed gives the same points."""
    sensitivity: bool = False
    """Find Sobol indices: takes n_samples x (fields + 2) runs, and those of `tornado`."""
    tornado: bool | None = None
    """Move each field alone from its 10 % to its 90 % quantile, the others at their medians; by default with
    `sensitivity`."""
    precision: dict[KpiName, _Share] = {}
    """It ends when the mean of each KPI is known this well: half its confidence interval as a share of it, as
    `{total_cost: 0.01}`."""
    batch_size: Annotated[int, Field(ge=2, le=MOST_POINTS)] = 64
    """Samples between two looks at the precision."""
    confidence: _Share = 0.95
    """Of all intervals. [1]"""
    risk_level: _Share = 0.95
    """Of value at risk and conditional value at risk. [1]"""
    probabilities: list[LimitText] = []
    """Limits whose probability to hold is wanted: `[total_cost <= 20000]`."""

    @field_validator("correlations")
    @classmethod
    def _are_a_matrix(cls, correlations: _Correlations, info: ValidationInfo) -> _Correlations:
        distributions = info.data.get("distributions")
        if distributions is None or not correlations:
            return correlations
        for problem in _wrong_pairs(correlations, distributions):
            raise ValueError(problem)
        if not _is_positive_definite(_matrix(correlations, list(distributions))):
            raise ValueError("contradict each other, each pair with the others; bring them nearer to 0")
        return correlations

    @field_validator("sensitivity")
    @classmethod
    def _is_defined(cls, sensitivity: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's order
        if sensitivity and info.data.get("correlations"):
            remedy = "leave out one of the two; rank correlations and regression are told in any case"
            raise ValueError(f"asks for Sobol indices, which correlated fields do not have; {remedy}")
        return sensitivity

    @property
    def points_per_sample(self) -> int:
        """Runs that one sample takes."""
        return len(self.distributions) + 2 if self.sensitivity else 1

    @property
    def has_tornado(self) -> bool:
        """Whether each field is moved alone, the default resolved."""
        return self.sensitivity if self.tornado is None else self.tornado

    @property
    def points(self) -> int:
        """How many points it may make for one design."""
        alone = 2 * len(self.distributions) + 1 if self.has_tornado else 0
        return self.n_samples * self.points_per_sample + alone

    @property
    def limits(self) -> list[KpiLimit]:
        """The limits of `probabilities`, read."""
        return [KpiLimit.parse(text) for text in self.probabilities]

    def correlation_matrix(self) -> list[list[float]]:
        """Return the rank correlations of all fields, in the order of `distributions`."""
        return _matrix(self.correlations, list(self.distributions))


def _wrong_pairs(correlations: _Correlations, distributions: Mapping[str, Distribution]) -> Iterator[str]:
    for one, others in correlations.items():
        for other, value in others.items():
            for name in (one, other):
                if name not in distributions:
                    known = f"{did_you_mean(name, distributions)}known here: {', '.join(distributions)}"
                    yield f"name {name}, which has no distribution; {known}"
                elif not _has_order(distributions[name]):
                    yield f"name {name}, whose values are no numbers and have no rank; leave it out"
            if one == other:
                yield f"pair {one} with itself; leave that out"
            if correlations.get(other, {}).get(one, value) != value:
                yield f"give {one} and {other} two values; leave one out"


def _has_order(spec: Distribution) -> bool:
    return not isinstance(spec, Discrete) or all(type(value) in (int, float) for value in spec.values)


def _matrix(correlations: _Correlations, names: Sequence[str]) -> list[list[float]]:
    place = {name: at for at, name in enumerate(names)}
    matrix = [[float(row == column) for column in range(len(names))] for row in range(len(names))]
    for one, others in correlations.items():
        for other, value in others.items():
            matrix[place[one]][place[other]] = matrix[place[other]][place[one]] = value
    return matrix


def _is_positive_definite(rank_correlations: list[list[float]]) -> bool:
    """Whether normal variables can have these rank correlations (2 sin(pi r / 6) are theirs), with room to spare."""
    import numpy as np

    return bool(np.linalg.eigvalsh(2 * np.sin(np.pi / 6 * np.array(rank_correlations)))[0] > SMALLEST_EIGENVALUE)
