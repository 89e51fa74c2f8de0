"""Inputs and KPIs of compared runs as tables, a column for each run."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ecosystemiser.charts.numbers import amount, difference, relative
from ecosystemiser.charts.tokens import Theme, better_or_worse, tokens_of
from ecosystemiser.dashboard.log import history
from ecosystemiser.dashboard.tables import Column, framed, show_table
from ecosystemiser.services.run_comparison import BETTER, ComparedKpi, RunComparison, value_words
from ecosystemiser.wording import NOTHING

__all__ = ["show_all_inputs", "show_changed_inputs", "show_kpis"]

ARROWS = {True: "▲", False: "▼"}


def show_changed_inputs(found: RunComparison, heads: Sequence[str]) -> None:
    """Show the inputs that are not the same in all runs."""
    if not found.inputs:
        st.caption("The inputs are the same.")
        return
    columns = [Column("input", [each.path for each in found.inputs])]
    for at, head in enumerate(heads):
        cells = [value_words(each.values[at], is_there=each.is_there[at]) for each in found.inputs]
        columns.append(Column(head, cells))
    show_table(columns, name="Inputs that differ", height="content")


def show_all_inputs(found: RunComparison, heads: Sequence[str]) -> None:
    """Show every input of every run."""
    inputs = [history().inputs(run) for run in found.runs]
    paths = list(dict.fromkeys(path for own in inputs for path in own))
    columns = [Column("input", paths)]
    for head, own in zip(heads, inputs, strict=True):
        columns.append(Column(head, [value_words(own.get(path), is_there=path in own) for path in paths]))
    show_table(columns, name="All inputs", height=520)


def show_kpis(found: RunComparison, heads: Sequence[str], currency: str | None, theme: Theme) -> None:
    """Show the KPIs that differ: values, differences, per cent; an arrow, a word and a colour say what is better."""
    differing = [each for each in found.kpis if not each.agrees]
    if not differing:
        st.caption("All KPIs are the same.")
        return
    columns = [Column("KPI", [each.kpi.name for each in differing])]
    for at, head in enumerate(heads):
        values = [amount(each.values[at], each.kpi.unit, currency) for each in differing]
        columns.append(Column(head, values, meaning=found.runs[at]))
        if at:
            told = [_change(each, at, currency, is_ranked=found.is_rankable[at]) for each in differing]
            columns.append(Column(f"{head} − baseline", told))  # noqa: RUF001 - a minus sign
    frame, known = framed(columns)
    tokens = tokens_of(theme)

    def style(text: object) -> str:
        for word, is_better in (("better", True), ("worse", False)):
            if str(text).endswith(word):
                return f"color: {better_or_worse(tokens, is_better=is_better)[0]}"
        return ""

    frame.map(style, subset=[column.head for column in columns if column.head.endswith("baseline")])
    st.dataframe(frame, column_config=known, hide_index=True, alt="KPIs that differ", height="content")
    same = sum(each.agrees and each.values[0] is not None for each in found.kpis)
    if same:
        st.caption(f"{same} more KPIs are the same.")


def _change(each: ComparedKpi, at: int, currency: str | None, *, is_ranked: bool) -> str:
    change = each.differences[at - 1]
    if change.absolute is None or change.agrees:
        return NOTHING
    told = f"{ARROWS[change.absolute > 0]} {difference(change.absolute, each.kpi.unit, currency)}"
    if change.relative is not None and each.kpi.unit != "share":
        told += f" ({relative(change.relative)})"
    word = BETTER[change.better if is_ranked else None]
    return f"{told} {word}".strip()
