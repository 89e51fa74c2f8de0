"""What a report says of a study."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from ecosystemiser import charts
from ecosystemiser.charts import StudyPoint
from ecosystemiser.charts.numbers import unit_name
from ecosystemiser.charts.points import kpi_named, parameter_unit
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.exploring import points_of_study
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.services.report_page import Block, Code, Drawing, Facts, Part, Table, Text
from ecosystemiser.services.study_points import front_of, points_of_rows, samples_of, varied_parameters
from ecosystemiser.wording import NOTHING, SIGNS, amount, moment, money, number_of, significant

__all__ = ["parts_of_study", "study_subtitle"]

Row = Mapping[str, Any]

TOLD = ("total_cost", "total_co2", "self_sufficiency_rate")
MOST_RUNS_TOLD = 25
MOST_HEAT_MAPS = 3


def study_subtitle(study: Row) -> str:
    """Return which study it is, in a line."""
    status = str(study["status"])
    kind = str(study.get("study_type") or "").replace("_", " ")
    return f"{SIGNS.get(status, '?')} {status} · {kind} · begun {moment(study.get('timestamp'))} UTC"


@dataclass(frozen=True, eq=False)
class _Study:
    """A study with what its charts are made of."""

    log: DatabaseMetadataService
    summary: Row

    @property
    def row(self) -> Row:
        row: Row = self.summary["study"]
        return row

    @property
    def study_id(self) -> str:
        return str(self.row["study_id"])

    @cached_property
    def settings(self) -> Row:
        return mapping_in(self.row.get("settings_json"))

    @cached_property
    def rows(self) -> Sequence[Row]:
        """Of many points, every so manyth."""
        return points_of_study(self.log, self.study_id, KPI_NAMES).rows

    @cached_property
    def points(self) -> list[StudyPoint]:
        return points_of_rows(self.rows, KPI_NAMES)

    @cached_property
    def varied(self) -> list[str]:
        return varied_parameters(self.points)

    @cached_property
    def currency(self) -> str | None:
        best = self.summary.get("best_run_id")
        run = None if best is None else self.log.get_simulation_run(best)
        return None if run is None else run.get("currency")


def parts_of_study(log: DatabaseMetadataService, summary: Row) -> Iterator[Part]:
    """Yield the parts of a report of a study, given its `get_study_summary`. Raises StoreError."""
    study = _Study(log, summary)
    yield Part("In short", tuple(_short(study)))
    kinds = {"genetic_algorithm": _search, "monte_carlo": _samples}
    yield Part("The answer", tuple(kinds.get(str(study.row.get("study_type")), _parametric)(study)))
    if study.varied:
        caption = "Each line is a run. Drag along an axis to see only the runs that pass through there."
        figure = charts.parallel_coordinates(study.points, study.varied[:8], _told(study), currency=study.currency)
        yield Part("All runs", (Drawing(figure, caption), _best_runs(study)))
    settings = json.dumps(study.settings, indent=2, ensure_ascii=False, default=str)
    yield Part("Settings", (Code(settings, "What the study was asked to do"),))


def _short(study: _Study) -> Iterator[Block]:
    by_status = study.summary["by_status"]
    counts = ", ".join(f"{count:,} {status}" for status, count in by_status.items())
    best = money(study.summary.get("best_total_cost"), study.currency)
    yield Facts((("Runs", f"{study.summary['runs']:,}"), ("By status", counts or NOTHING), ("Lowest cost", best)))
    reason = mapping_in(study.row.get("answer_json")).get("stopped_because")
    if reason:
        yield Text(f"It ended because {reason}.")
    if study.row.get("message"):
        yield Text(str(study.row["message"]), is_warning=True)


def _told(study: _Study) -> list[str]:
    known = [kpi for kpi in TOLD if any(point.kpis.get(kpi) is not None for point in study.points)]
    return known or list(TOLD[:1])


def _parametric(study: _Study) -> Iterator[Block]:
    for kpi in _told(study):
        if len(study.varied) == 1:
            figure = charts.parametric_lines(study.points, study.varied[0], kpi, currency=study.currency)
            yield Drawing(figure, f"{kpi} over {study.varied[0]}; each dot is a run.")
            continue
        for across, up in list(zip(study.varied[:-1], study.varied[1:], strict=True))[:MOST_HEAT_MAPS]:
            figure = charts.heat_map(study.points, across, up, kpi, currency=study.currency)
            yield Drawing(figure, f"{kpi} over {across} and {up}, the best run at each place; the ring marks the best.")
            lines = charts.parametric_lines(study.points, across, kpi, by=up, currency=study.currency)
            yield Drawing(lines, f"{kpi} over {across}, a line for each value of {up}.")


def _search(study: _Study) -> Iterator[Block]:
    objectives, front = front_of(study.log, study.study_id)
    for across, up in combinations(objectives, 2):
        points = _with_front(study, front)
        figure = charts.pareto_front(points, set(front), (across, up), currency=study.currency)
        yield Drawing(figure, f"{number_of(len(front), 'run')} that no other beats in every objective.")
    progress = study.log.query_analysis("convergence_metrics", study.study_id)
    yield Drawing(charts.convergence(progress, currency=study.currency), "The best and the mean of each generation.")
    if len(objectives) > 1:
        yield Drawing(charts.hypervolume(progress), "How much of the space of objectives the front covers.")


def _with_front(study: _Study, front: Sequence[str]) -> list[StudyPoint]:
    """Return the points, those of the front among them though only some of all were read."""
    known = {point.run_id for point in study.points}
    rows = [row for run_id in front if run_id not in known and (row := study.log.get_simulation_run(run_id))]
    return [*study.points, *points_of_rows(rows, KPI_NAMES)]


def _samples(study: _Study) -> Iterator[Block]:
    found = study.log.query_analysis("sensitivity_analysis", study.study_id)
    for kpi in _told(study):
        samples = samples_of(study.rows, study.settings, kpi)
        figure = charts.distribution(samples, kpi, currency=study.currency)
        yield Drawing(figure, f"{kpi} over the samples; 10, 50 and 90 % lie below the marks.")
        yield Drawing(charts.exceedance(samples, kpi, currency=study.currency), f"How likely {kpi} is exceeded.")
        own = [row for row in found if row["kpi"] == kpi and row["design"] == 0]
        if any(row["tornado_low"] is not None for row in own):
            figure = charts.tornado(own, kpi, currency=study.currency)
            yield Drawing(figure, f"{kpi} with each parameter alone at its 10 % and its 90 % quantile.")
        if any(row["total_order"] is not None for row in own):
            yield Drawing(charts.sobol(own, kpi), f"Sobol indices: what part of the variance of {kpi} each explains.")


def _best_runs(study: _Study) -> Table:
    """Return the cheapest runs with what varied."""
    left = [point for point in study.points if point.kpis.get("total_cost") is not None]
    left.sort(key=lambda point: float(point.kpis["total_cost"] or 0.0))
    kpis = _told(study)
    heads = ["run"]
    heads += [f"{path} [{unit}]" if (unit := parameter_unit(path, study.currency)) else path for path in study.varied]
    heads += [f"{kpi} [{unit_name(kpi_named(kpi).unit, study.currency) or '1'}]" for kpi in kpis]
    rows = [
        [
            point.run_id,
            *(_value(point.parameters.get(path)) for path in study.varied),
            *(amount(point.kpis.get(kpi), kpi_named(kpi).unit, study.currency) for kpi in kpis),
        ]
        for point in left[:MOST_RUNS_TOLD]
    ]
    return Table(heads, rows, frozenset(range(1, len(heads))))


def _value(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return significant(value)
    return NOTHING if value is None else str(value)
