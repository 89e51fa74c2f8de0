"""What leads to the wanted runs of a large log: their study, keys that an index gives, or all runs read once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from ecosystemiser.store.filtering.normalising import normalised, simple_equalities
from ecosystemiser.store.filtering.sql import to_sql
from ecosystemiser.store.filtering.targets import ColumnTarget
from ecosystemiser.store.filtering.tree import And, Between, Comparison, In, Leaf, Tree
from ecosystemiser.store.schema import run_parameters, run_tags, runs
from ecosystemiser.store.targets import PARAMETER, TAG, Lead, Resolver

__all__ = ["Way", "bounds", "conditions"]

FEW = 5_000
"""So many runs are read one by one in less time than the whole of a large table."""


class Way:
    """How the wanted runs are found where no order is walked. `resolver` gives columns in the form that suits it."""

    def __init__(self, connection: Connection, wanted: Tree | None) -> None:
        self._wanted = wanted
        fixed = {} if wanted is None else simple_equalities(wanted)
        is_given = "study_id" in fixed or "run_id" in fixed
        self._keys = None if is_given else _few_keys(connection, wanted)
        self.lead = Lead.STUDY if is_given else Lead.SCAN if self._keys is None else Lead.KEYS
        self.resolver = Resolver(connection, self.lead)

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what the wanted runs pass."""
        found = conditions(self._wanted, self.resolver)
        return found if self._keys is None else [runs.c.id.in_(self._keys), *found]


def conditions(wanted: Tree | None, resolver: Resolver) -> list[ColumnElement[bool]]:
    """Return what runs pass that are wanted and not deleted."""
    is_there = runs.c.deleted_at.is_(None)
    return [is_there] if wanted is None else [is_there, to_sql(wanted, resolver)]


def bounds(wanted: Tree | None, name: str, value: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Return what every wanted run passes of the column that `name` stands for; where any, all of them have a value."""
    own = [term for term in _terms(wanted) if term.name == name and _is_positive(term)]
    return [_on(value, term) for term in own if not name.startswith(PARAMETER) or _is_of_number(term)]


def _few_keys(connection: Connection, wanted: Tree | None) -> Select[Any] | None:
    """Return the keys of all runs that pass one condition of a filter, if few do and an index tells; else None."""
    resolver = Resolver(connection, Lead.ORDER)
    asked = [keys for term in _terms(wanted) if (keys := _keys(term, resolver)) is not None]
    counted = [(_count(connection, keys), at) for at, keys in enumerate(asked)]
    fewest, at = min(counted, default=(FEW + 1, 0))
    return asked[at] if fewest <= FEW else None


def _keys(term: Leaf, resolver: Resolver) -> Select[Any] | None:
    if not _is_positive(term):
        return None
    if term.name in ("timestamp", "total_cost"):
        return select(runs.c.id).where(_on(runs.c[term.name], term))
    if term.name == TAG:
        return select(run_tags.c.run_key).where(_on(run_tags.c.tag, term))
    if term.name.startswith(PARAMETER) and _is_of_number(term):
        named = run_parameters.c.name_key == resolver.name_key(term.name)
        return select(run_parameters.c.run_key).where(named, _on(run_parameters.c.number, term))
    return None


def _count(connection: Connection, keys: Select[Any]) -> int:
    return connection.scalar(select(func.count()).select_from(keys.limit(FEW + 1).subquery())) or 0


def _terms(wanted: Tree | None) -> Sequence[Leaf]:
    """Return the conditions that every wanted run passes."""
    if wanted is None:
        return ()
    whole = normalised(wanted)
    terms = whole.terms if isinstance(whole, And) else (whole,)
    return [term for term in terms if isinstance(term, Leaf)]


def _is_positive(term: Leaf) -> bool:
    """Return whether values near each other pass, which an index has side by side."""
    if isinstance(term, Comparison):
        return term.operator != "!="
    return isinstance(term, Between | In) and not term.negated


def _is_of_number(term: Leaf) -> bool:
    return isinstance(term, Comparison | Between | In) and term.kind == "number"


def _on(value: ColumnElement[Any], term: Leaf) -> ColumnElement[bool]:
    return to_sql(term, lambda _: ColumnTarget(value))
