"""PostgreSQL stopped and started under a study: nothing is lost, nothing is doubled."""

from __future__ import annotations

import atexit
import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from tests.faults.facts import Facts, Fault
from tests.faults.processes import COMMAND, environment, kill_session, session_members, start_command, wait_until
from tests.faults.systems import write_study

__all__ = ["KEPT_DOWN", "RESTARTED", "Server", "keep_down", "lacks_postgres", "restart", "server"]

PASSWORD = "never-to-be-shown"  # noqa: S105 - of a server that lives as long as a test
GIVES_UP_S = 60.0
"""So long a study waits for a server that is down. [s]"""
STUDY_S = 180.0


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of our own."""

    data: Path
    port: int
    database: str = "postgres"

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}/{self.database}"

    def with_database(self, name: str) -> Server:
        """Make a database of that name, and return the server as the way to it."""
        self.rows(f"create database {name}")
        return replace(self, database=name)

    def start(self) -> None:
        """Start it and return when it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.data.parent}"
        _as_its_user("pg_ctl", "start", "-w", "-D", str(self.data), "-l", str(self.data.parent / "log"), "-o", options)

    def stop(self) -> None:
        """Stop it as a crash does: at once, whoever is connected."""
        _as_its_user("pg_ctl", "stop", "-m", "immediate", "-D", str(self.data))

    def rows(self, query: str) -> list[list[str]]:
        """Return the rows of a query by a plain read."""
        command = [_binary("psql"), "-X", "-A", "-t", "-F", "\t", "-c", query, self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def statuses(self, study_id: str) -> list[tuple[str, str]]:
        """Return run and status of every row of a study; none where there is no table yet, or no server."""
        query = f"select run_id, simulation_status from simulation_runs where study_id = '{study_id}'"
        try:
            return [(run, status) for run, status in self.rows(query)]
        except RuntimeError:
            return []


@cache
def shared_server() -> Server:
    """Return a server for the rest of this process."""
    opened = server()
    atexit.register(opened.__exit__, None, None, None)
    return opened.__enter__()


@contextmanager
def server() -> Iterator[Server]:
    """Make a server, start it, and take it away at the end."""
    folder = Path(mkdtemp(prefix="faults-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _its_user())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Server(folder / "data", port)
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    words = ("-U", "tester", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync")
    try:
        _as_its_user("initdb", "-D", str(made.data), *words)
        made.start()
        yield made
    finally:
        if (made.data / "postmaster.pid").exists():
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _as_its_user(name: str, *words: str) -> None:
    """Run a program of PostgreSQL's, which refuses to be root."""
    user = _its_user()
    before = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]
    command = [*(before if os.geteuid() == 0 else []), _binary(name), *words]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, cwd="/")
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stderr.strip()[-500:]}")


def _its_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@cache
def _binary(name: str) -> str:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, places)])) or name


@cache
def lacks_postgres() -> str | None:
    """Say what is missing of PostgreSQL; None: nothing."""
    missing = [name for name in ("initdb", "pg_ctl", "psql") if shutil.which(_binary(name)) is None]
    return f"no {missing[0]} of PostgreSQL" if missing else None


POINTS = """
select study_runs.study_id, study_runs.point, count(*) from study_runs join simulation_runs using (run_id)
where simulation_status = 'completed' group by study_runs.study_id, study_runs.point
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


def restart(folder: Path, *, times: int, points: int, start: Start = start_command, seed: int = 1) -> Facts:
    """Stop the server at a random moment of a study, and start it again some seconds later, `times`."""
    facts = Facts({"restarts": 0, "runs": 0, "lost": 0, "doubled": 0, "not completed": 0, "failed studies": 0})
    rng, made = np.random.default_rng(seed), shared_server().with_database(f"restart{time.time_ns()}")
    for number in range(times):
        place, study_id = folder / str(number), f"s{number}"
        place.mkdir()
        study = write_study(place, study_id=study_id, points=points, workers=1 + number % 2)
        with _started(place, made, start, study) as process:
            seen = _stopped_amid(made, process, rng, study_id)
            facts.count("restarts", process.poll() is None)
            if shown := _shown_in_process_list(process.pid):
                facts.blame("password shown", f"in the process list: {shown}")
            time.sleep(rng.uniform(0.2, 4.0))
            made.start()
            process.wait(timeout=STUDY_S)
        said = (place / "err").read_text()
        if process.returncode != 0:
            facts.blame("failed studies", f"{study_id} ended with {process.returncode}: {said.strip()[-300:]}")
        _judge(made, study_id, points, seen, facts)
        if PASSWORD in said:
            facts.blame("password shown", said[-300:])
    return facts


def _shown_in_process_list(session: int) -> str:
    """Return the words of a process of the session among which the password stands."""
    words = [Path(f"/proc/{pid}/cmdline").read_text() for pid in session_members(session)]
    return next((each.replace("\0", " ") for each in words if PASSWORD in each), "")


@contextmanager
def _started(place: Path, made: Server, start: Start, study: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (place / "out").open("wb") as out, (place / "err").open("wb") as err:
        variables = environment(ECOSYSTEMISER_DB=made.url)
        process = start("study", "run", study, "--yes", cwd=place, env=variables, stdout=out, stderr=err)
        try:
            yield process
        finally:
            kill_session(process)


def _stopped_amid(made: Server, process: subprocess.Popen[bytes], rng: np.random.Generator, study_id: str) -> set[str]:
    """Stop the server some time after the study's first run; return the runs that were completed shortly before."""
    wait_until(lambda: made.statuses(study_id) or process.poll() is not None, "the first row of a study", every_s=0.05)
    time.sleep(rng.uniform(0.0, 1.5))
    seen = {run for run, status in made.statuses(study_id) if status == "completed"}
    made.stop()
    return seen


def _judge(made: Server, study_id: str, points: int, seen: set[str], facts: Facts) -> None:
    """Every point of the study completed once; every run that was seen completed still is."""
    rows = made.statuses(study_id)
    completed = [run for run, status in rows if status == "completed"]
    for run in sorted(seen - set(completed)):
        facts.blame("lost", f"{run} was completed and is {dict(rows).get(run, 'not there')}")
    if len(completed) != len(set(completed)):
        facts.blame("doubled", f"{len(completed) - len(set(completed))} runs stand twice")
    try:
        counts = {int(point): int(count) for study, point, count in made.rows(POINTS) if study == study_id}
    except RuntimeError as error:
        facts.blame("not completed", str(error))
        return
    facts.count("runs", sum(counts.values()))
    for point in range(points):
        if counts.get(point, 0) == 0:
            facts.blame("not completed", f"point {point} of {study_id}")
        elif counts[point] > 1:
            facts.blame("doubled", f"point {point} of {study_id}: {counts[point]} times")


def keep_down(folder: Path, *, points: int) -> Facts:
    """Stop the server for good: the study gives up and names the command that brings back what it had done."""
    facts = Facts({"given up": 0, "too late": 0, "unclear": 0, "lost": 0, "doubled": 0, "left running": 0})
    study = write_study(folder, study_id="s", points=points, workers=2)
    with server() as made:
        with _started(folder, made, start_command, study) as process:
            seen = _stopped_amid(made, process, np.random.default_rng(1), "s")
            begin = time.monotonic()
            process.wait(timeout=2 * GIVES_UP_S)
        facts.count("given up")
        if (took := time.monotonic() - begin) > GIVES_UP_S + 15:
            facts.blame("too late", f"{took:.0f} s")
        said = (folder / "err").read_text()
        named = re.search(r"ecosystemiser (.*replay.*)", said)
        if process.returncode != 1 or named is None or PASSWORD in said:
            facts.blame("unclear", f"exit code {process.returncode}: {said.strip()[-300:]}")
        made.start()
        if named is not None:
            words = [*COMMAND, *named[1].split()]
            variables = environment(ECOSYSTEMISER_DB=made.url)
            replayed = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, check=False)
            if replayed.returncode != 0:
                facts.blame("lost", f"the replay ended with {replayed.returncode}: {replayed.stderr[-300:]}")
        rows = made.statuses("s")
        for run in sorted(seen - {run for run, status in rows if status == "completed"}):
            facts.blame("lost", run)
        if len(rows) != len(dict(rows)):
            facts.blame("doubled", f"{len(rows) - len(dict(rows))} runs stand twice")
        if left := sum(status == "running" for _, status in rows):
            facts.blame("left running", f"{left} rows")
    return facts


RESTARTED = Fault(
    "PostgreSQL stopped and started",
    "20 of 20: 0 lost, 0 doubled",
    restart,
    short={"times": 1, "points": 150},
    long={"times": 20, "points": 600},
    lacks=lacks_postgres,
)
KEPT_DOWN = Fault(
    "PostgreSQL stays down",
    "exit 1 after 60 s, names the replay command; 0 lost",
    keep_down,
    short={"points": 150},
    long={"points": 600},
    lacks=lacks_postgres,
)
