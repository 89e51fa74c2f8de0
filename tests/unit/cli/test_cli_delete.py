"""Runs deleted, brought back and removed for good on the command line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService


class Terminal(io.StringIO):
    """An input that somebody types into."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that lets somebody at a terminal answer."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


@pytest.fixture
def three(log_runs: Callable[..., None]) -> None:
    log_runs({"run_id": "a"}, {"run_id": "b", "simulation_status": "failed"}, {"run_id": "c", "total_cost": 5.0})


def left(log: DatabaseMetadataService) -> set[str]:
    return {row["run_id"] for row in log.query_simulation_runs()}


def results(folder: Path, run_id: str, *names: str) -> Path:
    """Write files of a run into its folder, and log where it is."""
    place = folder / "data" / "results" / run_id
    place.mkdir(parents=True)
    for name in names or ("hourly.parquet", "components.json"):
        (place / name).write_text("12345")
    return place


@pytest.mark.usefixtures("three")
def test_nothing_is_deleted_where_nobody_can_be_asked(eco: Callable[..., Any], log: DatabaseMetadataService) -> None:
    said = eco("runs", "delete", "a")
    assert said.code == 2
    assert "Delete 1 run?" in said.err
    assert "--yes" in said.err
    assert left(log) == {"a", "b", "c"}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("answer", "code", "rest"), [("y\n", 0, {"a", "b"}), ("n\n", 1, {"a", "b", "c"})])
def test_a_person_is_asked(
    answer: str,
    code: int,
    rest: set[str],
    typed: Callable[[str], None],
    eco: Callable[..., Any],
    log: DatabaseMetadataService,
) -> None:
    typed(answer)
    said = eco("runs", "delete", "--where", "cost = 5")
    assert said.code == code
    assert "Delete 1 run?" in said.err
    assert left(log) == rest


@pytest.mark.usefixtures("three")
def test_deleted_runs_are_in_no_list_until_they_are_brought_back(
    eco: Callable[..., Any], log: DatabaseMetadataService
) -> None:
    said = eco("runs", "delete", "a", "b", "--yes")
    assert (said.code, said.err) == (0, "")
    assert "2 runs deleted." in said.out
    assert "ecosystemiser runs delete --undo" in said.out
    assert left(log) == {"c"}
    assert eco("runs", "list", "--count").out == "1\n"
    assert eco("runs", "show", "a").code == 2
    assert [line.split()[0] for line in eco("runs", "delete", "--list").out.splitlines()[1:]] == ["b", "a"]
    assert eco("runs", "delete", "--undo").out == "2 runs brought back.\n"
    assert left(log) == {"a", "b", "c"}
    assert eco("runs", "delete", "--list").out == "No run is deleted.\n"


@pytest.mark.usefixtures("three")
def test_undo_brings_back_the_last_deletion_or_the_runs_that_are_named(
    eco: Callable[..., Any], log: DatabaseMetadataService
) -> None:
    eco("runs", "delete", "a", "--yes")
    eco("runs", "delete", "b", "c", "--yes")
    said = eco("runs", "delete", "--undo")
    assert said.out == "2 runs brought back. 1 run more can be: ecosystemiser runs delete --list\n"
    assert left(log) == {"b", "c"}
    eco("runs", "delete", "c", "--yes")
    assert eco("runs", "delete", "--undo", "a").code == 0
    assert left(log) == {"a", "b"}
    wrong = eco("runs", "delete", "--undo", "a")
    assert wrong.code == 2
    assert "RUN: 'a' is no deleted run; see which there are: ecosystemiser runs delete --list" in wrong.err


def test_a_run_under_way_is_not_deleted(
    log_runs: Callable[..., None], log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log_runs({"run_id": "a"})
    log.log_simulation_run({"run_id": "busy"})
    said = eco("runs", "delete", "a", "busy", "--yes")
    assert said.code == 2
    assert "RUN: 'busy' is running; stop it first" in said.err
    assert left(log) == {"a", "busy"}
    said = eco("runs", "delete", "--where", "run_id is not null", "--yes")
    assert (said.code, said.err) == (0, "1 run under way: left alone.\n")
    assert left(log) == {"busy"}
    assert eco("runs", "delete", "--where", "cost > 1", "--yes").out == "No run passes; nothing was deleted.\n"


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no runs are named"),
        (("a", "--where", "cost > 0"), "runs are named twice"),
        (("zzz",), "'zzz' is no run in"),
        (("--where", "cots > 0"), "did you mean"),
        (("--undo", "--purge"), "--undo --purge: are several things at once"),
        (("--undo", "--where", "cost > 0"), "--where: cannot be asked of deleted runs"),
        (("a", "--older-than", "30d"), "--older-than: goes with --purge"),
        (("--purge", "--older-than", "30"), "--older-than: '30' is no age; write a number and h, d or w"),
    ],
)
def test_a_wrong_request_deletes_nothing(
    arguments: tuple[str, ...], words: str, eco: Callable[..., Any], log: DatabaseMetadataService
) -> None:
    said = eco("runs", "delete", "--yes", *arguments)
    assert said.code == 2
    assert words in said.err
    assert left(log) == {"a", "b", "c"}


def test_purging_removes_rows_and_files_for_good(
    folder: Path, log_runs: Callable[..., None], eco: Callable[..., Any], log: DatabaseMetadataService
) -> None:
    place, kept = results(folder, "a"), results(folder, "b")
    log_runs({"run_id": "a", "results_path": str(place)}, {"run_id": "b", "results_path": str(kept)})
    eco("runs", "delete", "a", "--yes")
    assert eco("runs", "delete", "--purge").code == 2
    assert place.exists()
    said = eco("runs", "delete", "--purge", "--yes")
    assert said.out == "1 run removed for good, with 1 folder (10 B).\n"
    assert not place.exists()
    assert kept.exists()
    assert log.deleted_runs() == []
    assert eco("runs", "delete", "--undo").out == "No run is deleted; nothing was brought back.\n"


def test_only_what_was_deleted_long_ago_is_purged(
    log_runs: Callable[..., None], eco: Callable[..., Any], log: DatabaseMetadataService
) -> None:
    log_runs({"run_id": "a"}, {"run_id": "b"})
    eco("runs", "delete", "a", "b", "--yes")
    with log.transaction() as connection:
        old = "UPDATE runs SET deleted_at = '2020-01-01T00:00:00.000000Z' WHERE run_id = 'a'"
        connection.exec_driver_sql(old)
    assert "1 run removed" in eco("runs", "delete", "--purge", "--older-than", "12h", "--yes").out
    assert [row["run_id"] for row in log.deleted_runs()] == ["b"]
    assert "nothing was removed" in eco("runs", "delete", "--purge", "--older-than", "2w", "--yes").out


def test_a_folder_that_holds_more_is_left_and_named(
    folder: Path, log_runs: Callable[..., None], eco: Callable[..., Any], log: DatabaseMetadataService
) -> None:
    place = results(folder, "a", "hourly.parquet", "thesis.txt")
    log_runs({"run_id": "a", "results_path": str(place)})
    eco("runs", "delete", "a", "--yes")
    said = eco("runs", "delete", "--purge", "--yes")
    assert f"! left: {place}\n  holds what no run wrote: thesis.txt\n" in said.out
    assert sorted(file.name for file in place.iterdir()) == ["hourly.parquet", "thesis.txt"]
    assert log.deleted_runs() == []


def test_a_run_whose_result_others_took_over_is_kept(
    folder: Path, log_runs: Callable[..., None], eco: Callable[..., Any], log: DatabaseMetadataService
) -> None:
    place = results(folder, "a")
    log_runs({"run_id": "a", "results_path": str(place)}, {"run_id": "b", "reused_from": "a"})
    eco("runs", "delete", "a", "--yes")
    said = eco("runs", "delete", "--purge", "--yes")
    assert "! kept: 1 run whose results others took over: a." in said.out
    assert place.exists()
    assert [row["run_id"] for row in log.deleted_runs()] == ["a"]
    eco("runs", "delete", "b", "--yes")
    assert "2 runs removed" in eco("runs", "delete", "--purge", "--yes").out
    assert not place.exists()


def test_runs_are_named_as_everywhere(
    log_runs: Callable[..., None], eco: Callable[..., Any], log: DatabaseMetadataService
) -> None:
    """Beginnings and `last` name runs here as everywhere."""
    log_runs({"run_id": "01a20690-6ff7"}, {"run_id": "01a20690-73d6"}, {"run_id": "01a20691-0000"})
    assert "several runs" in eco("runs", "delete", "01a20690", "--yes").err
    assert eco("runs", "delete", "01a20690-6", "last", "--yes").code == 0
    assert [row["run_id"] for row in json.loads(eco("runs", "list", "--format", "json").out)] == ["01a20690-73d6"]
