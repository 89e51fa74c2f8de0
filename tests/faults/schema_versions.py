"""Older and newer databases: upgraded whole or not at all, with a backup; refused and untouched."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.faults.facts import Facts, Fault
from tests.faults.nursery import Answer, Breakage, Mode, lacks_compiler, shared_nursery

from ecosystemiser import DatabaseMetadataService
from ecosystemiser.errors import StoreError
from ecosystemiser.store.engine import open_database

__all__ = ["KILLED_UPGRADE", "NEWER", "kill_upgrades", "upgrade", "use_newer"]

OLDER = sorted((Path(__file__).parents[1] / "data" / "databases").glob("schema-*.sqlite"))
"""One database of each earlier schema."""

HEADER = b"SQLite format 3\x00"
UPGRADE = "tests.faults.schema_versions:upgrade"


def upgrade(db: str) -> None:
    """Upgrade a database, as a child of the nursery does."""
    with DatabaseMetadataService(db) as log:
        log.migrate_to_enhanced_schema()


@dataclass(frozen=True)
class _Shape:
    """What tells one schema from another, and whether all is there."""

    versions: frozenset[str]
    names: frozenset[tuple[str, str]]
    runs: frozenset[str]
    check: str


def _shape(db: Path) -> _Shape:
    with closing(sqlite3.connect(db, timeout=30)) as connection:  # may have to undo what was broken off

        def rows(query: str) -> list[tuple[str, ...]]:
            return [tuple(map(str, row)) for row in connection.execute(query)]

        return _Shape(
            frozenset(row[0] for row in rows("select version_num from alembic_version")),
            frozenset((row[0], row[1]) for row in rows("select type, name from sqlite_master")),
            frozenset(row[0] for row in rows("select run_id from simulation_runs")),
            rows("pragma integrity_check")[0][0],
        )


class _Upgrades:
    """Tries upgrades of one database, each time in a fresh copy."""

    def __init__(self, place: Path, original: Path, upgrades: str) -> None:
        self._work, self._original, self._upgrades = place / "work", original, upgrades
        self._copy()
        self._old = _shape(self._db)
        self._run(None)
        self._new = _shape(self._db)
        if self._new.versions == self._old.versions or self._new.runs != self._old.runs:
            raise RuntimeError(f"the upgrade of {original.name} does not work")

    @property
    def _db(self) -> Path:
        return self._work / "runs.sqlite"

    def calls(self, mode: Mode) -> int:
        """Return how many calls there are to break."""
        self._copy()
        return self._run(Breakage(self._work, 0, mode)).calls

    def judged(self, nth: int, mode: Mode, facts: Facts) -> None:
        """Break the call `nth` of an upgrade and look what is there; then upgrade with nothing in its way."""
        self._copy()
        if not self._run(Breakage(self._work, nth, mode)).fired:
            return
        facts.count("killed")
        when = f"{self._original.name}, {mode.name} at call {nth}"
        state = self._state(self._db)
        if state in ("old", "new"):
            facts.count(state)
        else:
            facts.blame("between", f"{state} ({when})")
        again = self._run(None)
        if again.code != 0 or self._state(self._db) != "new":
            facts.blame("not upgraded again", f"{self._state(self._db)} {again.err[-300:]} ({when})")
        backups = [path for path in self._work.glob("[!.]*backup*") if path.read_bytes().startswith(HEADER)]
        states = [self._state(path) for path in backups]
        if not states or set(states) != {"old"}:
            facts.blame("without backup", f"found {dict(zip(backups, states, strict=True))} ({when})")

    def _copy(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        shutil.copyfile(self._original, self._db)

    def _run(self, breakage: Breakage | None) -> Answer:
        return shared_nursery().call(self._upgrades, str(self._db), breakage=breakage)

    def _state(self, db: Path) -> str:
        """Return `old`, `new`, or what is between them."""
        shape = _shape(db)
        known = {self._old: "old", self._new: "new"}
        return known.get(shape) or f"version {sorted(shape.versions)}, {len(shape.names)} names, {shape.check}"


def kill_upgrades(folder: Path, *, modes: Iterable[Mode], samples: int | None = None, upgrades: str = UPGRADE) -> Facts:
    """Kill the upgrade of each older database before each of its calls, or `samples` of them."""
    facts = Facts({"killed": 0, "old": 0, "new": 0, "between": 0, "without backup": 0, "not upgraded again": 0})
    for original in OLDER:
        tried = _Upgrades(folder / original.stem, original, upgrades)
        for mode in modes:
            numbers = np.arange(1, tried.calls(mode) + 1)
            chosen = numbers if samples is None else numbers[np.linspace(0, len(numbers) - 1, samples).astype(int)]
            for nth in sorted(set(chosen.tolist())):
                tried.judged(nth, mode, facts)
    facts.expect("killed", least=len(OLDER))
    return facts


def use_newer(folder: Path, *, opens: Callable[[Path], object] | None = None) -> Facts:
    """Use a database of a newer schema in several ways: it is refused, and not one byte of it changes."""
    facts = Facts({"uses": 0, "refused": 0, "not refused": 0, "changed": 0})
    db = folder / "runs.sqlite"
    with DatabaseMetadataService(db) as log:
        log.log_simulation_run({"run_id": "old", "simulation_status": "completed", "total_cost": 1.0})
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
        connection.commit()
    content = db.read_bytes()
    uses: dict[str, Callable[[Path], object]] = {
        "open for writing": open_database,
        "open for reading": lambda path: open_database(path, read_only=True),
        "log a run": lambda path: DatabaseMetadataService(path).log_simulation_run({"run_id": "new"}),
        "query": lambda path: DatabaseMetadataService(path).query_simulation_runs(),
        "upgrade": lambda path: DatabaseMetadataService(path).migrate_to_enhanced_schema(),
    }
    for name, use in uses.items():
        facts.count("uses")
        try:
            (opens or use)(db)
        except StoreError as error:
            facts.count("refused")
            if "9999" not in str(error) or str(db) not in str(error):
                facts.blame("not refused", f"{name}: names neither file nor version: {error}")
        else:
            facts.blame("not refused", name)
        if db.read_bytes() != content:
            facts.blame("changed", name)
            db.write_bytes(content)
    return facts


KILLED_UPGRADE = Fault(
    "an upgrade killed at any call",
    "always old or new, 0 between; with a backup",
    kill_upgrades,
    short={"modes": (Mode.KILL, Mode.ONCE), "samples": 8},
    long={"modes": (Mode.KILL, Mode.TEAR, Mode.ONCE, Mode.FULL)},
    lacks=lacks_compiler,
)
NEWER = Fault("a database of a newer schema", "refused, untouched", use_newer)
