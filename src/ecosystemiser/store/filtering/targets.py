"""Where the value of a name stands: in a column of the row itself, or in rows of another table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, false, or_, select

from ecosystemiser.store.filtering.literals import ValueKind

__all__ = ["Build", "ColumnTarget", "RowsTarget", "Target"]

Build = Callable[[ColumnElement[Any]], ColumnElement[bool]]
"""From the column that holds the value to a condition on it."""


class Target(Protocol):
    """What a name of a filter stands for. No condition passes a row without a value but `is_null`."""

    @property
    def many(self) -> bool:
        """Whether a row may have several values; a condition then passes where one of them does."""

    def condition(self, build: Build, kind: ValueKind) -> ColumnElement[bool]:
        """Return `build` of the values of this kind."""

    def is_null(self) -> ColumnElement[bool]:
        """Return the condition that there is no value."""

    def is_not_null(self) -> ColumnElement[bool]:
        """Return the condition that there is one."""


@dataclass(frozen=True)
class ColumnTarget:
    """A column of the row itself; its type binds the values.

    Text columns compare by code points on PostgreSQL too if their collation is "C". A time is bound as
    `clock.utc_text` writes it; true is bound as 1 to a column of numbers, as 'true' to one of text.
    """

    column: ColumnElement[Any]

    @property
    def many(self) -> bool:
        """No: a column has one value."""
        return False

    def condition(self, build: Build, kind: ValueKind) -> ColumnElement[bool]:  # noqa: ARG002 - the protocol's
        """Return `build` of the column."""
        return build(self.column)

    def is_null(self) -> ColumnElement[bool]:
        """Return the condition that the column is NULL."""
        return self.column.is_(None)

    def is_not_null(self) -> ColumnElement[bool]:
        """Return the condition that the column is not NULL."""
        return self.column.is_not(None)


@dataclass(frozen=True)
class RowsTarget:
    """Rows of another table: `key` IN (SELECT `rows_key` WHERE `where` AND a condition on a value column).

        RowsTarget(runs.c.id, run_parameters.c.run_key, {"number": run_parameters.c.number, ...},
                   run_parameters.c.name_key == 7)
        RowsTarget(runs.c.id, run_tags.c.run_key, {"text": run_tags.c.tag}, many=True)

    `rows_key` is never NULL where `where` holds. `values` says which column, or expression, holds the values of
    a kind; NULL there, or a kind that it lacks, is a missing value. Where the column of a kind holds values of
    others too, as true among texts, they are compared like the rest: give an expression that is NULL for them.
    Without `many` there is one row for a key at most.
    """

    key: ColumnElement[Any]
    rows_key: ColumnElement[Any]
    values: Mapping[ValueKind, ColumnElement[Any]]
    where: ColumnElement[bool] | None = None
    many: bool = False

    def condition(self, build: Build, kind: ValueKind) -> ColumnElement[bool]:
        """Return the condition that a row holds a value that passes `build`."""
        column = self.values.get(kind)
        return false() if column is None else self.key.in_(self._keys(build(column)))

    def is_null(self) -> ColumnElement[bool]:
        """Return the condition that no row holds a value."""
        return self.key.not_in(self._keys(self._some_value()))

    def is_not_null(self) -> ColumnElement[bool]:
        """Return the condition that a row holds a value."""
        return self.key.in_(self._keys(self._some_value()))

    def _some_value(self) -> ColumnElement[bool]:
        columns = dict.fromkeys(self.values.values())
        return or_(false(), *(column.is_not(None) for column in columns))

    def _keys(self, condition: ColumnElement[bool]) -> Select[Any]:
        rows = select(self.rows_key).where(condition)
        if self.where is not None:
            rows = rows.where(self.where)
        return rows.correlate(None)
