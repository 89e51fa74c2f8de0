"""Rows of runs as a file for other programs: CSV, Parquet or JSON, written beside its name and put there whole."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, Any, TextIO

from sqlalchemy import Column, Double, Integer

from ecosystemiser.store.files import file_error, sync_folder

__all__ = ["RowFormat", "csv_text", "write_rows"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet takes a text that starts so for a formula, and runs it."""
ROWS_A_GROUP = 10_000
"""Rows of a Parquet file that are in memory at once."""

Row = Mapping[str, object]


class RowFormat(StrEnum):
    """What kind of file."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def write_rows(path: Path, rows: Iterable[Row], columns: Sequence[Column[Any]], style: RowFormat) -> int:
    """Write `columns` of `rows` as the file at `path`, in the place of what is there; return how many rows.

    `rows` is taken one by one. The file is on the disk when this returns, and its name never stands for part of it. In
    CSV no text is a formula to a spreadsheet: one that starts like one gets a leading quote. Raises StoreError where
    the file cannot be written.
    """
    writers = {RowFormat.CSV: _write_csv, RowFormat.PARQUET: _write_parquet, RowFormat.JSON: _write_json}
    with _draft_of(path) as file:
        return writers[style](file, rows, columns)


@contextmanager
def _draft_of(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the name `path` at the end of the block, or is removed where the block raises."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        try:
            with draft.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            sync_folder(path.parent)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise file_error(error, path) from error


def _write_csv(file: IO[bytes], rows: Iterable[Row], columns: Sequence[Column[Any]]) -> int:
    sink = io.TextIOWrapper(file, "utf-8", newline="")
    count = _write_lines(sink, rows, [column.name for column in columns])
    sink.detach()  # flushes, and leaves the file open
    return count


def csv_text(rows: Iterable[Row], names: Sequence[str]) -> str:
    """Return rows as CSV; no text in it is a formula to a spreadsheet."""
    sink = io.StringIO(newline="")
    _write_lines(sink, rows, names)
    return sink.getvalue()


def _write_lines(sink: TextIO, rows: Iterable[Row], names: Sequence[str]) -> int:
    count, writer = 0, csv.writer(sink, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
        count += 1
    return count


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    quoted = f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return quoted.replace("\r\n", "\n").replace("\r", "\n")  # which the writer puts into quotes


def _write_json(file: IO[bytes], rows: Iterable[Row], columns: Sequence[Column[Any]]) -> int:
    count, names = 0, [column.name for column in columns]
    for row in rows:
        content = json.dumps({name: row.get(name) for name in names}, ensure_ascii=False, allow_nan=False)
        file.write(f"{',' if count else '['}\n{content}".encode())
        count += 1
    file.write(b"\n]\n" if count else b"[]\n")
    return count


def _write_parquet(file: IO[bytes], rows: Iterable[Row], columns: Sequence[Column[Any]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(column.name, _arrow_type(column.type)) for column in columns])
    count, ahead = 0, iter(rows)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(ahead, ROWS_A_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _arrow_type(kind: object) -> Any:
    import pyarrow as pa

    if isinstance(kind, Double):
        return pa.float64()
    return pa.int64() if isinstance(kind, Integer) else pa.string()
