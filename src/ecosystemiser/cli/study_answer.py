"""The answer of a study that searches or samples: its front, its distributions, what matters most."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecosystemiser.cli import study_report
from ecosystemiser.cli.run_list import short_ids
from ecosystemiser.cli.tables import Column, as_table
from ecosystemiser.cli.text import NOTHING, printable, significant
from ecosystemiser.kpis import KPIS

if TYPE_CHECKING:
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["answer_parts"]

ON_FRONT, MATTERING = 12, 6
_TOLD = (
    *("total_cost", "total_co2", "self_sufficiency_rate", "renewable_fraction"),
    *("unmet_kwh", "water_self_sufficiency"),
)
"""KPIs whose distribution is told; the log has all of them."""
_UNITS = {kpi.name: kpi.unit for kpi in KPIS}


def answer_parts(log: DatabaseMetadataService, study: Mapping[str, Any], width: int) -> list[str]:
    """Return the parts of a page that answer what a genetic or Monte Carlo study asked; none for others."""
    if study.get("study_type") == "genetic_algorithm":
        return [part for part in (_front(log, study, width), _why_it_ended(study)) if part]
    if study.get("study_type") == "monte_carlo":
        parts = (_distributions(log, study, width), _what_matters(log, study, width), _probabilities(study))
        return [part for part in (*parts, _why_it_ended(study)) if part]
    return []


def _answer(study: Mapping[str, Any]) -> dict[str, Any]:
    try:
        answer = json.loads(study.get("answer_json") or "{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _why_it_ended(study: Mapping[str, Any]) -> str:
    reason = _answer(study).get("stopped_because")
    return f"It ended because {printable(reason)}." if reason else ""


def _front(log: DatabaseMetadataService, study: Mapping[str, Any], width: int) -> str:
    """Return the runs that no other beats in every objective, along the first objective."""
    rows = log.query_analysis("pareto_fronts", study["study_id"])
    if not rows:
        return ""
    last = max(row["generation"] for row in rows)
    front = [(json.loads(row["objectives_json"] or "{}"), row["run_id"]) for row in rows if row["generation"] == last]
    names = list(front[0][0])
    front.sort(key=lambda each: tuple(each[0][name] for name in names))
    shown = _spread(front, ON_FRONT)
    found = {row["run_id"]: json.loads(row["parameters_json"] or "{}") for row in _runs(log, shown)}
    varied = list(dict.fromkeys(name for values in found.values() for name in values))
    columns = [
        Column(name, [_bracketed(name), *_told_apart([each[0][name] for each in shown], name)], is_number=True)
        for name in names
    ]
    for at, path in enumerate(varied):
        component, _, name = path.removeprefix("components.").partition(".")
        cells = [printable(name), *(_plain(found.get(each[1], {}).get(path)) for each in shown)]
        columns.append(Column(printable(component), cells, is_number=True, drop=10 + at if at >= 2 else 0))
    columns.append(Column("run", ["", *short_ids([each[1] for each in shown])], drop=3))
    more = "" if len(shown) == len(front) else f", {len(shown)} of {len(front):,} designs along it"
    what = "The front: no other design is better in every objective" if len(names) > 1 else "The best design"
    return f"{what}{more}\n{as_table(columns, width, indent='  ')}"


def _runs(log: DatabaseMetadataService, shown: Sequence[tuple[dict[str, float], str]]) -> list[dict[str, Any]]:
    return [row for _, run_id in shown if (row := log.get_simulation_run(run_id)) is not None]


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many of the items, evenly spread, both ends among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(at * (len(items) - 1) / (most - 1))] for at in range(most)]


def _distributions(log: DatabaseMetadataService, study: Mapping[str, Any], width: int) -> str:
    rows = [row for row in log.query_analysis("uncertainty_analysis", study["study_id"]) if row["kpi"] in _TOLD]
    if not rows:
        return ""
    rows.sort(key=lambda row: (_TOLD.index(row["kpi"]), row["design"]))
    designs = {row["design"] for row in rows}
    names = ("p5", "p50", "p95", "mean", "value_at_risk")
    heads = ("P5", "P50", "P95", "mean", "at risk")
    columns = [Column("", [_head(row["kpi"]) for row in rows], least=20)]
    if len(designs) > 1:
        columns.append(Column("design", [str(row["design"]) for row in rows], is_number=True))
    columns += [
        Column(head, [_value(row[name], row["kpi"]) for row in rows], is_number=True)
        for head, name in zip(heads, names, strict=True)
    ]
    samples = max(row["samples"] for row in rows)
    failed = max(row["failed"] or 0 for row in rows)
    told = f", {failed:,} failed" if failed else ""
    return f"Distributions over {samples:,} samples{told}\n{as_table(columns, width, indent='  ')}"


def _what_matters(log: DatabaseMetadataService, study: Mapping[str, Any], width: int) -> str:
    found = log.query_analysis("sensitivity_analysis", study["study_id"])
    rows = [row for row in found if row["kpi"] == "total_cost" and row["design"] == 0]
    if not rows:
        return ""
    rows.sort(key=lambda row: -(row["total_order"] if row["total_order"] is not None else abs(_rank(row))))
    shown = rows[:MATTERING]
    columns = [
        Column("", [printable(row["parameter"]) for row in shown], least=20),
        Column("rank corr.", [_share(row["rank_correlation"]) for row in shown], is_number=True),
        Column("alone", [_share(row["first_order"]) for row in shown], is_number=True),
        Column("in all", [_share(row["total_order"]) for row in shown], is_number=True),
        Column("at P10", [_value(row["tornado_low"], "total_cost") for row in shown], is_number=True, drop=1),
        Column("at P90", [_value(row["tornado_high"], "total_cost") for row in shown], is_number=True, drop=1),
    ]
    return f"What total_cost depends on most (Sobol: alone, in all)\n{as_table(columns, width, indent='  ')}"


def _rank(row: Mapping[str, Any]) -> float:
    return float(row["rank_correlation"] or 0.0)


def _probabilities(study: Mapping[str, Any]) -> str:
    lines = [
        f"  {printable(each['limit'])}: {100 * each['probability']:.1f} % "
        f"({100 * each['low']:.1f} to {100 * each['high']:.1f} %)"
        for each in _answer(study).get("probabilities", [])
    ]
    return "\n".join(["How likely", *lines]) if lines else ""


def _told_apart(values: Sequence[float], kpi: str) -> list[str]:
    """Return values of a KPI with so many digits that neighbours differ."""
    scale = 100.0 if _UNITS.get(kpi) == "share" else 1.0
    return study_report.told_apart([scale * value for value in values])


def _bracketed(name: str) -> str:
    return _head(name).removeprefix(name).strip()


def _head(name: str) -> str:
    unit = {"share": "%", "currency": "", "1": ""}.get(_UNITS.get(name, ""), _UNITS.get(name, ""))
    return f"{name} [{unit}]" if unit else name


def _value(value: float | None, kpi: str) -> str:
    if value is None:
        return NOTHING
    return significant(100 * value) if _UNITS.get(kpi) == "share" else significant(value)


def _plain(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return significant(value)
    return NOTHING if value is None else printable(str(value))


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"
