"""A process that dies amid a write. The contract suite of stores has many processes at once."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

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


def start(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def runs_in(path):
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        return dict(connection.execute("select run_id, simulation_status from simulation_runs"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path):
    path = tmp_path / "runs.sqlite"
    process = start(DIE, path)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert runs_in(path) == {"acknowledged": "running"}
