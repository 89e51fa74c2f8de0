"""Lets the clock of a process and of all that it starts jump, when this folder is on its search path.

The file that FAULTS_CLOCK names holds how far the clock is off, in seconds; no file: not at all. Monotonic clocks stay
as they are.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import os
import time

_FILE = os.environ["FAULTS_CLOCK"]
_real_time, _real_time_ns = time.time, time.time_ns


def offset() -> float:
    """Return how far the clock is off. [s]"""
    try:
        with open(_FILE, encoding="ascii") as file:  # noqa: PTH123 - pathlib is not loaded yet
            return float(file.read() or 0)
    except (FileNotFoundError, ValueError):
        return 0.0


def shift_datetime() -> None:
    """Shift `datetime.now` and `utcnow` in the type itself: compiled modules do not bear another type in its place."""
    (names,) = [each for each in gc.get_referents(datetime.datetime.__dict__) if isinstance(each, dict)]
    real_now, real_utcnow = names["now"], names["utcnow"]

    def now(cls: type, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        moment: datetime.datetime = real_now.__get__(None, cls)(tz)
        return moment + datetime.timedelta(seconds=offset())

    def utcnow(cls: type) -> datetime.datetime:
        moment: datetime.datetime = real_utcnow.__get__(None, cls)()
        return moment + datetime.timedelta(seconds=offset())

    names.update(now=classmethod(now), utcnow=classmethod(utcnow))
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))


time.time = lambda: _real_time() + offset()
time.time_ns = lambda: _real_time_ns() + int(offset() * 1e9)
shift_datetime()
