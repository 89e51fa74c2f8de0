"""Who has runs under way, whether it still lives, and what becomes of the runs of the dead.

A process that logs a run as `running` owns it. On its own machine an owner lives while its process does; the start
of the process tells it from another that got its number. From another machine an owner is dead when its counter has
stood still for three beats of the observer's own clock.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from ecosystemiser.store.batches import execute_many
from ecosystemiser.store.clock import utc_now
from ecosystemiser.store.counts import Counted, change_counts
from ecosystemiser.store.identity import Identity
from ecosystemiser.store.schema import owners, runs, studies
from ecosystemiser.store.states import RunStatus

__all__ = [
    "BEAT_EVERY_S",
    "RunningOwner",
    "Watch",
    "add_owner",
    "beat",
    "close_runs_of",
    "end_owner",
    "running_owners",
]

BEAT_EVERY_S = 10.0
"""How often an owner says that it lives. [s]"""
MISSED_BEATS = 3
"""An owner elsewhere is dead once its counter has stood still for so many beats."""

_BEAT = owners.update().where(owners.c.id == bindparam("the_owner"))


def add_owner(connection: Connection, identity: Identity, beat_every_s: float) -> int:
    """Add a process that is about to have runs under way; return its key."""
    now = utc_now()
    row = {**_columns(identity), "beat": 0, "beat_every_s": beat_every_s, "started_at": now, "beat_at": now}
    return int(connection.execute(owners.insert().returning(owners.c.id), row).scalar_one())


def _columns(identity: Identity) -> dict[str, Any]:
    return {
        "host": identity.host,
        "boot_id": identity.boot_id,
        "place": identity.place,
        "pid": identity.pid,
        "process_start": identity.process_start,
    }


def beat(connection: Connection, owner_id: int) -> None:
    """Say that the owner lives."""
    connection.execute(_BEAT.values(beat=owners.c.beat + 1, beat_at=utc_now()), {"the_owner": owner_id})


def end_owner(connection: Connection, owner_id: int) -> None:
    """Take away an owner that has nothing under way any more; with something under way it stays the owner of that."""
    under_way = select(func.count()).where(runs.c.owner_id == owner_id, runs.c.simulation_status == "running")
    studies_on = select(func.count()).where(studies.c.owner_id == owner_id, studies.c.status == "running")
    if not connection.scalar(under_way) and not connection.scalar(studies_on):
        connection.execute(owners.delete().where(owners.c.id == owner_id))


@dataclass(frozen=True)
class RunningOwner:
    """An owner that has runs or studies under way, as its row stands."""

    key: int | None
    """None: they were logged by hand, and whether somebody works on them is not known."""
    identity: Identity | None
    beat: int = 0
    beat_every_s: float = BEAT_EVERY_S

    @property
    def lives(self) -> bool | None:
        """Whether it lives, as far as one look can tell; None: only its beats will."""
        if self.key is None:
            return True
        return False if self.identity is None else self.identity.lives()


def running_owners(connection: Connection) -> list[RunningOwner]:
    """Return who owns what stands as running."""
    of_runs = select(runs.c.owner_id).where(runs.c.simulation_status == RunStatus.RUNNING.value)
    of_studies = select(studies.c.owner_id).where(studies.c.status == RunStatus.RUNNING.value)
    keys = set(connection.scalars(of_runs.distinct())) | set(connection.scalars(of_studies.distinct()))
    known = select(owners).where(owners.c.id.in_([key for key in keys if key is not None]))
    rows = {row.id: row for row in connection.execute(known)}
    return [_running_owner(key, rows.get(key)) for key in sorted(keys, key=lambda key: (key is not None, key or 0))]


def _running_owner(key: int | None, row: Any) -> RunningOwner:
    if row is None:
        return RunningOwner(key, None)
    identity = Identity(row.host, row.boot_id, row.place, row.pid, row.process_start)
    return RunningOwner(key, identity, row.beat, row.beat_every_s or BEAT_EVERY_S)


@dataclass
class Watch:
    """Tells which owners are dead; of those elsewhere it remembers the beats that it has seen."""

    _seen: dict[int, tuple[int, float]] = field(default_factory=dict)
    """The counter of each owner, and when, by the monotonic clock, it was first seen to stand there."""

    def dead(self, found: Sequence[RunningOwner], now: float | None = None) -> list[RunningOwner]:
        """Return those of the owners that are dead by what is known now, the monotonic time [s]."""
        now = time.monotonic() if now is None else now
        return [owner for owner in found if not self._lives(owner, now)]

    def is_waiting_for(self, found: Sequence[RunningOwner]) -> float:
        """Return how long to watch until every owner elsewhere is known to live or to be dead. [s]"""
        return max((MISSED_BEATS * owner.beat_every_s for owner in found if owner.lives is None), default=0.0)

    def _lives(self, owner: RunningOwner, now: float) -> bool:
        lives = owner.lives
        if lives is not None or owner.key is None:
            return bool(lives)
        beat, since = self._seen.get(owner.key, (None, now))
        if beat != owner.beat:
            self._seen[owner.key] = (owner.beat, now)
            return True
        return now - since < MISSED_BEATS * owner.beat_every_s


def close_runs_of(connection: Connection, dead: Sequence[RunningOwner]) -> int:
    """Close what dead owners left running as `interrupted`; return how many runs that were.

    An owner that has beaten since it was read is left alone.
    """
    return sum(_close(connection, owner) for owner in dead)


def _close(connection: Connection, owner: RunningOwner) -> int:
    if owner.identity is not None:
        current = connection.scalar(select(owners.c.beat).where(owners.c.id == owner.key))
        if current is not None and current != owner.beat:
            return 0
    under_way = (runs.c.owner_id == owner.key, runs.c.simulation_status == RunStatus.RUNNING.value)
    counted = tuple(runs.c[name] for name in Counted._fields)
    left = connection.execute(select(runs.c.id, runs.c.deleted_at, *counted).where(*under_way)).all()
    closed = {"simulation_status": RunStatus.INTERRUPTED.value, "updated_at": utc_now()}
    change = runs.update().where(runs.c.id == bindparam("the_key"), runs.c.simulation_status == "running")
    execute_many(connection, change, [{**closed, "the_key": row.id} for row in left])
    gone = [Counted(*row[2:]) for row in left if row.deleted_at is None]
    come = [each._replace(simulation_status=RunStatus.INTERRUPTED.value) for each in gone]
    change_counts(connection, gone, come)
    now = utc_now()
    connection.execute(
        update(studies)
        .where(studies.c.owner_id == owner.key, studies.c.status == RunStatus.RUNNING.value)
        .values(status=RunStatus.INTERRUPTED.value, finished_at=now, updated_at=now, message="its process died")
    )
    connection.execute(owners.delete().where(owners.c.id == owner.key))
    return len(left)
