"""Rows left `running`: those of the dead are closed, those of the living never, and what is closed stays closed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.faults.facts import Facts, Fault
from tests.faults.ledger import statuses
from tests.faults.nursery import shared_nursery
from tests.faults.processes import environment, kill_session, lines_of, start_program, wait_until
from tests.faults.systems import write_farm

from ecosystemiser import DatabaseMetadataService

__all__ = ["FROZEN", "LIVE", "ORPHANS", "REUSED", "Holder", "holder", "open_for_writing"]

AT_ONCE_S = 3.0
"""On the same host a dead process is seen to be dead: a writer closes its rows as it opens the database. [s]"""


def open_for_writing(db: Path) -> None:
    """Open the database and write, as the next one does who has something to log."""
    with DatabaseMetadataService(db) as log:
        row = {"run_id": f"next-{time.monotonic_ns()}", "simulation_status": "completed", "total_cost": 1.0}
        log.log_simulation_run(row)


# Somebody who holds a run.


@dataclass(frozen=True)
class Holder:
    """A process that has logged a run as running and takes its time."""

    process: subprocess.Popen[bytes]
    run_id: str
    _said: Path
    _release: Path

    @property
    def words(self) -> list[str]:
        """What it has said so far."""
        return lines_of(self._said)

    def finished(self) -> str:
        """Let it complete its run, and return what it says to that."""
        self._release.touch()
        wait_until(lambda: len(self.words) > 1 or self.process.poll() is not None, f"the end of {self.run_id}")
        return self.words[-1]


@contextmanager
def holder(
    db: Path,
    run_id: str,
    how: str = "wait",
    *,
    before: Sequence[str] = (),
    program: str = "hold_run",
    variables: Mapping[str, str] | None = None,
    beat_s: float | None = None,
) -> Iterator[Holder]:
    """Start a holder, wait until it holds its run, and kill it at the end of the block.

    `before`: words before its command; `variables`: its environment; `beat_s`: how often it says that it lives, else
    as often as any. [s]
    """
    said, release = db.with_name(f"{run_id}.said"), db.with_name(f"{run_id}.release")
    with said.open("wb") as out:
        arguments = (db, run_id, release, how, *([beat_s] if beat_s else []))
        process = start_program(program, *arguments, before=before, stdout=out, env=variables or environment())
    try:
        held = Holder(process, run_id, said, release)
        wait_until(lambda: held.words or process.poll() is not None, f"holding {run_id}")
        yield held
    finally:
        os.kill(process.pid, signal.SIGCONT)
        kill_session(process)


# The dead.


def orphan(folder: Path, *, deaths: int, opens: Callable[[Path], None] = open_for_writing, looks: bool = True) -> Facts:
    """Kill owners while they hold runs; count the rows that stay `running` though a writer has opened the database.

    `looks`: somebody looks at them before.
    """
    facts = Facts({"deaths": 0, "rows left running": 0, "not shown as gone": 0, "orphans": 0})
    for number in range(deaths):
        place = folder / str(number)
        place.mkdir()
        (_dead_holder, _dead_study)[number % 2](place / "runs.sqlite", number)
        _after_death(place / "runs.sqlite", facts, opens, looks=looks)
    facts.expect("rows left running", least=deaths)
    return facts


def _dead_holder(db: Path, _number: int) -> None:
    with holder(db, "held"):
        pass


def _dead_study(db: Path, number: int) -> None:
    workers = 1 + number // 2 % 2
    arguments = ("name", "milp", workers, "all", 500)
    folder = db.parent
    with (folder / "err").open("wb") as err:
        process = start_program(
            "make_studies",
            *(db, write_farm(folder), folder / "results", *arguments),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=err,
        )
    try:
        wait_until(lambda: "running" in statuses(db).values(), "a row that says running")
    finally:
        kill_session(process)


def _after_death(db: Path, facts: Facts, opens: Callable[[Path], None], *, looks: bool) -> None:
    facts.count("deaths")
    left = _running(db)
    facts.count("rows left running", len(left))
    if looks:
        listed = shared_nursery().run("runs", "list", "--db", db, folder=db.parent)
        if "owner gone" not in listed.out:
            facts.blame("not shown as gone", f"`runs list` shows {listed.out.splitlines()[:2]} {listed.err[-200:]}")
        if closed := left - _running(db):
            facts.blame("closed by a reader", f"{len(closed)} rows, by `runs list`")
    end = time.monotonic() + AT_ONCE_S
    opens(db)
    while "running" in (found := statuses(db)).values() and time.monotonic() < end:
        opens(db)
        time.sleep(0.1)
    for run in sorted(left):
        if found[run] != "interrupted":
            facts.blame("orphans", f"{run} is {found[run]} after a writer opened the database")
    with closing(sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)) as connection:
        studies = connection.execute("select study_id, status from studies").fetchall()
    for study, status in studies:
        if status == "running":
            facts.blame("studies left running", f"{study} is {status}")


def _running(db: Path) -> set[str]:
    return {run for run, status in statuses(db).items() if status == "running"}


# The pid of a dead owner that another process has got.


def reuse(folder: Path, *, times: int, opens: Callable[[Path], None] = open_for_writing) -> Facts:
    """Kill an owner, start another process under its pid, and open the database."""
    facts = Facts({"pids used again": 0, "orphans": 0})
    for number in range(times):
        db = folder / str(number) / "runs.sqlite"
        db.parent.mkdir()
        with holder(db, "held") as held:
            pid = held.process.pid
        heir = _start_as(pid)
        if heir is None:
            facts.count("pids taken by others")
            continue
        try:
            facts.count("pids used again")
            opens(db)
            if (found := statuses(db)["held"]) != "interrupted":
                facts.blame("orphans", f"a run of the dead process {pid} is {found}; another process has its pid now")
        finally:
            heir.kill()
            heir.wait()
    facts.expect("pids used again", least=1)
    return facts


def _start_as(pid: int, attempts: int = 50) -> subprocess.Popen[bytes] | None:
    """Start a process with this id, which must be free; None where others were faster."""
    for _ in range(attempts):
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        process = subprocess.Popen(["sleep", "60"])
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    return None


@cache
def lacks_pids() -> str | None:
    """Say that nobody may choose the id of the next process here; None: it can be done."""
    is_allowed = os.access("/proc/sys/kernel/ns_last_pid", os.W_OK)
    return None if is_allowed else "not allowed to choose the id of a process"


# The living.


def watch(folder: Path, *, runs: int, openers: int = 4, times: int, program: str = "open_often") -> Facts:
    """Hold slow runs, some waiting, some in compiled code, some frozen, while others open the database and write."""
    facts, db = Facts({"slow runs": 0, "closed wrongly": 0, "not completed": 0}), folder / "runs.sqlite"
    with ExitStack() as kept:
        ways = [("wait", "3", "frozen")[number % 3] for number in range(runs)]
        held = [
            kept.enter_context(holder(db, f"{how}-{number}", "wait" if how == "frozen" else how))
            for number, how in enumerate(ways)
        ]
        frozen = [each for each, how in zip(held, ways, strict=True) if how == "frozen"]
        for each in frozen:
            _stop(each.process.pid, db)
        others = [start_program(program, db, f"other-{number}", times) for number in range(openers)]
        for process in others:
            process.wait(timeout=120)
        found = statuses(db)
        for each in held:
            facts.count("slow runs")
            if found[each.run_id] != "running":
                facts.blame("closed wrongly", f"{each.run_id} is {found[each.run_id]}, and its owner lives")
        for each in frozen:
            os.kill(each.process.pid, signal.SIGCONT)
        for each in held:
            if (said := each.finished()) != "completed":
                facts.blame("not completed", f"{each.run_id}: {said}")
    return facts


def _stop(pid: int, db: Path) -> None:
    """Freeze a process at a moment when it does not hold the lock of the database."""
    with closing(sqlite3.connect(db, timeout=0.5, isolation_level=None)) as connection:
        while True:
            os.kill(pid, signal.SIGSTOP)
            try:
                connection.execute("begin immediate")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.01)
            else:
                connection.execute("rollback")
                return


# Owners on another host.


def freeze(
    folder: Path,
    *,
    patience_s: float,
    beat_s: float | None = None,
    wakes: int = 1,
    closes: Callable[[Path, Sequence[str], float], None] | None = None,
    program: str = "hold_run",
) -> Facts:
    """Freeze owners on another host until their rows are closed, wake them, and let them report.

    Beside them stands one on that host who lives: his run stays `running`. `beat_s`: how often all say that they live,
    else as often as any. `closes`: who closes rows, instead of a writer that observes.
    """
    facts = Facts({"frozen owners": 0, "not closed": 0, "flips": 0, "closed wrongly": 0})
    boot_id, db = folder / "boot_id", folder / "runs.sqlite"
    boot_id.write_text("11111111-2222-3333-4444-555555555555\n")
    words = another_host(boot_id)
    with ExitStack() as kept:
        alive = kept.enter_context(holder(db, "alive", before=words, beat_s=beat_s))
        frozen = [
            kept.enter_context(holder(db, f"frozen-{number}", before=words, program=program, beat_s=beat_s))
            for number in range(wakes)
        ]
        for each in frozen:
            _stop(each.process.pid, db)
        (closes or _observe)(db, [each.run_id for each in frozen], patience_s)
        found = statuses(db)
        for each in frozen:
            facts.count("frozen owners")
            if found[each.run_id] != "interrupted":
                facts.blame("not closed", f"{each.run_id} is {found[each.run_id]} after {patience_s:g} s")
            os.kill(each.process.pid, signal.SIGCONT)
            said, after = each.finished(), statuses(db)[each.run_id]
            if found[each.run_id] == "interrupted" and (after != "interrupted" or not said.startswith("refused")):
                facts.blame("flips", f"{each.run_id} was interrupted and is {after}; its owner was told {said!r}")
        if (status := found["alive"]) != "running":
            facts.blame("closed wrongly", f"alive is {status}, and its owner lives")
        if (said := alive.finished()) != "completed":
            facts.blame("closed wrongly", f"alive could not be completed: {said}")
    return facts


def _observe(db: Path, runs: Sequence[str], patience_s: float) -> None:
    """Have a process at work on the database, and others come and go, until these runs are closed or patience ends."""
    end = time.monotonic() + patience_s
    with holder(db, "observer", beat_s=0.5):
        while time.monotonic() < end:
            found = statuses(db)
            if all(found[run] != "running" for run in runs):
                return
            open_for_writing(db)
            time.sleep(0.2)


def another_host(boot_id: Path) -> tuple[str, ...]:
    """Return the words before a command that let it believe it is on another host, started at another time."""
    script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && hostname elsewhere && exec "$@"'
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", "--mount", "--uts", *as_root, "sh", "-c", script, str(boot_id))


@cache
def lacks_hosts() -> str | None:
    """Say that no process can be made to believe that it is elsewhere; None: it can be done."""
    try:
        done = subprocess.run(
            [*another_host(Path("/proc/sys/kernel/random/uuid")), "true"], capture_output=True, check=False
        )
    except OSError:
        return "no `unshare`, with which a process gets another host"
    return None if done.returncode == 0 else "not allowed to give a process another host's name"


ORPHANS = Fault(
    "rows left running by a death",
    "0 orphans, shown as gone before",
    orphan,
    short={"deaths": 2},
    long={"deaths": 40},
)
REUSED = Fault(
    "the pid of a dead owner used again",
    "0 orphans",
    reuse,
    short={"times": 1},
    long={"times": 10},
    lacks=lacks_pids,
)
LIVE = Fault(
    "live slow runs while others write",
    "0 of 20 closed wrongly",
    watch,
    short={"runs": 6, "openers": 2, "times": 3},
    long={"runs": 20, "openers": 4, "times": 40},
)
FROZEN = Fault(
    "a frozen owner on another host wakes",
    "0 flips",
    freeze,
    short={"patience_s": 8.0, "beat_s": 0.5},
    long={"patience_s": 60.0, "wakes": 4},
    lacks=lacks_hosts,
)
