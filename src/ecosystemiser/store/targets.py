"""From the names of a filter to SQL: columns, parameters, tags, in the form that suits how a page is found."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    case,
    exists,
    func,
    literal_column,
    not_,
    select,
    true,
)

from ecosystemiser.errors import InputError
from ecosystemiser.store.filtering.literals import ValueKind
from ecosystemiser.store.filtering.targets import Build, ColumnTarget, Target
from ecosystemiser.store.parameters import all_names, find_name_keys
from ecosystemiser.store.schema import run_details, run_parameters, run_tags, runs
from ecosystemiser.store.values import unknown_name

__all__ = ["PARAMETER", "TAG", "Lead", "Resolver"]

TAG = "tag"

PARAMETER = "params."
"""What stands before the path of a varied field."""

_IN_DETAILS = frozenset(column.name for column in run_details.columns)


FEW = 20_000
"""So many keys of runs are collected in less time than a parameter or tag is looked up for each run of a large log."""


class Lead(Enum):
    """What leads to the runs that a filter is asked about."""

    STUDY = auto()
    """Their study, or the one run that is named: each is looked at."""
    KEYS = auto()
    """Keys that an index gave: each run is looked at."""
    ORDER = auto()
    """A window of an index: each of its runs is looked at."""
    SCAN = auto()
    """Nothing: the table is read whole."""


class Resolver:
    """Gives the target of each name that a filter or an order may hold."""

    def __init__(self, connection: Connection, lead: Lead) -> None:
        self._connection, self._lead = connection, lead
        # SQLite takes an index for any range, however many rows lie in it; a unary plus keeps it from that.
        self._is_fenced = connection.dialect.name == "sqlite" and lead is not Lead.ORDER

    def __call__(self, name: str) -> Target:
        """Return the target of a column's name, `tag`, or `params.` and the path of a field."""
        if name.startswith(PARAMETER):
            key = run_parameters.c.name_key == self.name_key(name)
            return _Rows(run_parameters, key, self._are_few)
        if name == TAG:
            return _Rows(run_tags, None, self._are_few)
        if name in _IN_DETAILS:  # in the order of the runs themselves, however many
            return _Rows(run_details, None, lambda _: self._lead is Lead.SCAN, value=run_details.c[name])
        return ColumnTarget(self.column(name))

    def _are_few(self, keys: Select[Any]) -> bool:
        """Return whether it pays to collect the keys of runs first: nothing else leads to runs, and they are few."""
        if self._lead is not Lead.SCAN:
            return False
        counted = select(func.count()).select_from(keys.limit(FEW + 1).subquery())
        return (self._connection.scalar(counted) or 0) <= FEW

    def column(self, name: str) -> ColumnElement[Any]:
        """Return a column of `runs` in the form that suits the lead."""
        column: Column[Any] = runs.c[name]
        leads = name == "id" or (self._lead is Lead.STUDY and name in ("run_id", "study_id", "total_cost"))
        if not self._is_fenced or leads:
            return column
        return literal_column(f"+runs.{name}", column.type)

    def value(self, name: str) -> ColumnElement[Any]:
        """Return what runs are ordered by: a column of `runs`, or a parameter of each."""
        if not name.startswith(PARAMETER):
            return self.column(name)
        of_run = (run_parameters.c.run_key == runs.c.id, run_parameters.c.name_key == self.name_key(name))
        return select(run_parameters.c.number).where(*of_run).correlate(runs).scalar_subquery()

    def indexed(self, name: str) -> tuple[ColumnElement[Any], ColumnElement[int], ColumnElement[bool]]:
        """Return an indexed value to walk along, the key of its run, and which rows of its table count."""
        if not name.startswith(PARAMETER):
            return self.column(name), runs.c.id, true()
        key = run_parameters.c.name_key == self.name_key(name)
        return run_parameters.c.number, run_parameters.c.run_key, key

    def name_key(self, name: str) -> int:
        """Return the key of a parameter's name. Raises InputError where no run has such a parameter, but others."""
        path = name.removeprefix(PARAMETER)
        key = find_name_keys(self._connection, [path]).get(path)
        if key is None:
            known = all_names(self._connection)
            if known:
                raise InputError([unknown_name(path, known, "parameter of any run", "params")])
        return -1 if key is None else key


class _Rows:
    """What rows of another table say of a run: looked up for each run or, where they are few, collected first."""

    def __init__(
        self,
        table: Table,
        extra: ColumnElement[bool] | None,
        are_few: Callable[[Select[Any]], bool],
        *,
        value: ColumnElement[Any] | None = None,
    ) -> None:
        self._table, self._extra, self._are_few, self._value = table, extra, are_few, value

    @property
    def many(self) -> bool:
        """Whether a run may have several values."""
        return self._table is run_tags

    def condition(self, build: Build, kind: ValueKind) -> ColumnElement[bool]:
        """Return the condition that a row holds a value that passes `build`."""
        return self._with(build(self._valued(kind)))

    def is_null(self) -> ColumnElement[bool]:
        """Return the condition that there is no value."""
        return not_(self.is_not_null())

    def is_not_null(self) -> ColumnElement[bool]:
        """Return the condition that there is one."""
        return self._with(None if self._value is None else self._value.is_not(None))

    def _valued(self, kind: ValueKind) -> ColumnElement[Any]:
        if self._value is not None:
            return self._value
        if self._table is run_tags:
            return run_tags.c.tag
        if kind == "flag":  # stands as a number and a word; a number alone is no flag
            return case((run_parameters.c.text.is_not(None), run_parameters.c.number))
        return run_parameters.c.number if kind == "number" else run_parameters.c.text

    def _with(self, condition: ColumnElement[bool] | None) -> ColumnElement[bool]:
        conditions = [each for each in (self._extra, condition) if each is not None]
        key = self._table.c.run_key
        keys = select(key).where(*conditions)
        if self._are_few(keys):
            return runs.c.id.in_(keys)
        return exists().where(key == runs.c.id, *conditions).correlate(runs)
