"""The customer's `simulation_runs` and `study_runs` as views, and what writing to them by hand means.

Our own code writes the tables (`runs.py`). These views and their triggers let any SQL tool read and write the
log under the customer's names. They are made anew after each migration, so that no migration has to know them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, event

from ecosystemiser.store.schema import metadata, run_counts, run_details, runs

__all__ = ["DETAIL_COLUMNS", "RUN_COLUMNS", "create_views", "drop_views"]

_OWN = ("id", "owner_id", "deleted_at", "cancel_requested_at")

RUN_COLUMNS: tuple[Column[Any], ...] = tuple(
    column for column in runs.columns if column.name not in _OWN and not column.name.endswith("_document")
)
"""What a run's dict holds of `runs`."""

DETAIL_COLUMNS: tuple[Column[Any], ...] = tuple(column for column in run_details.columns if column.name != "run_key")
"""What a run's dict holds of `run_details`."""

_POINT = ("study_id", "point", "generation", "constraint_violation")
_POINT_DETAILS = ("parameters_json", "objectives_json")
_COUNTED = tuple(column.name for column in run_counts.primary_key)
_KEEPS_ITS_STATE = (
    "OLD.simulation_status <> 'running' AND NEW.simulation_status <> OLD.simulation_status",
    "a finished run keeps its state; log another attempt under a run_id of its own",
)
_IS_LOGGED = (
    "NOT EXISTS (SELECT 1 FROM runs WHERE run_id = NEW.run_id AND deleted_at IS NULL)",
    "there is no such run; log it first",
)


def create_views(connection: Connection) -> None:
    """Create the views and their triggers. They must not be there."""
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def drop_views(connection: Connection) -> None:
    """Drop the views with their triggers, where they are."""
    for view in ("study_runs", "simulation_runs"):
        if connection.dialect.has_table(connection, view) and view not in _tables(connection):
            connection.exec_driver_sql(f"DROP VIEW {view}")


def _tables(connection: Connection) -> set[str]:
    from sqlalchemy import inspect

    return set(inspect(connection).get_table_names())


@event.listens_for(metadata, "after_create")
def _with_views(_metadata: MetaData, connection: Connection, **_: object) -> None:
    create_views(connection)


def _statements(engine: str) -> Iterator[str]:
    yield _view("simulation_runs", RUN_COLUMNS, DETAIL_COLUMNS, "r.deleted_at IS NULL")
    yield _view(
        "study_runs",
        [runs.c[name] for name in ("run_id", *_POINT)],
        [run_details.c[name] for name in (*_POINT_DETAILS, "created_at")],
        "r.point IS NOT NULL AND r.study_id IS NOT NULL AND r.deleted_at IS NULL",
    )
    now = "now()" if engine == "postgresql" else "strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'"
    for view, act, guard, body in (
        ("simulation_runs", "INSERT", None, _insert_run(now)),
        ("simulation_runs", "UPDATE", _KEEPS_ITS_STATE, _update_run(now)),
        ("simulation_runs", "DELETE", None, _delete_run(now)),
        ("study_runs", "INSERT", _IS_LOGGED, _insert_point()),
    ):
        yield from _trigger(engine, view, act, guard, body)


def _view(name: str, of_runs: Iterable[Column[Any]], of_details: Iterable[Column[Any]], condition: str) -> str:
    columns = ["r.id", *(f"r.{column.name}" for column in of_runs), *(f"d.{column.name}" for column in of_details)]
    return (
        f"CREATE VIEW {name} AS SELECT {', '.join(columns)} "
        f"FROM runs r JOIN run_details d ON d.run_key = r.id WHERE {condition}"
    )


def _trigger(engine: str, view: str, act: str, guard: tuple[str, str] | None, body: Sequence[str]) -> Iterator[str]:
    """`guard`: what must not be, and what is said where it is."""
    name = f"{view}_{act.lower()}"
    statements = "; ".join(body)
    if engine == "postgresql":
        refusal = "" if guard is None else f"IF {guard[0]} THEN RAISE EXCEPTION '{guard[1]}'; END IF; "
        returned = "OLD" if act == "DELETE" else "NEW"
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {refusal}{statements}; RETURN {returned}; END $$"
        )
        yield f"CREATE TRIGGER {name} INSTEAD OF {act} ON {view} FOR EACH ROW EXECUTE FUNCTION {name}()"
    else:
        refusal = "" if guard is None else f"SELECT RAISE(ABORT, '{guard[1]}') WHERE {guard[0]}; "
        yield f"CREATE TRIGGER {name} INSTEAD OF {act} ON {view} BEGIN {refusal}{statements}; END"


def _insert_run(now: str) -> list[str]:
    defaults = {"simulation_status": "'running'", "timestamp": now, "created_at": now, "updated_at": now}
    return [
        _insert(runs, RUN_COLUMNS, defaults, {}),
        _insert(run_details, DETAIL_COLUMNS, defaults, {"run_key": "(SELECT id FROM runs WHERE run_id = NEW.run_id)"}),
        _counted("NEW", 1, {"simulation_status": "'running'"}),
    ]


def _update_run(now: str) -> list[str]:
    run_key = "(SELECT id FROM runs WHERE run_id = NEW.run_id)"
    return [
        f"UPDATE runs SET {_assignments(RUN_COLUMNS, {'updated_at': now})} WHERE run_id = OLD.run_id",
        f"UPDATE run_details SET {_assignments(DETAIL_COLUMNS, {})} WHERE run_key = {run_key}",
        _counted("OLD", -1, {}),
        _counted("NEW", 1, {}),
    ]


def _delete_run(now: str) -> list[str]:
    return [f"UPDATE runs SET deleted_at = {now} WHERE run_id = OLD.run_id", _counted("OLD", -1, {})]


def _insert_point() -> list[str]:
    """Link a run that is there to a point of a study."""
    run = "(SELECT id FROM runs WHERE run_id = NEW.run_id)"
    moved = "run_id = NEW.run_id AND coalesce(study_id, '') <> NEW.study_id"
    others = ", ".join(f"coalesce({name}, '')" for name in _COUNTED if name != "study_id")
    return [
        f"{_counting()} SELECT coalesce(study_id, ''), {others}, -1 FROM runs WHERE {moved} {_ADDED}",
        f"{_counting()} SELECT NEW.study_id, {others}, 1 FROM runs WHERE {moved} {_ADDED}",
        f"UPDATE runs SET {_assignments([runs.c[name] for name in _POINT], {})} WHERE run_id = NEW.run_id",
        (
            "UPDATE run_details SET parameters_json = coalesce(NEW.parameters_json, parameters_json), "
            f"objectives_json = NEW.objectives_json WHERE run_key = {run}"
        ),
    ]


_ADDED = f"ON CONFLICT ({', '.join(_COUNTED)}) DO UPDATE SET runs = run_counts.runs + excluded.runs"


def _counting() -> str:
    return f"INSERT INTO run_counts ({', '.join(_COUNTED)}, runs)"


def _counted(row: str, change: int, defaults: dict[str, str]) -> str:
    values = ", ".join(f"coalesce({row}.{name}, {defaults.get(name, repr(''))})" for name in _COUNTED)
    return f"{_counting()} VALUES ({values}, {change}) {_ADDED}"


def _insert(table: Table, columns: Iterable[Column[Any]], defaults: dict[str, str], more: dict[str, str]) -> str:
    values = {column.name: _or_default(column, defaults) for column in columns} | more
    return f"INSERT INTO {table.name} ({', '.join(values)}) VALUES ({', '.join(values.values())})"


def _or_default(column: Column[Any], defaults: dict[str, str]) -> str:
    new = f"NEW.{column.name}"
    return f"coalesce({new}, {defaults[column.name]})" if column.name in defaults else new


def _assignments(columns: Iterable[Column[Any]], fixed: dict[str, str]) -> str:
    return ", ".join(f"{column.name} = {fixed.get(column.name, f'NEW.{column.name}')}" for column in columns)
