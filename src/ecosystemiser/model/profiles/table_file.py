"""The cells of a user's CSV or Parquet file, with the line each came from; nothing is interpreted here."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from ecosystemiser.errors import Finding, InputError

__all__ = ["MAX_FINDINGS", "Table", "read_table", "refuse"]

MAX_FINDINGS = 20
"""Findings shown at once; a file that is wrong in every row needs no thousand lines."""

Cell = object
"""What a file holds in one place: text in CSV; numbers, times, text or None in Parquet."""


@dataclass(frozen=True)
class Table:
    """Columns of one file as they stand in it; `lines` holds the line of each row, None for Parquet."""

    path: Path
    header: tuple[str, ...]
    columns: dict[str, list[Cell]]
    lines: list[int] | None
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return max((len(cells) for cells in self.columns.values()), default=0)

    def finding(self, row: int, key: str, value: Cell, message: str, remedy: str) -> Finding:
        """Return a finding at `row`: by its line in a CSV file, by its row number in a Parquet file."""
        if self.lines is None:
            return Finding(f"{message} (row {row + 1})", remedy, key, value, str(self.path))
        return Finding(message, remedy, key, value, str(self.path), self.lines[row])


def refuse(findings: Sequence[Finding]) -> NoReturn:
    """Raise InputError with the first 20 findings, and how many more there are."""
    shown = list(findings[:MAX_FINDINGS])
    if len(findings) > MAX_FINDINGS:
        shown[-1] = Finding(
            f"and {len(findings) - MAX_FINDINGS + 1} more problems", "mend these first", file=findings[0].file
        )
    raise InputError(shown)


def read_table(path: Path, wanted: Collection[str]) -> Table:
    """Return the columns among `wanted` that the CSV or Parquet file at `path` has.

    A CSV file is UTF-8, its first line names the columns, fields are parted by comma, semicolon or tab.
    Rows with a different number of fields are listed in `findings`. Raises InputError for a file that
    cannot be read at all.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError([Finding(what, "name a CSV or Parquet file", value=str(path), file=str(path))])
    try:
        return _read_parquet(path, wanted) if _is_parquet(path) else _read_csv(path, wanted)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        finding = Finding(f"cannot be read: {error}", "give a UTF-8 CSV or a Parquet file", file=str(path))
        raise InputError([finding]) from error


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as source:
        return source.read(4) == b"PAR1"


def _read_csv(path: Path, wanted: Collection[str]) -> Table:
    with path.open(encoding="utf-8-sig", newline="") as source:
        first = source.readline()
        source.seek(0)
        reader = csv.reader(source, delimiter=max(",;\t", key=first.count))
        header = tuple(name.strip() for name in next(reader, []))
        lines: list[int] = []
        table = Table(path, header, {name: [] for name in header if name in wanted}, lines)
        table.findings.extend(_repeated_names(table))
        places = [(header.index(name), cells) for name, cells in table.columns.items()]
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                table.findings.append(_ragged(table, len(fields), reader.line_num))
            lines.append(reader.line_num)
            for place, cells in places:
                cells.append(fields[place].strip() if place < len(fields) else "")
    return table


def _repeated_names(table: Table) -> list[Finding]:
    return [
        Finding("names two columns", "give each column its own name", name, None, str(table.path), 1)
        for name in table.columns
        if table.header.count(name) > 1
    ]


def _ragged(table: Table, fields: int, line: int) -> Finding:
    message = f"{fields} fields where the header has {len(table.header)}"
    remedy = "quote fields that hold the delimiter; write decimals with a point"
    return Finding(message, remedy, file=str(table.path), line=line)


def _read_parquet(path: Path, wanted: Collection[str]) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # The file is opened by us: given a path, pyarrow would take it for a data set and split it at "=".
        with path.open("rb") as source:
            parquet = pq.ParquetFile(source)
            header = tuple(parquet.schema_arrow.names)
            data = parquet.read(columns=[name for name in header if name in wanted])
    except pa.ArrowException as error:
        finding = Finding(f"cannot be read: {error}", "write the Parquet file again", file=str(path))
        raise InputError([finding]) from error
    columns = {}
    for name, column in zip(data.column_names, data.columns, strict=True):
        if pa.types.is_timestamp(column.type):  # nanoseconds would need pandas to become Python times
            column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)  # noqa: PLW2901
        columns[name] = column.to_pylist()
    return Table(path, header, columns, None)
