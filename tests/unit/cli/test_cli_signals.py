"""Signals that reach the program where Python cannot pass an exception on."""

from __future__ import annotations

import signal
import sys
import time
import weakref

import pytest

from ecosystemiser.cli.signals import stoppable


class Thing:
    """Something that a weak reference may look at."""


def test_an_interrupt_that_a_callback_drops_is_raised_again(capfd: pytest.CaptureFixture[str]) -> None:
    """The interrupt of the signal is raised in the callback of a weak reference, where Python only tells of it."""
    hook = sys.unraisablehook
    with stoppable() as stop:
        thing = Thing()
        callback = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGTERM))
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the interrupt comes a moment later
            del thing
            time.sleep(10)
        assert time.monotonic() - begun < 5
    assert callback() is None
    assert stop.exit_code == 143
    assert capfd.readouterr().err == ""
    assert sys.unraisablehook is hook


def test_what_else_is_dropped_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    told: list[type[BaseException]] = []
    former, sys.unraisablehook = sys.unraisablehook, lambda lost: told.append(lost.exc_type)
    try:
        with stoppable():
            thing = Thing()
            callback = weakref.ref(thing, lambda _: 1 / 0)
            del thing
        assert callback() is None
    finally:
        sys.unraisablehook = former
    assert told == [ZeroDivisionError]
