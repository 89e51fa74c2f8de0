"""A study as its page shows it: its row, what it was asked, and its points with what they found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import streamlit as st

from ecosystemiser.charts.points import StudyPoint
from ecosystemiser.charts.tokens import Theme
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.study_words import final_front, settings_of
from ecosystemiser.dashboard.tables import currency_of
from ecosystemiser.dashboard.themes import current_theme
from ecosystemiser.dashboard.words import KPI_BY_NAME, parameters_of
from ecosystemiser.services.exploring import StudyPoints, points_of_study
from ecosystemiser.services.study_points import samples_of, varied_parameters

__all__ = ["MOST_POINTS", "StudyView", "view_of"]

MOST_POINTS = 3_000
"""Points of a study that its page draws; of more, evenly spread ones."""


@dataclass(frozen=True)
class StudyView:
    """What the page of a study is made from. `study` is its row with what its runs add up to."""

    study: Mapping[str, Any]
    kpi: str
    """The KPI that the visitor chose."""
    found: StudyPoints
    theme: Theme

    @property
    def study_id(self) -> str:
        """The study."""
        return str(self.study["study_id"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Runs, point after point."""
        return self.found.rows

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the study was asked."""
        return settings_of(self.study)

    @cached_property
    def points(self) -> list[StudyPoint]:
        """The points that have a result."""
        return [
            StudyPoint(row["run_id"], parameters_of(row), {name: row[name] for name in KPI_BY_NAME})
            for row in self.rows
            if row["simulation_status"] == "completed"
        ]

    @cached_property
    def currency(self) -> str | None:
        """The currency of all costs, where it is one."""
        return currency_of(self.rows)

    @cached_property
    def varied(self) -> list[str]:
        """Paths of the fields that take more than one value."""
        return varied_parameters(self.points)

    @cached_property
    def numeric(self) -> list[str]:
        """Those of them whose values are numbers."""
        return [path for path in self.varied if all(_is_number(each.parameters.get(path)) for each in self.points)]

    @cached_property
    def objectives(self) -> list[str]:
        """The KPIs that a genetic study looks after."""
        asked = self.settings.get("genetic_algorithm")
        found = asked.get("objectives") if isinstance(asked, dict) else None
        return [name for name in found if name in KPI_BY_NAME] if isinstance(found, dict) else []

    @cached_property
    def front(self) -> set[str]:
        """Ids of the runs on the front of a genetic study."""
        return {str(row["run_id"]) for row in final_front(self.study_id)}

    def samples(self) -> dict[str, list[float | None]]:
        """Return the values of the KPI over the samples of each design, by the design in words."""
        return samples_of(self.rows, self.settings, self.kpi)


def view_of(study_id: str, kpi: str, most: int = MOST_POINTS) -> StudyView:
    """Return what the page of a study shows, at most about `most` of its points; `study_id` is one of the log."""
    summary = the_log().get_study_summary(study_id)
    study = {**(summary["study"] or {}), **{name: value for name, value in summary.items() if name != "study"}}
    counts = json.dumps(study["by_status"], sort_keys=True)
    found = _points(str(the_log().location), study_id, counts, str(study.get("updated_at")), most)
    return StudyView(study, kpi, found, current_theme())


@st.cache_data(ttl=600, max_entries=24, show_spinner=False)
def _points(location: str, study_id: str, counts: str, changed: str, most: int) -> StudyPoints:  # noqa: ARG001
    """Read the points of a study; again only when what else it is given has changed."""
    return points_of_study(the_log(), study_id, [*KPI_BY_NAME, "currency", "failure_cause", "timestamp"], most)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
