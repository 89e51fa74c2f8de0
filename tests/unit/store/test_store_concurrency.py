"""Many processes and threads on one database."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from ecosystemiser.store.engine import open_database
from ecosystemiser.store.queries import query_runs
from ecosystemiser.store.runs import log_run

START = """
import sys, time
from pathlib import Path
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

path, number = Path(sys.argv[1]), sys.argv[2]
path.with_name(f"ready-{number}").touch()
while not path.with_name("go").exists():
    time.sleep(0.0005)
with open_database(path) as database, database.transaction() as connection:
    log_run(connection, {"run_id": f"r{number}"})
"""

DIE = """
import os, signal, sys
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

database = open_database(sys.argv[1])
with database.transaction() as connection:
    log_run(connection, {"run_id": "acknowledged"})
with database.transaction() as connection:
    log_run(connection, {"run_id": "begun"})
    os.kill(os.getpid(), signal.SIGKILL)
"""

WRITE = """
import sys
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

with open_database(sys.argv[1]) as database:
    for number in range(int(sys.argv[3])):
        run_id = f"p{sys.argv[2]}-{number}"
        finished = {"run_id": run_id, "simulation_status": "completed", "total_cost": number}
        for row in ({"run_id": run_id}, finished):
            with database.transaction() as connection:
                log_run(connection, row)
"""

FORK = """
import os, sys
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_run

def log(run_id):
    with database.transaction() as connection:
        log_run(connection, {"run_id": run_id})

database = open_database(sys.argv[1])
log("before")
to_child, from_parent = os.pipe()
child = os.fork()
if child == 0:
    log("child-1")
    os.close(from_parent)
    os.read(to_child, 1)  # until the parent has closed its database
    log("child-2")
    os._exit(0)
log("parent")
database.close()
os.close(from_parent)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def start(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def finish(processes):
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    assert said == [""] * len(processes)


def runs_in(path):
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        return dict(connection.execute("select run_id, simulation_status from simulation_runs"))


@pytest.mark.parametrize("number", [8, pytest.param(32, marks=pytest.mark.slow)])
def test_processes_that_start_at_once_on_no_database_share_one(tmp_path, number):
    path = tmp_path / "runs.sqlite"
    processes = [start(START, path, each) for each in range(number)]
    while len(list(tmp_path.glob("ready-*"))) < number and all(each.poll() is None for each in processes):
        time.sleep(0.01)
    (tmp_path / "go").touch()
    finish(processes)
    assert set(runs_in(path)) == {f"r{each}" for each in range(number)}
    assert [file.name for file in tmp_path.iterdir() if "sqlite" in file.name] == ["runs.sqlite"]


@pytest.mark.parametrize("runs", [25, pytest.param(250, marks=pytest.mark.slow)])
def test_eight_writers_and_a_reader_never_meet_a_lock(tmp_path, runs):
    path = tmp_path / "runs.sqlite"
    with open_database(path) as database:
        processes = [start(WRITE, path, number, runs) for number in range(8)]
        seen = 0
        while any(process.poll() is None for process in processes):
            with database.reading() as connection:
                page = query_runs(connection, order_by="-total_cost", status="completed", limit=100)
                total = len(query_runs(connection))
            assert len(page) <= 100
            assert total >= seen
            seen = total
            time.sleep(0.005)
        finish(processes)
    found = runs_in(path)
    assert len(found) == 8 * runs
    assert set(found.values()) == {"completed"}


def test_threads_share_a_database(tmp_path):
    path = tmp_path / "runs.sqlite"
    with open_database(path) as database:

        def log(number):
            with database.transaction() as connection:
                log_run(connection, {"run_id": f"r{number}"})
            with database.reading() as connection:
                return len(query_runs(connection))

        with ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(log, range(200)))
    assert max(counts) == 200
    assert len(runs_in(path)) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_writes_on_after_its_parent_has_closed(tmp_path):
    path = tmp_path / "runs.sqlite"
    finish([start(FORK, path)])
    assert set(runs_in(path)) == {"before", "parent", "child-1", "child-2"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path):
    path = tmp_path / "runs.sqlite"
    process = start(DIE, path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert runs_in(path) == {"acknowledged": "running"}
