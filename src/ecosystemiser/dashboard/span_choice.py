"""Which part of a run is looked at: a week worth a look, or any day, week, month or the whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import streamlit as st

from ecosystemiser.charts import JUMPS, RunCurves, Span
from ecosystemiser.charts.spans import span_of
from ecosystemiser.dashboard.addresses import parameter, remember
from ecosystemiser.dashboard.choices import choice

__all__ = ["choose_span"]

_DAYS: Mapping[str, float] = {"week": 7, "day": 1, "month": 31}
WHOLE = "whole run"
_BY_DATE = "date"


def choose_span(run: RunCurves, bus: str) -> Span:
    """Show what chooses a part of a run; return it. What the address says and the run has not is its first part."""
    jumps = {name: week for name, find in JUMPS.items() if (week := find(run, bus)) is not None}
    length = choice("Length", "length", [*_DAYS, WHOLE], width=140)
    if length == WHOLE:
        return Span(0, run.clock.steps)
    where = choice("Where", "at", [*jumps, _BY_DATE], shown=_words, width=220)
    first = jumps[where].first if where in jumps else _first_of(run, _date_choice(run))
    if where in jumps and length == "day":  # the day in the middle of the week
        first += round(3 * 86_400 / run.clock.step_s)
    return span_of(run.clock, first, _DAYS[length])


def _words(where: str) -> str:
    return "from a date" if where == _BY_DATE else f"around the {where}" if where != "worst shortage" else where


def _date_choice(run: RunCurves) -> date:
    """Show a calendar of the run's days; return the chosen one. The address holds it as `from`."""
    days = run.clock.local.astype("datetime64[D]")
    low, high = days[0].item(), days[-1].item()
    try:
        asked = date.fromisoformat(parameter("from"))
    except ValueError:
        asked = low
    key = "address-from"
    st.session_state[key] = min(max(asked, low), high)

    def take() -> None:
        remember(**{"from": st.session_state[key].isoformat()})

    chosen = st.date_input("From", key=key, min_value=low, max_value=high, on_change=take, width=160)
    return chosen if isinstance(chosen, date) else low


def _first_of(run: RunCurves, day: date) -> int:
    days = run.clock.local.astype("datetime64[D]")
    return int(np.searchsorted(days, np.datetime64(day)))
