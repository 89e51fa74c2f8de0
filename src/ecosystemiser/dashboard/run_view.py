"""A run as its page and comparisons show it: its row, its curves or why it has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ecosystemiser.charts import RunCurves
from ecosystemiser.charts.tokens import Theme
from ecosystemiser.dashboard.log import history, the_log
from ecosystemiser.dashboard.themes import current_theme
from ecosystemiser.errors import EcoSystemiserError

__all__ = ["RunView", "run_view"]

KEPT = 16
"""Runs whose curves stay read; 2 MB for a year of 30 series."""


@dataclass(frozen=True)
class RunView:
    """A run on a page."""

    row: Mapping[str, Any]
    curves: RunCurves | None
    why_none: str
    """Why it has no curves."""
    theme: Theme

    @property
    def run_id(self) -> str:
        """The run."""
        return str(self.row["run_id"])

    @property
    def status(self) -> str:
        """How it stands in the log."""
        return str(self.row["simulation_status"])

    @property
    def currency(self) -> str | None:
        """What its money is counted in."""
        found = self.row.get("currency")
        return found if isinstance(found, str) else None


def run_view(word: str) -> RunView:
    """Return the run that a word of the address names: its id, its beginning, `last`. Raises InputError."""
    row = the_log().get_simulation_run(history().resolve(word)) or {}
    found = _curves(str(the_log().location), str(row["run_id"]), str(row.get("updated_at")))
    curves, why_none = (found, "") if isinstance(found, RunCurves) else (None, found)
    return RunView(row, curves, why_none, current_theme())


@st.cache_resource(ttl=3600, max_entries=KEPT, show_spinner="Reading the hours")
def _curves(location: str, run_id: str, changed: str) -> RunCurves | str:  # noqa: ARG001 - part of the key
    """Read the curves of a run, or return why there are none; again only when its row has changed."""
    try:
        return history().curves(run_id)
    except EcoSystemiserError as error:
        return str(error)
