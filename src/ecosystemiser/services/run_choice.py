"""The runs that somebody names, or that pass a filter, to do something with all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.run_filters import filter_text
from ecosystemiser.services.run_words import run_named
from ecosystemiser.store.states import RunStatus

__all__ = ["Chosen", "chosen_runs", "deleted_named"]

ROWS_A_PAGE = 1_000


@dataclass(frozen=True)
class Chosen:
    """Runs that were meant: ids of those that came to an end, and of those that still run."""

    ended: list[str]
    running: list[str]

    @property
    def all(self) -> list[str]:
        """The ids of all."""
        return self.ended + self.running


def chosen_runs(log: DatabaseMetadataService, words: Sequence[str], where: str | None) -> Chosen:
    """Return the runs that the words name (`run_named`), or else those that pass the filter text.

    Raises InputError where a word names none or several, for a wrong filter, and where neither or both are given.
    """
    if bool(words) is (where is not None):
        remedy = "name runs, as last or 01a20690-73d6, or give --where FILTER"
        raise InputError([Finding("no runs are named" if not words else "runs are named twice", remedy, "RUN")])
    if where is not None:
        rows = _passing(log, filter_text(where))
    else:
        found = (run_named(log, word) for word in words)
        rows = ((row["run_id"], row["simulation_status"]) for row in found)
    statuses = dict(rows)
    running = [run_id for run_id, status in statuses.items() if status == RunStatus.RUNNING]
    return Chosen([run_id for run_id in statuses if run_id not in set(running)], running)


def _passing(log: DatabaseMetadataService, where: str | None) -> Iterator[tuple[str, str]]:
    after = None
    while True:
        page = log.page_simulation_runs(where, after=after, limit=ROWS_A_PAGE)
        yield from ((row["run_id"], row["simulation_status"]) for row in page.rows)
        after = page.next
        if after is None:
            return


def deleted_named(deleted: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return those of the deleted runs that the words name: each by its id or an unambiguous beginning.

    Raises InputError with all words that name none of them, or several.
    """
    named, findings = [], []
    for word in words:
        found = [run_id for run_id in deleted if run_id == word] or [
            run_id for run_id in deleted if word and run_id.startswith(word)
        ]
        if len(found) == 1:
            named += found
        elif found:
            remedy = f"say which: {', '.join(found[:5])}"
            findings.append(Finding("is the beginning of several deleted runs", remedy, "RUN", word))
        else:
            remedy = "see which there are: ecosystemiser runs delete --list"
            findings.append(Finding("is no deleted run", remedy, "RUN", word))
    if findings:
        raise InputError(findings)
    return list(dict.fromkeys(named))
