"""What becomes of workers when the program that started them ends: by itself, by Ctrl-C, by kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.executors import LONG_S, TASKS, Member, is_alive, left_after

PROGRAM = f"""
import sys, time
sys.path.insert(0, {str(TASKS)!r})
from ecosystemiser.jobs.executors import DaskExecutor, ProcessExecutor, Said, Ended
print("main runs", flush=True)
executor = {{"dask": DaskExecutor, "process": ProcessExecutor}}[sys.argv[1]](workers=2)
def tell(delivery):
    if isinstance(delivery, Said):
        print(delivery.message, flush=True)
    if isinstance(delivery, Ended):
        print(delivery.outcome.status, flush=True)
executor.listen(tell)
for number in range(2):
    executor.submit(str(number), sys.argv[2], {LONG_S})
time.sleep(float(sys.argv[3]))
"""

Program = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def program(member: Member, tmp_path: Path) -> Iterator[Program]:
    """Start a script that does not guard its main part, and does not close its executor."""
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    started: list[subprocess.Popen[str]] = []

    def start(task: str, seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, str(script), member.name, task, str(seconds)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()  # not for the end of its output, which a worker left over would keep open
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def first_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


@pytest.mark.parametrize("task", ["job_tasks:wait_until_told", "job_tasks:hold_the_interpreter"])
def test_no_worker_outlives_a_killed_parent(program: Program, task: str) -> None:
    """Within 5 s after kill -9, also where compiled code lets no other thread of the worker run."""
    process = program(task, LONG_S)
    main, *pids = first_lines(process, 3)
    assert main == "main runs"
    assert all(is_alive(int(pid)) for pid in pids)  # negative control
    process.kill()
    process.wait()
    assert left_after(map(int, pids), 5.0) == []


def test_a_program_that_closes_nothing_ends_by_itself(program: Program) -> None:
    """Its running jobs are cancelled, it exits with 0, its main part ran once only, it says nothing on stderr."""
    process = program("job_tasks:wait_until_told", 5.0)
    out, err = process.communicate(timeout=60)
    main, *pids, first, second = out.split("\n")[:-1]
    assert (main, first, second, len(pids)) == ("main runs", "cancelled", "cancelled", 2)
    assert (process.returncode, err) == (0, "")
    assert left_after(map(int, pids), 0.5) == []


def test_ctrl_c_reaches_the_parent_only(program: Program) -> None:
    """A SIGINT to its whole process group: the parent ends its jobs and itself; no worker prints a traceback."""
    process = program("job_tasks:wait_until_told", LONG_S)
    _, *pids = first_lines(process, 3)
    assert all(is_alive(int(pid)) for pid in pids)
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - begin < 5
    assert out.split() == ["cancelled", "cancelled"]
    assert err.count("Traceback") == err.count("KeyboardInterrupt") == 1
    assert process.returncode == -signal.SIGINT
    assert left_after(map(int, pids), 0.5) == []
