"""Two to eight runs beside each other: what was changed, costs, KPIs, curves. The first is the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ecosystemiser import charts
from ecosystemiser.charts import RunCurves
from ecosystemiser.charts.spans import span_of
from ecosystemiser.charts.tokens import MOST_RUNS
from ecosystemiser.dashboard.addresses import Place, link, parameters, remember
from ecosystemiser.dashboard.basket import picked
from ecosystemiser.dashboard.choices import choice, line, switch
from ecosystemiser.dashboard.compare_tables import show_all_inputs, show_changed_inputs, show_kpis
from ecosystemiser.dashboard.drawing import draw
from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import history, the_log
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.run_view import RunView, run_view
from ecosystemiser.dashboard.tables import currency_of
from ecosystemiser.dashboard.words import status_words
from ecosystemiser.services.report_service import ReportService
from ecosystemiser.services.run_comparison import RunComparison

__all__ = ["show"]

_LENGTHS = {"whole time": None, "month": 31.0, "week": 7.0, "day": 1.0}


def show() -> None:
    """Show the page."""
    st.title("Compare")
    words = parameters("runs")
    if len(words) < 2:
        _ask_for_runs(words)
        return
    found = history().compare(words)
    views = [run_view(run) for run in found.runs]
    _heads(found, views)
    heads = [f"{name} (baseline)" if at == 0 else name for at, name in enumerate(found.names)]
    for warning in found.warnings:
        st.warning(plain(warning), icon=":material/warning:")
    with guarded():
        st.subheader("What was changed")
        show_changed_inputs(found, heads)
        if switch("All inputs", "all"):
            show_all_inputs(found, heads)
    drawn = [view.curves for view in views if view.curves is not None]
    names = [head for head, view in zip(heads, views, strict=True) if view.curves is not None]
    with guarded():
        _costs(views, drawn, names)
    with guarded():
        _kpis(found, views, heads)
    if len(drawn) > 1:
        with guarded():
            _curves(drawn, names, views)


def _ask_for_runs(words: Sequence[str]) -> None:
    """Say how to choose runs, and offer those in the basket."""
    st.markdown(
        f"Tick two to {MOST_RUNS} runs on the page Runs and follow *Compare*, or write their ids here, with commas."
    )
    chosen = picked()
    with st.container(horizontal=True, vertical_alignment="center"):
        link(Place.RUNS, "Choose runs", icon=":material/table_rows:")
        if len(chosen) > 1:
            link(Place.COMPARE, f"Compare the {len(chosen)} in the basket", runs=chosen[:MOST_RUNS])
        link(Place.COMPARE, "Compare the last two", runs=["last~1", "last"])
    line("Runs, the baseline first", "runs", placeholder="last~1, last")
    if words:
        st.caption("One more is needed.")


def _heads(found: RunComparison, views: Sequence[RunView]) -> None:
    """Show which runs they are, what changes the baseline, and what takes the comparison along."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = "compare-baseline"
        st.session_state[key] = found.runs[0]

        def take() -> None:
            first = st.session_state[key]
            remember(runs=[first, *(run for run in found.runs if run != first)])

        shown = dict(zip(found.runs, found.names, strict=True))
        st.selectbox("Baseline", found.runs, key=key, format_func=shown.__getitem__, on_change=take, width=260)
        st.download_button(
            "CSV", data=partial(_csv, found), file_name="comparison.csv", mime="text/csv", on_click="ignore"
        )
        st.download_button(
            "HTML report", partial(_report, found), file_name="comparison.html", mime="text/html", on_click="ignore"
        )
    for view, name in zip(views, found.names, strict=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            link(Place.RUN, f"{status_words(view.status)} · {name}", id=view.run_id)
            facts = (view.row.get("system_id"), view.row.get("solver_type"), view.row.get("study_id"))
            steps = view.row.get("timesteps")
            told = [str(fact) for fact in facts if fact] + ([f"{steps:,} steps"] if steps else [])
            st.caption(plain(" · ".join(told)))


def _csv(found: RunComparison) -> bytes:
    return history().comparison_csv(found).encode()


def _report(found: RunComparison) -> bytes:
    return ReportService(the_log()).of_comparison(found.runs).encode()


def _costs(views: Sequence[RunView], drawn: Sequence[RunCurves], names: Sequence[str]) -> None:
    st.subheader("Costs")
    for view in views:
        if view.curves is None:
            st.caption(plain(view.why_none))
    if drawn:
        draw(charts.cost_stacks(drawn, names, theme=views[0].theme), "costs", "Costs of the runs by kind")


def _kpis(found: RunComparison, views: Sequence[RunView], heads: Sequence[str]) -> None:
    st.subheader("KPIs")
    currency, theme = currency_of([view.row for view in views]), views[0].theme
    show_kpis(found, heads, currency, theme)
    others = dict(zip(heads[1:], range(1, len(heads)), strict=True))
    which = choice("Beside the baseline", "beside", list(others), width=260) if len(others) > 1 else heads[1]
    changes = charts.kpi_changes(views[0].row, views[others[which]].row)
    is_ranked = found.is_rankable[others[which]]
    figure = charts.kpi_differences(changes, currency=currency, is_ranked=is_ranked, theme=theme)
    draw(figure, "kpis", f"KPIs of {which} beside the baseline, in per cent")


def _curves(drawn: Sequence[RunCurves], names: Sequence[str], views: Sequence[RunView]) -> None:
    st.subheader("Curves")
    theme = views[0].theme
    together = charts.aligned(drawn)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        path = choice("Series", "series", charts.common_series(drawn), width=320)
        length = choice("Length", "length", list(_LENGTHS), width=160)
    for note in together.notes:
        st.caption(plain(note))
    if together.reason is not None:
        st.warning(plain(together.reason))
    else:
        clock = together.runs[0].clock
        days = _LENGTHS[length]
        span = None if days is None else span_of(clock, _step_of_day(clock.steps, clock.step_s), days)
        figure = charts.overlay(together.runs, path, names, span=span, theme=theme)
        draw(figure, "overlay", f"{path} of the runs, and differences from the baseline")
    left, right = st.columns(2)
    with left:
        st.markdown("**Duration**")
        draw(charts.durations(drawn, path, names, theme=theme), "durations", f"Duration curves of {path}")
    with right:
        st.markdown("**Months**")
        draw(charts.months(drawn, path, names, theme=theme), "months", f"{path} by month")
    st.markdown("**Energy flows**")
    columns = st.columns(min(2, len(drawn)))
    for at, (run, name) in enumerate(zip(drawn, names, strict=True)):
        with columns[at % len(columns)]:
            st.caption(plain(name))
            draw(charts.sankey(run, theme=theme), f"sankey-{at}", f"Sankey diagram of energy of {name}")


def _step_of_day(steps: int, step_s: int) -> int:
    """Show a slider of days; return the first step of the chosen one. The address holds it as `day`."""
    last = max(1, -(-steps * step_s // 86_400))
    asked = parameters("day")
    key = "address-day"
    st.session_state[key] = min(last, max(1, int(asked[0]))) if asked and asked[0].isdecimal() else 1

    def take() -> None:
        remember(day=str(st.session_state[key]))

    day = st.slider("From day", 1, last, key=key, on_change=take) if last > 1 else 1
    return (int(day) - 1) * 86_400 // step_s
