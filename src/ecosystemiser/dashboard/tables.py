"""Rows of the log as tables: units in the heads, three significant digits in the cells, all of them behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from ecosystemiser.charts.numbers import NOTHING, Scale, scale_of, significant
from ecosystemiser.charts.points import parameter_unit
from ecosystemiser.dashboard.words import (
    KPI_BY_NAME,
    PARAMETER,
    head_of,
    meaning_of,
    moment,
    parameters_of,
    status_words,
    unit_of,
)
from ecosystemiser.wording import short_ids

__all__ = ["Column", "currency_of", "framed", "runs_columns", "show_table", "varied_by"]

Row = Mapping[str, Any]

TEXTS = ("run_id", "study_id", "system_id", "solver_type", "simulation_status", "timestamp", "failure_cause")
_DIGITS = {"currency": 4}


@dataclass(frozen=True)
class Column:
    """A column: its head, its values, and how each is written."""

    head: str
    values: list[Any]
    text: Callable[[Any], str] | None = None
    """None: the values are texts as they stand."""
    meaning: str | None = None
    width: int | None = None


def framed(columns: Sequence[Column]) -> tuple[Any, dict[str, Any]]:
    """Return the columns as a styled frame, and what Streamlit is to know of each. Heads that occur twice are told
    apart by a number.
    """
    heads = _apart([column.head for column in columns])
    frame = pd.DataFrame({head: column.values for head, column in zip(heads, columns, strict=True)})
    styled = frame.style
    known: dict[str, Any] = {}
    for head, column in zip(heads, columns, strict=True):
        if column.text is None:
            known[head] = st.column_config.TextColumn(help=column.meaning, width=column.width)
        else:
            frame[head] = pd.to_numeric(frame[head])
            known[head] = st.column_config.NumberColumn(help=column.meaning, width=column.width)
    for head, column in zip(heads, columns, strict=True):
        if column.text is not None:
            styled = styled.format(column.text, subset=[head], na_rep=NOTHING)
    return styled, known


def show_table(columns: Sequence[Column], *, name: str, **more: Any) -> Any:
    """Show columns as a table that a screen reader calls `name`; return what Streamlit says of what is selected."""
    frame, known = framed(columns)
    return st.dataframe(frame, column_config=known, hide_index=True, alt=name, placeholder=NOTHING, **more)


def runs_columns(rows: Sequence[Row], names: Iterable[str], gone: Collection[str] = ()) -> list[Column]:
    """Return the columns `names` of runs; `gone`: the runs whose owner has died though they stand as running.

    Where their money is of several currencies, a column more says which.
    """
    wanted = list(names)
    is_mixed = len({row.get("currency") for row in rows if row.get("total_cost") is not None}) > 1
    money = next((at for at, name in enumerate(wanted) if unit_of(name) == "currency"), None)
    if is_mixed and money is not None and "currency" not in wanted:
        wanted.insert(money + 1, "currency")
    return [_column(rows, name, gone) for name in wanted]


def currency_of(rows: Sequence[Row]) -> str | None:
    """Return the currency of all costs, where it is one."""
    found = {row.get("currency") for row in rows if row.get("total_cost") is not None}
    only = found.pop() if len(found) == 1 else None
    return only if isinstance(only, str) else None


def varied_by(rows: Sequence[Row]) -> list[str]:
    """Return the fields that take more than one value among the runs, as columns."""
    seen: dict[str, set[str]] = {}
    values = [parameters_of(row) for row in rows]
    for path in dict.fromkeys(path for each in values for path in each):
        seen[path] = {repr(each.get(path)) for each in values}
    return [f"{PARAMETER}{path}" for path, found in seen.items() if len(found) > 1]


def _column(rows: Sequence[Row], name: str, gone: Collection[str]) -> Column:
    if name == "simulation_status":
        words = [status_words(row[name], is_gone=row["run_id"] in gone) for row in rows]
        return Column("status", words, width=118)
    if name == "run_id":
        ids = short_ids([row["run_id"] for row in rows])
        return Column("run", ids, meaning="Click an id to open the run.", width=150)
    if name == "timestamp":
        return Column("when [UTC]", [moment(row[name]) for row in rows], width=140)
    if name.startswith(PARAMETER):
        return _parameter(rows, name)
    values = [row.get(name) for row in rows]
    if name in TEXTS or any(isinstance(value, str) for value in values):
        return Column(head_of(name), [NOTHING if value is None else str(value) for value in values])
    return _numbers(rows, name, values)


def _numbers(rows: Sequence[Row], name: str, values: list[Any]) -> Column:
    unit = unit_of(name)
    currency = currency_of(rows)
    scale = Scale(1.0, currency or "") if unit == "currency" else scale_of(unit, values)
    shown = [None if value is None else value / scale.divisor for value in values]
    head = f"{head_of(name)} [{scale.unit}]" if scale.unit else head_of(name)
    is_count = name not in KPI_BY_NAME and all(isinstance(value, int) for value in values if value is not None)
    digits = _DIGITS.get(unit, 3)
    return Column(head, shown, _whole if is_count else lambda value: significant(value, digits), meaning_of(name))


def _parameter(rows: Sequence[Row], name: str) -> Column:
    path = name.removeprefix(PARAMETER)
    unit = parameter_unit(path, currency_of(rows))
    values = [parameters_of(row).get(path) for row in rows]
    head = f"{head_of(name)} [{unit}]" if unit else head_of(name)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values if value is not None):
        return Column(head, values, lambda value: f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}", path)
    return Column(head, [NOTHING if value is None else str(value) for value in values], None, path)


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _apart(heads: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    told = []
    for head in heads:
        seen[head] = seen.get(head, 0) + 1
        told.append(head if seen[head] == 1 else f"{head} ({seen[head]})")
    return told
