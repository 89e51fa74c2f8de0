"""What an empty page says: how it is filled."""

from __future__ import annotations

import streamlit as st

from ecosystemiser.dashboard.addresses import Place, link
from ecosystemiser.dashboard.log import may_act, the_log
from ecosystemiser.dashboard.plain import plain

__all__ = ["show_how_to_begin"]


def show_how_to_begin() -> None:
    """Say that there is nothing yet, and how to get the first run."""
    log = the_log()
    st.info(f"There are no runs yet in {plain(log.location)}.", icon=":material/inbox:")
    st.markdown("Take the tour (half a minute), or solve a system; this page shows it as soon as it is there.")
    st.code(
        "ecosystemiser demo\necosystemiser run riverside-community --steps 168\necosystemiser study run my-study.yaml",
        language=None,
    )
    if may_act():
        link(Place.NEW, "Or begin here: New run", icon=":material/play_circle:")
