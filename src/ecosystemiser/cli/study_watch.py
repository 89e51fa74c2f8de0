"""A study is run, and somebody watches: how far it is, what it will take, what of it is kept when it is stopped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from ecosystemiser.errors import Finding, InputError, NotAgreedError, StoreError, WorkersGoneError

if TYPE_CHECKING:
    from ecosystemiser.cli.signals import Stop
    from ecosystemiser.cli.study_progress import Display
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
    from ecosystemiser.services.study_service import Agree, EventBus, StudyResult, StudyService

__all__ = ["Watcher", "watched"]

NOBODY_ANSWERED = 2
"""Exit code where a question could not be asked: the request should have said more."""


@dataclass(frozen=True)
class Watcher:
    """Who watches a study."""

    stop: Stop
    is_agreed: bool = True
    """Whether a large study needs no question."""
    wants_events: bool = False
    """Whether events are printed, in the place of progress."""


def watched(
    log: DatabaseMetadataService,
    study_id: str,
    watcher: Watcher,
    work: Callable[[StudyService, Agree | None], StudyResult],
) -> StudyResult:
    """Do the work, showing how far it is; where it is stopped, tell what is kept.

    Raises KeyboardInterrupt where it is stopped; ends the command where somebody does not agree to a large study.
    """
    from ecosystemiser.services.study_service import EventBus, StudyService

    bus = EventBus()
    try:
        with _shown(bus, study_id, watcher) as display, watcher.stop.asking():
            agree = None if watcher.is_agreed else _question(study_id, watcher.stop, display)
            return work(StudyService(log, bus=bus), agree)
    except KeyboardInterrupt:
        with suppress(StoreError):
            _tell_what_is_kept(log, study_id, "The study was stopped")
        raise
    except NotAgreedError:
        with suppress(StoreError):
            _tell_what_is_kept(log, study_id, "The study did not go on")
        raise typer.Exit(1 if sys.stdin.isatty() else NOBODY_ANSWERED) from None
    except WorkersGoneError:
        with suppress(StoreError):
            _tell_what_is_kept(log, study_id, "The study was interrupted")
        raise
    except InputError as error:
        raise InputError([_named(found) for found in error.findings]) from None


@contextmanager
def _shown(bus: EventBus, study_id: str, watcher: Watcher) -> Iterator[Display | None]:
    if watcher.wants_events:
        from ecosystemiser.cli.event_stream import streamed_events

        with streamed_events(bus):
            yield None
        return
    from ecosystemiser.cli.study_progress import told_progress

    with told_progress(bus, study_id, watcher.stop.is_asked) as display:
        yield display


def _question(study_id: str, stop: Stop, display: Display | None) -> Agree:
    """Return what asks whether a large study is to go on."""
    from ecosystemiser.cli.study_progress import estimate_words
    from ecosystemiser.cli.tables import terminal_width
    from ecosystemiser.cli.text import wrapped
    from ecosystemiser.services.budget import LARGE_BYTES, LARGE_S, Budget

    def is_agreed(budget: Budget) -> bool:
        estimate = "" if display is not None else f"{study_id}: {estimate_words(budget.event(study_id))}. "  # else told
        large = f"{estimate}That is more than {LARGE_S / 60:.0f} minutes or {LARGE_BYTES / 1e9:.0f} GB"
        if not sys.stdin.isatty():
            typer.echo(wrapped(f"{large}, and nobody can answer here.", terminal_width()), err=True)
            return False
        with nullcontext() if display is None else display.away(), stop.at_once():
            try:
                return typer.confirm(f"{large}. Go on?", err=True)
            except typer.Abort:  # Ctrl-C, or the end of the input
                stop.check()
                return False

    return is_agreed


def _named(found: Finding) -> Finding:
    """Let a study that is in the log already be told with the option that helps."""
    if found.key != "study_id" or found.file is not None:
        return found
    remedy = found.remedy.replace("give the new study another study_id", "give it another name: --study-id NAME")
    return replace(found, remedy=remedy)


def _tell_what_is_kept(log: DatabaseMetadataService, study_id: str, what: str) -> None:
    counts = log.get_study_summary(study_id)["by_status"]
    if not counts:
        return
    from ecosystemiser.cli.study_report import statuses
    from ecosystemiser.cli.tables import terminal_width
    from ecosystemiser.cli.text import wrapped

    yes = " --yes" if what == "The study did not go on" else ""
    kept = wrapped(f"{what}: {statuses(counts)}, the other points not begun. What was done is kept.", terminal_width())
    typer.echo(
        f"{kept}\nSee it: ecosystemiser study show {study_id}\nGo on:  ecosystemiser study resume {study_id}{yes}",
        err=True,
    )
