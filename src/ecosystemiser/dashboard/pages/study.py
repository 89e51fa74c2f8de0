"""One study: its answer in a sentence and a picture, then its runs, settings and failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from ecosystemiser.dashboard.addresses import Place, link, parameter
from ecosystemiser.dashboard.basket import show_basket
from ecosystemiser.dashboard.choices import choice, part
from ecosystemiser.dashboard.empty import show_how_to_begin
from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.run_table import show_runs
from ecosystemiser.dashboard.running import LOOK_EVERY_S, stop_button
from ecosystemiser.dashboard.study_pictures import show_parallel, show_pictures
from ecosystemiser.dashboard.study_view import StudyView, view_of
from ecosystemiser.dashboard.study_words import answer_line, done_of, progress_line, share_done
from ecosystemiser.dashboard.words import (
    CAUSES,
    KPI_BY_NAME,
    PARAMETER,
    head_of,
    kind_words,
    moment,
    parameters_of,
    status_words,
)
from ecosystemiser.services.run_filters import all_of, equal
from ecosystemiser.services.run_words import study_named
from ecosystemiser.wording import number_of

__all__ = ["show"]

BEST = 100


def show() -> None:
    """Show the page."""
    study_id = _study_id()
    if study_id is None:
        show_how_to_begin()
        return
    st.title(plain(study_id))
    _state(study_id)
    ranked = [name for name in KPI_BY_NAME if KPI_BY_NAME[name].better != "neither"]
    bar = st.container(horizontal=True, key="bar")
    with bar:
        kpi = choice("KPI", "kpi", ranked, shown=head_of, width=240)
    view = view_of(study_id, kpi)
    with guarded():
        show_pictures(view, bar)
    with guarded():
        _PARTS[part("Part", "part", list(_PARTS))](view)


def _study_id() -> str | None:
    """Return the study that the address names, else the newest; None where there is none at all."""
    asked = parameter("id")
    if not asked:
        newest = the_log().query_studies(limit=1)
        return newest[0]["study_id"] if newest else None
    return str(study_named(the_log(), asked)["study_id"])


def _state(study_id: str) -> None:
    """Show how the study stands; while it runs, again and again."""
    is_running = the_log().get_study_summary(study_id)["study"]["status"] == "running"
    st.fragment(_show_state, run_every=LOOK_EVERY_S if is_running else None)(study_id, was_running=is_running)


def _show_state(study_id: str, *, was_running: bool) -> None:
    with guarded():
        summary = the_log().get_study_summary(study_id)
        study = {**summary["study"], **{name: value for name, value in summary.items() if name != "study"}}
        if was_running and study["status"] != "running":
            st.rerun()  # the whole page: its pictures are done now
        facts = [
            status_words(study["status"]),
            kind_words(study["study_type"]),
            str(study["system_id"] or ""),
            f"{done_of(study):,} of {number_of(study['points'] or study['runs'], 'point')}",
            f"begun {moment(study['timestamp'])} UTC",
        ]
        others = {status: count for status, count in study["by_status"].items() if status != "completed"}
        facts += [f"{count:,} {status_words(status)}" for status, count in others.items()]
        st.caption(plain(" · ".join(fact for fact in facts if fact)))
        st.markdown(f"**{plain(answer_line(study))}**")
        if study["status"] == "running":
            with st.container(horizontal=True, vertical_alignment="center"):
                st.progress(share_done(study), text=plain(progress_line(study)))
                stop_button(study_id=study_id)
        elif study["status"] != "completed":
            why = study.get("message") or "not told"
            st.warning(f"It {plain(study['status'])}: {plain(why)}. What was done is kept. To go on:")
            st.code(f"ecosystemiser study resume {study_id}", language=None)


def _runs(view: StudyView) -> None:
    kpi = KPI_BY_NAME[view.kpi]
    done = [row for row in view.rows if row.get(view.kpi) is not None]
    done.sort(key=lambda row: row[view.kpi], reverse=kpi.better == "higher")
    rows = done[:BEST] or view.rows[:BEST]
    is_ranked = "the best first" if done else "point after point"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(rows):,} of {number_of(view.study['runs'], 'run')}, {is_ranked}.")
        where = equal("study_id", view.study_id)
        falling = "1" if kpi.better == "higher" else None
        link(Place.RUNS, "All of them on the page Runs", where=where, sort=view.kpi, falling=falling)
    if view.objectives:
        only = st.toggle("only the front", key="only-front")
        rows = [row for row in done if row["run_id"] in view.front] if only else rows
    paths = [f"{PARAMETER}{path}" for path in view.varied]
    usual = ("total_cost", "total_co2", "self_sufficiency_rate", "renewable_fraction", "unmet_kwh", "unmet_m3")
    kpis = list(dict.fromkeys([view.kpi, *view.objectives, *usual]))
    show_runs(rows, ["simulation_status", "run_id", "point", *paths, *kpis], key="study", name="Runs of the study")
    show_basket("study")


def _settings(view: StudyView) -> None:
    if not view.settings:
        st.caption("The log does not say what this study was asked.")
        return
    told = {name: value for name, value in view.settings.items() if value not in (None, {}, [])}
    st.json(_without_nothing(told), expanded=2)


def _without_nothing(value: Any) -> Any:
    """Return settings without those that are not set."""
    if not isinstance(value, Mapping):
        return value
    return {name: _without_nothing(each) for name, each in value.items() if each not in (None, {}, [])}


def _failures(view: StudyView) -> None:
    failed = view.study["by_status"].get("failed", 0)
    if not failed:
        st.caption("No run of this study failed.")
        return
    where = all_of(equal("study_id", view.study_id), equal("simulation_status", "failed"))
    link(Place.RUNS, f"All {number_of(failed, 'failed run')}", where=where)
    causes = Counter(row["failure_cause"] or "unknown" for row in view.rows if row["simulation_status"] == "failed")
    for cause, count in causes.most_common():
        more = f": {CAUSES[cause]}" if cause in CAUSES else ""
        st.markdown(plain(f"{status_words('failed')} · {count:,} × {cause}{more}"))  # noqa: RUF001 - a sign
    rows = [row for row in view.rows if row["simulation_status"] == "failed"][:BEST]
    paths = [f"{PARAMETER}{path}" for path in dict.fromkeys(path for row in rows for path in _paths(row))]
    show_runs(rows, ["simulation_status", "run_id", "point", "failure_cause", *paths], key="failed", name="Failed runs")


def _paths(row: Mapping[str, Any]) -> list[str]:
    return list(parameters_of(row))


_PARTS = {"Runs": _runs, "Parallel coordinates": show_parallel, "Settings": _settings, "Failures": _failures}
