"""Pages of runs in any order, fast on a million of them.

An index serves an order, or a filter that few runs pass, but a planner cannot know which of them is worth more: where
an index is walked in the wanted order and the filter lets nothing through, it reads everything out of order, for
seconds. So each page says how it is found:

    one study or run   its own runs, read and sorted
    a condition that   these runs, whose keys an index gives, read and sorted
    few runs pass
    an indexed order   a window of the index is looked through; where that does not fill the page, a larger one
    else               the table `runs` is read once from start to end, and the first of it kept

Runs without a value come last, whichever way the others are sorted. Equal values follow the order in which the runs
were logged (falling: reversed), so that pages neither repeat nor miss a run while others arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, or_, select

from ecosystemiser.store.filtering.tree import Tree
from ecosystemiser.store.leads import Way, bounds, conditions
from ecosystemiser.store.runs import ALL_COLUMNS
from ecosystemiser.store.schema import run_details, runs
from ecosystemiser.store.targets import PARAMETER, Lead, Resolver

__all__ = ["Order", "Place", "count_runs", "find_runs", "read_runs"]

WINDOWS = (1_000, 20_000)
"""How many runs of an indexed order are looked through at once."""
IDS_A_QUERY = 500
INDEXED = frozenset({"id", "timestamp", "total_cost"})
"""Columns with an index over all studies."""


@dataclass(frozen=True)
class Order:
    """By which column, or parameter, and which way. `id` stands for the order in which runs were logged."""

    name: str = "id"
    is_falling: bool = True

    @property
    def is_indexed(self) -> bool:
        """Whether an index over all studies stands in this order."""
        return self.name in INDEXED or self.name.startswith(PARAMETER)


class Place(NamedTuple):
    """Where a run stands in an order: its value, None where it has none, and its key."""

    value: Any
    key: int


def find_runs(
    connection: Connection, wanted: Tree | None, order: Order, limit: int | None = None, after: Place | None = None
) -> list[Place]:
    """Return the places of at most `limit` runs in the order, those that follow `after`."""
    way = Way(connection, wanted)
    is_walked = way.lead is Lead.SCAN and order.is_indexed and (after is None or after.value is not None)
    if limit is None or not is_walked:
        return _sorted(connection, way, order, limit, after)
    windows = _Windows(connection, wanted, order)
    for size in WINDOWS:
        found, are_all = windows.look(max(size, 2 * limit), limit, after)
        if len(found) == limit or (are_all and windows.hold_all):
            return found
        if are_all:
            return found + _sorted(connection, way, order, limit - len(found), after, are_without_value=True)
    return _sorted(connection, way, order, limit, after)


def count_runs(connection: Connection, wanted: Tree | None, at_most: int) -> int:
    """Return how many runs are wanted, counting no further than `at_most`."""
    passed: Select[Any] = select(literal_column("1")).select_from(runs).where(*Way(connection, wanted).conditions())
    return int(connection.scalar(select(func.count()).select_from(passed.limit(at_most).subquery())) or 0)


def read_runs(connection: Connection, keys: Sequence[int]) -> list[dict[str, Any]]:
    """Return the runs with these keys, in their order, each a dict by column name."""
    found: dict[int, dict[str, Any]] = {}
    for first in range(0, len(keys), IDS_A_QUERY):
        for row in connection.execute(_ROWS.where(runs.c.id.in_(keys[first : first + IDS_A_QUERY]))).mappings():
            found[row["id"]] = {name: value for name, value in row.items() if name != "id"}
    return [found[key] for key in keys if key in found]


_ROWS = select(runs.c.id, *ALL_COLUMNS).join_from(runs, run_details, run_details.c.run_key == runs.c.id)


def _sorted(
    connection: Connection,
    way: Way,
    order: Order,
    limit: int | None,
    after: Place | None,
    *,
    are_without_value: bool = False,
) -> list[Place]:
    """Read all that the way leads to once, and sort it; or only those that have no value, from their first on."""
    value, key = way.resolver.value(order.name), runs.c.id
    chosen = select(value.label("value"), key).where(*way.conditions())
    if are_without_value:
        chosen = chosen.where(value.is_(None))
    elif after is not None and after.value is None:
        chosen = chosen.where(value.is_(None), key < after.key if order.is_falling else key > after.key)
    elif after is not None:
        chosen = chosen.where(or_(_follows(order, value, key, after), value.is_(None)))
    ordered = _in_order(order, value, key, are_nulls_told=order.name != "id")
    return _read(connection, chosen.order_by(*ordered), limit)


class _Windows:
    """Windows of an index in the wanted order, each looked through for wanted runs."""

    def __init__(self, connection: Connection, wanted: Tree | None, order: Order) -> None:
        self._connection, self._order = connection, order
        resolver = Resolver(connection, Lead.ORDER)
        self._value, self._key, of_index = resolver.indexed(order.name)
        own = bounds(wanted, order.name, self._value)
        self._inner = select(self._value.label("value"), self._key.label("key"))
        self._inner = self._inner.where(of_index, self._value.is_not(None), *own)
        self._conditions = conditions(wanted, resolver)
        self.hold_all = order.name == "id" or bool(own)
        """Whether every wanted run has a value."""

    def look(self, size: int, limit: int, after: Place | None) -> tuple[list[Place], bool]:
        """Return those of the next `size` runs in the order that are wanted, and whether these were the last."""
        order, inner = self._order, self._inner
        if after is not None:
            # An index can begin with a single comparison only.
            near = self._value <= after.value if order.is_falling else self._value >= after.value
            inner = inner.where(near, _follows(order, self._value, self._key, after))
        window = inner.order_by(*_in_order(order, self._value, self._key, are_nulls_told=False)).limit(size)
        part = window.subquery("part")
        chosen = select(part.c.value, part.c.key).join_from(part, runs, runs.c.id == part.c.key)
        chosen = chosen.where(*self._conditions).order_by(*_in_order(order, part.c.value, part.c.key))
        found = _read(self._connection, chosen, limit)
        if len(found) == limit:
            return found, False
        return found, (self._connection.scalar(select(func.count()).select_from(part)) or 0) < size


def _follows(order: Order, value: ColumnElement[Any], key: ColumnElement[int], after: Place) -> ColumnElement[bool]:
    if order.is_falling:
        return or_(value < after.value, and_(value == after.value, key < after.key))
    return or_(value > after.value, and_(value == after.value, key > after.key))


def _in_order(
    order: Order, value: ColumnElement[Any], key: ColumnElement[int], *, are_nulls_told: bool = True
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return what to order by; an index serves only an order that says nothing of NULLs."""
    ordered = value.desc() if order.is_falling else value.asc()
    return ordered.nulls_last() if are_nulls_told else ordered, key.desc() if order.is_falling else key.asc()


def _read(connection: Connection, chosen: Select[Any], limit: int | None) -> list[Place]:
    return [Place(*row) for row in connection.execute(chosen if limit is None else chosen.limit(limit))]
