"""Tags and notes on the command line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService


@pytest.fixture(autouse=True)
def three(log_runs: Callable[..., None]) -> None:
    log_runs({"run_id": "a", "total_cost": 1.0}, {"run_id": "b", "total_cost": 2.0}, {"run_id": "c"})


def test_tags_are_given_taken_off_and_shown(eco: Callable[..., Any]) -> None:
    assert eco("runs", "tag", "a", "--add", "good", "--add", "first draft").out == "a: first draft, good\n"
    assert eco("runs", "tag", "a", "--remove", "good", "--add", "base").out == "a: base, first draft\n"
    assert eco("runs", "tag", "a", "b").out == "a: base, first draft\nb: no tags\n"


def test_many_runs_are_tagged_by_a_filter_and_found_by_their_tag(eco: Callable[..., Any]) -> None:
    said = eco("runs", "tag", "--where", "cost > 0", "--add", "cheap", "--remove", "dear")
    assert said.out == "2 runs: given cheap; taken off dear\n"
    found = json.loads(eco("runs", "list", "--where", "tag = 'cheap'", "--format", "json").out)
    assert [row["run_id"] for row in found] == ["b", "a"]
    assert eco("runs", "tag", "--where", "cost > 5", "--add", "x").out == "No run passes; nothing was tagged.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no runs are named"),
        (("a", "--where", "cost > 0", "--add", "x"), "runs are named twice"),
        (("zzz", "--add", "x"), "'zzz' is no run in"),
        (("a", "--add", ""), "is no tag"),
        (("a", "--add", "\x1b[2J"), "is no tag"),
        (("a", "--add", "x" * 101), "is no tag"),
    ],
)
def test_a_wrong_tag_is_a_wrong_request(arguments: tuple[str, ...], words: str, eco: Callable[..., Any]) -> None:
    said = eco("runs", "tag", *arguments)
    assert said.code == 2
    assert words in said.err
    assert eco("runs", "tag", "a").out == "a: no tags\n"


def test_a_note_is_written_shown_replaced_and_taken_away(eco: Callable[..., Any]) -> None:
    assert "runs note a TEXT" in eco("runs", "note", "a").out
    assert eco("runs", "note", "a", "larger roof").out == "Note written on run a.\n"
    assert eco("runs", "note", "a").out == "larger roof\n"
    eco("runs", "note", "a", "old tariff")
    assert eco("runs", "note", "a").out == "old tariff\n"
    found = json.loads(eco("runs", "list", "--where", "note like '%tariff'", "--format", "json").out)
    assert [row["run_id"] for row in found] == ["a"]
    assert eco("runs", "note", "a", "--clear").out == "Note taken off run a.\n"
    assert "No note" in eco("runs", "note", "a").out


def test_a_note_comes_from_the_input_too(eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("first line\nsecond \x1b[2J line\n"))
    eco("runs", "note", "a", "-")
    assert eco("runs", "note", "a").out == "first line\nsecond \\x1b[2J line\n"


def test_a_note_is_not_written_and_taken_away_at_once(eco: Callable[..., Any], log: DatabaseMetadataService) -> None:
    said = eco("runs", "note", "a", "text", "--clear")
    assert said.code == 2
    assert "--clear" in said.err
    assert (log.get_simulation_run("a") or {})["note"] is None
