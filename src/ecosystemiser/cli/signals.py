"""Ctrl-C and SIGTERM: both end the work the same clean way, and are told apart by the exit code."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "stoppable"]

GRACE_S = 5.0
"""For so long after a signal further ones change nothing: the log is being closed."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether somebody asked for the end, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._since = 0.0

    @property
    def exit_code(self) -> int:
        """What a shell reports of a program that this signal ended: 130 or 143."""
        return 128 + (self.signal or signal.SIGINT)

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt in the main thread; it closes the log on its way out."""
        now = time.monotonic()
        if self.signal is None or now - self._since > GRACE_S:
            self.signal, self._since = number, now
            raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt, and put the former handlers back at the end."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may take signals
        yield stop
        return
    former = {number: signal.signal(number, stop.receive) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
