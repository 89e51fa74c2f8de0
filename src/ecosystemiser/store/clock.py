"""Times as the database holds them: UTC, fixed width, so that text order is time order."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = ["is_utc_text", "utc_now", "utc_text"]

_FIXED_WIDTH = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z")


def utc_now() -> str:
    """Return the time, as in `2026-11-23T03:16:00.000000Z`; durations come from a monotonic clock instead."""
    return _text(datetime.now(UTC))


def utc_text(value: datetime | str) -> str:
    """Return `value`, a datetime or its ISO text, as fixed-width UTC text.

    A time without a zone is local time of this machine, as `datetime.now()` gives it. Raises ValueError for
    text that is not an ISO time, OverflowError for a time whose UTC lies outside the years 1 to 9999.
    """
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return _text(moment.astimezone(UTC))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def is_utc_text(value: str) -> bool:
    """Return whether `value` is a time as `utc_text` writes it."""
    if _FIXED_WIDTH.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:  # the 30th of February
        return False
    return True
