"""How an uncertain field is distributed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecosystemiser.config.plain import PlainValue

__all__ = [
    "DISTRIBUTIONS",
    "Discrete",
    "Distribution",
    "Empirical",
    "LogNormal",
    "Normal",
    "Triangular",
    "Uniform",
    "example_of_distribution",
]

Positive = Annotated[float, Field(gt=0)]

SMALLEST_PART = 1e-6
"""A distribution of which less than this is left when it is cut off is taken for a mistake."""


class _Closed(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class _Bell(_Closed):
    """Normal, or with a normal logarithm; may be cut off at either end, what lies within keeps its shape."""

    minimum: float | None = None
    """No value lies below; left out: not cut off there."""
    maximum: float | None = None
    """No value lies above; left out: not cut off there."""

    @property
    def location(self) -> float:
        """Mean of the normal variable."""
        raise NotImplementedError

    @property
    def scale(self) -> float:
        """Standard deviation of the normal variable."""
        raise NotImplementedError

    def ends(self) -> tuple[float, float]:
        """Return where it is cut off, in standard deviations from the mean of the normal variable."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.maximum <= self.minimum:
            raise ValueError("is empty; `maximum` lies above `minimum`")
        low, high = self.ends()
        if low > 0:  # by symmetry: differences of numbers near 1 would lose the tail
            low, high = -high, -low
        if (math.erfc(-high / math.sqrt(2)) - math.erfc(-low / math.sqrt(2))) / 2 < SMALLEST_PART:
            raise ValueError("is cut off nearly whole; move `minimum` and `maximum` to where its values lie")
        return self


class Normal(_Bell):
    """The normal distribution; `mean` and `standard_deviation` are those before it is cut off."""

    distribution: Literal["normal"]
    mean: float
    """Mean, before it is cut off."""
    standard_deviation: Positive
    """Standard deviation, before it is cut off."""

    @property
    def location(self) -> float:
        """Mean of the normal variable."""
        return self.mean

    @property
    def scale(self) -> float:
        """Standard deviation of the normal variable."""
        return self.standard_deviation

    def ends(self) -> tuple[float, float]:
        """Return where it is cut off, in standard deviations from the mean."""
        low = -math.inf if self.minimum is None else (self.minimum - self.mean) / self.standard_deviation
        high = math.inf if self.maximum is None else (self.maximum - self.mean) / self.standard_deviation
        return low, high


class LogNormal(_Bell):
    """A value whose logarithm is normal; `mean` and `standard_deviation` are those of the value itself, uncut."""

    distribution: Literal["lognormal"]
    mean: Positive
    """Mean of the value, before it is cut off."""
    standard_deviation: Positive
    """Standard deviation of the value, before it is cut off."""

    @property
    def location(self) -> float:
        """Mean of the logarithm."""
        return math.log(self.mean) - self.scale**2 / 2

    @property
    def scale(self) -> float:
        """Standard deviation of the logarithm."""
        return math.sqrt(math.log1p((self.standard_deviation / self.mean) ** 2))

    def ends(self) -> tuple[float, float]:
        """Return where it is cut off, in standard deviations of the logarithm from its mean."""
        return self._standardised(self.minimum, -math.inf), self._standardised(self.maximum, math.inf)

    def _standardised(self, value: float | None, default: float) -> float:
        if value is None:
            return default
        return (math.log(value) - self.location) / self.scale if value > 0 else -math.inf


class Uniform(_Closed):
    """All values between the ends alike."""

    distribution: Literal["uniform"]
    minimum: float
    """Lower end."""
    maximum: float
    """Upper end."""

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if self.maximum <= self.minimum:
            raise ValueError("is empty; `maximum` lies above `minimum`")
        return self


class Triangular(_Closed):
    """Rises from `minimum` to `mode`, falls to `maximum`."""

    distribution: Literal["triangular"]
    minimum: float
    """Lower end."""
    mode: float
    """Likeliest value."""
    maximum: float
    """Upper end."""

    @model_validator(mode="after")
    def _is_a_triangle(self) -> Self:
        if not self.minimum <= self.mode <= self.maximum or self.minimum == self.maximum:
            raise ValueError("is no triangle; `minimum` <= `mode` <= `maximum`, the ends apart")
        return self


class Discrete(_Closed):
    """One of a list of values, numbers or others, each with its weight."""

    distribution: Literal["discrete"]
    values: Annotated[list[PlainValue], Field(min_length=1)]
    """The values, of any kind that the field may take."""
    weights: list[Annotated[float, Field(ge=0)]] | None = None
    """Weight of each value, of any sum; left out: all alike."""

    @model_validator(mode="after")
    def _has_weights(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.values):
            raise ValueError(
                f"has {len(self.values)} values and {len(self.weights)} weights; give each value its weight"
            )
        if self.weights is not None and not sum(self.weights) > 0:
            raise ValueError("has no weight above 0; give one")
        return self


class Empirical(_Closed):
    """As observed: between the sorted observations the distribution is linear."""

    distribution: Literal["empirical"]
    values: Annotated[list[float], Field(min_length=2)]
    """The observations, in any order."""

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if min(self.values) == max(self.values):
            raise ValueError("has one value only; give observations that differ")
        return self


Distribution = Annotated[
    Normal | LogNormal | Uniform | Triangular | Discrete | Empirical, Field(discriminator="distribution")
]
"""How an uncertain field is distributed: `{distribution: normal, mean: 45000, standard_deviation: 3000}`."""

DISTRIBUTIONS: Mapping[object, type[BaseModel]] = {
    "normal": Normal,
    "lognormal": LogNormal,
    "uniform": Uniform,
    "triangular": Triangular,
    "discrete": Discrete,
    "empirical": Empirical,
}
"""By the word that names each."""


def example_of_distribution(spec: Distribution) -> Any:
    """Return a value that a field with this distribution may take."""
    if isinstance(spec, Discrete | Empirical):
        return spec.values[0]
    if isinstance(spec, Triangular):
        return spec.mode
    if isinstance(spec, Uniform):
        return spec.minimum
    low, high = spec.minimum, spec.maximum
    return min(max(spec.mean, -math.inf if low is None else low), math.inf if high is None else high)
