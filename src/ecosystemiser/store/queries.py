"""Which runs? Filters by name, order and page; values are bound, columns come from an allow-list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Double, Integer, Select, select

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.store.runs import RUN_COLUMNS
from ecosystemiser.store.schema import simulation_runs
from ecosystemiser.store.states import RunStatus
from ecosystemiser.store.values import checked_number, checked_word, unknown_name

__all__ = ["query_runs", "select_runs"]

_COLUMNS = {column.name: column for column in RUN_COLUMNS}
_SHORT = {"cost": "total_cost", "status": "simulation_status"}
_EQUAL = ("study_id", "solver_type", "simulation_status", "system_id", "status")
_RANGES = tuple(name for name, column in _COLUMNS.items() if isinstance(column.type, Double | Integer))
_FILTERS = (*_EQUAL, *(f"{end}_{name}" for end in ("min", "max") for name in (*_RANGES, "cost")))


def query_runs(connection: Connection, **query: Any) -> list[dict[str, Any]]:
    """Return the runs that `select_runs(**query)` selects, each a dict by column name."""
    return [dict(row) for row in connection.execute(select_runs(**query)).mappings()]


def select_runs(
    *,
    order_by: str | None = None,
    descending: bool = False,
    limit: int | None = None,
    offset: int = 0,
    **filters: object,
) -> Select[Any]:
    """Return the statement for the runs that pass all `filters`; a filter of None does not filter.

    Filters: `study_id`, `solver_type`, `system_id`, `status` (or `simulation_status`) for equality; `min_`
    and `max_` before the name of a KPI or another number (inclusive; runs without a value do not pass);
    `min_cost` and `max_cost` are short for `total_cost`. Order: any column, `-` before it or `descending` for
    falling values; runs without a value come last, equal ones in the order in which they were logged
    (falling: reversed). Without `order_by` the newest come first. Raises InputError for unknown names and
    invalid values.
    """
    conditions = _conditions(filters)
    order = _order(order_by, descending=descending)
    ids = select(simulation_runs.c.id).where(*conditions).order_by(*order)
    if limit is not None:
        ids = ids.limit(_count(limit, "limit"))
    if _count(offset, "offset"):
        ids = ids.offset(offset)
    # Sorting keys and fetching only the rows of the page is several times faster than sorting whole rows.
    return select(*RUN_COLUMNS).where(simulation_runs.c.id.in_(ids)).order_by(*order)


def _conditions(filters: dict[str, object]) -> list[ColumnElement[bool]]:
    unknown = [
        unknown_name(name, _FILTERS, "filter for runs", "query") for name in filters if name not in _FILTERS
    ]
    if unknown:
        raise InputError(unknown)
    return [_condition(name, value) for name, value in filters.items() if value is not None]


def _condition(name: str, value: object) -> ColumnElement[bool]:
    if name in _EQUAL:
        column = _COLUMNS[_SHORT.get(name, name)]
        if column is simulation_runs.c.simulation_status:
            return column == checked_word(RunStatus, value, name)
        if not isinstance(value, str):
            raise InputError([Finding("is not text", "give the text to look for", name, value)])
        return column == value
    end, _, rest = name.partition("_")
    column, bound = _COLUMNS[_SHORT.get(rest, rest)], checked_number(value, name)
    return column >= bound if end == "min" else column <= bound


def _order(order_by: str | None, *, descending: bool) -> list[ColumnElement[Any]]:
    key: Column[Any] = simulation_runs.c.id
    if order_by is None:
        return [key.desc()]
    name = order_by.removeprefix("-")
    column = _COLUMNS.get(_SHORT.get(name, name))
    if column is None:
        raise InputError([unknown_name(name, _COLUMNS, "column of runs", "order_by")])
    if descending or order_by.startswith("-"):
        return [column.desc().nulls_last(), key.desc()]
    return [column.asc().nulls_last(), key.asc()]


def _count(value: int, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise InputError([Finding("is not a whole number from 0 on", "give one", key, value)])
    return value
