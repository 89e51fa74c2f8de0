"""A number with its name, large: what a page says first.

Streamlit's own element for it waits until a browser has loaded the library that draws sparklines, for seconds.
"""

from __future__ import annotations

import streamlit as st

from ecosystemiser.dashboard.plain import plain

__all__ = ["show_figure"]


def show_figure(name: str, value: str, meaning: str | None = None) -> None:
    """Show a number, as text, under its name; what it means on asking."""
    with st.container(gap=None):
        st.caption(plain(name), help=meaning)
        st.subheader(plain(value), anchor=False)
