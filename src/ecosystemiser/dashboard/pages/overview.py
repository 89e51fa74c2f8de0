"""What is here, what runs now, what failed and why, the latest studies, the best runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecosystemiser.dashboard.addresses import Place, link
from ecosystemiser.dashboard.basket import show_basket
from ecosystemiser.dashboard.choices import choice
from ecosystemiser.dashboard.drawing import draw
from ecosystemiser.dashboard.empty import show_how_to_begin
from ecosystemiser.dashboard.figures import show_figure
from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.run_table import show_runs
from ecosystemiser.dashboard.running import show_running
from ecosystemiser.dashboard.study_pictures import small_picture
from ecosystemiser.dashboard.study_view import view_of
from ecosystemiser.dashboard.study_words import answer_line
from ecosystemiser.dashboard.tables import varied_by
from ecosystemiser.dashboard.words import CAUSES, KPI_BY_NAME, head_of, kind_words, moment, status_words
from ecosystemiser.services.database_care import size_of
from ecosystemiser.services.exploring import Rankable, best_of, rankable_groups
from ecosystemiser.services.run_filters import all_of, equal
from ecosystemiser.wording import number_of, size

__all__ = ["show"]

CARDS, CARDS_A_ROW = 6, 3
BEST, MOST_GROUPS = 10, 200
POINTS_A_CARD, MOST_PICTURED = 500, 20_000
"""Points that the picture on a card draws, and runs of the largest study that has one."""
RECENT_DAYS = 7


def show() -> None:
    """Show the page."""
    st.title("Overview")
    numbers = the_log().get_statistics()
    if not numbers["runs"] and not numbers["studies"]:
        show_how_to_begin()
        return
    _heads(numbers)
    left, right = st.columns([0.62, 0.38], gap="large")
    with left:
        show_running()
    with right, guarded():
        _failures(numbers["by_cause"])
    places: list[tuple[Mapping[str, Any], DeltaGenerator]] = []
    with guarded():
        places = _studies()
    with guarded():
        _best()
    for study, place in places:  # last: all else is there by then
        with guarded():
            _picture(study, place)


def _heads(numbers: Mapping[str, Any]) -> None:
    by_status = numbers["by_status"]
    running, failed = by_status.get("running", 0), by_status.get("failed", 0)
    told = [
        ("Runs", numbers["runs"], Place.RUNS, {}, "all runs"),
        ("Studies", numbers["studies"], Place.STUDIES, {}, "all studies"),
        ("Running", running, Place.RUNS, {"where": equal("simulation_status", "running")}, "running runs"),
        ("Failed", failed, Place.RUNS, {"where": equal("simulation_status", "failed")}, "failed runs"),
    ]
    for column, (label, number, place, values, words) in zip(st.columns(len(told)), told, strict=True):
        with column, st.container(border=True):
            show_figure(label, f"{number:,}")
            link(place, f"Show {words}", **values)
    span = f"{moment(numbers['oldest'])} to {moment(numbers['newest'])} UTC"
    st.caption(plain(f"Runs of {span} · {size(size_of(the_log()))} in the database"))


def _failures(by_cause: Mapping[str | None, int]) -> None:
    st.subheader("Failures by cause")
    if not by_cause:
        st.caption("No run has failed.")
        return
    day = (datetime.now(UTC) - timedelta(days=RECENT_DAYS)).date()
    for cause, count in sorted(by_cause.items(), key=lambda each: -each[1]):
        if cause is None:
            continue
        why = equal("failure_cause", cause)
        with st.container(horizontal=True, vertical_alignment="center"):
            link(Place.RUNS, f"{status_words('failed')} · {cause}: {number_of(count, 'run')}", where=why)
            recent = all_of(why, f"timestamp >= '{day}'")
            link(Place.RUNS, f"last {RECENT_DAYS} days", where=recent)
        st.caption(CAUSES.get(cause, ""))


def _studies() -> list[tuple[Mapping[str, Any], DeltaGenerator]]:
    """Show the latest studies; return each with the place for its picture."""
    studies = the_log().query_studies(limit=CARDS)
    places: list[tuple[Mapping[str, Any], DeltaGenerator]] = []
    if not studies:
        return places
    st.subheader("Latest studies")
    for first in range(0, len(studies), CARDS_A_ROW):
        row = studies[first : first + CARDS_A_ROW]
        for column, study in zip(st.columns(CARDS_A_ROW), row, strict=False):
            with column, st.container(border=True, height="stretch"):
                places.append((study, _card(study)))
    return places


def _card(study: Mapping[str, Any]) -> DeltaGenerator:
    link(Place.STUDY, study["study_id"], icon=":material/query_stats:", id=study["study_id"])
    facts = (status_words(study["status"]), kind_words(study["study_type"]), number_of(study["runs"], "run"))
    st.caption(plain(" · ".join((*facts, f"{moment(study['timestamp'])} UTC"))))
    st.markdown(plain(answer_line(study)))
    return st.empty()


def _picture(study: Mapping[str, Any], place: DeltaGenerator) -> None:
    if study["runs"] > MOST_PICTURED:
        return
    drawn = small_picture(view_of(study["study_id"], "total_cost", POINTS_A_CARD))
    if drawn is not None:
        with place:
            draw(drawn, f"card-{study['study_id']}", f"What {study['study_id']} found", is_still=True)


def _best() -> None:
    groups = rankable_groups(the_log())[:MOST_GROUPS]
    if not groups:
        return
    st.subheader("Best runs")
    names = {_group_name(group): group for group in groups}
    ranked = [name for name, kpi in KPI_BY_NAME.items() if kpi.better != "neither"]
    left, right = st.columns([0.35, 0.65])
    with left:
        kpi = choice("by", "kpi", ranked, shown=head_of)
    with right:
        group = names[choice("of", "group", list(names))]
    st.caption("Only runs of the same system, period, currency and demands are ranked.")
    rows = _ranked(group, kpi, the_log().get_statistics()["runs"])
    if not rows:
        st.caption(f"None of these runs has a value of {plain(head_of(kpi))}.")
        return
    usual = ("total_cost", "total_co2", "self_sufficiency_rate", "unmet_kwh", "timestamp")
    columns = ["run_id", kpi, "study_id", "solver_type", *varied_by(rows)[:3], *(each for each in usual if each != kpi)]
    show_runs(rows, columns, key="best", name="Best runs")
    with st.container(horizontal=True):
        show_basket("best")
        link(Place.RUNS, "All of them", where=group.where, sort=kpi, falling=_falls(kpi))


def _ranked(group: Rankable, kpi: str, runs: int) -> list[dict[str, Any]]:
    """Return the best runs. Where no index serves, all runs are read: not twice while none was added."""
    return _kept(group, kpi, runs, str(the_log().location))


@st.cache_data(ttl=60, max_entries=50, show_spinner="Ranking")
def _kept(group: Rankable, kpi: str, runs: int, location: str) -> list[dict[str, Any]]:  # noqa: ARG001 - part of the key
    return best_of(the_log(), group, kpi, BEST)


def _falls(kpi: str) -> str | None:
    return "1" if KPI_BY_NAME[kpi].better == "higher" else None


def _group_name(group: Rankable) -> str:
    demand = "" if group.demand_kwh is None else f", demand {group.demand_kwh:,.0f} kWh"
    money = f", {group.currency}" if group.currency else ""
    return f"{group.system_id}, {group.timesteps:,} steps{money}{demand}"
