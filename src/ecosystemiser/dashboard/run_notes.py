"""What people note on a run: a text and tags, shown as text; written through a connection of its own."""

from __future__ import annotations

import streamlit as st

from ecosystemiser.dashboard.guard import guarded
from ecosystemiser.dashboard.log import acting, may_act, the_log
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.run_view import RunView

__all__ = ["show_notes"]


def show_notes(view: RunView) -> None:
    """Show the note and the tags of a run, and what changes them where the explorer may do so."""
    tags = the_log().get_tags([view.run_id]).get(view.run_id, [])
    note = str(view.row.get("note") or "")
    st.markdown(f"**Tags:** {plain(', '.join(tags)) if tags else 'none'}")
    if not may_act():
        st.text(note or "No note.")
        return
    with st.form("notes", border=False):
        text = st.text_area("Note", value=note, max_chars=4_000, height=160)
        wanted = st.text_input("Tags, with commas between them", value=", ".join(tags))
        is_sent = st.form_submit_button("Save")
    if is_sent:
        with guarded():
            _save(view.run_id, text.strip(), set(_split(wanted)), set(tags))


def _split(text: str) -> list[str]:
    return [part for word in text.split(",") if (part := word.strip())]


def _save(run_id: str, note: str, wanted: set[str], known: set[str]) -> None:
    with acting() as log:
        log.write_note(run_id, note or None)
        log.tag_runs([run_id], add=sorted(wanted - known), remove=sorted(known - wanted))
    st.rerun()
