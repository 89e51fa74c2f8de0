"""Times as the database holds them: UTC, fixed width, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["utc_now", "utc_text"]


def utc_now() -> str:
    """Return the time, as in `2026-11-23T03:16:00.000000Z`; durations come from a monotonic clock instead."""
    return utc_text(datetime.now(UTC))


def utc_text(value: datetime | str) -> str:
    """Return `value`, a datetime or its ISO text, as fixed-width UTC text.

    A time without a zone is local time of this machine, as `datetime.now()` gives it. Raises ValueError for
    text that is not an ISO time, OverflowError for a time whose UTC lies outside the years 1 to 9999.
    """
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"
