"""Whatever ends a command becomes an exit code and a sentence, never a traceback that nobody asked for."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from ecosystemiser.cli import entry, signals
from ecosystemiser.cli.signals import Stop
from ecosystemiser.errors import FailureCause, Finding, InputError, SolveError, StoreError


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls a command which ends with an exception, and returns what was said."""

    def call(error: BaseException, *arguments: str) -> Any:
        def end(*_: object) -> int:
            raise error

        monkeypatch.setattr(entry, "_called", end)
        return eco(*arguments)

    return call


def test_a_wrong_request_is_told_finding_by_finding(ending: Callable[..., Any]) -> None:
    findings = [
        Finding("is negative", "give 0 or more", "pv.capacity_kw", -3, "a.yaml", 12),
        Finding("is wrong", "mend it"),
    ]
    said = ending(InputError(findings))
    assert said.code == 2
    assert said.err.splitlines() == [
        "a.yaml:12: pv.capacity_kw: -3 is negative; give 0 or more",
        "is wrong; mend it",
        "2 problems found; nothing was done.",
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SolveError(FailureCause.INFEASIBLE, "no plan"), "failed (infeasible): no plan"),
        (StoreError("x.sqlite: is damaged."), "failed: x.sqlite: is damaged."),
        (MemoryError(), "memory"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "could not be written: No space left on device"),
    ],
)
def test_failed_work_is_told_in_a_sentence(error: Exception, words: str, ending: Callable[..., Any]) -> None:
    said = ending(error)
    assert said.code == 1
    assert words in said.err
    assert "Traceback" not in said.err


def test_a_reader_who_has_seen_enough_needs_no_words(ending: Callable[..., Any]) -> None:
    said = ending(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert (said.code, said.err) == (1, "")


def test_a_fault_of_ours_names_its_place_and_the_way_to_the_traceback(ending: Callable[..., Any]) -> None:
    said = ending(RuntimeError("odd"))
    assert said.code == 1
    assert "a fault of its own: RuntimeError: odd (entry.py, line" in said.err
    assert "--traceback" in said.err
    assert "Traceback" not in said.err


def test_the_traceback_is_shown_to_who_asks_wherever_it_stands(ending: Callable[..., Any]) -> None:
    assert "Traceback (most recent call last)" in ending(RuntimeError("odd"), "runs", "list", "--traceback").err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_with_its_own_code(
    number: signal.Signals, code: int, monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]
) -> None:
    before = signal.getsignal(number)

    def work(*_: object) -> int:
        signal.raise_signal(number)
        return 0

    monkeypatch.setattr(entry, "_called", work)
    said = eco("demo")
    assert said.code == code
    assert "Stopped." in said.err
    assert signal.getsignal(number) is before


def test_a_second_signal_does_not_disturb_the_closing_of_the_log(
    monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]
) -> None:
    closed = []

    def work(*_: object) -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            closed.append(True)
        return 0

    monkeypatch.setattr(entry, "_called", work)
    assert eco("demo").code == 130
    assert closed == [True]


def test_work_that_asks_is_not_interrupted_but_ends_by_itself(
    monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]
) -> None:
    done = []

    def work(_: object, stop: Stop) -> int:
        with stop.asking():
            signal.raise_signal(signal.SIGTERM)
            done.append(stop.is_asked())
            stop.check()
        return 0

    monkeypatch.setattr(entry, "_called", work)
    assert eco("demo").code == 143
    assert done == [True]


def test_work_that_does_not_end_by_itself_is_interrupted(
    monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]
) -> None:
    monkeypatch.setattr(signals, "PATIENCE_S", 0.05)

    def work(_: object, stop: Stop) -> int:
        with stop.asking():
            signal.raise_signal(signal.SIGINT)
            time.sleep(30)
        return 0

    monkeypatch.setattr(entry, "_called", work)
    begin = time.monotonic()
    assert eco("demo").code == 130
    assert time.monotonic() - begin < 10


def test_work_asked_to_stop_before_it_begins_does_not_begin(
    monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]
) -> None:
    begun = []

    def work(_: object, stop: Stop) -> int:
        stop.signal = signal.SIGINT
        with stop.asking():
            begun.append(True)
        return 0

    monkeypatch.setattr(entry, "_called", work)
    assert eco("demo").code == 130
    assert begun == []
