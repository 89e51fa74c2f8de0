"""Ranges of values that a field may take."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["MOST_POINTS", "ValueRange"]

MOST_POINTS = 1_000_000
"""A study of more points is refused before its first run."""


class ValueRange(BaseModel):
    """From one value to another, both included: so many evenly spaced ones, or all between them."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    first: float = Field(alias="from")
    """One end."""
    to: float
    """The other end; above `from` where `count` is left out."""
    count: Annotated[int, Field(ge=1, le=MOST_POINTS)] | None = None
    """So many evenly spaced values. Left out: all values between the ends, to sample or to search."""
    integer: bool = False
    """Whole numbers only; goes without `count`."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not math.isfinite(self.to - self.first):
            raise ValueError("spans more than a number can hold; move its ends together")
        if self.integer and self.count is not None:
            raise ValueError("has `count` and `integer`; leave one of them out")
        if self.count is None and self.to <= self.first:
            raise ValueError("is an empty range; `to` lies above `from`")
        if self.integer and not (self.first.is_integer() and self.to.is_integer()):
            raise ValueError("is to hold whole numbers; give whole numbers as its ends")
        return self

    @property
    def is_listed(self) -> bool:
        """Whether it stands for a list of values."""
        return self.count is not None

    def values(self) -> list[float]:
        """Return the evenly spaced values. Raises ValueError where `count` is left out."""
        if self.count is None:
            raise ValueError("has no count; give one")
        if self.count == 1:
            return [self.first]
        step = (self.to - self.first) / (self.count - 1)
        return [self.first + at * step for at in range(self.count - 1)] + [self.to]
