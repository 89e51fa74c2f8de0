"""Which run, or study, does a word mean?"""

from __future__ import annotations

import re
from typing import Any

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.names import did_you_mean
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["run_named", "study_named"]

MOST_NAMED = 5
"""Runs that are named where a word means several."""

NEAR = 1_000
"""Studies, the newest, among which a mistyped one is looked for."""


def run_named(log: DatabaseMetadataService, word: str) -> dict[str, Any]:
    """Return the whole row of the run that `word` names: an id, its unambiguous beginning, `last`, or `last~1`.

    Raises InputError where it names none, or more than one.
    """
    found = re.fullmatch(r"last(?:~(\d{1,9}))?", word)
    if found is not None:
        word = _recent(log, int(found[1] or 0))
    elif word.startswith("last~"):
        remedy = "write last~1 for the one before the last"
        raise InputError([Finding("does not count runs back", remedy, "RUN", word)])
    row = log.get_simulation_run(word) or log.get_simulation_run(_beginning_with(log, word))
    if row is None:
        raise _no_run(log, word)
    return row


def _recent(log: DatabaseMetadataService, back: int) -> str:
    rows = log.query_simulation_runs(limit=1, offset=back)
    if rows:
        return str(rows[0]["run_id"])
    runs = int(log.get_statistics()["runs"])
    if not runs:
        remedy = "make one: ecosystemiser demo, or ecosystemiser run SYSTEM"
        raise InputError([Finding(f"there are no runs in {log.location} yet", remedy, "RUN")])
    finding = Finding(f"is before the first of {runs:,} runs", f"the oldest is last~{runs - 1}", "RUN", f"last~{back}")
    raise InputError([finding])


def _beginning_with(log: DatabaseMetadataService, beginning: str) -> str:
    named = log.find_run_ids(beginning, MOST_NAMED + 1)
    if len(named) == 1:
        return named[0]
    if not named:
        raise _no_run(log, beginning)
    more = ", …" if len(named) > MOST_NAMED else ""
    remedy = f"say which: {', '.join(named[:MOST_NAMED])}{more}"
    raise InputError([Finding("is the beginning of several runs", remedy, "RUN", beginning)])


def _no_run(log: DatabaseMetadataService, word: str) -> InputError:
    remedy = "see which there are: ecosystemiser runs list"
    return InputError([Finding(f"is no run in {log.location}", remedy, "RUN", word)])


def study_named(log: DatabaseMetadataService, word: str) -> dict[str, Any]:
    """Return the row of the study that `word` names: an id, or `last`. Raises InputError where it names none."""
    if word == "last":
        newest = log.query_studies(limit=1)
        if newest:
            return newest[0]
        remedy = "make one: ecosystemiser demo, or ecosystemiser study run FILE"
        raise InputError([Finding(f"there are no studies in {log.location} yet", remedy, "STUDY")])
    study: dict[str, Any] | None = log.get_study_summary(word)["study"]
    if study is not None:
        return study
    guess = did_you_mean(word, [row["study_id"] for row in log.query_studies(limit=NEAR)]).strip()
    remedy = guess or "see which there are: ecosystemiser study list"
    raise InputError([Finding(f"is no study in {log.location}", remedy, "STUDY", word)])
