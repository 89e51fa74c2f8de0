"""Widgets whose value stands in the address: it comes from there, and what the visitor chooses goes there.

So an address that is sent to somebody shows the same, and the browser's back button undoes a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from ecosystemiser.dashboard.addresses import parameter, parameters, remember

__all__ = ["choice", "choices", "line", "part", "switch"]


def choice(label: str, name: str, options: Sequence[str], *, shown: Callable[[str], str] = str, **more: Any) -> str:
    """Show a list to choose one from; return the choice. What the address does not know is the first of the list."""
    found = parameter(name)
    key = _set(name, found if found in options else options[0])
    resets = dict.fromkeys(more.pop("resets", ()))

    def take() -> None:
        chosen = st.session_state[key]
        remember(**{name: None if chosen == options[0] else chosen}, **resets)

    return str(st.selectbox(label, options, key=key, format_func=shown, on_change=take, **more))


def choices(
    label: str, name: str, options: Sequence[str], default: Sequence[str], *, shown: Callable[[str], str] = str
) -> list[str]:
    """Show a list to choose several from; return them in the order in which they were chosen."""
    found = [each for each in parameters(name) if each in options] or list(default)
    key = _set(name, found)

    def take() -> None:
        chosen = st.session_state[key]
        remember(**{name: None if chosen == list(default) else chosen})

    return list(st.multiselect(label, options, key=key, format_func=shown, on_change=take))


def part(label: str, name: str, parts: Sequence[str]) -> str:
    """Show a row of parts of which one is open; return which. Only that one needs to be made."""
    found = parameter(name)
    key = _set(name, found if found in parts else parts[0])

    def take() -> None:
        chosen = st.session_state[key]
        remember(**{name: None if chosen == parts[0] else chosen})

    chosen = st.segmented_control(label, parts, key=key, on_change=take, label_visibility="collapsed", required=True)
    return str(chosen or parts[0])


def line(label: str, name: str, *, resets: Sequence[str] = (), **more: Any) -> str:
    """Show a line to write in; return what stands there. `resets`: what no longer holds for another text."""
    key = _set(name, parameter(name))

    def take() -> None:
        remember(**{name: st.session_state[key].strip()}, **dict.fromkeys(resets))

    return str(st.text_input(label, key=key, on_change=take, **more)).strip()


def switch(label: str, name: str, *, resets: Sequence[str] = (), **more: Any) -> bool:
    """Show a switch, off unless the address says otherwise; return whether it is on."""
    key = _set(name, parameter(name) == "1")

    def take() -> None:
        remember(**{name: "1" if st.session_state[key] else None}, **dict.fromkeys(resets))

    return bool(st.toggle(label, key=key, on_change=take, **more))


def _set(name: str, value: object) -> str:
    """Give the widget of a parameter what the address says, and return its key."""
    key = f"address-{name}"
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key
