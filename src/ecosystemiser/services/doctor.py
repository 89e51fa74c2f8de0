"""What is wrong with this machine and this installation, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ecosystemiser.errors import DatabaseUnreachableError, EcoSystemiserError, InputError, StoreError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.location import EngineName, Location

__all__ = ["Diagnosis", "Health", "examine"]


class Health(StrEnum):
    """How well something is."""

    OK = "ok"
    WARNING = "warning"
    """It works, but look at it."""
    WRONG = "wrong"
    """It does not work."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at: how it is, what was found, and what to do if it is not well."""

    subject: str
    health: Health
    found: str
    remedy: str = ""


PACKAGES = ("ecosystemiser", "highspy", "numba", "numpy", "sqlalchemy", "pyarrow")
BAD_VERSIONS = {
    ("highspy", "1.14.0"): "gives wrong results",
    ("pyarrow", "25.0.0"): "is refused by this package",
}
OLDEST_PYTHON = (3, 11)
LOW_DISK_BYTES, FULL_DISK_BYTES = 1_000_000_000, 50_000_000
WAL_VERSION = b"\x02\x02"
"""Bytes 18 and 19 of a SQLite file that keeps a write-ahead log."""
TRIAL_STEPS = 24
_REINSTALL = "install again: make setup, or pip install --force-reinstall ecosystemiser"


def examine(database: DatabaseMetadataService) -> Iterator[Diagnosis]:
    """Yield what is found, one after the other. Changes nothing; the trial uses a database of its own."""
    yield _python()
    for package in PACKAGES:
        yield _package(package)
    yield from _trials()
    yield _compiled_cache()
    yield from _database(database)
    place = database.location
    yield _disk(place.path.parent if place.engine is EngineName.SQLITE else Path.cwd())


def _python() -> Diagnosis:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    numbers = tuple(int(part) for part in platform.python_version_tuple()[:2])
    if numbers < OLDEST_PYTHON:
        return Diagnosis("python", Health.WRONG, found, "use Python 3.11 or newer")
    return Diagnosis("python", Health.OK, found)


def _package(name: str) -> Diagnosis:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Diagnosis(name, Health.WRONG, "is not installed", _REINSTALL)
    why = BAD_VERSIONS.get((name, found))
    if why is not None:
        return Diagnosis(name, Health.WRONG, f"{found} {why}", f"pip install --upgrade {name}")
    return Diagnosis(name, Health.OK, found)


def _trials() -> Iterator[Diagnosis]:
    """Solve the first day of the packaged example with every solver, in a folder that is removed again."""
    from ecosystemiser.config.solver_options import SOLVER_TYPES

    with tempfile.TemporaryDirectory(prefix="ecosystemiser-doctor-") as folder:
        for solver in SOLVER_TYPES:
            yield _trial(solver, Path(folder))


def _trial(solver: str, folder: Path) -> Diagnosis:
    subject = f"solver {solver}"
    try:
        from ecosystemiser.services.checking import requested
        from ecosystemiser.services.simulation_service import SimulationService

        asked = {"solver_type": solver, "timesteps": TRIAL_STEPS, "output_directory": folder / "results"}
        with DatabaseMetadataService(folder / "trial.sqlite") as log:
            result = SimulationService(log).run_simulation(requested(asked))
    except EcoSystemiserError as error:
        return Diagnosis(subject, Health.WRONG, str(error), "see the message; else report it")
    except Exception as error:  # noqa: BLE001 - whatever is wrong here is what a doctor is asked for
        return Diagnosis(subject, Health.WRONG, f"{type(error).__name__}: {error}", _REINSTALL)
    if not result.has_completed:
        return Diagnosis(subject, Health.WRONG, f"{result.cause}: {result.error}", _REINSTALL)
    found = f"solved {TRIAL_STEPS} hours of the example in {result.wall_seconds:.2f} s"
    return Diagnosis(subject, Health.OK, found)


def _compiled_cache() -> Diagnosis:
    """Look at where numba keeps what it compiled: without it every start compiles anew."""
    subject = "numba cache"
    remedy = "set NUMBA_CACHE_DIR to a folder that you may write; without it each start compiles anew"
    try:
        from ecosystemiser.solver.rule_based.kernel import dispatch_hours

        folder = Path(str(dispatch_hours.stats.cache_path))
    except Exception as error:  # noqa: BLE001 - numba raises many kinds of errors where it finds no folder
        return Diagnosis(subject, Health.WARNING, f"none: {error}", remedy)
    if not os.access(_existing(folder), os.W_OK | os.X_OK):
        return Diagnosis(subject, Health.WARNING, f"{folder} may not be written", remedy)
    return Diagnosis(subject, Health.OK, str(folder))


def _database(database: DatabaseMetadataService) -> Iterator[Diagnosis]:
    from ecosystemiser.store.condition import info
    from ecosystemiser.store.engine import database_exists, open_database
    from ecosystemiser.store.studies import statistics

    place = database.location
    try:
        if not database_exists(place):
            yield _none_yet(place)
            return
        with open_database(place, read_only=True) as opened:
            found = info(opened)
            with opened.reading() as connection:
                runs = statistics(connection)["runs"]
    except (StoreError, InputError) as error:
        yield _unusable(str(place), error)
        return
    engine = "PostgreSQL" if place.engine is EngineName.POSTGRESQL else "SQLite"
    told = f"{runs:,} runs, schema {found.schema_version}, {found.size_bytes / 1e6:,.1f} MB"
    yield Diagnosis("database", Health.OK, f"{place}: {told}, {engine} {found.engine_version.split(' ')[0]}")
    if place.engine is EngineName.SQLITE:
        yield _writable(place.path)
    yield _left_behind(place)


def _none_yet(place: Location) -> Diagnosis:
    """Return whether the first run can create a database."""
    if place.engine is EngineName.SQLITE and not os.access(_existing(place.path.parent), os.W_OK | os.X_OK):
        remedy = "choose a folder that you may write: --db PATH, or ECOSYSTEMISER_DB"
        return Diagnosis("database", Health.WRONG, f"{place} cannot be created", remedy)
    return Diagnosis("database", Health.OK, f"{place}: none yet; the first run creates it")


def _unusable(place: str, error: StoreError | InputError) -> Diagnosis:
    """Return what it means that the database cannot be read: an older schema is no fault."""
    if isinstance(error, InputError):
        finding = error.findings[0]
        return Diagnosis("database", Health.WRONG, f"{place} {finding.message}", finding.remedy)
    found = f"{place}: {str(error).removeprefix(f'{place}: ')}"
    if "older than" in found:
        return Diagnosis("database", Health.WARNING, found, "the next run upgrades it, or ecosystemiser db upgrade")
    if isinstance(error, DatabaseUnreachableError):
        return Diagnosis("database", Health.WRONG, found, "start the server, or name another database: --db")
    return Diagnosis("database", Health.WRONG, found, "restore a backup, or name another: --db PATH")


def _left_behind(place: Location) -> Diagnosis:
    """Look for runs that stand as running though nobody works on them."""
    subject = "runs left behind"
    with DatabaseMetadataService(place.address, read_only=True) as reader:
        count = len(reader.runs_of_the_dead())
    if count:
        remedy = "the next run closes them, or ecosystemiser db check"
        return Diagnosis(subject, Health.WARNING, f"{count:,} of processes that have died", remedy)
    return Diagnosis(subject, Health.OK, "none")


def _writable(path: Path) -> Diagnosis:
    """Look at the journal: readers and writers wait for each other without a write-ahead log."""
    subject = "database log"
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return Diagnosis(subject, Health.WRONG, f"{path} or its folder is read-only", "check the permissions")
    with path.open("rb") as file:
        head = file.read(20)
    if head[18:20] != WAL_VERSION:
        remedy = "the next run turns it on; keep the database on a local disk"
        return Diagnosis(subject, Health.WARNING, "no write-ahead log", remedy)
    return Diagnosis(subject, Health.OK, "write-ahead log")


def _disk(folder: Path) -> Diagnosis:
    folder = _existing(folder)
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:,.1f} GB free at {folder}"
    if free < FULL_DISK_BYTES:
        return Diagnosis("disk", Health.WRONG, found, "make room: a run of a year takes about 1 MB")
    if free < LOW_DISK_BYTES:
        return Diagnosis("disk", Health.WARNING, found, "make room before a large study")
    return Diagnosis("disk", Health.OK, found)


def _existing(folder: Path) -> Path:
    """Return `folder`, or the nearest parent that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())
