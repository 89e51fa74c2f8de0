"""The pictures that answer what a study asked, by its kind; a click on a point opens its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecosystemiser import charts
from ecosystemiser.dashboard.choices import choice
from ecosystemiser.dashboard.drawing import draw
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.dashboard.study_view import StudyView
from ecosystemiser.dashboard.words import head_of, meaning_of

__all__ = ["show_parallel", "show_pictures", "small_picture"]

MOST_AXES = 8


def show_pictures(view: StudyView, bar: DeltaGenerator) -> None:
    """Show the pictures of the study's kind; what can be chosen about them stands in `bar`."""
    if not view.points:
        st.caption("There is no picture before a run has completed.")
        return
    if view.found.one_of > 1:
        st.caption(f"Of {view.found.one_of:,} points one is drawn.")
    _PICTURES.get(str(view.study.get("study_type")), _parametric)(view, bar)


def small_picture(view: StudyView) -> Any:
    """Return the one figure that says most, small; None where there is nothing to draw."""
    if not view.points:
        return None
    made = _first(view)
    if made is None:
        return None
    made.update_layout(height=190, margin={"l": 50, "r": 8, "t": 10, "b": 40}, showlegend=False, font={"size": 11})
    made.layout.annotations = ()
    made.update_xaxes(title_font_size=11, title_standoff=4)
    made.update_yaxes(title_font_size=11, title_standoff=4)
    made.update_traces(showscale=False, selector={"type": "heatmap"})
    made.update_traces(marker_showscale=False, selector={"type": "scatter"})
    return made


def show_parallel(view: StudyView) -> None:
    """Show all parameters and a few KPIs beside each other."""
    kpis = list(dict.fromkeys([view.kpi, *view.objectives, "total_cost", "total_co2"]))[:3]
    paths = view.varied[: MOST_AXES - len(kpis)]
    if not paths:
        st.caption("No field takes more than one value.")
        return
    st.caption("Drag along an axis to see only the runs that pass through there.")
    drawn = charts.parallel_coordinates(view.points, paths, kpis, currency=view.currency, theme=view.theme)
    draw(drawn, "parallel", "All varied fields and some KPIs of each run")


def _first(view: StudyView) -> Any:
    kind = view.study.get("study_type")
    if kind == "genetic_algorithm" and len(view.objectives) > 1:
        both = (view.objectives[0], view.objectives[1])
        return charts.pareto_front(view.points, view.front, both, currency=view.currency, theme=view.theme)
    if kind == "monte_carlo":
        return charts.distribution(view.samples(), view.kpi, currency=view.currency, theme=view.theme)
    paths = view.numeric or view.varied
    if not paths:
        return None
    if len(paths) > 1:
        return charts.heat_map(view.points, paths[0], paths[1], view.kpi, currency=view.currency, theme=view.theme)
    return charts.parametric_lines(view.points, paths[0], view.kpi, currency=view.currency, theme=view.theme)


def _parametric(view: StudyView, bar: DeltaGenerator) -> None:
    paths = [*view.numeric, *(path for path in view.varied if path not in view.numeric)]
    if not paths:
        st.caption("No field takes more than one value, so there is nothing to draw.")
        return
    with bar:
        across = choice("across", "x", paths, width=260)
        others = [path for path in paths if path != across]
        by = choice("and by", "y", others, width=260) if others else None
    shared: dict[str, Any] = {"currency": view.currency, "theme": view.theme}
    lines = charts.parametric_lines(view.points, across, view.kpi, by=by, **shared)
    name = f"{head_of(view.kpi)} over {across}"
    if by is None:
        draw(lines, "lines", name, opens_runs=True)
        return
    left, right = st.columns(2)
    with left:
        draw(charts.heat_map(view.points, across, by, view.kpi, **shared), "map", f"{name} and {by}", opens_runs=True)
    with right:
        draw(lines, "lines", name, opens_runs=True)


def _genetic(view: StudyView, bar: DeltaGenerator) -> None:
    shared: dict[str, Any] = {"currency": view.currency, "theme": view.theme}
    rows = the_log().query_analysis("convergence_metrics", view.study_id)
    names = view.objectives
    if len(names) > 1:
        both = (names[0], names[1])
        if len(names) > 2:
            with bar:
                across = choice("across", "x", names, shown=head_of, width=220)
                both = (across, choice("up", "y", [each for each in names if each != across], shown=head_of, width=220))
        st.caption("Each point is a run: hover for its parameters, click to open it.")
        front = charts.pareto_front(view.points, view.front, both, **shared)
        draw(front, "front", "Runs by their objectives, and the front", opens_runs=True)
    left, right = st.columns(2)
    with left:
        st.markdown("**Best and mean of each generation**")
        draw(charts.convergence(rows, **shared), "convergence", "Objectives by generation")
    with right:
        st.markdown("**Hypervolume: how much the front covers**")
        draw(charts.hypervolume(rows, theme=view.theme), "hypervolume", "Hypervolume by generation")


def _monte_carlo(view: StudyView, _bar: DeltaGenerator) -> None:
    shared: dict[str, Any] = {"currency": view.currency, "theme": view.theme}
    samples = view.samples()
    left, right = st.columns(2)
    with left:
        st.markdown("**Distribution**")
        draw(charts.distribution(samples, view.kpi, **shared), "distribution", "Distribution over the samples")
    with right:
        st.markdown("**Exceedance: how likely it is to be more**")
        draw(charts.exceedance(samples, view.kpi, **shared), "exceedance", "Probability of exceedance")
    found = the_log().query_analysis("sensitivity_analysis", view.study_id)
    rows = [row for row in found if row["kpi"] == view.kpi and row["design"] == 0]
    left, right = st.columns(2)
    with left:
        st.markdown("**Tornado: each parameter alone, from its P10 to its P90**")
        draw(charts.tornado(rows, view.kpi, **shared), "tornado", "What each parameter alone does")
    with right:
        st.markdown("**Sobol indices: what share of the variance is due to what**")
        draw(charts.sobol(rows, view.kpi, theme=view.theme), "sobol", "Sobol indices")
    if len(samples) > 1:
        st.caption("Tornado and Sobol indices are those of the first design.")
    meaning = meaning_of(view.kpi)
    if meaning:
        st.caption(f"{head_of(view.kpi)}: {meaning}")


_PICTURES: Mapping[str, Callable[[StudyView, DeltaGenerator], None]] = {
    "parametric": _parametric,
    "genetic_algorithm": _genetic,
    "monte_carlo": _monte_carlo,
}
