"""The points of a study as charts take them: all runs, the samples of a Monte Carlo study, the front of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecosystemiser.charts import StudyPoint
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.exploring import sample_numbers
from ecosystemiser.services.plain_text import mapping_in

__all__ = ["front_of", "points_of_rows", "samples_of", "varied_parameters"]

Row = Mapping[str, Any]


def points_of_rows(rows: Sequence[Row], kpis: Sequence[str]) -> list[StudyPoint]:
    """Return the runs of rows as points; those that did not complete have no KPIs."""
    return [
        StudyPoint(
            str(row["run_id"]),
            mapping_in(row.get("parameters_json")),
            {kpi: row.get(kpi) for kpi in kpis} if row["simulation_status"] == "completed" else {},
            row.get("generation"),
        )
        for row in rows
    ]


def varied_parameters(points: Sequence[StudyPoint]) -> list[str]:
    """Return the fields that take more than one value among points, in the order in which they stand."""
    values: dict[str, set[str]] = {}
    for point in points:
        for path, value in point.parameters.items():
            values.setdefault(path, set()).add(repr(value))
    return [path for path, found in values.items() if len(found) > 1]


def samples_of(rows: Sequence[Row], settings: Mapping[str, Any], kpi: str) -> dict[str, list[float | None]]:
    """Return a KPI at the samples of each design that a Monte Carlo study compares, by the design in words.

    `settings` are those of the study's row. Points that move one field alone are left out (see `sample_numbers`).
    """
    is_sample, designs = sample_numbers(settings), list(settings.get("parameters") or {})
    found: dict[str, list[float | None]] = {}
    for row in rows:
        if row["simulation_status"] == "completed" and is_sample(int(row["point"])):
            values = mapping_in(row.get("parameters_json"))
            words = ", ".join(f"{path} = {values.get(path)}" for path in designs)
            found.setdefault(words or "all samples", []).append(row.get(kpi))
    return found


def front_of(log: DatabaseMetadataService, study_id: str) -> tuple[list[str], list[str]]:
    """Return the objectives of a search and the runs of its newest front. Raises StoreError."""
    rows = log.query_analysis("pareto_fronts", study_id)
    last = max((row["generation"] for row in rows), default=None)
    front = [row for row in rows if row["generation"] == last]
    objectives = list(mapping_in(front[0]["objectives_json"])) if front else []
    return objectives, [str(row["run_id"]) for row in front]
