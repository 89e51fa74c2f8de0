"""Two to eight runs beside a baseline: changed inputs first, then KPIs, and what speaks against ranking them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecosystemiser.analyser.comparison import KpiDifference, Value
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.kpis import Kpi
from ecosystemiser.services.run_diff import RunDiff, diff_of
from ecosystemiser.wording import NOTHING, short_ids

__all__ = [
    "BETTER",
    "CSV_NAMES",
    "MOST_COMPARED",
    "ComparedInput",
    "ComparedKpi",
    "RunComparison",
    "check_number",
    "compare_rows",
    "comparison_cells",
    "comparison_records",
    "plain_value",
    "value_words",
]

MOST_COMPARED = 8
"""More cannot be told apart, neither by colours nor in a table."""

CSV_NAMES = ("what", "name", "unit", "run", "value", "absolute", "relative", "better")
"""What `comparison_cells` holds of each."""
BETTER = {"a": "worse", "b": "better", None: ""}
"""What a run is beside the baseline, by which of the two is better."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ComparedInput:
    """An input that is not the same in all runs."""

    path: str
    values: tuple[Value, ...]
    """In the order of the runs; None where a run does not have it."""
    is_there: tuple[bool, ...]
    """Whether each run has it."""


@dataclass(frozen=True)
class ComparedKpi:
    """One KPI of all runs."""

    kpi: Kpi
    values: tuple[float | None, ...]
    """In the order of the runs."""
    differences: tuple[KpiDifference, ...]
    """Of each run but the baseline from it: `a` is the baseline's, `b` the run's."""

    @property
    def agrees(self) -> bool:
        """Whether all runs have the same value."""
        return all(each.agrees for each in self.differences)


@dataclass(frozen=True)
class RunComparison:
    """What differs between runs; the first of them is the baseline."""

    runs: tuple[str, ...]
    names: tuple[str, ...]
    """The beginnings of their ids that tell them apart."""
    inputs: tuple[ComparedInput, ...]
    kpis: tuple[ComparedKpi, ...]
    """Every declared KPI."""
    warnings: tuple[str, ...]
    """Why none may be called better than another, and what could not be compared."""
    is_rankable: tuple[bool, ...]
    """Whether each run may be called better or worse than the baseline; that of the baseline is True."""


def check_number(runs: Sequence[str]) -> None:
    """Raise InputError unless two to eight different runs are named."""
    twice = [run for at, run in enumerate(runs) if run in runs[:at]]
    if twice:
        raise InputError([Finding("is named twice", "name each run once", "RUN", twice[0])])
    if not 2 <= len(runs) <= MOST_COMPARED:
        remedy = f"name two to {MOST_COMPARED}, the baseline first: ecosystemiser runs compare A B"
        raise InputError([Finding(f"{len(runs)} named", remedy, "RUN")])


def compare_rows(rows: Sequence[Row]) -> RunComparison:
    """Return the runs of rows beside the first of them. Raises InputError where two words named the same run."""
    runs = tuple(str(row["run_id"]) for row in rows)
    check_number(runs)
    names = tuple(short_ids(runs))
    diffs = [diff_of(rows[0], row, (names[0], name)) for row, name in zip(rows[1:], names[1:], strict=True)]
    told = tuple(_warnings(diffs, names))
    is_rankable = (True, *(diff.is_rankable for diff in diffs))
    return RunComparison(runs, names, tuple(_inputs(diffs)), tuple(_kpis(diffs)), told, is_rankable)


def _inputs(diffs: Sequence[RunDiff]) -> list[ComparedInput]:
    """Return the inputs that any run has otherwise than the baseline, in the order of the files."""
    paths = list(dict.fromkeys(each.path for diff in diffs for each in diff.inputs))
    found = []
    for path in paths:
        own = [next((each for each in diff.inputs if each.path == path), None) for diff in diffs]
        first = next(each for each in own if each is not None)
        base, has_base = first.a, first.kind != "added"
        values = [base, *(base if each is None else each.b for each in own)]
        is_there = [has_base, *(has_base if each is None else each.kind != "removed" for each in own)]
        found.append(ComparedInput(path, tuple(values), tuple(is_there)))
    return found


def _kpis(diffs: Sequence[RunDiff]) -> list[ComparedKpi]:
    rows = zip(*(diff.kpis for diff in diffs), strict=True)
    return [ComparedKpi(own[0].kpi, (own[0].a, *(each.b for each in own)), tuple(own)) for own in rows]


def _warnings(diffs: Sequence[RunDiff], names: Sequence[str]) -> list[str]:
    """Return the warnings of all pairs, each once; with three runs or more each says which run it is about."""
    if len(diffs) == 1:
        return list(diffs[0].warnings)
    told = [
        text if text.startswith("run ") else f"{name} beside the baseline: {text}"
        for diff, name in zip(diffs, names[1:], strict=True)
        for text in diff.warnings
    ]
    return list(dict.fromkeys(told))


def value_words(value: object, *, is_there: bool = True) -> str:
    """Return an input as it is written in a file; a dash where a run has none."""
    if not is_there:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(value_words(each) for each in value)}]"
    return "null" if value is None else str(value)


def plain_value(value: object) -> Any:
    """Return an input as JSON can hold it."""
    if isinstance(value, tuple):
        return [plain_value(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def comparison_records(found: RunComparison) -> dict[str, Any]:
    """Return the comparison as plain data: `runs`, baseline first, `warnings`, `inputs`, `kpis`."""
    inputs = [{"name": each.path, "values": [plain_value(value) for value in each.values]} for each in found.inputs]
    kpis = [
        {
            "name": each.kpi.name,
            "unit": each.kpi.unit,
            "values": list(each.values),
            "absolute": [None, *(change.absolute for change in each.differences)],
            "relative": [None, *(change.relative for change in each.differences)],
            "better": [None, *(BETTER[change.better] or None for change in each.differences)],
        }
        for each in found.kpis
        if any(value is not None for value in each.values)
    ]
    return {"baseline": found.runs[0], "runs": found.runs, "warnings": found.warnings, "inputs": inputs, "kpis": kpis}


def comparison_cells(found: RunComparison) -> list[dict[str, Any]]:
    """Return a row of CSV for each input, or KPI, of each run."""
    cells = []
    for what in ("inputs", "kpis"):
        for record in comparison_records(found)[what]:
            for at, run in enumerate(found.runs):
                changes = {name: record[name][at] for name in ("absolute", "relative", "better") if name in record}
                row = {"what": what, "name": record["name"], "unit": record.get("unit"), "run": run}
                cells.append({**row, "value": record["values"][at], **changes})
    return cells
