"""The rows of runs: log them, get one. Queries over many stand in `queries.py`.

Every function works inside the caller's transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, bindparam, select

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store.batches import execute_columns, fetch_of, new_keys
from ecosystemiser.store.blocks import Block
from ecosystemiser.store.clock import utc_now
from ecosystemiser.store.counts import Counted, change_counts
from ecosystemiser.store.parameters import replace_parameters, store_parameters
from ecosystemiser.store.schema import documents, run_details, runs
from ecosystemiser.store.states import RunStatus, can_follow
from ecosystemiser.store.values import RowChecker
from ecosystemiser.store.views import DETAIL_COLUMNS, RUN_COLUMNS

__all__ = ["ALL_COLUMNS", "DOCUMENTS", "get_run", "log_run", "log_runs"]

Values = dict[str, Any]

ALL_COLUMNS: tuple[Column[Any], ...] = (*RUN_COLUMNS, *DETAIL_COLUMNS)
"""What a run's dict holds, in this order."""

DOCUMENTS = {
    "system": "system_document",
    "files": "files_document",
    "config": "config_document",
    "environment": "environment_document",
}
"""Kinds of documents and the columns that name them."""

_CHECKER = RowChecker(
    (*ALL_COLUMNS, *(runs.c[name] for name in DOCUMENTS.values())), "simulation_runs", "log_simulation_run"
)
_DETAILS = frozenset(column.name for column in DETAIL_COLUMNS)

# Built once: SQLAlchemy takes 2 ms to build a statement of so many columns.
_COUNTED = tuple(runs.c[name] for name in Counted._fields)
_KNOWN = select(runs.c.run_id, runs.c.id, runs.c.deleted_at, *_COUNTED)
_INSERT, _INSERT_DETAILS = runs.insert(), run_details.insert()
_UPDATE = runs.update().where(runs.c.id == bindparam("the_key"), runs.c.simulation_status == bindparam("old_status"))
_UPDATE_DETAILS = run_details.update().where(run_details.c.run_key == bindparam("the_key"))
_TEXTS = {kind: documents.alias(kind) for kind in DOCUMENTS}

_STATUS = Counted._fields.index("simulation_status")
Known = dict[str, tuple[int, tuple[Any, ...]]]
"""Key of each run, and what it is counted by."""


def log_run(connection: Connection, row: Mapping[str, object], owner_id: int | None = None) -> None:
    """Insert the run `row["run_id"]`, or update it: only the columns that `row` names change.

    A new run without a `simulation_status` is running, and of the owner given; one without a `timestamp` started
    now. Raises InputError for unknown columns and invalid values; StoreError where the run is finished and `row`
    would change its state.
    """
    log_runs(connection, [row], owner_id)


def log_runs(connection: Connection, rows: Sequence[Mapping[str, object]], owner_id: int | None = None) -> None:
    """Do as `log_run` for many different runs, several times faster than one by one.

    Where one row is refused, the caller's transaction has to be given up.
    """
    blocks = _checked(rows)
    known = _known_of(connection, [run_id for block in blocks for run_id in block.columns["run_id"]])
    are_old = [[run_id in known for run_id in block.columns["run_id"]] for block in blocks]
    new = [block.chosen([not each for each in old]) for block, old in zip(blocks, are_old, strict=True)]
    if len(known) < sum(map(len, blocks)):
        _insert(connection, [block for block in new if len(block)], owner_id)
    if known:
        changed = [block.chosen(old) for block, old in zip(blocks, are_old, strict=True)]
        _update(connection, [block for block in changed if len(block)], known)


def _checked(rows: Sequence[Mapping[str, object]]) -> list[Block]:
    blocks = _CHECKER.checked_blocks(rows)
    ids = [run_id for block in blocks for run_id in block.column("run_id")]
    if None in ids:
        raise InputError([Finding("is missing", "say which run this is", "run_id")])
    if len(set(ids)) < len(ids):
        twice = next(run_id for run_id, number in Counter(ids).items() if number > 1)
        raise InputError([Finding("is named twice", "log each run once at a time", "run_id", twice)])
    return blocks


def _known_of(connection: Connection, run_ids: list[str]) -> Known:
    """Return what is known of those of the runs that have a row."""
    known: Known = {}
    for run_id, key, deleted_at, *counted in fetch_of(connection, _KNOWN, runs.c.run_id, run_ids):
        if deleted_at is not None:
            raise StoreError(f"run {run_id}: was deleted. Nothing was written; bring it back: runs delete --undo.")
        known[run_id] = (key, tuple(counted))
    return known


def _insert(connection: Connection, blocks: Sequence[Block], owner_id: int | None) -> None:
    now, running = utc_now(), RunStatus.RUNNING.value
    places = sorted(place for block in blocks for place in block.places)
    keys = dict(zip(places, new_keys(connection, len(places)), strict=True))
    come: Counter[tuple[Any, ...]] = Counter()
    for block in blocks:
        own = [keys[place] for place in block.places]
        nows = [now] * len(own)
        statuses = block.column("simulation_status", running)
        narrow, details = _parted(block)
        narrow = {"timestamp": nows, **narrow, "simulation_status": statuses, "id": own, "updated_at": nows}
        if running in statuses:
            narrow["owner_id"] = [owner_id if status == running else None for status in statuses]
        execute_columns(connection, _INSERT, narrow)
        execute_columns(connection, _INSERT_DETAILS, {**details, "run_key": own, "created_at": nows})
        if "parameters_json" in details:
            store_parameters(connection, own, details["parameters_json"])
        counted = Block(block.places, narrow)
        come.update(zip(*map(counted.column, Counted._fields), strict=True))
    change_counts(connection, come=come)


def _update(connection: Connection, blocks: Sequence[Block], known: Known) -> None:
    _check_transitions(blocks, known)
    now, touched = utc_now(), 0
    gone: Counter[tuple[Any, ...]] = Counter()
    come: Counter[tuple[Any, ...]] = Counter()
    for block in blocks:
        found = [known[run_id] for run_id in block.columns["run_id"]]
        own, before = [key for key, _ in found], [counted for _, counted in found]
        narrow, details = _parted(block)
        del narrow["run_id"]
        old = {"the_key": own, "old_status": [counted[_STATUS] for counted in before]}
        touched += execute_columns(connection, _UPDATE, {**narrow, "updated_at": [now] * len(own), **old})
        if details:
            execute_columns(connection, _UPDATE_DETAILS, {**details, "the_key": own})
        if "parameters_json" in details:
            replace_parameters(connection, own, details["parameters_json"])
        gone.update(before)
        after = zip(Counted._fields, zip(*before, strict=True), strict=True)
        come.update(zip(*[block.columns.get(name, values) for name, values in after], strict=True))
    if touched != sum(map(len, blocks)):
        raise StoreError("another process changed these runs at the same time; nothing was written.")
    change_counts(connection, gone, come)


def _parted(block: Block) -> tuple[dict[str, Sequence[Any]], dict[str, Sequence[Any]]]:
    """Return the columns of `runs`, and those of `run_details`."""
    details = {name: values for name, values in block.columns.items() if name in _DETAILS}
    return {name: values for name, values in block.columns.items() if name not in _DETAILS}, details


def _check_transitions(blocks: Sequence[Block], known: Known) -> None:
    changes = [
        (place, run_id, known[run_id][1][_STATUS], new)
        for block in blocks
        if "simulation_status" in block.columns
        for place, run_id, new in zip(
            block.places, block.columns["run_id"], block.columns["simulation_status"], strict=True
        )
    ]
    pairs = {(old, new) for _, _, old, new in changes}
    refused = {(old, new) for old, new in pairs if not can_follow(RunStatus(old), RunStatus(new))}
    if refused:
        _, run_id, old, new = min(change for change in changes if change[2:] in refused)
        message = (
            f"run {run_id}: is {old} and cannot become {new}: a finished run keeps its state. "
            "Nothing was written; log another attempt under a run_id of its own."
        )
        raise StoreError(message)


def _select_run() -> Any:
    source: Any = runs.join(run_details, run_details.c.run_key == runs.c.id)
    for kind, column in DOCUMENTS.items():
        source = source.outerjoin(_TEXTS[kind], _TEXTS[kind].c.id == runs.c[column])
    texts = (table.c.content.label(f"{kind}_json") for kind, table in _TEXTS.items())
    return (
        select(*ALL_COLUMNS, *texts)
        .select_from(source)
        .where(runs.c.run_id == bindparam("the_run"), runs.c.deleted_at.is_(None))
    )


_GET = _select_run()


def get_run(connection: Connection, run_id: str) -> Values | None:
    """Return a run by column name, with its documents as `system_json`, `files_json`, `config_json` and
    `environment_json`; None where there is none."""
    found = connection.execute(_GET, {"the_run": run_id}).mappings().one_or_none()
    return None if found is None else dict(found)
