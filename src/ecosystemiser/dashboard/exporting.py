"""What passes a filter, as a file for other programs."""

from __future__ import annotations

import shlex
import tempfile
from functools import partial
from pathlib import Path

import streamlit as st

from ecosystemiser.dashboard.log import history

__all__ = ["show_export"]

_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def show_export(where: str | None, counted: int, most: int) -> None:
    """Offer all runs that pass as CSV and Parquet; where there are more than `most`, the command that writes them."""
    with st.popover("Export"):
        if counted > most:
            st.markdown(f"More than {most:,} runs are written by the command line, past the browser:")
            option = f" --where {shlex.quote(where)}" if where else ""
            st.code(f"ecosystemiser runs export runs.parquet{option}", language=None, wrap_lines=True)
            return
        st.caption(f"All columns of {counted:,} runs, unrounded.")
        for ending, kind in _TYPES.items():
            st.download_button(
                ending.upper() if ending == "csv" else "Parquet",
                data=partial(_written, ending, where),
                file_name=f"runs.{ending}",
                mime=kind,
                on_click="ignore",
                key=f"export-{ending}",
            )


def _written(ending: str, where: str | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ecosystemiser-") as folder:
        path = Path(folder) / f"runs.{ending}"
        history().export(path, where=where)
        return path.read_bytes()
