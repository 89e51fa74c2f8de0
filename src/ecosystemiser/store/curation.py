"""What people do with runs once they are there: tags, notes, delete and purge."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store.batches import execute_many
from ecosystemiser.store.clock import utc_now, utc_text
from ecosystemiser.store.counts import Counted, change_counts
from ecosystemiser.store.schema import run_details, run_tags, runs
from ecosystemiser.store.states import RunStatus

__all__ = [
    "add_tags",
    "delete_runs",
    "deleted_runs",
    "purge_runs",
    "remove_tags",
    "restore_runs",
    "tags_of",
    "write_note",
]

LONGEST_TAG, LONGEST_NOTE = 100, 100_000
_IDS_A_QUERY = 500
_COUNTED = tuple(runs.c[name] for name in Counted._fields)


def add_tags(connection: Connection, run_ids: Collection[str], tags: Collection[str]) -> None:
    """Give the runs these tags; those that they have already stay. Raises InputError for unknown runs."""
    wanted = [_checked_tag(tag) for tag in tags]
    keys = _keys_of(connection, run_ids)
    present = {(row.run_key, row.tag) for row in _tag_rows(connection, keys)}
    rows = [{"run_key": key, "tag": tag} for key in keys.values() for tag in dict.fromkeys(wanted)]
    execute_many(connection, run_tags.insert(), [row for row in rows if tuple(row.values()) not in present])


def remove_tags(connection: Connection, run_ids: Collection[str], tags: Collection[str]) -> int:
    """Take these tags off the runs; return how many there were. Raises InputError for unknown runs."""
    chosen = run_tags.delete().where(run_tags.c.run_key == bindparam("the_key"), run_tags.c.tag == bindparam("the_tag"))
    keys = _keys_of(connection, run_ids)
    return execute_many(connection, chosen, [{"the_key": key, "the_tag": tag} for key in keys.values() for tag in tags])


def tags_of(connection: Connection, run_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the tags of each of the runs, in the order of the alphabet."""
    keys = _keys_of(connection, run_ids)
    tags: dict[int, list[str]] = {key: [] for key in keys.values()}
    for row in _tag_rows(connection, keys):
        tags[row.run_key].append(row.tag)
    return {run_id: sorted(tags[key]) for run_id, key in keys.items()}


def write_note(connection: Connection, run_id: str, note: str | None) -> None:
    """Write a note on a run in the place of the one that is there; None takes it away."""
    if note is not None and (len(note) > LONGEST_NOTE or "\0" in note):
        remedy = f"write at most {LONGEST_NOTE:,} characters, without NUL"
        raise InputError([Finding(f"has {len(note):,} characters", remedy, "note")])
    (key,) = _keys_of(connection, [run_id]).values()
    connection.execute(run_details.update().where(run_details.c.run_key == key), {"note": note})


def delete_runs(connection: Connection, run_ids: Collection[str]) -> None:
    """Take finished runs out of all lists; they can be brought back until they are purged.

    Raises InputError for unknown runs, StoreError for running ones; then none is deleted.
    """
    _keys_of(connection, run_ids)
    rows = _counted_rows(connection, run_ids)
    running = [row.run_id for row in rows if row.simulation_status == RunStatus.RUNNING.value]
    if running:
        message = f"run {running[0]}: is running. Nothing was deleted; stop it first, or wait until it has ended."
        raise StoreError(message)
    _set_deleted(connection, [row.id for row in rows], utc_now())
    change_counts(connection, gone=[Counted(*row[2:]) for row in rows])


def restore_runs(connection: Connection, run_ids: Collection[str]) -> int:
    """Bring deleted runs back; return how many of them were there still."""
    rows = _counted_rows(connection, run_ids, are_deleted=True)
    _set_deleted(connection, [row.id for row in rows], None)
    change_counts(connection, come=[Counted(*row[2:]) for row in rows])
    return len(rows)


def deleted_runs(connection: Connection, before: datetime | str | None = None) -> list[dict[str, Any]]:
    """Return the deleted runs, the last deleted first: `run_id`, `deleted_at`, `results_path` of each."""
    chosen = (
        select(runs.c.run_id, runs.c.deleted_at, run_details.c.results_path)
        .join_from(runs, run_details, run_details.c.run_key == runs.c.id)
        .where(runs.c.deleted_at.is_not(None))
        .order_by(runs.c.deleted_at.desc(), runs.c.id.desc())
    )
    if before is not None:
        chosen = chosen.where(runs.c.deleted_at < utc_text(before))
    return [dict(row) for row in connection.execute(chosen).mappings()]


def purge_runs(connection: Connection, run_ids: Iterable[str]) -> int:
    """Remove the rows of deleted runs for good; return how many. Their files are the caller's affair."""
    gone = runs.delete().where(runs.c.run_id == bindparam("the_run"), runs.c.deleted_at.is_not(None))
    return execute_many(connection, gone, [{"the_run": run_id} for run_id in run_ids])


def _checked_tag(tag: str) -> str:
    if not tag.strip() or len(tag) > LONGEST_TAG or not tag.isprintable():
        remedy = f"use 1 to {LONGEST_TAG} characters that can be seen"
        raise InputError([Finding("is no tag", remedy, "tag", tag)])
    return tag


def _keys_of(connection: Connection, run_ids: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for ids in _pieces(run_ids):
        chosen = select(runs.c.run_id, runs.c.id).where(runs.c.run_id.in_(ids), runs.c.deleted_at.is_(None))
        found |= {run_id: int(key) for run_id, key in connection.execute(chosen)}
    missing = [run_id for run_id in run_ids if run_id not in found]
    if missing:
        remedy = "see which there are: ecosystemiser runs list"
        raise InputError([Finding("is no run in the log", remedy, "run_id", run_id) for run_id in missing])
    return found


def _tag_rows(connection: Connection, keys: dict[str, int]) -> list[Any]:
    chosen = select(run_tags.c.run_key, run_tags.c.tag)
    return [
        row
        for piece in _pieces(list(keys.values()))
        for row in connection.execute(chosen.where(run_tags.c.run_key.in_(piece)))
    ]


def _counted_rows(connection: Connection, run_ids: Collection[str], *, are_deleted: bool = False) -> list[Any]:
    there = runs.c.deleted_at.is_not(None) if are_deleted else runs.c.deleted_at.is_(None)
    chosen = select(runs.c.id, runs.c.run_id, *_COUNTED).where(there)
    return [row for ids in _pieces(run_ids) for row in connection.execute(chosen.where(runs.c.run_id.in_(ids)))]


def _set_deleted(connection: Connection, keys: Sequence[int], moment: str | None) -> None:
    change = runs.update().where(runs.c.id == bindparam("the_key"))
    execute_many(connection, change, [{"deleted_at": moment, "the_key": key} for key in keys])


def _pieces(items: Collection[Any]) -> Iterable[list[Any]]:
    listed = list(dict.fromkeys(items))
    return (listed[first : first + _IDS_A_QUERY] for first in range(0, len(listed), _IDS_A_QUERY))
