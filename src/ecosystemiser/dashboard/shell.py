"""What all pages share: the navigation, the frame around them, and where the shown database is."""

from __future__ import annotations

import streamlit as st

from ecosystemiser.dashboard.addresses import pages
from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import may_act, the_log
from ecosystemiser.dashboard.plain import plain

__all__ = ["show"]

ICON = (
    "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>"
    "<path fill='%23E69F00' d='M13 1 4 14h6l-2 9 10-14h-7z'/></svg>"
)
"""A bolt. It is drawn here: one by name would be fetched over the network."""

STYLE = """<style>
.stMainBlockContainer {padding: 4.2rem 2rem 2rem; max-width: 1800px}
.stTextArea textarea {font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .8rem; line-height: 1.45}
@media (max-width: 640px) {.stMainBlockContainer {padding: 4rem .8rem 1rem}}
</style>"""


def show() -> None:
    """Show the page that the address names."""
    st.set_page_config(page_title="EcoSystemiser", page_icon=ICON, layout="wide")
    st.html(STYLE)
    page = st.navigation(pages(), position="top")
    page.run()
    with guarded():
        _foot()


def _foot() -> None:
    mode = "" if may_act() else " · looking only (--read-only)"
    st.caption(f"Database: {plain(the_log().location)}{mode}")
