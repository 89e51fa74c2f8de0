"""One run as pages for people: what stands in its row, in groups."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from ecosystemiser.cli.run_list import Row, currency_of, status_of
from ecosystemiser.cli.tables import Column, as_pairs, as_table
from ecosystemiser.cli.text import (
    NOTHING,
    OWNER_GONE,
    amount,
    duration,
    local_time,
    money,
    printable,
    share,
    signed,
    significant,
    wrapped,
)
from ecosystemiser.kpis import KPI_NAMES, KPIS, Kpi
from ecosystemiser.services.remedies import REMEDIES

__all__ = ["REMEDIES", "error_of", "failure_report", "next_steps", "run_report"]

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
    *("objective", "bound", "metadata_json", "failure_cause", "failure_stage", "currency", "seed", "config_hash"),
    *("note", "retry_of", "reused_from", "kpis_json"),
    *("parameters_json", "system_json", "files_json", "config_json", "environment_json"),
)


def run_report(row: Row, width: int, tags: Collection[str] = (), gone: Collection[str] = ()) -> str:
    """Return everything that a run's row says, in groups; `gone`: see `status_of`."""
    parts = [_head(row, gone), failure_report(row), _group("What people noted", _noted(row, tags))]
    parts += [
        *_kpi_groups(row, width),
        _group("KPIs from outside, and the investment", _outside(row)),
        _group("How it was solved", _solve(row)),
    ]
    parts.append(_group("Where the hours are", _files(row)))
    parts.append(_group("What it was made from", _origin(row)))
    parts.append(_group("More", _rest(row)))
    return "\n\n".join(part for part in parts if part)


_SENTENCES = {
    OWNER_GONE: "The process that solved it has died; the next write to the log closes it, or db check.",
    "cancelled": "It was stopped before it had a result.",
    "interrupted": "The process that solved it died before there was a result.",
}


def next_steps(row: Row, gone: Collection[str] = ()) -> str:
    """Return what can be done about a run, as commands, after a sentence where it has no result."""
    status, run, study = status_of(row, gone), row["run_id"], row.get("study_id")
    again = [f"runs rerun {run}", *([f"study resume {study}"] if study else [])]
    commands = {
        OWNER_GONE: ["db check", *again],
        "running": [f"study cancel {study}" if study else f"runs cancel {run}"],
        "completed": [f"runs verify {run}", f"runs tag {run} --add WORD"],
        "failed": again[:1],
        "cancelled": again,
        "interrupted": again,
    }.get(status, [])
    lines = [f"{'Next:' if at == 0 else '':<6}ecosystemiser {command}" for at, command in enumerate(commands)]
    return "\n".join([_SENTENCES[status], *lines] if status in _SENTENCES else lines)


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
    return str(_json_of(row, "metadata_json").get("error", ""))


def _head(row: Row, gone: Collection[str]) -> str:
    steps = f", {row['timesteps']:,} steps" if row.get("timesteps") else ""
    study = f", study {row['study_id']}" if row.get("study_id") else ""
    return (
        f"{signed(status_of(row, gone))}: run {printable(row['run_id'])}\n"
        f"  {printable(row.get('system_id') or NOTHING)}{steps}{study}, begun {local_time(row.get('timestamp'))}"
    )


def _noted(row: Row, tags: Collection[str]) -> list[tuple[str, str]]:
    told = [("tags", ", ".join(tags)), ("note", " ".join(str(row.get("note") or "").split()))]
    return [(name, text) for name, text in told if text]


def _outside(row: Row) -> list[tuple[str, str]]:
    """Return what was logged beside the declared KPIs."""
    known = _json_of(row, "kpis_json").items()
    return [
        (name, significant(value) if isinstance(value, int | float) else printable(str(value or NOTHING)))
        for name, value in known
    ]


def _files(row: Row) -> list[tuple[str, str]]:
    if row.get("reused_from"):
        return [("run", str(row["reused_from"]))]
    return [(name, _value(row, name)) for name in _FILES if row.get(name)]


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


def _origin(row: Row) -> list[tuple[str, str]]:
    """Return what decided the result: varied fields, the system's place, the versions, the hash of it all."""
    told = [(name, printable(json.dumps(value))) for name, value in _json_of(row, "parameters_json").items()]
    place = _json_of(row, "system_json").get("place", {})
    told += [("system", printable(str(each))) for each in place.values()]
    environment = _json_of(row, "environment_json")
    made_by = ("ecosystemiser", "commit", "python", "highspy")
    told += [(name, printable(str(environment[name]))) for name in made_by if environment.get(name)]
    named = ("seed", "config_hash", "retry_of", "reused_from")
    return told + [(name, _value(row, name)) for name in named if row.get(name) is not None]


def _json_of(row: Row, name: str) -> dict[str, Any]:
    try:
        held = json.loads(row.get(name) or "{}")
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}


def _rest(row: Row) -> list[tuple[str, str]]:
    """Return what no other group shows, so that a new column is never left out."""
    shown = {*KPI_NAMES, *_SOLVE, *_FILES, *_TOLD_ELSEWHERE}
    return [(name, _value(row, name)) for name, value in row.items() if name not in shown and value not in (None, "{}")]


def _value(row: Row, name: str) -> str:
    """Return a value as text; of a hash the beginning, which tells two apart."""
    text = str(row[name])
    return f"{text[:_HASH_SHOWN]}…" if name in _HASHES and len(text) > _HASH_SHOWN else text


def _group(title: str, pairs: list[tuple[str, str]]) -> str:
    return f"{title}\n{as_pairs(pairs)}" if pairs else ""
