"""A database that is damaged, is something else or is empty: a clear error, and the file stays as it is."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from tests.faults.facts import Facts, Fault
from tests.faults.nursery import Answer, shared_nursery
from tests.faults.systems import write_farm

from ecosystemiser import DatabaseMetadataService
from ecosystemiser.errors import StoreError

__all__ = ["DAMAGED", "DAMAGES", "damage_and_use"]

Damage = Callable[[bytes, np.random.Generator], bytes]

PAGE = 4096


def _zeroed(first: int, last: int | None = None) -> Damage:
    def zero(content: bytes, _rng: np.random.Generator) -> bytes:
        end = len(content) if last is None else last
        return content[:first] + bytes(end - first) + content[end:]

    return zero


def _scrambled(first: int, last: int | None = None) -> Damage:
    def scramble(content: bytes, rng: np.random.Generator) -> bytes:
        end = len(content) if last is None else last
        return content[:first] + rng.bytes(end - first) + content[end:]

    return scramble


def _kept(share: float, more: int = 0) -> Damage:
    return lambda content, _: content[: int(share * len(content)) + more]


def _other_application(_content: bytes, _rng: np.random.Generator) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table bookmarks (url text)")
        connection.execute("insert into bookmarks values ('a')")
        return connection.serialize()


def _with_other_tables(_content: bytes, _rng: np.random.Generator) -> bytes:
    """Return a database of somebody who has a table `simulation_runs` too."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table simulation_runs (name text)")
        return connection.serialize()


DAMAGES: dict[str, Damage] = {
    "zero bytes": lambda *_: b"",
    "a text file": lambda *_: b"study_id: sizing\nsystem: farm.yaml\n" * 30,
    "a text file of one letter": lambda *_: b"a",
    "a text file that begins as a database": lambda *_: b"SQLite format 3\x00 is what a database begins with\n" * 99,
    "random bytes": lambda content, rng: rng.bytes(len(content)),
    "zeros": lambda content, _: bytes(len(content)),
    "a Parquet file": lambda *_: b"PAR1" + bytes(500) + b"PAR1",
    "a compressed file": lambda content, _: b"\x1f\x8b\x08\x00" + content[4:],
    "cut within the header": _kept(0, 50),
    "cut after the header": _kept(0, 100),
    "cut after the first page": _kept(0, PAGE),
    "cut to a half": _kept(0.5),
    "cut by one byte": lambda content, _: content[:-1],
    "cut by one page": lambda content, _: content[:-PAGE],
    "header zeroed": _zeroed(0, 100),
    "header scrambled behind its name": _scrambled(16, 100),
    "first page scrambled behind the header": _scrambled(100, PAGE),
    "all but the first page zeroed": _zeroed(PAGE),
    "all but the first page scrambled": _scrambled(PAGE),
    "first page zeroed behind the header": _zeroed(100, PAGE),
    "a database of another application": _other_application,
    "a database with a table of our name": _with_other_tables,
}
"""What may stand where the database should."""

Use = Callable[[Path], str | None]
"""Uses the database at a path; returns the error that it was told, None where all went well."""


def _log(db: Path) -> str | None:
    try:
        with DatabaseMetadataService(db) as log:
            log.log_simulation_run({"run_id": "new"})
            log.query_simulation_runs(order_by="total_cost")
    except StoreError as error:
        return str(error)
    return None


def _by_command(*words: str) -> Use:
    def use(db: Path) -> str | None:
        argv = [word.replace("FARM", str(db.with_name("farm.yaml"))) for word in words]
        answer: Answer = shared_nursery().run(*argv, "--db", db, folder=db.parent)
        if answer.code == 0:
            return None
        is_clear = answer.code == 1 and "Traceback" not in answer.err and "a fault of its own" not in answer.err
        return answer.err if is_clear else f"not clear: {answer.code}: {answer.err[-300:]}"

    return use


USES: dict[str, Use] = {
    "log a run": _log,
    "runs list": _by_command("runs", "list"),
    "run": _by_command("run", "FARM"),
    "study list": _by_command("study", "list"),
    "db check": _by_command("db", "check"),
}


def damage_and_use(
    folder: Path,
    *,
    uses: Sequence[str],
    opens: Use | None = None,
    has_log: Sequence[bool] = (True, False),
    every: int = 1,
) -> Facts:
    """Use every damaged file in each way; compare it with what it was. `has_log`: the database kept a write-ahead log.

    `opens`: who uses it instead, in the tests of this. `every`: only the first of so many.
    """
    facts = Facts({"damaged files": 0, "uses": 0, "no error": 0, "unclear": 0, "changed": 0})
    sound = {kind: _sound(folder / f"sound-{kind}", keeps_log=kind) for kind in has_log}
    for name, damage in list(DAMAGES.items())[::every]:
        facts.count("damaged files")
        for kind in has_log:
            for use in uses:
                place = folder / f"{name}-{use}-{kind}".replace(" ", "-")
                place.mkdir()
                write_farm(place)
                content = damage(sound[kind].read_bytes(), np.random.default_rng(3))
                db = place / "runs.sqlite"
                db.write_bytes(content)
                told = (opens or USES[use])(db)
                facts.count("uses")
                when = f"{name}{'' if kind else ', without a write-ahead log'}: {use}"
                if told is None:
                    facts.blame("no error", when)
                elif told.startswith("not clear") or str(db) not in told:
                    facts.blame("unclear", f"{when}: {told}")
                if db.read_bytes() != content:
                    facts.blame("changed", when)
                shutil.rmtree(place)
    return facts


def _sound(place: Path, *, keeps_log: bool) -> Path:
    """Make a database with some runs in one file; one without a write-ahead log, as a tool of SQLite copies it."""
    place.mkdir()
    path, copy = place / "runs.sqlite", place / "copy.sqlite"
    with DatabaseMetadataService(path) as log:
        for number in range(60):
            row = {"run_id": f"r{number}", "simulation_status": "completed", "total_cost": float(number)}
            log.log_simulation_run({**row, "metadata_json": {"note": "x" * 500}})
        log.log_study({"study_id": "s"})
    with closing(sqlite3.connect(path)) as source:
        if keeps_log:
            with closing(sqlite3.connect(copy)) as target:
                source.backup(target)
        else:
            source.execute("vacuum into ?", (str(copy),))
    return copy


DAMAGED = Fault(
    "database damaged, a text file, zero bytes",
    f"{len(DAMAGES)} of {len(DAMAGES)}: clear error, file untouched",
    damage_and_use,
    short={"uses": ("log a run",)},
    long={"uses": tuple(USES)},
)
