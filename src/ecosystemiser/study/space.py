"""The space of a study: the fields that vary and the values that each may take."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ecosystemiser.config.value_range import ValueRange
from ecosystemiser.study.sampling import Floats

__all__ = ["Choice", "Continuous", "Dimension", "Space", "Stepped", "design_key"]


@dataclass(frozen=True)
class Continuous:
    """All values from `low` to `high`."""

    name: str
    low: float
    high: float

    @property
    def size(self) -> None:
        """Number of values: without end."""
        return None

    def values_at(self, shares: Floats) -> list[float]:
        """Return the values at these shares of the range, each 0 to 1."""
        values: list[float] = np.clip(self.low + shares * (self.high - self.low), self.low, self.high).tolist()
        return values

    def places(self, values: Sequence[Any]) -> Floats:
        """Return the share of the range at which each value lies."""
        return (np.array(values, dtype=float) - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Stepped:
    """Values in their order: neighbours in it are near each other."""

    name: str
    values: Sequence[Any]

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.values)

    def values_at(self, shares: Floats) -> list[Any]:
        """Return the values at these shares of the list, each value taking an equal part of 0 to 1."""
        return [self.values[at] for at in _indices(shares, len(self.values))]

    def places(self, values: Sequence[Any]) -> Floats:
        """Return the share of the list at which each value lies."""
        return np.array([self.values.index(value) for value in values]) / max(1, len(self.values) - 1)


@dataclass(frozen=True)
class Choice:
    """Values of which none is nearer to another."""

    name: str
    values: Sequence[Any]

    @property
    def size(self) -> int:
        """Number of values."""
        return len(self.values)

    def values_at(self, shares: Floats) -> list[Any]:
        """Return the values at these shares of the list, each value taking an equal part of 0 to 1."""
        return [self.values[at] for at in _indices(shares, len(self.values))]

    def places(self, values: Sequence[Any]) -> Floats:
        """Return the position of each value; only whether two are equal means something."""
        return np.array([self.values.index(value) for value in values], dtype=float)


Dimension = Continuous | Stepped | Choice


@dataclass(frozen=True)
class Space:
    """Fields that vary, each with the values that it may take. A design holds one value of each."""

    dimensions: tuple[Dimension, ...]

    @classmethod
    def of(cls, parameters: Mapping[str, Sequence[Any] | ValueRange]) -> Space:
        """Return the space of a study's parameters.

        A range without count is continuous, or whole numbers; one with count, and a list of rising numbers, are
        values in order; any other list is a choice.
        """
        return cls(tuple(_dimension(name, spec) for name, spec in parameters.items()))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the fields."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def size(self) -> int | None:
        """Number of designs; None where a field is continuous."""
        sizes = [dimension.size for dimension in self.dimensions]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def designs_at(self, shares: Floats) -> list[dict[str, Any]]:
        """Return the designs at points of the unit cube. (designs, fields)"""
        columns = [dimension.values_at(shares[:, at]) for at, dimension in enumerate(self.dimensions)]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*columns, strict=True)]

    def distances(self, designs: Sequence[Mapping[str, Any]]) -> Floats:
        """Return the distance of each two designs, 0 to 1. (designs, designs)

        The root mean square over the fields: numbers by their share of the range, choices 0 if equal, else 1.
        """
        squares = np.zeros((len(designs), len(designs)))
        for dimension in self.dimensions:
            places = dimension.places([design[dimension.name] for design in designs])
            apart = places[:, None] - places[None, :]
            squares += (apart != 0.0) if isinstance(dimension, Choice) else apart**2
        return np.sqrt(squares / len(self.dimensions))


def design_key(design: Mapping[str, Any]) -> str:
    """Return what is equal for equal designs, and only for those; 1 and 1.0 are equal, 1 and true are not."""
    return json.dumps(
        {name: float(value) if type(value) is int else value for name, value in design.items()},
        sort_keys=True,
        default=str,
    )


def _dimension(name: str, spec: Sequence[Any] | ValueRange) -> Dimension:
    if not isinstance(spec, ValueRange):
        return Stepped(name, spec) if _rise(spec) else Choice(name, spec)
    if spec.is_listed:
        return Stepped(name, sorted(set(spec.values())))
    if spec.integer:
        return Stepped(name, range(int(spec.first), int(spec.to) + 1))
    return Continuous(name, spec.first, spec.to)


def _rise(values: Sequence[Any]) -> bool:
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return are_numbers and all(values[at] < values[at + 1] for at in range(len(values) - 1))


def _indices(shares: Floats, count: int) -> list[int]:
    indices: list[int] = np.clip((shares * count).astype(int), 0, count - 1).tolist()
    return indices
