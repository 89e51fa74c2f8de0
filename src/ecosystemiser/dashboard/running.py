"""What runs now: seen anew every few seconds, and stopped on request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ecosystemiser.dashboard.addresses import Place, link
from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import acting, may_act, the_log
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.study_words import progress_line, share_done
from ecosystemiser.dashboard.words import head_of, moment, status_words
from ecosystemiser.services.exploring import running_now
from ecosystemiser.wording import short_ids

__all__ = ["LOOK_EVERY_S", "show_running", "stop_button"]

LOOK_EVERY_S = 2.0


@st.fragment(run_every=LOOK_EVERY_S)
def show_running() -> None:
    """Show what runs now, and go on looking."""
    with guarded():
        now = running_now(the_log())
        st.subheader("Running now")
        if not now.studies and not now.runs:
            st.caption("Nothing runs at the moment.")
        for study in now.studies:
            _study(study)
        for run in now.runs:
            _run(run, is_gone=run["run_id"] in now.gone)


def stop_button(*, study_id: str | None = None, run_id: str | None = None) -> None:
    """Show the button that asks a study or a run to stop; nothing where the explorer may only look."""
    if not may_act():
        return
    name = study_id or run_id
    asked = f"asked-{name}"
    if st.session_state.get(asked):
        st.caption("Asked to stop.")
        return
    if st.button("Stop", key=f"stop-{name}", icon=":material/stop_circle:"):
        with guarded(), acting() as log:
            log.request_cancel(study_id=study_id, run_id=run_id)
            st.session_state[asked] = True
            st.caption("Asked to stop. What is done is kept.")


def _study(study: Mapping[str, Any]) -> None:
    study_id = study["study_id"]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            link(Place.STUDY, f"{status_words('running')} · {study_id}", id=study_id)
            stop_button(study_id=study_id)
        st.progress(share_done(study), text=plain(progress_line(study)))


def _run(run: Mapping[str, Any], *, is_gone: bool) -> None:
    run_id = run["run_id"]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        link(Place.RUN, f"{status_words('running', is_gone=is_gone)} · {short_ids([run_id])[0]}", id=run_id)
        since = f"{head_of('system_id')} {run['system_id']}, {run['solver_type']}, since {moment(run['timestamp'])} UTC"
        st.caption(plain(since))
        if is_gone:
            st.caption("Its process has died. Close it as interrupted: ecosystemiser db check")
        else:
            stop_button(run_id=run_id)
