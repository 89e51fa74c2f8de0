"""A study as pages for people: the answer first, then its points."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ecosystemiser.cli.run_list import Row, parameters_of, status_of, value_text
from ecosystemiser.cli.run_report import error_of
from ecosystemiser.cli.study_points import Points, mapping_in
from ecosystemiser.cli.tables import Column, as_pairs, as_table
from ecosystemiser.cli.text import (
    NOTHING,
    OWNER_GONE,
    SIGNS,
    local_time,
    money,
    number_of,
    printable,
    share,
    sign,
    signed,
    told_apart,
    wrapped,
)

__all__ = [
    "best_line",
    "cost_map",
    "counted",
    "failures_by_cause",
    "heading",
    "how_to_go_on",
    "points_table",
    "settings_pairs",
    "statuses",
    "study_status",
    "taken_over",
    "told_apart",
]

MOST_ACROSS, MOST_DOWN = 7, 20
"""A map of costs has at most so many columns and rows."""

SHADES = " ░▒▓█"
"""From the cheapest to the dearest."""

_LONGEST_MESSAGE = 200


def heading(study: Row, runs: int, gone: Collection[str] | None = None) -> str:
    """Return what study this is and how it stands; `gone`: the runs that its process left running when it died."""
    status, kind = study_status(study, gone), printable(study.get("study_type") or "of unknown kind")
    system = printable(study.get("system_id") or NOTHING)
    points = study.get("points")
    size = number_of(runs, "run") if points is None else number_of(points, "point")
    return f"{signed(status)}: study {printable(study['study_id'])}, {kind}, {size} of {system}"


def study_status(study: Row, gone: Collection[str] | None) -> str:
    """Return how a study stands; `gone`: the runs that its process left running when it died, None: it did not."""
    return OWNER_GONE if gone is not None and study["status"] == "running" else str(study["status"])


def how_to_go_on(study: Row, gone: Collection[str] | None, width: int) -> str:
    """Return why a study did not complete, and what goes on with it; empty for others."""
    status = study_status(study, gone)
    if status in ("completed", "running"):
        return ""
    why = study.get("message") or ("its process died" if status == OWNER_GONE else "not told")
    told = wrapped(f"Why: {why}. What was done is kept.", width)
    return f"{told}\nGo on: ecosystemiser study resume {study['study_id']}"


def taken_over(points: Points) -> str:
    """Return how many runs took over the result of an earlier one; empty where none did."""
    return f"\n{points.taken_over:,} of them taken over from earlier runs." if points.taken_over else ""


def best_line(points: Points, width: int) -> str:
    """Return the cheapest point in a sentence."""
    if not points.best:
        return "No run completed, so there is no best one."
    best = points.best[0]
    values = parameters_of(best)
    told = ", ".join(f"{name} = {value_text(values.get(name))}" for name in points.varied)
    cost = money(best["total_cost"], points.currency)
    return wrapped(f"Best: {cost}{f' with {told}' if told else ''} (run {points.ids[best['run_id']]})", width)


def points_table(points: Points, rows: Sequence[Row], width: int) -> str:
    """Return these rows as a table; a varied field has its component in the head and its name below."""
    currency = points.currency
    columns = [Column("", ["", *(sign(status_of(row, points.gone)) for row in rows)])]
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


def cost_map(points: Points, width: int) -> str:
    """Return the costs of two varied fields as a map, the first field down and the second across.

    Empty for other studies, and where it would not fit.
    """
    if len(points.varied) != 2 or len(points.rows) < points.number or not points.best:
        return ""
    down, across = points.varied
    cells: dict[tuple[str, str], Row] = {}
    for row in points.rows:
        values = parameters_of(row)
        cells[value_text(values.get(down)), value_text(values.get(across))] = row
    downs, acrosses = list(dict.fromkeys(key[0] for key in cells)), list(dict.fromkeys(key[1] for key in cells))
    is_grid = len(cells) == len(downs) * len(acrosses) == len(points.rows) and min(len(downs), len(acrosses)) > 1
    if not is_grid or len(downs) > MOST_DOWN or len(acrosses) > MOST_ACROSS:
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
    done = [row for row in cells.values() if row["simulation_status"] == "completed" and row["total_cost"] is not None]
    costs = [float(row["total_cost"]) for row in done]
    low, high = min(costs), max(costs)
    shown = dict(zip((row["run_id"] for row in done), told_apart(costs), strict=True))
    texts = {}
    for key, row in cells.items():
        if row["run_id"] not in shown:
            texts[key] = f"{sign(status_of(row, points.gone))}   "
            continue
        share_of_range = (float(row["total_cost"]) - low) / (high - low) if high > low else 0.0
        shade = SHADES[min(len(SHADES) - 1, int(share_of_range * len(SHADES)))]
        star = "*" if row["run_id"] == points.best[0]["run_id"] else " "
        texts[key] = f"{shown[row['run_id']]}{star}{shade * 2}"
    return texts


def counted(by_status: Mapping[str | None, int], gone: int = 0) -> str:
    """Return how many runs there are, and how many in which state; `gone` of those that run have no owner."""
    if not by_status:
        return "No runs."
    split = {**by_status, "running": by_status.get("running", 0) - gone, OWNER_GONE: gone}
    told = statuses({name: count for name, count in split.items() if count})
    return f"{number_of(sum(by_status.values()), 'run')}: {told}"


def statuses(by_status: Mapping[Any, int]) -> str:
    """Return how many runs are in which state, the completed before the others that ended."""
    ordered = sorted(by_status, key=lambda status: [*SIGNS, status].index(status))
    signs = {status: f"{sign(status)} " if sign(status) != NOTHING else "" for status in ordered}
    return ", ".join(f"{by_status[status]:,} {signs[status]}{printable(status)}" for status in ordered)


def failures_by_cause(points: Points, width: int) -> str:
    """Return how many runs failed of which cause, each with the message of one of them; empty where none did."""
    lines = []
    for cause in points.causes:
        message = error_of(cause.example)
        message = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]}…"
        named = f"{message} (run {points.ids[cause.example['run_id']]})"
        lines.append((f"{cause.runs:,} {printable(cause.name)}", named))
    return f"Why runs failed, one message of each cause\n{as_pairs(lines, width=width)}" if lines else ""


def settings_pairs(study: Row, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a study was asked to do, by name."""
    base = mapping_in(settings, "base_config")
    varied = {name: _values_text(spec) for name, spec in mapping_in(settings, "parameters").items()}
    ended = local_time(study["finished_at"]) if study.get("finished_at") else ""
    told = [
        ("begun", local_time(study.get("timestamp"))),
        ("ended", ended),
        ("around", f"run {settings['around']}" if settings.get("around") else ""),
        ("system", str(base.get("system") or "")),
        ("solver", str(base.get("solver_type") or "")),
        ("steps", f"{base['timesteps']:,}" if isinstance(base.get("timesteps"), int) else ""),
        *((f"{name} =", value_text(value)) for name, value in mapping_in(base, "parameters").items()),
        *varied.items(),
        ("combine", str(settings.get("combine") or "") if len(varied) > 1 else ""),
        ("hours kept", str(settings.get("timeseries") or "")),
    ]
    return [(printable(name), text) for name, text in told if text]


def _values_text(spec: object) -> str:
    if isinstance(spec, dict):
        first = spec.get("first", spec.get("from"))
        return f"{value_text(first)} to {value_text(spec.get('to'))}, {spec.get('count')} values"
    values = spec if isinstance(spec, list) else [spec]
    shown = ", ".join(value_text(value) for value in values[:12])
    return f"{shown}, … ({len(values):,} values)" if len(values) > 12 else shown
