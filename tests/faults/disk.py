"""No room, no right to write, a disk that fails: a clear error, nothing acknowledged lost, and it works again after."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.faults.facts import Facts, Fault
from tests.faults.ledger import judge
from tests.faults.nursery import Mode, Nursery, lacks_compiler, nursery, shared_nursery
from tests.faults.sweep import acknowledged_by, sweep, what_is_unclear
from tests.faults.systems import write_study

__all__ = ["FILE_SIZE", "FULL_DISK", "IO_ERROR", "NO_ROOM_AT_A_CALL", "READ_ERROR", "READ_ONLY", "lacks_mount"]

SMALL_DISK = 3_000_000
"""Holds a database and about a hundred runs. [bytes]"""
FILLER = 1_200_000
"""What lies on it besides, and is removed to make room. [bytes]"""


# A disk that gets full.


def fill_a_disk(folder: Path, *, studies: int) -> Facts:
    """Fill a small file system with studies, one after the other; each time make room and go on."""
    facts = Facts({"times the disk was full": 0, "lost": 0, "torn": 0, "unclear": 0, "not working again": 0})
    study, place = write_study(folder, points=300), folder / "disk"
    for number in range(studies):
        place.mkdir(exist_ok=True)
        with nursery(folder / "nursery", place, SMALL_DISK, before=_own_mounts()) as opened:
            _fill(opened, place, study, 1 + number % 2, facts)
    return facts


def _fill(opened: Nursery, place: Path, study: Path, workers: int, facts: Facts) -> None:
    when = f"study with {workers} workers"
    opened.shell(f"head -c {FILLER} /dev/zero > {place}/filler")
    farm = study.with_name("farm.yaml")
    first = opened.run("run", farm, "--format", "json", folder=place)
    acknowledged = acknowledged_by(first)
    full = opened.run("study", "run", study, "--workers", workers, folder=place)
    facts.count("times the disk was full", full.code != 0)
    if full.code == 0:
        facts.blame("unclear", f"the study says that it is done, on a disk too small for it ({when})")
    elif unclear := what_is_unclear(full, place):
        facts.blame("unclear", f"{unclear} ({when})")
    db = place / "data" / "simulation_index.sqlite"
    opened.shell(f"rm {place}/filler")  # without room not even a reader can open a log that others may write
    opened.judge(db, acknowledged).tell(facts, when)
    again = opened.run("run", farm, "--format", "json", folder=place)
    if again.code != 0:
        facts.blame("not working again", f"{again.err.strip()[-300:]} ({when})")
        return
    opened.judge(db, acknowledged | acknowledged_by(again)).tell(facts, f"with room again, {when}")


def _own_mounts() -> tuple[str, ...]:
    """Return the words before a command that give it mounts of its own, which go when it ends."""
    return ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")


@cache
def lacks_mount() -> str | None:
    """Say that no file system can be mounted here; None: it can."""
    script = 'd=$(mktemp -d) && mount -t tmpfs -o size=1m tmpfs "$d" && umount "$d" && rmdir "$d"'
    try:
        done = subprocess.run([*_own_mounts(), "sh", "-c", script], capture_output=True, check=False)
    except OSError:
        return "no `unshare`, with which a small disk is made"
    return None if done.returncode == 0 else "not allowed to mount a small file system"


# A file that may not grow.


def limit_files(folder: Path, *, sizes: Sequence[int]) -> Facts:
    """Let no file grow beyond each of `sizes`, at a first run and at a study; then take the limit away.

    What a command prints goes into files, too, so the smallest size must have room for its words.
    """
    facts = Facts({"limits": 0, "lost": 0, "torn": 0, "unclear": 0, "not working again": 0})
    study, opened = write_study(folder, points=60), shared_nursery()
    farm = study.with_name("farm.yaml")
    for size in sizes:
        for name, argv in (("run", ("run", farm, "--format", "json")), ("study", ("study", "run", study))):
            place = folder / f"{name}-{size}"
            place.mkdir()
            limited = opened.run(*argv, folder=place, file_size=size)
            when = f"{name}, files up to {size} bytes"
            facts.count("limits")
            is_done = limited.code == 0
            acknowledged = acknowledged_by(limited) if is_done and name == "run" else set[str]()
            if limited.code != 0 and (unclear := what_is_unclear(limited, place)):
                facts.blame("unclear", f"{unclear} ({when})")
            _work_again(opened, farm, place, acknowledged, when, facts)
    return facts


def _work_again(
    opened: Nursery, farm: Path, place: Path, acknowledged: set[str], when: str, facts: Facts, db: Path | None = None
) -> None:
    """Judge what is there, make a run with nothing in its way, and judge again."""
    db = db or place / "data" / "simulation_index.sqlite"
    judge(db, acknowledged).tell(facts, when)
    again = opened.run("run", farm, "--format", "json", "--db", db, "--output", place / "results", folder=place)
    if again.code != 0:
        facts.blame("not working again", f"{again.err.strip()[-300:]} ({when})")
        return
    judge(db, acknowledged | acknowledged_by(again)).tell(facts, f"afterwards, {when}")


# No right to write.


@dataclass(frozen=True)
class Refusal:
    """Something that must not be written, and what is tried all the same."""

    name: str
    path: str
    mode: int
    argv: tuple[str, ...] = ("run",)
    has_run_before: bool = True
    may_work: bool = False
    """Whether the command may do without writing there."""


REFUSALS = (
    Refusal("a folder without a database", "db", 0o555, has_run_before=False),
    Refusal("the folder of the database", "db", 0o555),
    Refusal("the database", "db/runs.sqlite", 0o444),
    Refusal("the results", "results", 0o555),
    Refusal("the results, in a study", "results", 0o555, ("study", "run")),
    Refusal("the folder of the database, in a study", "db", 0o555, ("study", "run")),
    Refusal("the database, looked at", "db/runs.sqlite", 0o444, ("runs", "list"), may_work=True),
    Refusal("the folder of the database, looked at", "db", 0o555, ("runs", "list"), may_work=True),
    Refusal("a database that may not be read", "db/runs.sqlite", 0o000, ("runs", "list")),
)


def refuse_writes(folder: Path, *, refusals: Sequence[Refusal] = REFUSALS) -> Facts:
    """Take away the right to write, try, give it back, and try again."""
    facts = Facts({"refused": 0, "lost": 0, "torn": 0, "unclear": 0, "not working again": 0})
    opened = shared_nursery(_without_power_over_modes())
    for number, refusal in enumerate(refusals):
        place = folder / str(number)
        place.mkdir()
        _refused(opened, place, refusal, facts)
    return facts


def _refused(opened: Nursery, place: Path, refusal: Refusal, facts: Facts) -> None:
    study, db = write_study(place), place / "db" / "runs.sqlite"
    farm = study.with_name("farm.yaml")
    for name in ("db", "results"):
        (place / name).mkdir()
    where = ("--db", db, "--output", place / "results", "--format", "json")
    acknowledged = set[str]()
    if refusal.has_run_before:
        acknowledged = acknowledged_by(opened.run("run", farm, *where, folder=place))
    inputs = {"run": (farm, *where), "study": (_with_results(study, place), *where[:2]), "runs": where[:2]}
    with _mode_of(place / refusal.path, refusal.mode):
        answer = opened.run(*refusal.argv, *inputs[refusal.argv[0]], folder=place)
        facts.count("refused", answer.code != 0)
    if answer.code == 0 and not refusal.may_work:
        facts.blame("unclear", f"nothing was said against it: {answer.out[-200:]} ({refusal.name})")
    elif answer.code != 0 and (unclear := what_is_unclear(answer, place)):
        facts.blame("unclear", f"{unclear} ({refusal.name})")
    _work_again(opened, farm, place, acknowledged, refusal.name, facts, db)


def _with_results(study: Path, place: Path) -> Path:
    """Let the hours of a study go to the results of its place."""
    study.write_text(f"{study.read_text()}output_directory: {place / 'results'}\n")
    return study


@contextmanager
def _mode_of(path: Path, mode: int) -> Iterator[None]:
    former = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(former)


def _without_power_over_modes() -> tuple[str, ...]:
    """Return the words before a command that take from root the power to pass over file modes."""
    lost = "-dac_override,-dac_read_search"
    return ("setpriv", f"--bounding-set={lost}", f"--inh-caps={lost}") if os.geteuid() == 0 else ()


@cache
def lacks_file_modes() -> str | None:
    """Say that file modes bind nobody here; None: they do."""
    if os.geteuid() != 0:
        return None
    if shutil.which("setpriv") is None:
        return "root, and no `setpriv` to take its power over file modes away"
    done = subprocess.run([*_without_power_over_modes(), "true"], capture_output=True, check=False)
    return None if done.returncode == 0 else "root, and not allowed to give up its power over file modes"


def _break_calls(mode: Mode, scenarios: Sequence[str]) -> Callable[..., Facts]:
    def run(folder: Path, *, samples: Mapping[str, int] | None = None, **more: object) -> Facts:
        return sweep(folder, modes=[mode], scenarios=scenarios, samples=samples, **more)  # type: ignore[arg-type]

    return run


WRITERS = ("first run", "later run", "study")
A_FEW = {"first run": 10, "later run": 3, "study": 3, "list": 3}
"""Calls that the short version breaks; most while a database is created, of which a part goes wrong in many ways."""

IO_ERROR = Fault(
    "I/O error at the Nth call that writes",
    "at every N: clear error, 0 lost, works again",
    _break_calls(Mode.ONCE, WRITERS),
    short={"samples": A_FEW},
    lacks=lacks_compiler,
)
READ_ERROR = Fault(
    "I/O error at the Nth call that reads",
    "at every N: clear error, 0 lost, works again",
    _break_calls(Mode.READS, ("later run", "list")),
    short={"samples": A_FEW},
    lacks=lacks_compiler,
)
NO_ROOM_AT_A_CALL = Fault(
    "no room from the Nth call on",
    "at every N: clear error, 0 lost, works again",
    _break_calls(Mode.FULL, WRITERS),
    short={"samples": dict.fromkeys(WRITERS, 3)},
    lacks=lacks_compiler,
)
FULL_DISK = Fault(
    "disk full",
    "clear error, 0 lost, works again with room",
    fill_a_disk,
    short={"studies": 1},
    long={"studies": 10},
    lacks=lacks_mount,
)
FILE_SIZE = Fault(
    "files that may not grow",
    "clear error, 0 lost, works again",
    limit_files,
    short={"sizes": (4096, 40_000, 300_000)},
    long={"sizes": (4096, *range(8192, 500_000, 20_000))},
)
READ_ONLY = Fault(
    "read-only folders and files",
    "clear error, 0 lost, works again",
    refuse_writes,
    short={"refusals": REFUSALS[::2]},
    lacks=lacks_file_modes,
)
