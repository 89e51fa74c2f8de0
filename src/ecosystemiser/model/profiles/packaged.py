"""The packaged series of the composed year 2018: read by name, one Parquet column at a time."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.names import did_you_mean

__all__ = ["HOURS", "packaged_names", "packaged_series", "packaged_weather_names", "provenance"]

HOURS = 8760
"""Hours of the packaged year 2018 of German standard time (UTC+1); row 0 starts 2017-12-31T23:00Z."""


def packaged_series(name: str) -> NDArray[np.float64]:
    """Return the packaged series `name`: one value per hour of 2018 in standard time, read-only. (8760,)

    The unit stands in `provenance()`. The array is shared between calls.
    Raises InputError if no series has that name.
    """
    if name not in packaged_names():
        raise InputError([unknown_name(name, packaged_names())])
    return _column(name)


def packaged_names() -> tuple[str, ...]:
    """Return the names of all packaged series, those of weather sets included, in the order of the file."""
    return tuple(row["column"] for row in provenance())


def packaged_weather_names() -> tuple[str, ...]:
    """Return the names of the packaged weather sets; `<name>.<quantity>_<unit>` is one of its series."""
    return tuple(dict.fromkeys(name.partition(".")[0] for name in packaged_names() if "." in name))


def provenance() -> list[dict[str, str]]:
    """Return one row per packaged series: unit, package, file, licence, nature, what was done, credit."""
    return [dict(row) for row in _provenance_rows()]


def unknown_name(name: str, known: tuple[str, ...]) -> Finding:
    """Return the finding for a packaged name that does not exist."""
    return Finding(
        "is not a packaged series",
        f"{did_you_mean(name, known)}the packaged ones are {', '.join(known)}; or name a file with a column",
        value=name,
    )


@cache
def _provenance_rows() -> tuple[dict[str, str], ...]:
    lines = _data_file("provenance.csv").read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(lines))


@cache
def _column(name: str) -> NDArray[np.float64]:
    import pyarrow.parquet as pq

    with _data_file("profiles.parquet").open("rb") as source:
        column = pq.ParquetFile(source).read(columns=[name]).column(0)
    values = np.array(np.from_dlpack(column.combine_chunks()))  # to_numpy() would import pandas
    values.setflags(write=False)
    return values


def _data_file(name: str) -> Traversable:
    return files("ecosystemiser") / "data" / "profiles" / name
