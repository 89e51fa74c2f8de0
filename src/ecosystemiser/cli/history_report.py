"""Differences and verdicts as pages for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecosystemiser.cli.run_list import Row, currency_of
from ecosystemiser.cli.tables import Column, as_pairs, as_table
from ecosystemiser.cli.text import NOTHING, amount, local_time, printable, sign, significant, wrapped
from ecosystemiser.services.run_comparison import plain_value, value_words

if TYPE_CHECKING:
    from ecosystemiser.services.environment import VersionChange
    from ecosystemiser.services.run_diff import InputDifference, KpiDifference, RunDiff
    from ecosystemiser.services.run_history import VerifiedRun
    from ecosystemiser.services.verification import Verification

__all__ = [
    "diff_records",
    "diff_report",
    "run_head",
    "verdict_line",
    "verdicts_counted",
    "verification_report",
]

_VERDICT_SIGNS = {
    "same": "✓",
    "another optimum": "✓",
    "drift": "✕",
    "inputs changed": "!",
    "cannot be recomputed": "?",
}
_VALUE_LEAST = 12
"""Characters that are left of an input where the terminal is narrow."""


def diff_records(found: RunDiff) -> dict[str, list[dict[str, Any]]]:
    """Return the differences as plain data: `inputs`, `kpis` (those that a run has), `versions`."""
    inputs = [
        {"name": each.path, "kind": each.kind, "a": plain_value(each.a), "b": plain_value(each.b)}
        for each in found.inputs
    ]
    kpis = [
        {"name": each.kpi.name, "unit": each.kpi.unit, "a": each.a, "b": each.b}
        | {"absolute": each.absolute, "relative": each.relative, "better": each.better if found.is_rankable else None}
        for each in found.kpis
        if each.a is not None or each.b is not None
    ]
    versions = [{"name": each.name, "a": each.then, "b": each.now} for each in found.versions]
    return {"inputs": inputs, "kpis": kpis, "versions": versions}


def diff_report(found: RunDiff, a: Row, b: Row, width: int) -> str:
    """Return two runs side by side: which they are, warnings, inputs, KPIs, versions."""
    heads = "\n".join(f"{name}  {run_head(row)}" for name, row in (("a", a), ("b", b)))
    parts = [heads, "\n".join(wrapped(f"! {text}", width) for text in found.warnings)]
    parts.append(_inputs(found.inputs, width))
    parts.append(_kpis(found.kpis, _shared_currency(a, b), width, is_rankable=found.is_rankable))
    parts.append(_versions(found.versions, ("a", "b"), width))
    return "\n\n".join(part for part in parts if part)


def verification_report(found: Verification, width: int) -> str:
    """Return what became of one run: the verdict, its hours, what differs."""
    head = f"{_VERDICT_SIGNS[found.verdict]} {found.verdict}: run {printable(found.run_id)}"
    parts = [f"{head}\n{wrapped(found.reason, width, '  ')}", as_pairs([("hours", found.hours)])]
    if found.kpis:
        columns = [
            Column("KPI", [each.name for each in found.kpis]),
            Column("then", [_exact(each.then) for each in found.kpis], is_number=True),
            Column("now", [_exact(each.now) for each in found.kpis], is_number=True),
        ]
        parts.append(f"KPIs that differ\n{as_table(columns, width, indent='  ')}")
    parts.append(_versions(found.versions, ("then", "now"), width))
    return "\n\n".join(part for part in parts if part)


def verdict_line(found: VerifiedRun, width: int) -> str:
    """Return what became of one run of a study, on one line where there is nothing to explain."""
    one = found.verification
    counted = f"{found.done:>{len(str(found.total))}}/{found.total}"
    hours = "" if one.hours in ("intact", "not kept") else f", hours {one.hours}"
    head = f"{_VERDICT_SIGNS[one.verdict]} {counted}  {printable(one.run_id)}  {one.verdict}{hours}"
    return head if one.is_sound else f"{head}\n{wrapped(one.reason, width, '    ')}"


def verdicts_counted(found: Sequence[Verification]) -> str:
    """Return how many runs had each verdict, and how many hours are lost."""
    counts = Counter(each.verdict for each in found)
    told = [f"{counts[verdict]:,} {verdict}" for verdict in counts]
    lost = sum(each.hours in ("missing", "damaged") for each in found)
    return ", ".join(told + ([f"hours of {lost:,} missing or damaged"] if lost else [])) + "."


def run_head(row: Row) -> str:
    """Return which run it is, on two lines."""
    steps = f", {row['timesteps']:,} steps" if row.get("timesteps") else ""
    told = f"{printable(row.get('system_id') or NOTHING)}{steps}, {printable(row.get('solver_type') or NOTHING)}"
    status = str(row.get("simulation_status"))
    return f"{sign(status)} {printable(row['run_id'])}\n   {told}, begun {local_time(row.get('timestamp'))}"


def _inputs(found: Sequence[InputDifference], width: int) -> str:
    if not found:
        return "The inputs are the same."
    columns = [
        Column("input", [each.path for each in found], least=20),
        Column("a", [value_words(each.a, is_there=each.kind != "added") for each in found], least=_VALUE_LEAST),
        Column("b", [value_words(each.b, is_there=each.kind != "removed") for each in found], least=_VALUE_LEAST),
    ]
    return f"Inputs that differ\n{as_table(columns, width, indent='  ')}"


def _kpis(found: Sequence[KpiDifference], currency: str | None, width: int, *, is_rankable: bool) -> str:
    differing = [each for each in found if not each.agrees]
    if not differing:
        return "All KPIs are the same."
    columns = [
        Column("KPI", [each.kpi.name for each in differing], least=16),
        Column("a", [amount(each.a, each.kpi.unit, currency) for each in differing], is_number=True),
        Column("b", [amount(each.b, each.kpi.unit, currency) for each in differing], is_number=True),
        Column("b - a", [_change(each, currency) for each in differing], is_number=True, drop=1),
        Column("%", [_relative(each) for each in differing], is_number=True, drop=2),
    ]
    if is_rankable:
        columns.append(Column("better", [each.better or NOTHING for each in differing]))
    same = sum(each.agrees and each.a is not None for each in found)
    more = f"\n  {same} more are the same." if same else ""
    return f"KPIs that differ\n{as_table(columns, width, indent='  ')}{more}"


def _change(each: KpiDifference, currency: str | None) -> str:
    if each.absolute is None:
        return NOTHING
    if each.kpi.unit == "share":
        return f"{100 * each.absolute:+.3g} pp"
    told = amount(each.absolute, each.kpi.unit, currency)
    return told if each.absolute < 0 else f"+{told}"


def _relative(each: KpiDifference) -> str:
    if each.relative is None or each.kpi.unit == "share":
        return NOTHING
    percent = 100 * each.relative
    return f"{'+' if percent > 0 else ''}{significant(percent)}" if abs(percent) >= 0.01 else "<0.01"


def _versions(found: Sequence[VersionChange], heads: tuple[str, str], width: int) -> str:
    if not found:
        return ""
    columns = [
        Column("", [each.name for each in found]),
        Column(heads[0], [_version(each.then) for each in found], least=_VALUE_LEAST),
        Column(heads[1], [_version(each.now) for each in found], least=_VALUE_LEAST),
    ]
    return f"Program and machine\n{as_table(columns, width, indent='  ')}"


def _version(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None else str(value)


def _exact(value: float | None) -> str:
    """Return a number with the digits that show how little it differs."""
    return NOTHING if value is None else f"{value:.12g}"


def _shared_currency(a: Row, b: Row) -> str | None:
    one, other = (currency_of(row) or row.get("currency") for row in (a, b))
    return one if one == other else None
