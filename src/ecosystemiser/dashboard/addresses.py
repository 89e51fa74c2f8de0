"""The address of a page says all that is on it: what is read from it, what is written into it, links with it.

A parameter that has its default value stands nowhere, so that addresses stay short. Streamlit clears the parameters
when the page changes, so every link carries its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from importlib import import_module
from typing import Any, NoReturn
from urllib.parse import urlencode

import streamlit as st

from ecosystemiser.errors import Finding, InputError

__all__ = [
    "MOST_CHARACTERS",
    "Place",
    "address",
    "go",
    "link",
    "load_pages",
    "pages",
    "parameter",
    "parameters",
    "remember",
]

MOST_CHARACTERS = 4_000
"""Longer values are refused: no page writes them."""


class Place(StrEnum):
    """The pages, each by the path of its address."""

    OVERVIEW = "overview"
    RUNS = "runs"
    RUN = "run"
    COMPARE = "compare"
    STUDIES = "studies"
    STUDY = "study"
    NEW = "new"


TITLES = {
    Place.OVERVIEW: ("Overview", ":material/dashboard:"),
    Place.RUNS: ("Runs", ":material/table_rows:"),
    Place.RUN: ("Run", ":material/bolt:"),
    Place.COMPARE: ("Compare", ":material/compare_arrows:"),
    Place.STUDIES: ("Studies", ":material/science:"),
    Place.STUDY: ("Study", ":material/query_stats:"),
    Place.NEW: ("New run", ":material/play_circle:"),
}
KNOWN = {
    Place.OVERVIEW: {"kpi", "group", "picked"},
    Place.RUNS: {"where", "sort", "falling", "columns", "after", "from", "picked"},
    Place.STUDIES: {"status", "from"},
    Place.STUDY: {"id", "kpi", "x", "y", "part", "picked"},
    Place.NEW: {"started", "system", "what", "kind", "solver", "steps"},
}
"""The parameters that a page knows. What else its address holds was left by another page, and is taken out."""

HIDDEN = (Place.RUN, Place.STUDY)
"""Pages of one thing, which links lead to."""


def parameter(name: str, default: str = "") -> str:
    """Return what the address says of `name`. Raises InputError for a value that no page writes."""
    value = st.query_params.get(name, default)
    if len(value) > MOST_CHARACTERS:
        remedy = "follow a link, or begin at the overview"
        raise InputError([Finding(f"is {len(value):,} characters long, more than any page knows", remedy, name)])
    if "\0" in value:
        raise InputError([Finding("holds a NUL", "follow a link, or begin at the overview", name)])
    return value


def parameters(name: str) -> list[str]:
    """Return what the address says of `name` as a list: values with commas between them, each once."""
    return list(dict.fromkeys(part for part in parameter(name).split(",") if part))


def remember(**values: str | Sequence[str] | None) -> None:
    """Write values into the address of this page; an empty one takes the parameter out."""
    for name, value in values.items():
        text = _text(value)
        if text:
            st.query_params[name] = text
        elif name in st.query_params:
            del st.query_params[name]


def address(place: Place, **values: str | Sequence[str] | None) -> str:
    """Return the address of a page with these parameters, from the root of the server."""
    path = "/" if place is Place.OVERVIEW else f"/{place}"
    said = _said(values)
    return f"{path}?{urlencode(said)}" if said else path


def link(place: Place, label: str, *, icon: str | None = None, help_text: str | None = None, **values: Any) -> None:
    """Show a link to a page with these parameters; it opens in place."""
    st.page_link(_page(place), label=_plain(label), icon=icon, help=help_text, query_params=_said(values))


def go(place: Place, **values: str | Sequence[str] | None) -> NoReturn:
    """Open a page with these parameters in place of this one."""
    st.switch_page(_page(place), query_params=_said(values))


def _shown(place: Place) -> Callable[[], None]:
    """Return what shows a page; its module is loaded when it is first wanted."""
    from ecosystemiser.dashboard.guard import guarded

    def show() -> None:
        with guarded():
            for name in set(st.query_params) - KNOWN.get(place, set(st.query_params)):
                del st.query_params[name]
            import_module(_module(place)).show()

    return show


def load_pages() -> None:
    """Load the modules of all pages, so that nobody waits for them later."""
    for place in Place:
        import_module(_module(place))


def _module(place: Place) -> str:
    return f"ecosystemiser.dashboard.pages.{place}"


def _page(place: Place) -> Any:
    """Return the page as Streamlit knows it: two of the same path are the same to it."""
    title, icon = TITLES[place]
    return st.Page(
        _shown(place),
        title=title,
        icon=icon,
        url_path=place.value,
        default=place is Place.OVERVIEW,
        visibility="hidden" if place in HIDDEN else "visible",
    )


def pages() -> list[Any]:
    """Return all pages, in the order of the navigation."""
    return [_page(place) for place in Place]


def _said(values: dict[str, Any]) -> dict[str, str]:
    texts = {name: _text(value) for name, value in values.items()}
    return {name: text for name, text in texts.items() if text}


def _text(value: str | Sequence[str] | None) -> str:
    return value if isinstance(value, str) else ",".join(value or ())


def _plain(label: str) -> str:
    from ecosystemiser.dashboard.plain import plain

    return plain(label)
