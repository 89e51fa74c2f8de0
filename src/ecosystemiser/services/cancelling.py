"""Whether somebody asked for the end: the caller, or a request in the log."""

from __future__ import annotations

import time
from collections.abc import Callable

from ecosystemiser.errors import StoreError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["CancelRequests"]

ASK_LOG_EVERY_S = 0.5
"""How often the log is asked; a request is taken up within this time and that of one answer."""


class CancelRequests:
    """Says whether a run or a study is to stop. Once it is, it stays so; any thread may ask, as often as it likes."""

    def __init__(
        self,
        database: DatabaseMetadataService,
        also: Callable[[], bool] | None,
        *,
        study_id: str | None = None,
        run_id: str | None = None,
    ) -> None:
        self._database, self._also = database, also
        self._study_id, self._run_id = study_id, run_id
        self._asked_at = time.monotonic()
        self._has_been_requested = False

    def __call__(self) -> bool:
        """Return whether it is to stop."""
        if self._also is not None and self._also():
            return True
        now = time.monotonic()
        if not self._has_been_requested and now - self._asked_at >= ASK_LOG_EVERY_S:
            self._asked_at = now
            self._has_been_requested = self._ask()
        return self._has_been_requested

    def _ask(self) -> bool:
        try:
            return self._database.is_cancel_requested(study_id=self._study_id, run_id=self._run_id)
        except StoreError:  # whoever logs the outcome hears of it; the next question may be answered
            return False
