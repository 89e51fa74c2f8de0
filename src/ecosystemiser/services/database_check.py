"""Everything that can be wrong with a log, looked at part by part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ecosystemiser.errors import Finding
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.hourly_files import check_files
from ecosystemiser.store import condition
from ecosystemiser.store.counts import count_anew
from ecosystemiser.store.owners import Watch, running_owners

__all__ = ["CheckedPart", "OnProgress", "check_database"]

OnProgress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and how much there is in all."""

LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class CheckedPart:
    """One thing that was looked at: what was found in a sentence, and all that is wrong with it now."""

    subject: str
    found: str
    findings: tuple[Finding, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.findings


def _unheard(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def check_database(
    log: DatabaseMetadataService,
    *,
    mends: bool = False,
    reads_files: bool = False,
    on_progress: OnProgress | None = None,
) -> Iterator[CheckedPart]:
    """Yield what is found, part after part: the tables, what the dead left, the counts, the hourly files.

    `log` may be open for reading only. What owners that died left running is closed as `interrupted`; owners on other
    machines are watched for that, for three of their beats. Counts that are wrong are set right where `mends`. Where
    the tables are not sound nothing is written, and nothing more looked at. Raises StoreError.
    """
    tell = on_progress or _unheard
    findings = condition.check(log.opened())
    found = f"{len(findings)} found" if findings else "whole; all that rows refer to is there"
    yield CheckedPart("tables", found, findings)
    if findings:
        return
    left = len(log.runs_of_the_dead())  # opening for writing closes these
    with DatabaseMetadataService(log.location.address) as writer:
        yield _left_behind(left + _close(writer, tell))
        yield _counts(writer, mends=mends)
    yield _files(log, tell, reads_files=reads_files)


def _left_behind(closed: int) -> CheckedPart:
    found = "none" if not closed else f"{closed:,} closed as interrupted"
    return CheckedPart("runs of processes that died", found)


def _close(log: DatabaseMetadataService, tell: OnProgress) -> int:
    """Close what the dead left running, on other machines too; return how many runs."""
    watch = Watch()
    closed, begin = log.close_runs_of_the_dead(watch), time.monotonic()  # it has seen each beat before `begin`
    while True:
        with log.reading() as connection:
            wait_s = watch.is_waiting_for(running_owners(connection))
        waited_s = time.monotonic() - begin
        if wait_s:
            closed += log.close_runs_of_the_dead(watch)
        if waited_s >= wait_s:
            return closed
        tell("Watching owners on other machines [s]", int(waited_s), int(wait_s))
        time.sleep(min(LOOK_EVERY_S, wait_s - waited_s))


def _counts(log: DatabaseMetadataService, *, mends: bool) -> CheckedPart:
    with log.transaction() as connection:
        kept = connection.begin_nested()
        is_right = count_anew(connection)  # which sets them right
        if is_right or mends:
            kept.commit()
        else:
            kept.rollback()
    if is_right or mends:
        return CheckedPart("counts of runs", "right" if is_right else "were wrong, and were set right")
    finding = Finding("are not those of the runs", "set them right: ecosystemiser db check --mend", "counts")
    return CheckedPart("counts of runs", "wrong", (finding,))


def _files(log: DatabaseMetadataService, on_progress: OnProgress, *, reads_files: bool) -> CheckedPart:
    what = "Reading hourly files" if reads_files else "Looking for hourly files"
    checked = check_files(log, reads_them=reads_files, on_progress=lambda done, total: on_progress(what, done, total))
    how = "as they were written" if reads_files else "there (--files reads them too)"
    remedy = "make it again: ecosystemiser runs rerun"
    findings = tuple(
        Finding(f"its hours are {lost.state}: {lost.path}", f"{remedy} {lost.run_id}", f"run {lost.run_id}")
        for lost in checked.lost
    )
    return CheckedPart("hourly files", f"{checked.files - len(findings):,} of {checked.files:,} {how}", findings)
