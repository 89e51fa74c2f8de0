"""Several runs beside a baseline, as a page for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ecosystemiser.cli.history_report import run_head
from ecosystemiser.cli.run_list import Row, currency_of
from ecosystemiser.cli.tables import Column, as_table
from ecosystemiser.cli.text import NOTHING, amount, significant, wrapped
from ecosystemiser.services.run_comparison import BETTER, value_words

if TYPE_CHECKING:
    from ecosystemiser.services.run_comparison import ComparedKpi, RunComparison

__all__ = ["comparison_report"]

_VALUE_LEAST = 8
"""Characters that are left of an input where the terminal is narrow."""


def comparison_report(found: RunComparison, rows: Sequence[Row], width: int) -> str:
    """Return runs beside the first: which they are, warnings, inputs that differ, KPIs with their changes."""
    letters = [chr(ord("a") + at) for at in range(len(rows))]
    heads = [f"{letter}  {run_head(row)}" for letter, row in zip(letters, rows, strict=True)]
    parts = ["\n".join([f"{heads[0]} (baseline)", *heads[1:]])]
    parts.append("\n".join(wrapped(f"! {text}", width) for text in found.warnings))
    parts.append(_inputs(found, letters, width))
    parts.append(_kpis(found, letters, _shared_currency(rows), width))
    return "\n\n".join(part for part in parts if part)


def _inputs(found: RunComparison, letters: Sequence[str], width: int) -> str:
    if not found.inputs:
        return "The inputs are the same."
    columns = [Column("input", [each.path for each in found.inputs], least=20)]
    for at, letter in enumerate(letters):
        cells = [value_words(each.values[at], is_there=each.is_there[at]) for each in found.inputs]
        columns.append(Column(letter, cells, least=_VALUE_LEAST))
    return f"Inputs that differ\n{as_table(columns, width, indent='  ')}"


def _kpis(found: RunComparison, letters: Sequence[str], currency: str | None, width: int) -> str:
    differing = [each for each in found.kpis if not each.agrees]
    if not differing:
        return "All KPIs are the same."
    columns = [Column("KPI", [each.kpi.name for each in differing], least=16)]
    for at, letter in enumerate(letters):
        values = [amount(each.values[at], each.kpi.unit, currency) for each in differing]
        columns.append(Column(letter, values, is_number=True))
        if at:
            changes = [_change(each, at, is_ranked=found.is_rankable[at]) for each in differing]
            columns.append(Column(f"{letter} - a", changes, is_number=True, drop=at))
    same = sum(each.agrees and each.values[0] is not None for each in found.kpis)
    legend = "+ better, ! worse than the baseline, where they may be ranked"
    more = f"; {same} more are the same" if same else ""
    return f"KPIs that differ\n{as_table(columns, width, indent='  ')}\n{wrapped(f'{legend}{more}.', width, '  ')}"


def _change(each: ComparedKpi, at: int, *, is_ranked: bool) -> str:
    """Return how a run differs from the baseline, with a sign for better or worse."""
    change = each.differences[at - 1]
    if change.absolute is None or change.agrees:
        return NOTHING
    sign = {"better": " +", "worse": " !", "": "  "}[BETTER[change.better if is_ranked else None]]
    if each.kpi.unit == "share":
        return f"{100 * change.absolute:+.3g} pp{sign}"
    if change.relative is None:
        told = significant(abs(change.absolute))
    else:
        told = f"{significant(abs(100 * change.relative))} %"
    return f"{'+' if change.absolute > 0 else '-'}{told}{sign}"


def _shared_currency(rows: Sequence[Row]) -> str | None:
    currencies = {currency_of(row) for row in rows}
    return currencies.pop() if len(currencies) == 1 else None
