"""Whatever ends a command becomes an exit code and a sentence, never a traceback that nobody asked for."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from ecosystemiser.cli import entry
from ecosystemiser.errors import FailureCause, Finding, InputError, SolveError, StoreError


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls a command which ends with an exception, and returns what was said."""

    def call(error: BaseException, *arguments: str) -> Any:
        def end(_: object) -> int:
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

    def work(_: object) -> int:
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

    def work(_: object) -> int:
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
