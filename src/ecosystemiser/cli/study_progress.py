"""How far a study is, told on the error stream: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Protocol

from ecosystemiser.cli.text import NOTHING, duration, number_of, printable, significant, size

if TYPE_CHECKING:
    from ecosystemiser.services.study_service import EventBus, RunFailed, StudyEstimated, StudyProgress

__all__ = ["Display", "estimate_words", "told_progress"]

TOLD_S, TOLD_BYTES = 5.0, 1e8
"""What takes less is not told of beforehand: it is over before anybody has read that. [s, B]"""
LINE_EVERY_S = 5.0
"""Where nobody watches: seconds between two lines."""


class Display(Protocol):
    """Shows a study's progress. Called from more than one thread, one at a time."""

    def show(self, event: StudyProgress, failed: int) -> None:
        """Show how far it is."""

    def say(self, text: str) -> None:
        """Show a line that stays."""

    def away(self) -> AbstractContextManager[None]:
        """Within this nothing is shown: somebody is asked."""


@contextmanager
def told_progress(bus: EventBus, study_id: str, is_ending: Callable[[], bool]) -> Iterator[Display]:
    """Within this every StudyProgress, StudyEstimated and RunFailed on the bus is shown, until it is to end."""
    from ecosystemiser.services.study_service import RunFailed, StudyEstimated, StudyProgress

    failed = 0

    def count(_: RunFailed) -> None:
        nonlocal failed
        failed += 1

    def show(event: StudyProgress) -> None:
        if not is_ending():  # what is cancelled then is no progress
            display.show(event, failed)

    def estimate(event: StudyEstimated) -> None:
        if event.seconds >= TOLD_S or event.disk_bytes >= TOLD_BYTES:
            display.say(f"{printable(study_id)}: {estimate_words(event)}")

    with _bar() if sys.stderr.isatty() else _lines(study_id) as display:
        ends = [
            bus.subscribe(RunFailed, count),
            bus.subscribe(StudyProgress, show),
            bus.subscribe(StudyEstimated, estimate),
        ]
        try:
            yield display
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
        self.say(f"{self._study_id}: {', '.join(_words(event, failed))}")

    def say(self, text: str) -> None:
        with suppress(OSError):  # nobody listens
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def away(self) -> AbstractContextManager[None]:
        return nullcontext()


@contextmanager
def _lines(study_id: str) -> Iterator[Display]:
    yield _Lines(study_id)


@contextmanager
def _bar() -> Iterator[Display]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=20), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, told="starting")

        class Bar:
            def show(self, event: StudyProgress, failed: int) -> None:
                told = ", ".join(_words(event, failed))
                progress.update(task, completed=event.done, total=event.total, told=told)

            def say(self, text: str) -> None:
                progress.console.print(text, markup=False, highlight=False)

            @contextmanager
            def away(self) -> Iterator[None]:
                progress.stop()
                try:
                    yield
                finally:
                    progress.start()

        yield Bar()


def estimate_words(event: StudyEstimated) -> str:
    """Return how many runs are left, how long they will take, and how much room."""
    timed = "one run" if event.timed == 1 else f"{event.timed:,} runs"
    return (
        f"{number_of(event.runs, 'more run')} in about {duration(event.seconds)}, {size(round(event.disk_bytes))} of "
        f"disk ({timed} timed)"
    )


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
