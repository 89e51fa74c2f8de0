"""All studies, one line each; what is running stands first, and is seen to come on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ecosystemiser.dashboard.addresses import Place, go, link, parameter, remember
from ecosystemiser.dashboard.choices import choice
from ecosystemiser.dashboard.empty import show_how_to_begin
from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.running import show_running
from ecosystemiser.dashboard.study_words import done_of, share_done
from ecosystemiser.dashboard.tables import Column, show_table
from ecosystemiser.dashboard.words import kind_words, moment, status_words
from ecosystemiser.services.exploring import STATUSES
from ecosystemiser.wording import significant

__all__ = ["show"]

STUDIES_A_PAGE = 50
ROW_PX = 34


def show() -> None:
    """Show the page."""
    st.title("Studies")
    known = the_log().get_statistics()["studies"]
    if not known:
        show_how_to_begin()
        return
    if the_log().query_studies(status="running", limit=1):
        show_running()
    with guarded():
        _table(known)


def _table(known: int) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="bar"):
        options = ["", *STATUSES]
        status = choice("Status", "status", options, shown=lambda word: word or "all", resets=("from",), width=180)
        first = _first()
        rows = the_log().query_studies(status=status or None, limit=STUDIES_A_PAGE + 1, offset=first - 1)
        shown, is_more = rows[:STUDIES_A_PAGE], len(rows) > STUDIES_A_PAGE
        total = "" if status else f" of {known:,}"
        span = f"**{first:,}–{first + len(shown) - 1:,}**{total}" if shown else "none"  # noqa: RUF001 - a range
        st.markdown(span, width="content")
        back, on = str(first - STUDIES_A_PAGE), str(first + STUDIES_A_PAGE)
        st.button("Previous", disabled=first == 1, on_click=_turn, args=(back,))
        st.button("Next", disabled=not is_more, on_click=_turn, args=(on,))
    if not shown:
        st.info(f"No study is {status}." if status else "There are no studies this far back.")
        return
    found = show_table(
        _columns(shown),
        name="Studies",
        key="studies",
        on_select="rerun",
        selection_mode="single-cell",
        row_height=ROW_PX,
        height=ROW_PX * (min(len(shown), 20) + 1) + 3,
    )
    cells = found.selection.cells
    if cells and cells[0][1] == "study" and cells[0][0] < len(shown):
        go(Place.STUDY, id=shown[cells[0][0]]["study_id"])
    with st.container(horizontal=True):
        st.caption("Click a study's name to open it, or the newest:")
        for row in shown[:5]:
            link(Place.STUDY, row["study_id"], id=row["study_id"])


def _first() -> int:
    text = parameter("from", "1")
    return max(1, int(text)) if text.isdigit() and len(text) < 9 else 1


def _turn(first: str) -> None:
    remember(**{"from": None if int(first) <= 1 else first})


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    def count(number: float) -> str:
        return f"{number:,.0f}"

    best = [row["best_total_cost"] for row in rows]
    return [
        Column("status", [status_words(row["status"]) for row in rows], width=120),
        Column("study", [row["study_id"] for row in rows], meaning="Click a name to open the study.", width=230),
        Column("kind", [kind_words(row["study_type"]) for row in rows]),
        Column("system", [row["system_id"] or "" for row in rows]),
        Column("points", [row["points"] for row in rows], count, "How many it has in all."),
        Column("ended", [done_of(row) for row in rows], count, "Runs that completed, failed or were stopped."),
        Column("done [%]", [100 * share_done(row) for row in rows], count),
        Column("failed", [row["by_status"].get("failed", 0) for row in rows], count),
        Column("best cost", best, lambda value: significant(value, 4), "In the study's own currency."),
        Column("begun [UTC]", [moment(row["timestamp"]) for row in rows], width=140),
        Column("ended at [UTC]", [moment(row["finished_at"]) for row in rows], width=140),
    ]
