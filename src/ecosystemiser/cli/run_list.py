"""Runs as rows of a table, and their ids as short as they can be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecosystemiser.cli.tables import Column, as_table
from ecosystemiser.cli.text import NOTHING, OWNER_GONE, local_time, printable, share, sign, told_apart
from ecosystemiser.wording import short_ids

__all__ = ["Row", "currency_of", "parameters_of", "runs_table", "short_ids", "status_of", "value_text"]

Row = Mapping[str, Any]
"""A run by column name, as the log gives it."""

LONGEST_ID = 20
"""Where the terminal is narrow, names that people gave are cut to this."""

_LEAST = {"study_id": 7, "system_id": 7, "solver_type": 6}
"""Characters that are left of these where the terminal is narrow."""

_LONGEST_VALUE = 18
_MOST_FIELDS = 6


def currency_of(row: Row) -> str | None:
    """Return the currency that a run's money is counted in, where its row says so."""
    currency = row.get("currency")
    return currency if isinstance(currency, str) else None


def status_of(row: Row, gone: Collection[str]) -> str:
    """Return how a run stands; `gone` are the runs whose owner has died though they stand as running."""
    return OWNER_GONE if row["run_id"] in gone else str(row["simulation_status"])


def parameters_of(row: Row) -> dict[str, Any]:
    """Return the values that a run's varied fields took."""
    try:
        found = json.loads(row.get("parameters_json") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def value_text(value: object) -> str:
    """Return the value that a field took, short."""
    if isinstance(value, bool) or value is None:
        return NOTHING if value is None else str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.6g}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def runs_table(rows: Sequence[Row], width: int | None = None, gone: Collection[str] = ()) -> str:
    """Return runs as a table; what all of them share stands once, above it.

    A field that varies among them has a column where there is room: its component in the head, its name below.
    `gone`: see `status_of`.
    """
    shared = _shared(rows)
    ids = short_ids([row["run_id"] for row in rows])
    currencies = {currency_of(row) for row in rows if row["total_cost"] is not None}
    currency = currencies.pop() if len(currencies) == 1 else None
    costs, emissions = (told_apart([row[name] for row in rows]) for name in ("total_cost", "total_co2"))
    shares = [share(row["self_sufficiency_rate"]) for row in rows]
    heads = [
        _Head("", [sign(status_of(row, gone)) for row in rows]),
        _Head("run", ids, least=min(LONGEST_ID, max(len(short) for short in ids))),
        *_named("study", "study_id", rows, shared, drop=8),
        *_named("system", "system_id", rows, shared, drop=1),
        *_named("solver", "solver_type", rows, shared, drop=0),
        *_varied(rows),
        _Head("cost", costs, f"[{currency}]" if currency else "", is_number=True),
        _Head("CO2", emissions, "[kg]", is_number=True, drop=4),
        _Head("self-suff.", shares, is_number=True, drop=5),
        *_statuses(rows, gone),
        *_gaps(rows),
        *_steps(rows, shared),
        _Head("when", [local_time(row["timestamp"], is_short=True) for row in rows]),
    ]
    is_tall = any(head.is_field for head in heads)
    return f"{_caption(shared)}{as_table([head.column(is_tall=is_tall) for head in heads], width)}"


@dataclass
class _Head:
    """A column, and what stands below its name: its unit, or the name of a field."""

    name: str
    cells: list[str]
    below: str = ""
    is_number: bool = False
    least: int | None = None
    drop: int = 0
    is_field: bool = False

    def column(self, *, is_tall: bool) -> Column:
        """Return the column; where the head of the table is tall, `below` has a line of its own."""
        head, cells = (self.name, [self.below, *self.cells]) if is_tall else (f"{self.name} {self.below}", self.cells)
        return Column(head.strip(), cells, self.is_number, self.least, self.drop)


def _shared(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what all rows say alike."""
    names = ("system_id", "study_id", "solver_type", "timesteps")
    return {name: rows[0][name] for name in names if rows and len({row[name] for row in rows}) == 1}


def _named(head: str, name: str, rows: Sequence[Row], shared: Mapping[str, Any], drop: int) -> list[_Head]:
    if name in shared:
        return []
    return [_Head(head, [row[name] or NOTHING for row in rows], least=_LEAST[name], drop=drop)]


def _varied(rows: Sequence[Row]) -> Iterator[_Head]:
    """Yield a column for each field that varies, first those that most of the runs set."""
    values = [parameters_of(row) for row in rows]
    counts = Counter(path for each in values for path in each)
    cells = {path: [value_text(each[path]) if path in each else NOTHING for each in values] for path in counts}
    varied = [
        path
        for path, _ in counts.most_common()
        if len({cell for each, cell in zip(values, cells[path], strict=True) if path in each}) > 1
    ]
    for at, path in enumerate(varied[:_MOST_FIELDS]):
        component, _, name = path.removeprefix("components.").partition(".")
        drop = 2 + at if at < 2 else 20 + at
        yield _Head(component, cells[path], name, is_number=True, drop=drop, is_field=True)


def _statuses(rows: Sequence[Row], gone: Collection[str]) -> list[_Head]:
    """Return a column of words where a sign says too little: why a run failed, whose owner is gone."""
    words = [status_of(row, gone) for row in rows]
    if all(word == "completed" for word in words):
        return []
    causes = [f": {row['failure_cause']}" if row.get("failure_cause") else "" for row in rows]
    told = [word + cause for word, cause in zip(words, causes, strict=True)]
    return [_Head("status", told, drop=6)]


def _gaps(rows: Sequence[Row]) -> list[_Head]:
    if all(row["mip_gap"] is None for row in rows):
        return []
    return [_Head("gap", [share(row["mip_gap"]) for row in rows], is_number=True, drop=7)]


def _steps(rows: Sequence[Row], shared: Mapping[str, Any]) -> list[_Head]:
    if "timesteps" in shared:
        return []
    counts = [NOTHING if row["timesteps"] is None else f"{row['timesteps']:,}" for row in rows]
    return [_Head("steps", counts, is_number=True, drop=9)]


def _caption(shared: Mapping[str, Any]) -> str:
    parts = [
        f"system {shared['system_id']}" if shared.get("system_id") else "",
        f"study {shared['study_id']}" if shared.get("study_id") else "",
        f"solver {shared['solver_type']}" if shared.get("solver_type") else "",
        f"{shared['timesteps']:,} steps" if shared.get("timesteps") else "",
    ]
    told = ", ".join(part for part in parts if part)
    return f"All of {printable(told)}:\n" if told else ""
