"""All runs: filtered, sorted and paged in the database, picked for comparison, exported."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ecosystemiser.dashboard.addresses import parameter, remember
from ecosystemiser.dashboard.basket import show_basket
from ecosystemiser.dashboard.choices import choice, choices, line, switch
from ecosystemiser.dashboard.empty import show_how_to_begin
from ecosystemiser.dashboard.exporting import show_export
from ecosystemiser.dashboard.guard import tell
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.run_table import show_runs
from ecosystemiser.dashboard.tables import varied_by
from ecosystemiser.dashboard.words import KPI_BY_NAME, head_of
from ecosystemiser.errors import InputError
from ecosystemiser.services.database_metadata_service import RunPage
from ecosystemiser.services.exploring import STATUSES
from ecosystemiser.services.run_filters import (
    asked_of,
    asking_for,
    equal,
    filter_help,
    filter_text,
    sortable_names,
    varied_fields,
)

__all__ = ["show"]

ROWS_A_PAGE = 100
COUNTED_TO = 10_000
MOST_VARIED = 4
"""Fields that vary among the runs shown get a column of their own, up to so many."""

USUAL = (
    *("simulation_status", "run_id", "study_id", "solver_type", "total_cost", "total_co2"),
    *("self_sufficiency_rate", "unmet_kwh", "mip_gap", "timesteps", "timestamp"),
)
OTHERS = ("system_id", "failure_cause", "solve_seconds", "wall_seconds", "point", "generation")

SOLVERS = ("rule_based", "rolling_horizon", "hybrid", "milp")
_STATUS = {status: equal("simulation_status", status) for status in STATUSES}
_SOLVER = {solver: equal("solver_type", solver) for solver in SOLVERS}
_ALSO = {"of no study": "study_id is null", "something unmet": "(unmet_kwh > 0 or unmet_m3 > 0)"}
_PLACE = ("after", "from")
"""What in the address says how far the visitor has paged."""


def show() -> None:
    """Show the page."""
    log = the_log()
    st.title("Runs")
    if not log.get_statistics()["runs"]:
        show_how_to_begin()
        return
    varied = varied_fields(log)
    where = _filter(varied)
    try:
        text = filter_text(where)
    except InputError as error:
        tell(error)
        return
    _chips(where)
    page = log.page_simulation_runs(text, order_by=_asked_order(), after=parameter("after") or None, limit=ROWS_A_PAGE)
    if not page.rows and not parameter("after"):
        _say_that_none_passes()
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="bar"):
        counted = log.count_simulation_runs(text, at_most=COUNTED_TO + 1)
        _pager(page, counted, where)
        _order(varied)
        names = _columns(page, varied)
        show_export(text, counted, COUNTED_TO)
    is_running = any(row["simulation_status"] == "running" for row in page.rows)
    gone = log.runs_of_the_dead() if is_running else set()
    show_runs(page.rows, names, key="runs", name="Runs that pass the filter", gone=gone)
    show_basket("runs")


def _filter(varied: Sequence[str]) -> str:
    left, right = st.columns([0.86, 0.14], vertical_alignment="bottom")
    with left:
        where = line(
            "Filter",
            "where",
            resets=_PLACE,
            placeholder="total_cost < 20000 and solver_type = 'hybrid'",
            help="The same text as in: ecosystemiser runs list --where FILTER",
        )
    with right, st.popover("What can I ask?", use_container_width=True):
        st.code(filter_help(), language=None)
        if varied:
            st.caption("Varied by runs in this log:")
            st.code("\n".join(varied), language=None)
    return where


def _chips(where: str) -> None:
    with st.container(horizontal=True, key="chips"):
        _chip_group(where, "Status", _STATUS)
        _chip_group(where, "Solver", _SOLVER)
        for word, condition in _ALSO.items():
            _chip_group(where, "Also" if word in list(_ALSO)[:1] else "\N{ZERO WIDTH SPACE}", {word: condition})


def _chip_group(where: str, label: str, conditions: dict[str, str]) -> None:
    """Show conditions of which one at most is asked for; a click changes the filter's text."""
    key = f"chips-{next(iter(conditions))}"
    asked = asked_of(where, list(conditions.values()))
    st.session_state[key] = next((word for word, condition in conditions.items() if condition == asked), None)

    def take() -> None:
        word = st.session_state[key]
        chosen = conditions[word] if word else None
        text = asking_for(where, list(conditions.values()), chosen)
        remember(where=text, **dict.fromkeys(_PLACE))

    st.pills(label, list(conditions), key=key, on_change=take)


def _asked_order() -> str | None:
    """Return the order that the address asks for. An unknown one raises InputError where it is used."""
    name, is_falling = parameter("sort"), parameter("falling") == "1"
    return f"-{name}" if name and is_falling else name or None


def _order(varied: Sequence[str]) -> None:
    names = [name for name in sortable_names() if name not in ("timestamp", "run_id")]
    name = choice("Sort by", "sort", ["", *names, "timestamp", *varied], shown=_order_words, resets=_PLACE, width=230)
    switch("largest first", "falling", resets=_PLACE, disabled=not name)


def _order_words(name: str) -> str:
    return head_of(name) if name else "newest first"


def _pager(page: RunPage, counted: int, where: str) -> None:
    """Show which of how many runs these are, and what leads to the others.

    Pages know where the next one begins; where the one before began is known of those that this visit has seen.
    """
    first = int(parameter("from", "1")) if parameter("from", "1").isdigit() else 1
    total = f"{counted:,}" if counted <= COUNTED_TO else f"{COUNTED_TO:,}+"
    st.markdown(f"**{first:,}–{first + len(page.rows) - 1:,}** of {total}", width="content")  # noqa: RUF001 - a range
    place = (where, _asked_order())
    trail = st.session_state.setdefault("trail", {})
    trail[*place, first] = parameter("after") or None
    before = max(1, first - ROWS_A_PAGE)
    is_known = first > 1 and (before == 1 or (*place, before) in trail)
    back = (trail.get((*place, before)), before)
    st.button("First", key="first", disabled=not parameter("after"), on_click=_turn, args=(None, None))
    st.button("Previous", key="previous", disabled=not is_known, on_click=_turn, args=back)
    st.button("Next", key="next", disabled=page.next is None, on_click=_turn, args=(page.next, first + ROWS_A_PAGE))


def _turn(after: str | None, first: int | None) -> None:
    remember(**{"after": after, "from": None if after is None else str(first)})


def _columns(page: RunPage, varied: Sequence[str]) -> list[str]:
    own = varied_by(page.rows)[:MOST_VARIED]
    filled = [name for name in USUAL if name in _ALWAYS or any(row.get(name) is not None for row in page.rows)]
    usual = [*filled[:4], *own, *filled[4:]] if own else filled
    kpis = [name for name in KPI_BY_NAME if name not in USUAL]
    options = list(dict.fromkeys([*USUAL, *OTHERS, *kpis, *varied, *own]))
    with st.popover("Columns"):
        chosen = choices("Columns of the table", "columns", options, usual, shown=head_of)
    return ["run_id", *chosen] if "run_id" not in chosen else chosen


_ALWAYS = ("simulation_status", "run_id", "solver_type", "total_cost", "timestamp")


def _say_that_none_passes() -> None:
    known = the_log().get_statistics()["runs"]
    st.info(f"None of the {known:,} runs passes this filter.", icon=":material/filter_alt_off:")
    st.button("Show all runs", on_click=remember, kwargs=dict.fromkeys(("where", *_PLACE)))
