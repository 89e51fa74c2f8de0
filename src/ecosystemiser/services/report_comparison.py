"""What a report says of several runs beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecosystemiser import charts
from ecosystemiser.charts import RunCurves
from ecosystemiser.charts.numbers import difference, relative
from ecosystemiser.services.report_page import Block, Drawing, Part, Table, Text
from ecosystemiser.services.run_comparison import ComparedKpi, RunComparison, value_words
from ecosystemiser.wording import amount

__all__ = ["input_rows", "kpi_rows", "parts_of_comparison", "series_to_show"]

Row = Mapping[str, Any]

MOST_CURVES = 3


def input_rows(found: RunComparison) -> list[list[str]]:
    """Return a row for each input that differs: its path, then its value in each run."""
    return [
        [
            each.path,
            *(value_words(value, is_there=has) for value, has in zip(each.values, each.is_there, strict=True)),
        ]
        for each in found.inputs
    ]


def kpi_rows(found: RunComparison, currency: str | None) -> list[list[str]]:
    """Return a row for each KPI that differs: its name, the baseline's value, of each other run value and change."""
    return [
        [
            each.kpi.name,
            amount(each.values[0], each.kpi.unit, currency),
            *(_changed(each, at, currency, is_ranked=found.is_rankable[at]) for at in range(1, len(each.values))),
        ]
        for each in found.kpis
        if not each.agrees
    ]


def _changed(each: ComparedKpi, at: int, currency: str | None, *, is_ranked: bool) -> str:
    """Return a value, how it differs, and whether that is better: an arrow and a word, so that no colour is needed."""
    change = each.differences[at - 1]
    value = amount(each.values[at], each.kpi.unit, currency)
    if change.absolute is None or change.agrees:
        return value
    arrow = "▲" if change.absolute > 0 else "▼"
    told = [difference(change.absolute, each.kpi.unit, currency)]
    told += [relative(change.relative)] if each.kpi.unit != "share" and change.relative is not None else []
    word = {"a": ", worse", "b": ", better", None: ""}[change.better if is_ranked else None]
    return f"{value} ({arrow} {', '.join(told)}{word})"


def series_to_show(curves: Sequence[RunCurves]) -> list[str]:
    """Return the series that tell most of a comparison: purchases, then contents of storages."""
    known = charts.common_series(curves)
    chosen = [path for path in known if path.endswith(".import")] + [path for path in known if path.endswith(".level")]
    return (chosen or known)[:MOST_CURVES]


def parts_of_comparison(
    found: RunComparison, rows: Sequence[Row], curves: Sequence[RunCurves | None], missing: Sequence[str]
) -> Iterator[Part]:
    """Yield the parts of a report of a comparison; `missing` says why runs have no curves."""
    names = [f"{name} (baseline)" if at == 0 else name for at, name in enumerate(found.names)]
    currencies = {row.get("currency") for row in rows}
    currency = str(next(iter(currencies))) if len(currencies) == 1 else None
    inputs: list[Block] = [Text(text, is_warning=True) for text in found.warnings]
    changed = input_rows(found)
    inputs.append(Table(("input", *names), changed) if changed else Text("The inputs are the same."))
    yield Part("What was changed", inputs)
    drawn = [each for each in curves if each is not None]
    notes = [Text(text, is_warning=True) for text in (*missing, *(note for each in drawn for note in each.notes))]
    labels = [name for name, each in zip(names, curves, strict=True) if each is not None]
    costs: list[Block] = list(notes)
    if drawn:
        caption = "Costs over the run by kind; parts by component on hover."
        costs.append(Drawing(charts.cost_stacks(drawn, labels), caption))
    yield Part("Costs", costs)
    yield Part("KPIs", tuple(_kpis(found, rows, names, currency)))
    if len(drawn) > 1:
        yield Part("Curves", tuple(_curves(drawn, labels)))


def _kpis(found: RunComparison, rows: Sequence[Row], names: Sequence[str], currency: str | None) -> Iterator[Block]:
    told = kpi_rows(found, currency)
    if not told:
        yield Text("All KPIs are the same.")
        return
    yield Table(("KPI", *names), told, frozenset(range(1, len(names) + 1)))
    for row, name, is_ranked in zip(rows[1:], names[1:], found.is_rankable[1:], strict=True):
        changes = charts.kpi_changes(rows[0], row)
        caption = f"{name} beside the baseline"
        caption += ": blue is better, orange worse, grey neither." if is_ranked else "; neither may be called better."
        yield Drawing(charts.kpi_differences(changes, currency=currency, is_ranked=is_ranked), caption)


def _curves(drawn: Sequence[RunCurves], names: Sequence[str]) -> Iterator[Block]:
    together = charts.aligned(drawn)
    yield from (Text(note) for note in together.notes)
    if together.reason is not None:
        yield Text(together.reason, is_warning=True)
    for path in series_to_show(drawn):
        if together.runs:
            caption = f"{path} of the runs, and by how much each differs from the baseline."
            yield Drawing(charts.overlay(together.runs, path, names), caption)
        yield Drawing(charts.durations(drawn, path, names), f"{path}: for how many hours it was at least so large.")
        yield Drawing(charts.months(drawn, path, names), f"{path}, month by month.")
    for run, name in zip(drawn, names, strict=True):
        yield Drawing(charts.sankey(run), f"Energy in {name}, summed over the run.")
