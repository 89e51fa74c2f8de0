"""Tasks for the tests of jobs. Workers import them by name; tests put this folder on the search path."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import time
from pathlib import Path
from typing import Any

from ecosystemiser.errors import FailureCause, Finding, InputError, SolveError, StoreError
from ecosystemiser.jobs.events import RunCompleted, RunStarted
from ecosystemiser.jobs.executors import Context

SERVED: list[object] = []
"""What this worker has served so far."""


def double(payload: int, context: Context) -> int:
    return payload * 2


def append_one(payload: list[int], context: Context) -> list[int]:
    payload.append(1)
    return payload


def serve(payload: object, context: Context) -> tuple[int, int]:
    SERVED.append(payload)
    return os.getpid(), len(SERVED)


def sleep(payload: float, context: Context) -> float:
    time.sleep(payload)
    return payload


def hold_the_interpreter(payload: float, context: Context) -> None:
    """Run compiled code that lets no other thread of this process run, for much longer than any test."""
    context.send(os.getpid())
    sum(itertools.repeat(0, 10**13))


def say(payload: int, context: Context) -> str:
    for number in range(payload):
        context.send(number)
    return "said"


def say_events(payload: str, context: Context) -> str:
    context.send(RunStarted(run_id=payload))
    context.send("between")
    context.send(RunCompleted(run_id=payload, kpis={"total_cost": 1.0}))
    return payload


def say_events_at_once(payload: int, context: Context) -> None:
    context.send(tuple(RunStarted(run_id=str(number)) for number in range(payload)))
    context.send(())
    context.send(("no", "events"))


def tell_pid_and_sleep(payload: float, context: Context) -> str:
    context.send(os.getpid())
    time.sleep(payload)
    return "slept"


def wait_until_told(payload: float, context: Context) -> str:
    """Stop when asked, or after `payload` seconds."""
    context.send(os.getpid())
    end = time.monotonic() + payload
    while time.monotonic() < end and not context.should_stop():
        time.sleep(0.005)
    return "returned"


def take_parts(payload: tuple[float, ...], context: Context) -> str:
    """Parts of so many seconds each, in which nothing is heard."""
    for seconds in payload:
        context.begin_part()
        time.sleep(seconds)
        if context.should_stop():
            break
    return "all parts"


def raise_when_told(payload: float, context: Context) -> None:
    wait_until_told(payload, context)
    raise KeyboardInterrupt


def fail(payload: str, context: Context) -> None:
    raise {
        "solve": SolveError(FailureCause.INFEASIBLE, "no plan"),
        "input": InputError([Finding("is negative", "give 0 or more", "pv.capacity_kw", -3)]),
        "store": StoreError("disk full"),
        "memory": MemoryError(),
        "value": ValueError("a defect"),
        "exit": SystemExit(3),
        "speechless": SpeechlessError(lambda: None),
    }[payload]


class SpeechlessError(Exception):
    """Has no words and cannot be pickled."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unreadable:
    """Can be pickled but not unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return refuse, ()


def refuse() -> None:
    raise ValueError("cannot be read")


def return_unpicklable(payload: object, context: Context) -> object:
    return lambda: None


def return_unreadable(payload: object, context: Context) -> object:
    return Unreadable()


def send_unpicklable(payload: object, context: Context) -> str:
    context.send(lambda: None)
    return "sent"


def send_unreadable(payload: object, context: Context) -> str:
    context.send(Unreadable())
    return "sent"


def die(payload: str, context: Context) -> None:
    """End this process the way `payload` says."""
    if payload == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif payload == "exit":
        os._exit(5)
    else:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)  # without the trace on stderr
        ctypes.string_at(0)


def die_once(payload: str, context: Context) -> int:
    """Die on the first attempt; the file `payload` remembers."""
    if not Path(payload).exists():
        Path(payload).touch()
        die("kill", context)
    return context.attempt


def touch(payload: str, context: Context) -> None:
    Path(payload).touch()


def surroundings(payload: object, context: Context) -> dict[str, object]:
    """Tell the process group, and which variables were set before this process' program began."""
    words = (word.partition("=") for word in Path("/proc/self/environ").read_text().split("\0"))
    return {"group": os.getpgid(0), **{name: value for name, _, value in words if name.endswith("_NUM_THREADS")}}


def give_back(payload: bytes, context: Context) -> bytes:
    context.send(payload)
    return payload


def swell(payload: float, context: Context) -> str:
    """Take and use `payload` MB, as fast as it goes, in small pieces; give them back after a moment."""
    context.send(os.getpid())
    kept = [bytearray(b"x") * 1_000_000 for _ in range(int(payload))]
    time.sleep(0.5)
    return f"{len(kept)} MB"


def reserve(payload: float, context: Context) -> int:
    """Ask for `payload` MB at once, and use none of it."""
    import numpy as np

    return np.zeros(int(payload * 1e6), np.uint8).nbytes


RUNNING: list[object] = []


def alone(payload: float, context: Context) -> int:
    """Return how many others ran in this process at the same time."""
    RUNNING.append(context.job_id)
    time.sleep(payload)
    others = len(RUNNING) - 1
    RUNNING.remove(context.job_id)
    return others
