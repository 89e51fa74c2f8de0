"""What workers are given: tasks that say where they run, and then work, kill, hang or swell. Imported by name."""

from __future__ import annotations

import ctypes
import faulthandler
import itertools
import os
import signal
import time
from pathlib import Path

from ecosystemiser.jobs.executors import Context

PIECE = 1_000_000
TASKS = "tests.faults.programs.worker_tasks"


def work(payload: float, context: Context) -> float:
    """Work for so long. [s]"""
    context.send(os.getpid())
    time.sleep(payload)
    return payload


def die(payload: tuple[str, float], context: Context) -> None:
    """End this process the way that is said, after so many seconds."""
    context.send(os.getpid())
    way, seconds = payload
    time.sleep(seconds)
    if way == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif way == "exit":
        os._exit(5)
    elif way == "segfault":
        faulthandler.disable()  # without the trace on stderr
        ctypes.string_at(0)
    raise ValueError(way)


def hold(payload: float, context: Context) -> None:
    """Hold the interpreter in compiled code, so that no other thread of this process runs."""
    context.send(os.getpid())
    sum(itertools.repeat(0, 10**13))


def solve(payload: float, context: Context) -> None:
    """Let HiGHS search for the optimum of a hard problem, without a limit and without asking whether to stop."""
    import highspy
    import numpy as np

    context.send(os.getpid())
    random = np.random.default_rng(1)
    solver = highspy.Highs()
    solver.silent()
    sizes = random.integers(1000, 100000, 60)
    taken = [solver.addBinary() for _ in sizes]
    for row in random.integers(1000, 100000, (5, 60)):
        solver.addConstr(sum(int(a) * x for a, x in zip(row, taken, strict=True)) == int(row.sum() // 2))
    solver.setOptionValue("threads", 1)
    solver.maximize(sum(int(size) * x for size, x in zip(sizes, taken, strict=True)))


def work_until_unwanted(payload: str, context: Context) -> None:
    """Work until somebody wants it to stop; then leave a file named `payload` and the job."""
    context.send(os.getpid())
    while not context.should_stop():
        time.sleep(0.01)
    Path(f"{payload}-{context.job_id}").touch()


def swell(payload: float, context: Context) -> int:
    """Take and use memory piece by piece, as fast as it goes, up to so many MB."""
    context.send(os.getpid())
    return len([bytearray(b"x") * PIECE for _ in range(int(payload))])


def leap(payload: float, context: Context) -> int:
    """Take and use so many MB at once."""
    import numpy as np

    context.send(os.getpid())
    return np.ones(int(payload * PIECE), np.uint8).nbytes
