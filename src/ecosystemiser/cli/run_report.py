"""One run as pages for people: what stands in its row, in groups."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ecosystemiser.cli.run_list import Row, currency_of
from ecosystemiser.cli.tables import Column, as_pairs, as_table
from ecosystemiser.cli.text import (
    NOTHING,
    amount,
    duration,
    local_time,
    money,
    printable,
    share,
    sign,
    significant,
    wrapped,
)
from ecosystemiser.kpis import KPI_NAMES, KPIS, Kpi

__all__ = ["REMEDIES", "error_of", "failure_report", "run_report"]

REMEDIES = {
    "infeasible": "Raise the limits of what supplies the demand, or give a demand unmet_cost_per_kwh (per m3).",
    "unmet": "Raise what supplies this demand, give it an unmet_cost_per_kwh, or plan ahead: --solver hybrid or milp.",
    "unbounded": "Limit what is sold (export_limit_kw), or sell for less than what is bought costs.",
    "data": "Correct the file or the option that the message names; ecosystemiser check SYSTEM looks at all.",
    "timeout": "Allow more time (--time-limit), take fewer steps (--steps), or --solver hybrid or rule_based.",
    "memory": "Take fewer steps (--steps), or close other programs.",
    "crash": "This is a fault of the program: please report it. Try another solver meanwhile.",
    "balance": "This is a fault of the solver: please report it with the file. Try another solver meanwhile.",
    "solver": "Try another solver, and look for extreme numbers in the file (1e9 beside 1e-9).",
    "storage": "Make room or choose another folder (--output), then run it again.",
}
"""What to do, by the cause that stands in a run's row."""

WITH_MEANINGS = 120
"""From this width on there is room for what each KPI means."""


def _is(*units: str) -> Callable[[Kpi], bool]:
    return lambda kpi: kpi.unit in units and kpi.domain != "water"


_GROUPS: tuple[tuple[str, Callable[[Kpi], bool]], ...] = (
    ("Money", _is("currency")),
    ("CO2 equivalent", _is("kg")),
    ("Shares", _is("share")),
    ("Energy", _is("kWh", "kW", "1")),
    ("Water", lambda kpi: kpi.domain == "water"),
)
_SOLVE: dict[str, Callable[[Any], str]] = {
    "solver_type": printable,
    "solver_status": printable,
    "mip_gap": share,
    "solve_seconds": duration,
    "wall_seconds": duration,
    "balance_residual": significant,
}
_FILES = ("results_path", "flows_path", "components_path", "hourly_sha256")
_HASHES = ("hourly_sha256", "config_hash")
_HASH_SHOWN = 12
_TOLD_ELSEWHERE = (
    *("run_id", "simulation_status", "system_id", "study_id", "timesteps", "timestamp"),
    *("objective", "bound", "metadata_json", "failure_cause", "failure_stage"),
)


def run_report(row: Row, width: int) -> str:
    """Return everything that a run's row says, in groups."""
    parts = [_head(row), failure_report(row), *_kpi_groups(row, width), _group("How it was solved", _solve(row))]
    parts.append(_group("Where the hours are", [(name, _value(row, name)) for name in _FILES if row.get(name)]))
    parts.append(_group("More", _rest(row)))
    return "\n\n".join(part for part in parts if part)


def failure_report(row: Row) -> str:
    """Return why a run failed, and what to do; empty for one that did not."""
    if row["simulation_status"] != "failed":
        return ""
    cause, stage = row.get("failure_cause") or "unknown", row.get("failure_stage") or "unknown"
    remedy = REMEDIES.get(cause, "")
    told = [("cause", cause), ("stage", stage), ("error", error_of(row)), ("remedy", remedy)]
    return _group("Why it failed", [(name, text) for name, text in told if text])


def error_of(row: Row) -> str:
    """Return the error that a failed run's row holds."""
    try:
        noted = json.loads(row.get("metadata_json") or "{}")
    except ValueError:
        return ""
    return str(noted.get("error", "")) if isinstance(noted, dict) else ""


def _head(row: Row) -> str:
    status = str(row["simulation_status"])
    steps = f", {row['timesteps']:,} steps" if row.get("timesteps") else ""
    study = f", study {row['study_id']}" if row.get("study_id") else ""
    return (
        f"{sign(status)} {status}: run {printable(row['run_id'])}\n"
        f"  {printable(row.get('system_id') or NOTHING)}{steps}{study}, begun {local_time(row.get('timestamp'))}"
    )


def _kpi_groups(row: Row, width: int) -> Iterator[str]:
    """Yield the KPIs; names on the left, values beside them."""
    currency = currency_of(row)
    if all(row.get(name) is None for name in KPI_NAMES):
        return
    longest = max(len(name) for name in KPI_NAMES)
    for title, belongs in _GROUPS:
        kpis = [kpi for kpi in KPIS if belongs(kpi) and row.get(kpi.name) is not None]
        values = [amount(row[kpi.name], kpi.unit, currency) for kpi in kpis]
        if kpis:
            columns = [Column("", [f"{kpi.name:<{longest}}" for kpi in kpis]), Column("", values, is_number=True)]
            if width >= WITH_MEANINGS:
                columns.append(Column("", [_first_sentence(kpi.meaning) for kpi in kpis], least=10))
            yield f"{title}\n{as_table(columns, width, indent='  ')}"
    missing = [kpi.name for kpi in KPIS if row.get(kpi.name) is None]
    if missing:
        yield wrapped(f"Without a value here: {', '.join(missing)}", width)


def _first_sentence(meaning: str) -> str:
    return meaning.partition(";")[0].partition(":")[0].removesuffix(".")


def _solve(row: Row) -> list[tuple[str, str]]:
    currency = currency_of(row)
    told = [(name, show(row[name])) for name, show in _SOLVE.items() if row.get(name) is not None]
    return told + [(name, money(row[name], currency)) for name in ("objective", "bound") if row.get(name) is not None]


def _rest(row: Row) -> list[tuple[str, str]]:
    """Return what no other group shows, so that a new column is never left out."""
    shown = {*KPI_NAMES, *_SOLVE, *_FILES, *_TOLD_ELSEWHERE}
    return [(name, _value(row, name)) for name, value in row.items() if name not in shown and value is not None]


def _value(row: Row, name: str) -> str:
    """Return a value as text; of a hash the beginning, which tells two apart."""
    text = str(row[name])
    return f"{text[:_HASH_SHOWN]}…" if name in _HASHES and len(text) > _HASH_SHOWN else text


def _group(title: str, pairs: list[tuple[str, str]]) -> str:
    return f"{title}\n{as_pairs(pairs)}" if pairs else ""
