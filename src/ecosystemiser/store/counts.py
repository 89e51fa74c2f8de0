"""How many runs there are of each study, solver and status: kept with every change, never counted anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from ecosystemiser.store.batches import execute_many, insert_or
from ecosystemiser.store.schema import run_counts, runs

__all__ = ["Counted", "change_counts", "count_anew", "counted_by"]


class Counted(NamedTuple):
    """What a run is counted by."""

    study_id: str | None
    system_id: str | None
    solver_type: str | None
    simulation_status: str
    failure_cause: str | None


def change_counts(
    connection: Connection, gone: Iterable[tuple[Any, ...]] = (), come: Iterable[tuple[Any, ...]] = ()
) -> None:
    """Take the runs `gone` off the counts and add those that have `come`; each is told by its `Counted`."""
    changes = Counter(come)
    changes.subtract(gone)
    rows = [
        {**{name: value or "" for name, value in zip(Counted._fields, each, strict=True)}, "runs": change}
        for each, change in sorted(changes.items(), key=repr)  # one order for all, so that nobody waits in a circle
        if change
    ]
    execute_many(connection, _upsert(connection.dialect.name), rows)


@cache
def _upsert(engine: str) -> Any:
    insert = insert_or(run_counts, engine)
    keys = [column.name for column in run_counts.primary_key]
    return insert.on_conflict_do_update(index_elements=keys, set_={"runs": run_counts.c.runs + insert.excluded.runs})


def counted_by(connection: Connection, name: str, *conditions: ColumnElement[bool]) -> dict[str | None, int]:
    """Return how many runs there are for each value of the column `name` of `run_counts`, without zeros."""
    column, number = run_counts.c[name], func.sum(run_counts.c.runs)
    chosen = select(column, number).where(*conditions).group_by(column).having(number != 0).order_by(column)
    return {value or None: int(counted) for value, counted in connection.execute(chosen)}


def count_anew(connection: Connection) -> bool:
    """Count all runs again; return whether the counts kept were right."""
    counted = (runs.c.study_id, runs.c.system_id, runs.c.solver_type, runs.c.simulation_status, runs.c.failure_cause)
    chosen = select(*counted, func.count()).where(runs.c.deleted_at.is_(None)).group_by(*counted)
    found = {tuple(value or "" for value in row[:5]): int(row[5]) for row in connection.execute(chosen)}
    kept = {tuple(row[:5]): int(row.runs) for row in connection.execute(select(run_counts)) if row.runs}
    if kept == found:
        return True
    connection.execute(run_counts.delete())
    names = [column.name for column in run_counts.primary_key]
    rows = [{**dict(zip(names, values, strict=True)), "runs": number} for values, number in found.items()]
    execute_many(connection, run_counts.insert(), rows)
    return False
