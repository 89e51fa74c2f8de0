"""Tasks for the tests of jobs. Workers import them by name; tests put this folder on the search path."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import sys
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
    return {
        "numpy": "numpy" in sys.modules,
        "group": os.getpgid(0),
        **{name: os.environ.get(name) for name in os.environ if name.endswith("_NUM_THREADS")},
    }


def give_back(payload: bytes, context: Context) -> bytes:
    context.send(payload)
    return payload
