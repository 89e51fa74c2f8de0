"""What goes wrong on a page is told in a sentence that says what to do; nobody sees a traceback."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from ecosystemiser.dashboard.plain import plain
from ecosystemiser.errors import DatabaseUnreachableError, EcoSystemiserError, InputError, StoreError

__all__ = ["guarded", "tell"]

_log = logging.getLogger(__name__)


@contextmanager
def guarded() -> Iterator[None]:
    """Show what the block raises as an explanation in its place. What steers Streamlit passes through."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - no page may end in a traceback
        tell(error)


def tell(error: Exception) -> None:
    """Show what went wrong, and what to do."""
    if isinstance(error, InputError):
        for finding in error.findings:
            sentence, _, drawing = str(finding).partition("\n")
            st.error(plain(sentence), icon=":material/error:")
            if drawing:  # of the place in a text
                st.code(drawing, language=None)
        return
    if isinstance(error, DatabaseUnreachableError):
        st.error(f"**The database cannot be reached.**  \n{plain(error)}", icon=":material/cloud_off:")
        st.button("Try again", key="guard-again")
        return
    if isinstance(error, StoreError):
        st.error(f"**The database cannot be shown.**  \n{plain(error)}", icon=":material/database:")
        st.caption("To look closer on the command line:")
        st.code("ecosystemiser db check\necosystemiser doctor", language=None)
        st.button("Try again", key="guard-again")
        return
    if isinstance(error, EcoSystemiserError):
        st.error(plain(error), icon=":material/error:")
        return
    _log.error("a fault of the explorer", exc_info=error)
    where = f"{type(error).__name__}, {_place(error)}"
    st.error(
        f"**This is a fault of the explorer itself** ({plain(where)}).  \n"
        "The other pages go on working. Please report it, with what stands in the terminal where it was started.",
        icon=":material/bug_report:",
    )


def _place(error: Exception) -> str:
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "ecosystemiser" in frame.filename]
    return f"{Path(ours[-1].filename).name} line {ours[-1].lineno}" if ours else "place unknown"
