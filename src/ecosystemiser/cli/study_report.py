"""A study as pages for people: the answer first, then its points."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecosystemiser.cli.run_list import Row, currency_of, short_ids
from ecosystemiser.cli.run_report import error_of
from ecosystemiser.cli.tables import Column, as_pairs, as_table
from ecosystemiser.cli.text import (
    NOTHING,
    SIGNS,
    local_time,
    money,
    printable,
    share,
    sign,
    told_apart,
    wrapped,
)

__all__ = [
    "Points",
    "best_line",
    "cost_map",
    "counted",
    "failures_by_cause",
    "heading",
    "mapping_in",
    "parameters_of",
    "points_of",
    "points_table",
    "settings_pairs",
    "statuses",
    "value_text",
]

MOST_ACROSS, MOST_DOWN = 7, 20
"""A map of costs has at most so many columns and rows."""

SHADES = " ░▒▓█"
"""From the cheapest to the dearest."""

_LONGEST_VALUE = 18
_LONGEST_MESSAGE = 200


@dataclass(frozen=True)
class Points:
    """The points of a study, each with the row of its newest run."""

    varied: tuple[str, ...]
    """Paths of the fields that vary."""
    rows: tuple[Row, ...]
    """In the order of the points."""

    @property
    def completed(self) -> list[Row]:
        """Rows with a cost, the cheapest first."""
        done = [row for row in self.rows if row["simulation_status"] == "completed" and row["total_cost"] is not None]
        return sorted(done, key=lambda row: float(row["total_cost"]))

    @property
    def ids(self) -> dict[str, str]:
        """The beginning of each run id that none of the others shares."""
        full = [row["run_id"] for row in self.rows]
        return dict(zip(full, short_ids(full), strict=True))

    @property
    def currency(self) -> str | None:
        """The currency of all costs, where it is one."""
        found = {currency_of(row) for row in self.rows if row["total_cost"] is not None}
        return found.pop() if len(found) == 1 else None


def points_of(settings: Mapping[str, Any], rows: Sequence[Row]) -> Points:
    """Return the points of a study from its settings and what the log holds of its runs, point after point."""
    newest = {row["point"]: row for row in rows}
    return Points(tuple(mapping_in(settings, "parameters")), tuple(newest.values()))


def parameters_of(row: Row) -> dict[str, Any]:
    """Return the values that a point's fields took."""
    try:
        found = json.loads(row.get("parameters_json") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def heading(study: Row, runs: int) -> str:
    """Return what study this is and how it stands."""
    status, kind = printable(study["status"]), printable(study.get("study_type") or "of unknown kind")
    system = printable(study.get("system_id") or NOTHING)
    return f"{sign(status)} {status}: study {printable(study['study_id'])}, {kind}, {_runs(runs)} of {system}"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def best_line(points: Points, width: int) -> str:
    """Return the cheapest point in a sentence."""
    if not points.completed:
        return "No run completed, so there is no best one."
    best = points.completed[0]
    values = parameters_of(best)
    told = ", ".join(f"{name} = {value_text(values.get(name))}" for name in points.varied)
    cost = money(best["total_cost"], points.currency)
    return wrapped(f"Best: {cost}{f' with {told}' if told else ''} (run {points.ids[best['run_id']]})", width)


def points_table(points: Points, rows: Sequence[Row], width: int) -> str:
    """Return these rows as a table; a varied field has its component in the head and its name below."""
    currency = points.currency
    columns = [Column("", ["", *(sign(row["simulation_status"]) for row in rows)])]
    for at, path in enumerate(points.varied):
        component, _, name = path.removeprefix("components.").partition(".")
        cells = [value_text(parameters_of(row).get(path)) for row in rows]
        drop = 10 + at if at >= 2 else 0
        columns.append(Column(component, [name, *cells], is_number=True, least=max(8, _widest(cells)), drop=drop))
    ids = points.ids
    costs = told_apart([row["total_cost"] for row in rows])
    shares = [share(row["self_sufficiency_rate"]) for row in rows]
    columns += [
        Column("cost", [f"[{currency}]" if currency else "", *costs], is_number=True),
        Column("CO2", ["[kg]", *told_apart([row["total_co2"] for row in rows])], is_number=True, drop=1),
        Column("self-suff.", ["", *shares], is_number=True, drop=2),
        Column("run", ["", *(ids[row["run_id"]] for row in rows)], drop=3),
    ]
    return as_table(columns, width, indent="  ")


def _widest(cells: Sequence[str]) -> int:
    return max((len(cell) for cell in cells), default=0)


def value_text(value: object) -> str:
    """Return the value that a field took, short."""
    if isinstance(value, bool) or value is None:
        return NOTHING if value is None else str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.6g}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def cost_map(points: Points, width: int) -> str:
    """Return the costs of two varied fields as a map, the first field down and the second across.

    Empty for other studies, and where it would not fit.
    """
    if len(points.varied) != 2:
        return ""
    down, across = points.varied
    cells: dict[tuple[str, str], Row] = {}
    for row in points.rows:
        values = parameters_of(row)
        cells[value_text(values.get(down)), value_text(values.get(across))] = row
    downs, acrosses = list(dict.fromkeys(key[0] for key in cells)), list(dict.fromkeys(key[1] for key in cells))
    is_grid = len(cells) == len(downs) * len(acrosses) == len(points.rows) and min(len(downs), len(acrosses)) > 1
    if not is_grid or len(downs) > MOST_DOWN or len(acrosses) > MOST_ACROSS or not points.completed:
        return ""
    texts = _map_cells(points, cells)
    columns = [Column(down, downs, is_number=True, least=12)]
    columns += [Column(head, [texts[each, head] for each in downs], is_number=True) for head in acrosses]
    currency = f" [{points.currency}]" if points.currency else ""
    title = f"Cost{currency} by {down} (down) and {across} (across), darker is dearer, * the cheapest:"
    table = as_table(columns, None, indent="  ")
    return f"{wrapped(title, width)}\n{table}" if max(map(len, table.splitlines())) <= width else ""


def _map_cells(points: Points, cells: Mapping[tuple[str, str], Row]) -> dict[tuple[str, str], str]:
    """Return each cell: its cost with a shade, or the sign of a run that has none."""
    done = points.completed
    low, high = float(done[0]["total_cost"]), float(done[-1]["total_cost"])
    shown = dict(zip((row["run_id"] for row in done), told_apart([row["total_cost"] for row in done]), strict=True))
    texts = {}
    for key, row in cells.items():
        if row["run_id"] not in shown:
            texts[key] = f"{sign(row['simulation_status'])}   "
            continue
        share_of_range = (float(row["total_cost"]) - low) / (high - low) if high > low else 0.0
        shade = SHADES[min(len(SHADES) - 1, int(share_of_range * len(SHADES)))]
        texts[key] = f"{shown[row['run_id']]}{'*' if row is done[0] else ' '}{shade * 2}"
    return texts


def counted(by_status: Mapping[str | None, int]) -> str:
    """Return how many runs there are, and how many in which state."""
    return f"{_runs(sum(by_status.values()))}: {statuses(by_status)}" if by_status else "No runs."


def statuses(by_status: Mapping[Any, int]) -> str:
    """Return how many runs are in which state, the completed before the others that ended."""
    ordered = sorted(by_status, key=lambda status: [*SIGNS, status].index(status))
    signs = {status: f"{sign(status)} " if sign(status) != NOTHING else "" for status in ordered}
    return ", ".join(f"{by_status[status]:,} {signs[status]}{printable(status)}" for status in ordered)


def failures_by_cause(points: Points, width: int) -> str:
    """Return how many runs failed of which cause, each with the message of one of them; empty where none did."""
    causes: dict[str, list[Row]] = {}
    for row in points.rows:
        if row["simulation_status"] == "failed":
            causes.setdefault(str(row.get("failure_cause") or "unknown"), []).append(row)
    lines = []
    for cause, failed in sorted(causes.items(), key=lambda item: -len(item[1])):
        message = error_of(failed[0])
        message = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
        lines.append((f"{len(failed):,} {printable(cause)}", f"{message} (run {points.ids[failed[0]['run_id']]})"))
    return f"Why runs failed, one message of each cause\n{as_pairs(lines, width=width)}" if lines else ""


def settings_pairs(study: Row, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a study was asked to do, by name."""
    base = mapping_in(settings, "base_config")
    varied = {name: _values_text(spec) for name, spec in mapping_in(settings, "parameters").items()}
    ended = local_time(study["finished_at"]) if study.get("finished_at") else ""
    told = [
        ("begun", local_time(study.get("timestamp"))),
        ("ended", ended),
        ("system", str(base.get("system") or "")),
        ("solver", str(base.get("solver_type") or "")),
        ("steps", f"{base['timesteps']:,}" if isinstance(base.get("timesteps"), int) else ""),
        *((f"{name} =", value_text(value)) for name, value in mapping_in(base, "parameters").items()),
        *varied.items(),
        ("combine", str(settings.get("combine") or "") if len(varied) > 1 else ""),
        ("hours kept", str(settings.get("timeseries") or "")),
    ]
    return [(printable(name), text) for name, text in told if text]


def mapping_in(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what a study's settings hold under a name; empty where that is no mapping."""
    found = settings.get(name)
    return found if isinstance(found, dict) else {}


def _values_text(spec: object) -> str:
    if isinstance(spec, dict):
        first = spec.get("first", spec.get("from"))
        return f"{value_text(first)} to {value_text(spec.get('to'))}, {spec.get('count')} values"
    values = spec if isinstance(spec, list) else [spec]
    shown = ", ".join(value_text(value) for value in values[:12])
    return f"{shown}, … ({len(values):,} values)" if len(values) > 12 else shown
