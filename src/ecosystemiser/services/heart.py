"""The beats of a process that has runs under way: while they go on, nobody takes its runs for left behind."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from typing import Protocol

from ecosystemiser.errors import DatabaseUnreachableError, StoreError
from ecosystemiser.store.engine import Database
from ecosystemiser.store.identity import own_identity
from ecosystemiser.store.owners import BEAT_EVERY_S, Watch, add_owner, beat, close_runs_of, end_owner, running_owners

__all__ = ["Heart", "close_left_behind"]

_log = logging.getLogger(__name__)


class Opened(Protocol):
    """Who holds the database."""

    def opened(self) -> Database:
        """Return the database, open for writing."""


class Heart:
    """Makes the process an owner when it first has something under way, and says in the database that it lives.

    Beside its beats it watches owners on other machines, and closes what the dead among them left running.
    """

    def __init__(self, holder: Opened, beat_every_s: float = BEAT_EVERY_S) -> None:
        self._holder = weakref.ref(holder)
        self._beat_every_s = beat_every_s
        self._lock = threading.Lock()
        self._owner_id: int | None = None
        self._pid = 0
        self._has_ended = threading.Event()
        weakref.finalize(holder, self._has_ended.set)

    def owner_id(self) -> int:
        """Return the key of this process as an owner. Raises StoreError."""
        with self._lock:
            if self._owner_id is None or self._pid != os.getpid():
                with _database(self._holder()).transaction() as connection:
                    self._owner_id = add_owner(connection, own_identity(), self._beat_every_s)
                self._pid, self._has_ended = os.getpid(), threading.Event()
                arguments = (self._holder, self._owner_id, self._beat_every_s, self._has_ended)
                threading.Thread(target=_beat, args=arguments, name="heart", daemon=True).start()
            return self._owner_id

    def stop(self) -> None:
        """End the beats, and the owner with them. Raises StoreError.

        Where the server is away the owner stays; nobody beats for it, so it is taken for dead, as it is.
        """
        with self._lock:
            self._has_ended.set()
            owner_id, self._owner_id = self._owner_id, None
        if owner_id is not None and self._pid == os.getpid():
            try:
                with _database(self._holder()).transaction() as connection:
                    end_owner(connection, owner_id)
            except DatabaseUnreachableError as error:
                _log.info("an owner could not sign off: %s", error)


def _database(holder: Opened | None) -> Database:
    if holder is None:
        raise StoreError("the log was closed while something was still under way.")
    return holder.opened()


def _beat(holder: weakref.ref[Opened], owner_id: int, every_s: float, has_ended: threading.Event) -> None:
    watch = Watch()
    while not has_ended.wait(every_s):
        held = holder()
        if held is None:
            return
        try:
            database = held.opened()
            with database.transaction() as connection:
                beat(connection, owner_id)
            close_left_behind(database, watch)
        except StoreError as error:  # whoever logs a run hears of it; the next beat may come through
            _log.warning("a beat was missed: %s", error)
        del held


def close_left_behind(database: Database, watch: Watch) -> int:
    """Close as `interrupted` what dead owners left running, and return how many runs that were."""
    with database.reading() as connection:
        dead = watch.dead(running_owners(connection))
    if not dead:
        return 0
    with database.transaction() as connection:
        return close_runs_of(connection, dead)
