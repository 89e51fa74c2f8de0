"""What was started from here: watched until it has come to an end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ecosystemiser.charts.numbers import money
from ecosystemiser.dashboard.addresses import Place, link
from ecosystemiser.dashboard.figures import show_figure
from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.running import LOOK_EVERY_S, stop_button
from ecosystemiser.dashboard.study_words import answer_line, progress_line, share_done
from ecosystemiser.dashboard.words import status_words
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.services.launching import output_of

__all__ = ["show_started"]


def show_started(started: str) -> None:
    """Show how a run or study comes on: `run:ID` or `study:ID`, as the address names it."""
    kind, _, name = started.partition(":")
    if kind not in ("run", "study") or not name:
        remedy = "begin with the page New run"
        raise InputError([Finding("names nothing that was started", remedy, "started", started)])
    _watch(kind, name)
    link(Place.NEW, "Start another one", icon=":material/add:")


@st.fragment(run_every=LOOK_EVERY_S)
def _watch(kind: str, name: str) -> None:
    with guarded():
        st.subheader(plain(f"{kind.capitalize()} {name}"))
        if kind == "run":
            row = the_log().get_simulation_run(name)
            is_there = row is not None
            if row is not None:
                _run(row)
        else:
            summary = the_log().get_study_summary(name)
            is_there = summary["study"] is not None
            if is_there:
                _study({**summary["study"], **{key: value for key, value in summary.items() if key != "study"}})
        said = output_of(name)
        if said is None and not is_there:
            remedy = "see the pages Runs and Studies for what is in the log"
            raise InputError([Finding("was not started here, and is not in the log", remedy, kind, name)])
        if not is_there:
            st.caption("Starting; it is not in the log yet.")
        if said:
            with st.expander("What it said", expanded=not is_there):
                st.code(said, language=None, wrap_lines=True)


def _run(row: Mapping[str, Any]) -> None:
    status = row["simulation_status"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(status_words(status))}**", width="content")
        if status == "running":
            stop_button(run_id=row["run_id"])
            st.caption("It goes on when this page is closed.")
        else:
            link(Place.RUN, "Open the run", icon=":material/bolt:", id=row["run_id"])
    if row.get("total_cost") is not None:
        show_figure("Cost", money(row["total_cost"], row["currency"]))


def _study(study: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(status_words(study['status']))}**", width="content")
        if study["status"] == "running":
            stop_button(study_id=study["study_id"])
        link(Place.STUDY, "Open the study", icon=":material/query_stats:", id=study["study_id"])
    if study["status"] == "running":
        st.progress(share_done(study), text=plain(progress_line(study)))
        st.caption("It goes on when this page is closed.")
    else:
        st.markdown(plain(answer_line(study)))
