"""How a figure is put onto a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ecosystemiser.dashboard.addresses import Place, go

__all__ = ["draw"]


def draw(figure: Any, key: str, name: str, *, opens_runs: bool = False, is_still: bool = False) -> None:
    """Show a figure that a screen reader calls `name`; with `opens_runs` a click on a point opens its run.

    `is_still`: a small one, of which no part is looked at closer.
    """
    config = {"displaylogo": False, "responsive": True, "displayModeBar": False if is_still else "hover"}
    if not opens_runs:
        st.plotly_chart(figure, theme=None, key=key, config=config, alt=name)
        return
    event: Any = st.plotly_chart(
        figure, theme=None, key=key, config=config, alt=name, on_select="rerun", selection_mode="points"
    )
    for point in event.selection.points:
        run_id = _run_of(point)
        if run_id:
            go(Place.RUN, id=run_id)


def _run_of(point: Mapping[str, Any]) -> str | None:
    held = point.get("customdata")
    while isinstance(held, list | dict) and held:
        held = next(iter(held.values() if isinstance(held, dict) else held))
    return held if isinstance(held, str) else None
