"""The one way to the log. Pages read through a connection that cannot write; the few actions open it for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from ecosystemiser.dashboard.settings import settings
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.run_history import RunHistory

__all__ = ["acting", "history", "may_act", "the_log"]


def the_log() -> DatabaseMetadataService:
    """Return the log, open for reading only; all visitors share it. Raises InputError for what names no database."""
    return _opened(settings().db)


def history() -> RunHistory:
    """Return who answers questions about single runs."""
    return RunHistory(the_log())


def may_act() -> bool:
    """Return whether these pages may write notes and tags, and start and stop work."""
    return not settings().is_read_only


@contextmanager
def acting() -> Iterator[DatabaseMetadataService]:
    """Give the log open for writing, for one action. Raises InputError where the explorer may only look."""
    if not may_act():
        remedy = "start it without --read-only to write notes, and to start and stop work"
        raise InputError([Finding("this explorer only looks", remedy)])
    with DatabaseMetadataService(settings().db) as log:
        yield log


@st.cache_resource(show_spinner=False)
def _opened(db: str | None) -> DatabaseMetadataService:
    return DatabaseMetadataService(db, read_only=True)
