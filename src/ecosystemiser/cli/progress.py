"""How far something is, told on the error stream: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["counting"]

LINE_EVERY_S = 5.0
"""Where nobody watches: seconds between two lines."""

Tell = Callable[[str, int, int], None]


@contextmanager
def counting() -> Iterator[Tell]:
    """Give a function that shows what is done, how much of it, and how much there is in all."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    counted = TextColumn("{task.completed:,.0f} of {task.total:,.0f}")
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), counted, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            for other, task in tasks.items():
                bar.update(task, visible=other == what)
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell


def _lines() -> Tell:
    told_at = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at < LINE_EVERY_S:
            return
        told_at = time.monotonic()
        with suppress(OSError):  # nobody listens
            sys.stderr.write(f"{what}: {done:,} of {total:,}\n")
            sys.stderr.flush()

    return tell
