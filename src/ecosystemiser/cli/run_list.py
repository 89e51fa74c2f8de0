"""Runs as rows of a table, and their ids as short as they can be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any

from ecosystemiser.cli.tables import Column, as_table
from ecosystemiser.cli.text import NOTHING, local_time, printable, share, sign, significant

__all__ = ["Row", "currency_of", "runs_table", "short_ids"]

Row = Mapping[str, Any]
"""A run by column name, as the log gives it."""

LEAST_ID = 13
"""Characters of a run id that tell the millisecond at which it was made."""

LONGEST_ID = 20
"""Where the terminal is narrow, names that people gave are cut to this."""


def short_ids(run_ids: Sequence[str]) -> list[str]:
    """Return the beginning of each id that no other of them shares, of 13 characters or more."""
    ordered = sorted(set(run_ids))
    needed = dict.fromkeys(ordered, LEAST_ID)
    for one, other in pairwise(ordered):
        shared = _shared_start(one, other) + 1
        needed[one], needed[other] = max(needed[one], shared), max(needed[other], shared)
    return [run_id[: needed[run_id]].rstrip("-") for run_id in run_ids]


def currency_of(row: Row) -> str | None:
    """Return the currency that a run's money is counted in, where its row says so."""
    try:
        noted = json.loads(row.get("metadata_json") or "{}")
    except ValueError:
        return None
    currency = noted.get("currency") if isinstance(noted, dict) else None
    return currency if isinstance(currency, str) else None


def _shared_start(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def runs_table(rows: Sequence[Row], width: int | None = None) -> str:
    """Return runs as a table; what all of them share stands once, above it."""
    shared = _shared(rows)
    ids = short_ids([row["run_id"] for row in rows])
    currencies = {currency_of(row) for row in rows}
    currency = currencies.pop() if len(currencies) == 1 else None
    columns = [
        Column("", [sign(row["simulation_status"]) for row in rows]),
        Column("run", ids, least=min(LONGEST_ID, max(len(short) for short in ids))),
        *_named("study", "study_id", rows, shared, drop=5),
        *_named("system", "system_id", rows, shared, drop=1),
        Column("solver", [row["solver_type"] or NOTHING for row in rows], least=6),
        Column(f"cost [{currency}]" if currency else "cost", _numbers(rows, "total_cost"), is_number=True),
        Column("CO2 [kg]", _numbers(rows, "total_co2"), is_number=True, drop=2),
        Column("self-suff.", [share(row["self_sufficiency_rate"]) for row in rows], is_number=True, drop=3),
        Column("gap", [share(row["mip_gap"]) for row in rows], is_number=True, drop=4),
        Column("when", [local_time(row["timestamp"], is_short=True) for row in rows]),
    ]
    if "timesteps" not in shared:
        columns.insert(-1, Column("steps", [_count(row["timesteps"]) for row in rows], is_number=True, drop=6))
    return f"{_caption(shared)}{as_table(columns, width)}"


def _shared(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what all rows say alike."""
    names = ("system_id", "study_id", "timesteps")
    return {name: rows[0][name] for name in names if rows and len({row[name] for row in rows}) == 1}


def _named(head: str, name: str, rows: Sequence[Row], shared: Mapping[str, Any], drop: int) -> list[Column]:
    if name in shared:
        return []
    return [Column(head, [row[name] or NOTHING for row in rows], least=7, drop=drop)]


def _numbers(rows: Iterable[Row], name: str) -> list[str]:
    return [NOTHING if row[name] is None else significant(row[name]) for row in rows]


def _count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def _caption(shared: Mapping[str, Any]) -> str:
    parts = [
        f"system {shared['system_id']}" if shared.get("system_id") else "",
        f"study {shared['study_id']}" if shared.get("study_id") else "",
        f"{shared['timesteps']:,} steps" if shared.get("timesteps") else "",
    ]
    told = ", ".join(part for part in parts if part)
    return f"All of {printable(told)}:\n" if told else ""
