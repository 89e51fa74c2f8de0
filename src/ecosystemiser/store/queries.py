"""Which runs? Filter texts and filters by name, order, pages and counts; names come from an allow-list."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Double, func, select

from ecosystemiser.errors import FailureCause, Finding, InputError
from ecosystemiser.kpis import KPIS
from ecosystemiser.store.columns import UtcTime
from ecosystemiser.store.filtering.fields import Field, Kind
from ecosystemiser.store.filtering.parsing import parse
from ecosystemiser.store.filtering.tree import And, Comparison, Leaf, Operator, Tree
from ecosystemiser.store.pages import Order, Place, count_runs, find_runs, read_runs
from ecosystemiser.store.runs import ALL_COLUMNS
from ecosystemiser.store.schema import runs, studies
from ecosystemiser.store.states import RunStatus
from ecosystemiser.store.targets import PARAMETER, TAG
from ecosystemiser.store.values import checked_number, checked_word, unknown_name

__all__ = [
    "FIELDS",
    "RunPage",
    "checked_order",
    "count_wanted",
    "ids_beginning_with",
    "is_sortable",
    "newest_groups",
    "page_of_runs",
    "query_runs",
    "running_of",
    "single_runs_under_way",
    "wanted",
]

_SHORT = {
    "cost": "total_cost",
    "co2": "total_co2",
    "gap": "mip_gap",
    "status": "simulation_status",
    "solver": "solver_type",
}
_EQUAL = ("study_id", "solver_type", "simulation_status", "system_id", "status")
_COLUMNS = {column.name: column for column in ALL_COLUMNS}
_NUMBERS = tuple(name for name, column in _COLUMNS.items() if isinstance(column.type, Double | BigInteger))
_RANGES = tuple(f"{end}_{name}" for end in ("min", "max") for name in (*_NUMBERS, "cost", "co2", "gap"))

_WORDS = {
    "simulation_status": tuple(status.value for status in RunStatus),
    "failure_cause": tuple(cause.value for cause in FailureCause),
}
_MEANINGS = {
    "run_id": "the run's id",
    "study_id": "the study that it belongs to",
    "system_id": "the system that was solved",
    "solver_type": "rule_based, milp, rolling_horizon or hybrid",
    "simulation_status": "where it stands",
    "timesteps": "number of steps",
    "timestamp": "when it started, UTC",
    "created_at": "when it was logged, UTC",
    "updated_at": "when its row last changed, UTC",
    "failure_cause": "why it failed",
    "failure_stage": "at what: prepare, solve, audit, store",
    "currency": "of its money",
    "solver_status": "what the solver said",
    "mip_gap": "relative distance to the best bound",
    "bound": "best proved bound of the objective",
    "objective": "what the solver minimised",
    "solve_seconds": "time in the solver",
    "wall_seconds": "time of the whole run",
    "balance_residual": "largest imbalance found by the audit, relative to the peak flow",
    "point": "its number within its study",
    "generation": "generation of a genetic study",
    "constraint_violation": "by how much it misses the study's constraints",
    "seed": "of random numbers",
    "config_hash": "of all that decides the result",
    "retry_of": "the run that it attempts again",
    "reused_from": "the run whose result it took",
    "note": "what somebody wrote on it",
    "results_path": "folder of its results",
    "flows_path": "its hourly file",
    "hourly_sha256": "hash of its hourly file",
}
_UNITS = {"solve_seconds": "s", "wall_seconds": "s", "mip_gap": "1", "balance_residual": "1"}
_UNASKED = frozenset(name for name in _COLUMNS if name.endswith("_json")) | {"components_path"}


def _kind_of(name: str) -> Kind:
    if name in _NUMBERS:
        return "number"
    return "time" if isinstance(_COLUMNS[name].type, UtcTime) else "text"


def _fields() -> tuple[Field, ...]:
    kpis = {kpi.name: kpi for kpi in KPIS}
    own = [
        Field(
            name,
            _kind_of(name),
            kpis[name].unit if name in kpis else _UNITS.get(name),
            kpis[name].meaning if name in kpis else _MEANINGS[name],
            _WORDS.get(name),
        )
        for name in _COLUMNS
        if name not in _UNASKED
    ]
    named = {field.name: field for field in own}
    return (
        *own,
        *(named[name].alias(short) for short, name in _SHORT.items()),
        Field(f"{PARAMETER}*", "any", None, "a varied field, as params.battery.capacity_kwh"),
        Field(TAG, "text", None, "a word that somebody gave it", many=True),
    )


FIELDS = _fields()
"""What a filter may ask for."""


@dataclass(frozen=True)
class RunPage:
    """Some runs in an order, each a dict by column name."""

    rows: list[dict[str, Any]]
    next: str | None
    """Where the next page begins; None where there is none."""


def wanted(where: str | None, filters: Mapping[str, object]) -> Tree | None:
    """Return what a filter text and filters by name ask for together; a filter of None does not filter.

    Filters: `study_id`, `solver_type`, `system_id`, `status` (or `simulation_status`) for equality; `min_` and `max_`
    before the name of a KPI or another number (inclusive; runs without a value do not pass); `cost` is short for
    `total_cost`. Raises InputError for unknown names and invalid values.
    """
    unknown = [
        unknown_name(name, (*_RANGES, *_EQUAL), "filter for runs", "query")
        for name in filters
        if name not in _EQUAL and name not in _RANGES
    ]
    if unknown:
        raise InputError(unknown)
    terms: list[Tree] = [_comparison(name, value) for name, value in filters.items() if value is not None]
    if where is not None and where.strip():
        terms.append(parse(where, FIELDS))
    if len(terms) > 1:
        return And(tuple(terms))
    return terms[0] if terms else None


def _comparison(name: str, value: object) -> Leaf:
    if name in _EQUAL:
        full = _SHORT.get(name, name)
        if full == "simulation_status":
            return Comparison(full, "=", checked_word(RunStatus, value, name))
        if not isinstance(value, str):
            raise InputError([Finding("is not text", "give the text to look for", name, value)])
        return Comparison(full, "=", value)
    end, _, rest = name.partition("_")
    operator: Operator = ">=" if end == "min" else "<="
    return Comparison(_SHORT.get(rest, rest), operator, checked_number(value, name))


def is_sortable(name: str) -> bool:
    """Return whether runs can be ordered by the column `name`; by a parameter they always can."""
    return name in runs.c and name in _COLUMNS


def checked_order(order_by: str | None, *, descending: bool = False) -> Order:
    """Return the order that a column's or parameter's name asks for, `-` before it for falling values.

    None: the newest first. Raises InputError for unknown names.
    """
    if order_by is None:
        return Order()
    name = order_by.removeprefix("-")
    full = _SHORT.get(name, name)
    is_falling = descending or order_by.startswith("-")
    if full.startswith(PARAMETER) and len(full) > len(PARAMETER):
        return Order(full, is_falling)
    if not is_sortable(full):
        sortable = [each for each in _COLUMNS if each in runs.c]
        raise InputError([unknown_name(name, sortable, "column of runs", "order_by")])
    return Order(full, is_falling)


def query_runs(
    connection: Connection,
    *,
    where: str | None = None,
    order_by: str | None = None,
    descending: bool = False,
    limit: int | None = None,
    offset: int = 0,
    **filters: object,
) -> list[dict[str, Any]]:
    """Return the runs that pass a filter text and all filters by name (see `wanted`), each a dict by column name.

    The newest come first, unless `order_by` says otherwise (see `checked_order`).
    """
    tree, order = wanted(where, filters), checked_order(order_by, descending=descending)
    first = _count(offset, "offset")
    most = None if limit is None else _count(limit, "limit") + first
    return read_runs(connection, [place.key for place in find_runs(connection, tree, order, most)[first:]])


def page_of_runs(
    connection: Connection, tree: Tree | None, order: Order, limit: int, after: str | None = None
) -> RunPage:
    """Return a page of the wanted runs. Raises InputError for an `after` that is no place of this order."""
    begin = None if after is None else _place(after, order)
    places = find_runs(connection, tree, order, _count(limit, "limit") + 1, begin)
    rows = read_runs(connection, [place.key for place in places[:limit]])
    return RunPage(rows, _token(places[limit - 1], order) if limit and len(places) > limit else None)


def count_wanted(connection: Connection, tree: Tree | None, at_most: int) -> int:
    """Return how many runs are wanted, counting no further than `at_most`."""
    return count_runs(connection, tree, _count(at_most, "at_most"))


def ids_beginning_with(connection: Connection, beginning: str, limit: int) -> list[str]:
    """Return the ids of at most `limit` runs that begin with the text, in their order."""
    ids = select(runs.c.run_id).where(runs.c.run_id >= beginning, runs.c.deleted_at.is_(None))
    found = connection.scalars(ids.order_by(runs.c.run_id).limit(limit))
    return [run_id for run_id in found if run_id.startswith(beginning)]


def running_of(connection: Connection, owner_ids: Sequence[int | None]) -> set[str]:
    """Return the ids of the running runs of these owners."""
    known = [owner for owner in owner_ids if owner is not None]
    running = runs.c.simulation_status == RunStatus.RUNNING.value
    return set(connection.scalars(select(runs.c.run_id).where(running, runs.c.owner_id.in_(known))))


def studies_running_of(connection: Connection, owner_ids: Sequence[int | None]) -> set[str]:
    """Return the ids of the running studies of these owners."""
    known = [owner for owner in owner_ids if owner is not None]
    running = studies.c.status == RunStatus.RUNNING.value
    return set(connection.scalars(select(studies.c.study_id).where(running, studies.c.owner_id.in_(known))))


def single_runs_under_way(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Return at most `limit` running runs of no study, the newest first, each a dict by column name."""
    running = runs.c.simulation_status == RunStatus.RUNNING.value
    chosen = select(runs.c.id).where(running, runs.c.study_id.is_(None), runs.c.deleted_at.is_(None))
    keys = connection.scalars(chosen.order_by(runs.c.id.desc()).limit(limit)).all()
    return read_runs(connection, keys)


def newest_groups(connection: Connection, names: Sequence[str], among: int) -> list[dict[str, Any]]:
    """Return the values of some columns that occur among the newest `among` completed runs, the newest first.

    Each row is a dict by column name, with how many of those runs have it as `runs`.
    """
    newest = select(runs.c.id, *(runs.c[name] for name in names), runs.c.simulation_status, runs.c.deleted_at)
    seen = newest.order_by(runs.c.id.desc()).limit(among).subquery()
    columns = [seen.c[name] for name in names]
    chosen = (
        select(*columns, func.count().label("runs"))
        .where(seen.c.simulation_status == RunStatus.COMPLETED.value, seen.c.deleted_at.is_(None))
        .group_by(*columns)
        .order_by(func.max(seen.c.id).desc())
    )
    return [dict(row) for row in connection.execute(chosen).mappings()]


def _token(place: Place, order: Order) -> str:
    said = json.dumps([order.name, order.is_falling, place.value, place.key])
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _place(token: str, order: Order) -> Place:
    try:
        padded = token + "=" * (-len(token) % 4)
        name, is_falling, value, key = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        is_of_order = (name, is_falling) == (order.name, order.is_falling)
        if is_of_order and isinstance(key, int) and isinstance(value, str | int | float | None):
            return Place(value, key)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        pass
    remedy = "give the `next` of a page in the same order, or begin with the first page"
    raise InputError([Finding("is no place of this order", remedy, "after", token)])


def _count(value: int, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise InputError([Finding("is not a whole number from 0 on", "give one", key, value)])
    return value
