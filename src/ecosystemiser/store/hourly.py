"""The hourly file of a run: one Parquet file of float64 columns over time, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store.files import file_error, write_durably

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FILE_NAME", "HourlyFile", "HourlySeries", "read_hourly", "write_hourly"]

FILE_NAME = "hourly.parquet"
_METADATA_KEY = b"ecosystemiser"


@dataclass(frozen=True)
class HourlyFile:
    """A written hourly file: where it is, the SHA-256 of its bytes in hex, and its size."""

    path: Path
    sha256: str
    bytes: int


@dataclass(frozen=True)
class HourlySeries:
    """What an hourly file holds: the start of each step in UTC, columns by name, and what was noted."""

    time: NDArray[np.datetime64]
    step_seconds: int
    columns: dict[str, NDArray[np.float64]]
    metadata: dict[str, Any]


def write_hourly(
    folder: Path,
    columns: Mapping[str, NDArray[np.float64]],
    start_utc: datetime,
    step_seconds: int,
    metadata: Mapping[str, object] | None = None,
) -> HourlyFile:
    """Write `columns`, one value a step, as `hourly.parquet` into `folder`; a file that is there is replaced.

    The file is on the disk when this returns, and its name never stands for part of it. `start_utc` is the
    start of the first step, with its zone; `step_seconds` the length of each. Columns are named like
    `battery.charge_kwh`; `metadata` is anything JSON can hold. Raises InputError for columns of unequal
    length, StoreError where the file cannot be written.
    """
    content = _encode(columns, start_utc, step_seconds, metadata or {})
    path = folder / FILE_NAME
    write_durably(path, content)
    return HourlyFile(path, hashlib.sha256(content).hexdigest(), len(content))


def read_hourly(path: Path, sha256: str | None = None, columns: Iterable[str] | None = None) -> HourlySeries:
    """Read the hourly file at `path`, all of it or the named `columns`.

    With `sha256`, the hash in the run's row, every change of the file since it was written is found; without
    it, only damage that its own checksums show. Raises StoreError for a missing or damaged file, InputError
    for columns that it does not have.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        msg = f"{path}: the hourly file is missing. Run the simulation again to have it back."
        raise StoreError(msg) from error
    except OSError as error:
        raise file_error(error, path) from error
    if sha256 is not None and (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise _damaged(path, f"its SHA-256 is {found}, logged was {sha256}")
    return _decode(path, content, None if columns is None else list(columns))


def _encode(
    columns: Mapping[str, NDArray[np.float64]],
    start_utc: datetime,
    step_seconds: int,
    metadata: Mapping[str, object],
) -> bytes:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    steps = _steps_of(columns)
    start_ms = _milliseconds(start_utc)
    noted = json.dumps({"step_seconds": step_seconds, "metadata": dict(metadata)}, allow_nan=False)
    time = pa.array(start_ms + np.arange(steps, dtype=np.int64) * (step_seconds * 1000), pa.timestamp("ms", "UTC"))
    values = {name: pa.array(np.ascontiguousarray(column, dtype=np.float64)) for name, column in columns.items()}
    table = pa.table({"time": time, **values}).replace_schema_metadata({_METADATA_KEY: noted.encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        # Level 3, dictionaries and byte_stream_split each take twice the time and make the file no smaller.
        compression="zstd",
        compression_level=1,
        use_dictionary=False,
        column_encoding={"time": "DELTA_BINARY_PACKED"},
        write_statistics=False,
        write_page_checksum=True,
    )
    return bytes(sink.getvalue())


def _steps_of(columns: Mapping[str, NDArray[np.float64]]) -> int:
    shapes = {column.shape for column in columns.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1 or "time" in columns:
        found = ", ".join(f"{name}: {column.shape}" for name, column in columns.items())
        remedy = "give at least one column, each with one value a step, and none named 'time'"
        raise InputError([Finding(f"cannot be written together ({found or 'none'})", remedy, "columns")])
    return int(next(iter(shapes))[0])


def _milliseconds(start_utc: datetime) -> int:
    if start_utc.tzinfo is None:
        raise InputError([Finding("has no time zone", "give a time in UTC", "start_utc", start_utc.isoformat())])
    return round(start_utc.astimezone(UTC).timestamp() * 1000)


def _decode(path: Path, content: bytes, names: list[str] | None) -> HourlySeries:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        noted = json.loads(file.schema_arrow.metadata[_METADATA_KEY])
        present = [name for name in file.schema_arrow.names if name != "time"]
        wanted = present if names is None else names
        unknown = [name for name in wanted if name not in present]
        if not unknown:
            table = file.read(columns=["time", *wanted])
            series = {name: table[name].to_numpy() for name in wanted}
            return HourlySeries(table["time"].to_numpy(), int(noted["step_seconds"]), series, noted["metadata"])
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"it cannot be read: {error}") from error
    remedy = f"use some of {', '.join(present)}"
    raise InputError([Finding(f"is not a column of {path}", remedy, "columns", name) for name in unknown])


def _damaged(path: Path, how: str) -> StoreError:
    return StoreError(f"{path}: the hourly file is damaged: {how}. Run the simulation again to have it back.")
