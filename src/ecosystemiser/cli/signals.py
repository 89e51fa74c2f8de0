"""Ctrl-C and SIGTERM: both end the work the same clean way, and are told apart by the exit code.

An exception that a signal raises may come up anywhere: in a commit, in the import of a library, in a callback that
drops it. So while a run is made, a signal only leaves word; the solver asks for it ten times a second. Where that
does not end the work in time, and wherever no run is made, the signal raises KeyboardInterrupt.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Stop", "stoppable"]

AGAIN_S = 0.01
"""Until an interrupt is raised again that was lost. [s]"""
PATIENCE_S = 4.0
"""How long the work has to end by itself."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether somebody asked for the end, and by which signal."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._asks = False

    @property
    def exit_code(self) -> int:
        """What a shell reports of a program that this signal ended: 130 or 143."""
        return 128 + (self.signal or signal.SIGINT)

    def is_asked(self) -> bool:
        """Return whether the work is to end."""
        return self.signal is not None

    def forget(self) -> None:
        """Take the signal for the wanted end of a command that has no other."""
        self.signal = None

    def check(self) -> None:
        """Raise KeyboardInterrupt if the work is to end."""
        if self.is_asked():
            raise KeyboardInterrupt

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Within this the work asks `is_asked` by itself; at its end it is stopped if it was to be."""
        self._asks = True
        try:
            self.check()
            yield
        finally:
            self._asks = False
            _set_alarm(0)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within this, inside `asking`, a signal raises KeyboardInterrupt: nobody asks while a question waits."""
        asked, self._asks = self._asks, False
        try:
            self.check()
            yield
        finally:
            self._asks = asked

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal. Further ones change nothing while the log is being closed."""
        if self.signal is None:
            self.signal = number
            if not self._asks:
                raise KeyboardInterrupt
            _set_alarm(PATIENCE_S)

    def lose_patience(self, _number: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt where the work did not end by itself."""
        raise KeyboardInterrupt


def _set_alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.setitimer(signal.ITIMER_REAL, seconds)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Take SIGINT and SIGTERM, and put the former handlers back at the end."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may take signals
        yield stop
        return
    handlers: dict[int, Callable[[int, FrameType | None], None]] = dict.fromkeys(_SIGNALS, stop.receive)
    if hasattr(signal, "SIGALRM"):
        handlers[signal.SIGALRM] = stop.lose_patience
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    former_hook, sys.unraisablehook = sys.unraisablehook, _told_again(sys.unraisablehook)
    try:
        yield stop
    finally:
        sys.unraisablehook = former_hook
        for number, handler in former.items():
            signal.signal(number, handler)


def _told_again(hook: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return a hook for what was raised where Python cannot pass it on, as in a callback of its own imports.

    An interrupt that was lost there is raised again a moment later; all else goes to `hook`.
    """

    def tell(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            _set_alarm(AGAIN_S)
        else:
            hook(lost)

    return tell
