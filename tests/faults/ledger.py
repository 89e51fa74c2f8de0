"""The judge: what the database and the files say afterwards, held against what was acknowledged."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.facts import Facts

from ecosystemiser.errors import StoreError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.hourly import read_hourly

__all__ = ["Verdict", "judge", "judged", "statuses", "torn_runs"]


def statuses(db: Path) -> dict[str, str]:
    """Return the status of every run by a plain read; none where there is no database yet."""
    if not db.exists():
        return {}
    with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        return dict(connection.execute("select run_id, simulation_status from simulation_runs"))


@dataclass(frozen=True)
class Verdict:
    """What was found wrong."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged runs that are not `completed` in the database, with what they are."""
    torn: list[str] = field(default_factory=list)
    """Completed runs without KPIs, or whose hourly file cannot be read or is not the one that was logged."""
    damage: list[str] = field(default_factory=list)
    """What is wrong with the database itself."""
    running: int = 0
    """Runs that stand as `running`."""

    def tell(self, facts: Facts, when: str) -> None:
        """Count what was found into `facts`."""
        for what, sentences in (("lost", self.lost), ("torn", self.torn), ("damaged", self.damage)):
            facts.count(what, 0)
            for sentence in sentences:
                facts.blame(what, f"{sentence} ({when})")


def judge(db: Path, acknowledged: Iterable[str], *, keeps_hours: bool = True) -> Verdict:
    """Compare the database with what was acknowledged. `keeps_hours`: every completed run must name an hourly file."""
    acknowledged = list(acknowledged)
    try:
        found = statuses(db)
        damage = _damage(db)
        torn = torn_runs(db, keeps_hours=keeps_hours) if db.exists() else []
    except (sqlite3.DatabaseError, StoreError) as error:
        lost = [f"{run} cannot be read" for run in acknowledged]
        return Verdict(lost, damage=[f"{type(error).__name__}: {error}"])
    lost = [f"{run} is {found.get(run, 'not there')}" for run in acknowledged if found.get(run) != "completed"]
    return Verdict(lost, torn, damage, running=_count(found.values(), "running"))


def judged(db: str, acknowledged: Iterable[str]) -> dict[str, Any]:
    """Do as `judge`, with what JSON can hold."""
    return asdict(judge(Path(db), acknowledged))


def _damage(db: Path) -> list[str]:
    """Return what SQLite finds wrong with the file."""
    if not db.exists():
        return []
    with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        return [str(row[0]) for row in connection.execute("pragma integrity_check") if row[0] != "ok"]


def torn_runs(db: Path, *, keeps_hours: bool = True) -> list[str]:
    """Return the completed runs whose row does not hold what it promises."""
    with DatabaseMetadataService(db) as log:
        rows = log.query_simulation_runs(status="completed")
    torn = []
    for row in rows:
        if row["total_cost"] is None:
            torn.append(f"{row['run_id']} is completed without a cost")
        if row["flows_path"] is None:
            torn += [f"{row['run_id']} is completed and names no hourly file"] if keeps_hours else []
            continue
        if not row["hourly_sha256"]:
            torn.append(f"{row['run_id']} names an hourly file without its hash")
            continue
        try:
            read_hourly(Path(row["flows_path"]), row["hourly_sha256"])
        except StoreError as error:
            torn.append(f"{row['run_id']}: {error}")
    return torn


def _count(words: Collection[str], word: str) -> int:
    return sum(each == word for each in words)
