"""How far a study is, told on the error stream: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ecosystemiser.cli.text import NOTHING, duration, printable, significant

if TYPE_CHECKING:
    from ecosystemiser.services.study_service import EventBus, RunFailed, StudyProgress

__all__ = ["told_progress"]

LINE_EVERY_S = 5.0
"""Where nobody watches: seconds between two lines."""


class _Display(Protocol):
    """Shows a study's progress. Called from more than one thread, one at a time."""

    def show(self, event: StudyProgress, failed: int) -> None:
        """Show how far it is."""


@contextmanager
def told_progress(bus: EventBus, study_id: str, is_ending: Callable[[], bool]) -> Iterator[None]:
    """Within this every StudyProgress and RunFailed on the bus is shown, until the study is asked to end."""
    from ecosystemiser.services.study_service import RunFailed, StudyProgress

    failed = 0

    def count(_: RunFailed) -> None:
        nonlocal failed
        failed += 1

    def show(event: StudyProgress) -> None:
        if not is_ending():  # what is cancelled then is no progress
            display.show(event, failed)

    with _bar() if sys.stderr.isatty() else _lines(study_id) as display:
        ends = [bus.subscribe(RunFailed, count), bus.subscribe(StudyProgress, show)]
        try:
            yield
        finally:
            for end in ends:
                end()


class _Lines:
    def __init__(self, study_id: str) -> None:
        self._study_id, self._said_at = printable(study_id), time.monotonic()

    def show(self, event: StudyProgress, failed: int) -> None:
        now = time.monotonic()
        if now - self._said_at < LINE_EVERY_S:
            return
        self._said_at = now
        try:
            sys.stderr.write(f"{self._study_id}: {', '.join(_words(event, failed))}\n")
            sys.stderr.flush()
        except OSError:
            return  # nobody listens


@contextmanager
def _lines(study_id: str) -> Iterator[_Display]:
    yield _Lines(study_id)


@contextmanager
def _bar() -> Iterator[_Display]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=20), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, told="starting")

        class Bar:
            def show(self, event: StudyProgress, failed: int) -> None:
                told = ", ".join(_words(event, failed))
                progress.update(task, completed=event.done, total=event.total, told=told)

        yield Bar()


def _words(event: StudyProgress, failed: int) -> Iterator[str]:
    """Yield done of total, rate, time left, the best cost so far, failures."""
    yield f"{event.done:,} of {event.total:,} runs" if event.total is not None else f"{event.done:,} runs"
    if event.rate:
        yield f"{significant(event.rate)} a second" if event.rate >= 1 else f"{duration(1 / event.rate)} a run"
    if event.seconds_left:
        yield f"{duration(event.seconds_left)} left"
    cost = (event.best or {}).get("total_cost")
    yield f"best {NOTHING if cost is None else significant(cost)}"
    yield f"{failed:,} failed"
