"""A part of a program with columns, rows and entries of its own, behind those of flows and levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints, Problem

__all__ = ["Bounds", "Entries", "Numbers", "Part", "infinite", "zeros"]

Numbers = Callable[[Problem], Floats]
"""What a variation has there."""


class Entries(NamedTuple):
    """Entries of the matrix."""

    rows: Ints
    columns: Ints
    values: Numbers


class Bounds(NamedTuple):
    """Bounds of rows, or of columns."""

    at: Ints
    lower: Numbers
    upper: Numbers


class Part:
    """Columns and rows that are added to a program: the same for all variations of a structure."""

    def __init__(self, first_column: int, first_row: int) -> None:
        self.columns, self.rows = first_column, first_row
        """How many the program has, with those of this part."""
        self.entries: list[Entries] = []
        self.column_bounds: list[Bounds] = []
        self.row_bounds: list[Bounds] = []
        self.integers = np.zeros(0, dtype=np.int32)

    def blocks(self) -> list[tuple[Ints, Ints]]:
        """Return the (rows, columns) of each block of entries."""
        return [(entries.rows, entries.columns) for entries in self.entries]

    def values(self, problem: Problem) -> list[Floats]:
        """Return the values of each block."""
        return [entries.values(problem) for entries in self.entries]

    def fill(self, problem: Problem, cost: Floats, lower: Floats, upper: Floats) -> None:  # noqa: ARG002 - others do
        """Set costs and bounds of the columns."""
        _fill(self.column_bounds, problem, lower, upper)

    def fill_rows(self, problem: Problem, lower: Floats, upper: Floats) -> None:
        """Set the bounds of the rows."""
        _fill(self.row_bounds, problem, lower, upper)

    def add_columns(self, count: int) -> Ints:
        """Return new columns; they need bounds."""
        first, self.columns = self.columns, self.columns + count
        return np.arange(first, self.columns)

    def add_rows(self, count: int, lower: Numbers, upper: Numbers) -> Ints:
        """Return new rows."""
        first, self.rows = self.rows, self.rows + count
        rows = np.arange(first, self.rows)
        self.row_bounds.append(Bounds(rows, lower, upper))
        return rows

    def enter(self, rows: Ints, columns: Ints, value: float) -> None:
        """Add entries of one value."""
        values = np.full(len(rows), value)
        self.entries.append(Entries(rows, columns, lambda _: values))


def zeros(count: int) -> Numbers:
    """Return bounds of 0."""
    values = np.zeros(count)
    return lambda _: values


def infinite(count: int) -> Numbers:
    """Return bounds that bind nothing."""
    values = np.full(count, np.inf)
    return lambda _: values


def _fill(bounds: list[Bounds], problem: Problem, lower: Floats, upper: Floats) -> None:
    for some in bounds:
        lower[some.at], upper[some.at] = some.lower(problem), some.upper(problem)
