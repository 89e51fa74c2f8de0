"""What happens to a study and its runs, as JSON for programs: one object a line on standard output, nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecosystemiser.services.study_service import EventBus, RunEvent, StudyEvent

__all__ = ["streamed_events"]


@contextmanager
def streamed_events(bus: EventBus) -> Iterator[None]:
    """Within this every event of a study and of its runs is a line on standard output, written when it happens.

    Events of jobs are left out: which worker makes a run is no part of what happens to it. A reader that goes away
    stops nothing; the study is in the log.
    """
    from ecosystemiser.services.study_service import RunEvent, StudyEvent

    is_heard = True

    def write(event: RunEvent | StudyEvent) -> None:
        nonlocal is_heard
        if not is_heard:
            return
        try:
            sys.stdout.write(f"{json.dumps(event.as_dict(), ensure_ascii=False, allow_nan=False)}\n")
            sys.stdout.flush()
        except OSError:
            is_heard = False

    ends = [bus.subscribe(StudyEvent, write), bus.subscribe(RunEvent, write)]
    try:
        yield
    finally:
        for end in ends:
            end()
