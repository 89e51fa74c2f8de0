"""Rows handed on: whole, once each, whatever happens meanwhile."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.services import run_export
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService, RunPage
from ecosystemiser.services.run_history import RowFormat, RunHistory

HEAD = {"simulation_status": "completed", "solver_type": "milp"}


@pytest.fixture
def many(log: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """25 runs, read in pages of ten."""
    monkeypatch.setattr(run_export, "ROWS_A_PAGE", 10)
    ids = [f"r{number:03}" for number in range(25)]
    log.log_simulation_runs([{"run_id": run_id, "total_cost": float(at), **HEAD} for at, run_id in enumerate(ids)])
    return ids


def ids_in(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [row["run_id"] for row in csv.DictReader(file)]


def test_every_kind_of_file_holds_the_rows(many: list[str], history: RunHistory, log: Any, folder: Path) -> None:
    rows = log.query_simulation_runs()
    assert history.export("runs.csv") == history.export("runs.json") == history.export("runs.parquet") == 25
    assert json.loads((folder / "runs.json").read_text()) == rows
    assert pq.ParquetFile(folder / "runs.parquet").read().to_pylist() == rows
    with (folder / "runs.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    shown = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    assert read == shown


def test_filters_choose_and_no_run_is_a_file_too(many: list[str], history: RunHistory, folder: Path) -> None:
    assert history.export("few.csv", where="total_cost >= 23") == 2
    assert ids_in(folder / "few.csv") == ["r024", "r023"]
    for name in ("none.csv", "none.json", "none.parquet"):
        assert history.export(name, where="study_id = 'none'") == 0
    assert ids_in(folder / "none.csv") == []
    assert json.loads((folder / "none.json").read_text()) == []
    assert pq.ParquetFile(folder / "none.parquet").schema_arrow.field("total_cost").type == "double"


def test_the_kind_of_file_can_be_named(many: list[str], history: RunHistory, folder: Path) -> None:
    history.export(folder / "runs.txt", RowFormat.JSON)
    assert len(json.loads((folder / "runs.txt").read_text())) == 25


class Restless(DatabaseMetadataService):
    """A log that somebody changes after the first page was read."""

    def __init__(self, change: Callable[[DatabaseMetadataService], None]) -> None:
        super().__init__()
        self._changes = [change]

    def page_simulation_runs(self, *arguments: Any, **options: Any) -> RunPage:
        page = super().page_simulation_runs(*arguments, **options)
        while self._changes:
            self._changes.pop()(self)
        return page


def test_runs_that_are_logged_meanwhile_double_and_hide_no_other(many: list[str], folder: Path) -> None:
    rows = [{"run_id": f"{letter}{number}"} for number in range(15) for letter in "az"]
    with Restless(lambda log: log.log_simulation_runs(rows)) as log:
        RunHistory(log).export("runs.csv")
    assert ids_in(folder / "runs.csv") == many[::-1]


@pytest.mark.parametrize("gone", [1, 5, 9, 10])
def test_runs_that_are_deleted_meanwhile_hide_no_other(gone: int, many: list[str], folder: Path) -> None:
    """Those of the first page go after it was read."""
    with Restless(lambda log: log.delete_runs(many[-gone:])) as log:
        RunHistory(log).export("runs.csv")
    assert ids_in(folder / "runs.csv") == many[::-1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("runs.xlsx", "tells no kind of file; let it end with .csv, .parquet, .json"),
        ("runs", "tells no kind of file"),
        (".", "tells no kind of file"),
        ("folder.csv", "is a folder"),
        ("none/runs.csv", "lies in a folder that does not exist"),
        ("a\0b.csv", "is no name of a file"),
    ],
)
def test_a_wrong_name_is_a_wrong_request(name: str, words: str, history: RunHistory, folder: Path) -> None:
    (folder / "folder.csv").mkdir()
    with pytest.raises(InputError) as raised:
        history.export(name)
    assert words in str(raised.value)


def test_a_wrong_filter_leaves_the_old_file(many: list[str], history: RunHistory, folder: Path) -> None:
    (folder / "runs.csv").write_text("old")
    with pytest.raises(InputError):
        history.export("runs.csv", where="colour = 'blue'")
    assert (folder / "runs.csv").read_text() == "old"
    assert [path.name for path in folder.iterdir() if "runs" in path.name] == ["runs.csv"]
