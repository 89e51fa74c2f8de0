"""One run: what a designer looks for first, then its curves, what went in and how it was solved."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from ecosystemiser import charts
from ecosystemiser.charts import RunCurves, Span
from ecosystemiser.charts.numbers import amount, money, share, significant
from ecosystemiser.charts.tokens import MOST_RUNS
from ecosystemiser.dashboard import basket
from ecosystemiser.dashboard.addresses import Place, link, parameter
from ecosystemiser.dashboard.choices import part
from ecosystemiser.dashboard.drawing import draw
from ecosystemiser.dashboard.empty import show_how_to_begin
from ecosystemiser.dashboard.figures import show_figure
from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.run_notes import show_notes
from ecosystemiser.dashboard.run_pictures import (
    show_balance,
    show_bills,
    show_components,
    show_curves,
    show_flows,
    show_investment,
    show_year,
)
from ecosystemiser.dashboard.run_view import RunView, run_view
from ecosystemiser.dashboard.running import LOOK_EVERY_S, stop_button
from ecosystemiser.dashboard.tables import Column, show_table
from ecosystemiser.dashboard.words import KPI_BY_NAME, parameters_of, status_words, unit_of
from ecosystemiser.errors import InputError
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.services.remedies import REMEDIES
from ecosystemiser.services.report_service import ReportService
from ecosystemiser.services.stored_runs import StoredRun
from ecosystemiser.wording import NOTHING, duration, moment

__all__ = ["show"]

_HEADS = (
    ("Cost", "total_cost"),
    ("CO₂", "total_co2"),
    ("Self-sufficiency", "self_sufficiency_rate"),
    ("Renewable", "renewable_fraction"),
    ("Unmet", "unmet_kwh"),
    ("MIP gap", "mip_gap"),
)


def show() -> None:
    """Show the page."""
    word = parameter("id", "last")
    if word == "last" and not the_log().get_statistics()["runs"]:
        show_how_to_begin()
        return
    try:
        view = run_view(word)
    except InputError:
        st.title("Run")
        raise
    st.title(plain(view.run_id))
    _state(view)
    with guarded():
        _links(view)
    if any(view.row.get(name) is not None for _, name in _HEADS):
        _heads(view)
    if view.curves is None:
        _no_curves(view)
    else:
        for note in view.curves.notes:
            st.warning(plain(note))
        with guarded():
            show_components(view.curves, view.theme)
    _show_below(view)


@st.fragment
def _show_below(view: RunView) -> None:
    """Show the balance and the parts below it: what is chosen there leaves the rest of the page as it is."""
    span = None
    if view.curves is not None:
        with guarded():
            span = show_balance(view.curves, view.theme)
    with guarded():
        parts = _parts(view.curves, span)
        parts[part("Part", "part", list(parts))](view)


def _state(view: RunView) -> None:
    """Show how the run stands; while it is under way, again and again."""
    is_running = view.status == "running"
    st.fragment(_show_state, run_every=LOOK_EVERY_S if is_running else None)(view.run_id, was_running=is_running)


def _show_state(run_id: str, *, was_running: bool) -> None:
    with guarded():
        row = the_log().get_simulation_run(run_id) or {}
        is_gone = was_running and run_id in the_log().runs_of_the_dead()
        status = str(row.get("simulation_status"))
        if was_running and status != "running":
            st.rerun()
        facts = [status_words(status, is_gone=is_gone), str(row.get("system_id") or ""), str(row.get("solver_type"))]
        facts += [f"{row['timesteps']:,} steps"] if row.get("timesteps") else []
        facts.append(f"begun {moment(row.get('timestamp'))} UTC")
        st.caption(plain(" · ".join(fact for fact in facts if fact)))
        _explain(row, status, is_gone=is_gone)


def _explain(row: Mapping[str, object], status: str, *, is_gone: bool) -> None:
    """Say what a run that has no result lacks, and what to do."""
    run_id = str(row.get("run_id"))
    if is_gone:
        st.warning("Its process has died before there was a result. To close it as interrupted:")
        st.code("ecosystemiser db check", language=None)
    elif status == "running":
        stop_button(run_id=run_id)
    elif status == "failed":
        cause = str(row.get("failure_cause") or "unknown")
        error = str(mapping_in(row.get("metadata_json")).get("error") or "")
        lines = [f"**It failed: {plain(cause)}.**", plain(error), plain(REMEDIES.get(cause, ""))]
        st.error("  \n".join(text for text in lines if text), icon=":material/error:")
    elif status in ("cancelled", "interrupted"):
        why = "It was stopped" if status == "cancelled" else "The process that solved it died"
        st.warning(f"{why} before there was a result. To solve it again:")
        st.code(f"ecosystemiser runs rerun {run_id}", language=None)


def _links(view: RunView) -> None:
    picked = basket.picked()
    with st.container(horizontal=True, vertical_alignment="center"):
        study = view.row.get("study_id")
        if study:
            link(Place.STUDY, f"Study {study}", icon=":material/query_stats:", id=study)
        others = [run_id for run_id in picked if run_id != view.run_id]
        if others:
            runs = [*others, view.run_id][-MOST_RUNS:]
            words = f"Compare with {len(runs) - 1} in the basket"
            link(Place.COMPARE, words, icon=":material/compare_arrows:", runs=runs)
        if view.run_id not in picked:
            st.button("Put into the basket", on_click=basket.change, args=([], [view.run_id]), icon=":material/add:")
        with st.popover("Report and commands"):
            if view.curves is not None:
                st.download_button(
                    "Report, one HTML file",
                    data=partial(_report, view.run_id),
                    file_name=f"{view.run_id}.html",
                    mime="text/html",
                    on_click="ignore",
                )
            st.code(
                f"ecosystemiser runs show {view.run_id}\necosystemiser runs rerun {view.run_id}\n"
                f"ecosystemiser report {view.run_id} -o run.html",
                language=None,
            )


def _report(run_id: str) -> bytes:
    return ReportService(the_log()).of_run(run_id).encode()


def _heads(view: RunView) -> None:
    for column, (label, name) in zip(st.columns(len(_HEADS)), _HEADS, strict=True):
        value = view.row.get(name)
        kpi = KPI_BY_NAME.get(name)
        unit = unit_of(name) if kpi is None else kpi.unit
        text = share(value) if unit == "share" else amount(value, unit, view.currency)
        if name == "unmet_kwh" and view.row.get("unmet_m3"):
            text = f"{text}, {amount(view.row['unmet_m3'], 'm3')}"
        with column, st.container(border=True, height="stretch"):
            show_figure(label, text, None if kpi is None else kpi.meaning)


def _no_curves(view: RunView) -> None:
    if view.status in ("completed", "failed"):
        st.info(plain(view.why_none))


Show = Callable[[RunView], None]


def _parts(run: RunCurves | None, span: Span | None) -> dict[str, Show]:
    """Return the parts of the page below the balance, by what they are called."""
    drawn: dict[str, Show] = {}
    if run is not None:
        part_of_run = span or Span(0, run.clock.steps)
        drawn = {
            "Year": lambda view: show_year(view, run),
            "Curves": lambda view: show_curves(view, run, part_of_run),
            "Flows": lambda view: show_flows(view, run),
            "Bills": lambda view: show_bills(view, run),
            "Investment": lambda view: show_investment(view, run),
        }
    return {**drawn, "All KPIs": _kpis, "Inputs": _inputs, "How solved": _solve, "Notes": show_notes}


def _kpis(view: RunView) -> None:
    known = [kpi for kpi in KPI_BY_NAME.values() if view.row.get(kpi.name) is not None]
    if not known:
        st.caption("This run has no KPIs.")
        return
    columns = [
        Column("KPI", [kpi.name for kpi in known]),
        Column("value", [amount(view.row[kpi.name], kpi.unit, view.currency) for kpi in known]),
        Column("better", [kpi.better for kpi in known]),
        Column("meaning", [kpi.meaning for kpi in known]),
    ]
    show_table(columns, name="All KPIs", height="content")
    outside = mapping_in(view.row.get("kpis_json"))
    if outside:
        st.markdown("**From outside, and of the investment**")
        texts = [significant(v) if isinstance(v, int | float) else str(v or NOTHING) for v in outside.values()]
        show_table([Column("KPI", list(outside)), Column("value", texts)], name="KPIs from outside", height="content")
    missing = [kpi.name for kpi in KPI_BY_NAME.values() if view.row.get(kpi.name) is None]
    if missing:
        st.caption(plain(f"Without a value here (0/0, or nothing of the kind in the system): {', '.join(missing)}"))


def _inputs(view: RunView) -> None:
    if view.curves is not None:
        st.markdown("**The system**")
        drawn = charts.diagram(view.curves, theme=view.theme)
        draw(drawn, "diagram", "The system: buses, components, flows", is_still=True)
    parameters = parameters_of(view.row)
    if parameters:
        st.markdown("**Fields that were set**")
        values = [json.dumps(value, default=str) for value in parameters.values()]
        show_table([Column("field", list(parameters)), Column("value", values)], name="Fields that were set")
    st.markdown("**The system as it was described**")
    stored = StoredRun.of(view.row)
    changed = stored.changed_files()
    for change in changed:
        st.warning(plain(change))
    text = json.dumps(stored.description.data, indent=2, ensure_ascii=False, default=str)
    st.code(text, language="json", height=480)


def _solve(view: RunView) -> None:
    row = view.row
    told = [
        ("solver", str(row.get("solver_type") or NOTHING)),
        ("its word", str(row.get("solver_status") or NOTHING)),
        ("objective", money(row.get("objective"), view.currency)),
        ("bound: no plan costs less", money(row.get("bound"), view.currency)),
        ("MIP gap", share(row.get("mip_gap"))),
        ("solving", duration(row.get("solve_seconds"))),
        ("whole run", duration(row.get("wall_seconds"))),
        ("balance residual [kWh or m³]", _residual(row.get("balance_residual"))),
        ("config hash", str(row.get("config_hash") or NOTHING)),
    ]
    told += [(name, str(row[name])) for name in ("retry_of", "reused_from") if row.get(name)]
    told += [(name, str(value)) for name, value in mapping_in(row.get("environment_json")).items()]
    columns = [Column("", [name for name, _ in told]), Column("value", [value for _, value in told])]
    show_table(columns, name="How it was solved", height="content")


def _residual(value: float | None) -> str:
    return NOTHING if value is None else significant(value)
