"""The runs that a visitor has picked to compare.

They stay picked from page to page, as long as the visit lasts, and stand in the address of pages with ticks, so that a
link shows the same to somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ecosystemiser.charts.tokens import MOST_RUNS
from ecosystemiser.dashboard.addresses import MOST_CHARACTERS, Place, link, parameters, remember
from ecosystemiser.wording import number_of

__all__ = ["change", "picked", "show_basket"]

_KEY, _NAME = "basket", "picked"
"""Where the basket is kept, and its parameter in the address."""


def picked() -> list[str]:
    """Return the ids of the picked runs, in the order in which they were picked: at first those of the address."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = parameters(_NAME)
    return list(st.session_state[_KEY])


def change(shown: Sequence[str], chosen: Sequence[str]) -> None:
    """Of the runs `shown` on a page let exactly `chosen` be picked; those of other pages stay as they are."""
    kept = [run_id for run_id in picked() if run_id in chosen or run_id not in shown]
    _put([*kept, *(run_id for run_id in chosen if run_id not in kept)])


def show_basket(key: str) -> None:
    """Show how many runs are picked, the link that compares them, and what puts all of them back."""
    runs = picked()
    _put(runs)  # a page that was come to by a link has them in its address, too
    with st.container(horizontal=True, vertical_alignment="center", key=f"basket-{key}"):
        if not runs:
            st.caption("Tick two runs or more to compare them.")
            return
        st.markdown(f"**Basket: {number_of(len(runs), 'run')}**")
        if len(runs) < 2:
            st.caption("Tick one more to compare.")
        elif len(runs) > MOST_RUNS:
            st.caption(f"At most {MOST_RUNS} runs are compared: take {len(runs) - MOST_RUNS} out.")
        else:
            link(Place.COMPARE, "Compare", icon=":material/compare_arrows:", runs=runs)
        st.button("Empty the basket", key=f"empty-{key}", type="tertiary", on_click=_empty)


def _empty() -> None:
    _put([])
    st.session_state["basket-round"] = st.session_state.get("basket-round", 0) + 1


def _put(runs: Sequence[str]) -> None:
    """Let exactly `runs` be picked. More than an address can hold are kept without it."""
    st.session_state[_KEY] = list(runs)
    remember(**{_NAME: runs if len(",".join(runs)) <= MOST_CHARACTERS else None})
