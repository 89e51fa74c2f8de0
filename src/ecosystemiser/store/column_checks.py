"""Whether all values of a column may be written as they stand, seen at once: quick, and sure only where it says yes.

What is not surely right, or has to be converted, is checked value by value (`values.py`), which also knows what to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Double

from ecosystemiser.names import is_identifier
from ecosystemiser.store.clock import is_utc_text
from ecosystemiser.store.columns import UtcTime

__all__ = ["QuickCheck", "quick_check_of"]


class QuickCheck(NamedTuple):
    """A test for values that are all of exactly one type: whether none of them would be changed or refused."""

    kind: type
    are_right: Callable[[Sequence[Any]], bool]


def quick_check_of(column: Column[Any]) -> QuickCheck | None:
    """Return the test for a column; None where each value has to be looked at."""
    name = column.name
    if name in {"run_id", "study_id"}:
        return QuickCheck(str, lambda values: all(map(is_identifier, values)))
    if name.endswith("_json") or name in {"simulation_status", "status", "failure_cause"}:
        return None
    if isinstance(column.type, UtcTime):
        return QuickCheck(str, lambda values: all(map(is_utc_text, values)))
    if isinstance(column.type, BigInteger):
        return QuickCheck(int, lambda values: min(values) >= 0 and max(values) < 1 << 63)
    if isinstance(column.type, Double):
        return QuickCheck(float, lambda values: math.isfinite(sum(values)))  # NaN and infinity stay in a sum
    return QuickCheck(str, _are_texts)


def _are_texts(values: Sequence[str]) -> bool:
    whole = "".join(values)
    if "\0" in whole:
        return False
    try:
        whole.encode()
    except UnicodeEncodeError:
        return False
    return True
