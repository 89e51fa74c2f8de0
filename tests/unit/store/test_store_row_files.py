"""Rows as files: full, durable, harmless to a spreadsheet."""

from __future__ import annotations

import csv
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Column, Double, Integer, Text

from ecosystemiser.errors import StoreError
from ecosystemiser.store import row_files
from ecosystemiser.store.row_files import RowFormat, write_rows

COLUMNS = [Column("run_id", Text), Column("cost", Double), Column("steps", Integer)]
ROWS: list[dict[str, Any]] = [
    {"run_id": "a", "cost": 0.1 + 0.2, "steps": 3, "other": "left out"},
    {"run_id": 'ü, "b"\nc', "cost": None, "steps": None},
    {"run_id": None, "cost": -1e-300, "steps": -7},
    {"cost": 5.0},
]


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("style", list(RowFormat))
def test_a_file_gives_the_rows_back(style: RowFormat, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    assert write_rows(path, iter(ROWS), COLUMNS, style) == 4
    expected = [{name: row.get(name) for name in ("run_id", "cost", "steps")} for row in ROWS]
    if style is RowFormat.JSON:
        assert json.loads(path.read_text("utf-8")) == expected
    elif style is RowFormat.PARQUET:
        assert pq.ParquetFile(path).read().to_pylist() == expected
    else:
        shown = [["" if value is None else str(value) for value in row.values()] for row in expected]
        assert csv_rows(path) == [["run_id", "cost", "steps"], *shown]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_text_that_a_spreadsheet_would_run_gets_a_quote(start: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_rows(path, [{"run_id": f"{start}cmd|' /C calc'!A0", "cost": -1.5}], COLUMNS, RowFormat.CSV)
    assert csv_rows(path)[1] == [f"'{start}cmd|' /C calc'!A0".replace("\r", "\n"), "-1.5", ""]


def test_parquet_columns_have_their_type_without_values(tmp_path: Path) -> None:
    write_rows(tmp_path / "none", [], COLUMNS, RowFormat.PARQUET)
    schema = pq.ParquetFile(tmp_path / "none").schema_arrow
    assert [str(field.type) for field in schema] == ["string", "double", "int64"]


def test_parquet_is_written_group_by_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_files, "ROWS_A_GROUP", 2)
    write_rows(tmp_path / "rows", ({"steps": number} for number in range(5)), COLUMNS, RowFormat.PARQUET)
    file = pq.ParquetFile(tmp_path / "rows")
    assert file.num_row_groups == 3
    assert file.read()["steps"].to_pylist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("style", list(RowFormat))
def test_what_ends_the_rows_leaves_the_old_file_alone(style: RowFormat, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text("old")

    def broken() -> Iterator[dict[str, Any]]:
        yield {"run_id": "a"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(path, broken(), COLUMNS, style)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("style", list(RowFormat))
def test_a_full_disk_is_told_and_leaves_the_old_file(
    style: RowFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows"
    path.write_text("old")

    def no_room(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(row_files.os, "fsync", no_room)
    with pytest.raises(StoreError, match="the disk is full"):
        write_rows(path, ROWS, COLUMNS, style)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none"):
        write_rows(tmp_path / "none" / "rows", ROWS, COLUMNS, RowFormat.CSV)
