"""A table of runs: a click on an id opens the run, a tick puts it into the basket."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from ecosystemiser.dashboard import basket
from ecosystemiser.dashboard.addresses import Place, go
from ecosystemiser.dashboard.tables import runs_columns, show_table

__all__ = ["show_runs"]

ROW_PX = 34
MOST_HIGH = 21


def show_runs(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], *, key: str, name: str, gone: Collection[str] = ()
) -> None:
    """Show runs, the columns `names` of each; opens the run whose id was clicked."""
    ids = [str(row["run_id"]) for row in rows]
    place = f"{key}-{st.session_state.get('basket-round', 0)}-{hash(tuple(ids))}"

    def take() -> None:
        chosen = st.session_state[place].selection.rows
        basket.change(ids, [ids[at] for at in chosen if at < len(ids)])

    picked = set(basket.picked())
    found = show_table(
        runs_columns(rows, names, gone),
        name=name,
        key=place,
        on_select=take,
        selection_mode=["multi-row", "single-cell"],
        selection_default={"selection": {"rows": [at for at, run_id in enumerate(ids) if run_id in picked]}},
        row_height=ROW_PX,
        height=ROW_PX * (min(len(rows), MOST_HIGH) + 1) + 3,
    )
    cells = found.selection.cells
    if cells and cells[0][1] == "run" and cells[0][0] < len(ids):
        go(Place.RUN, id=ids[cells[0][0]])
