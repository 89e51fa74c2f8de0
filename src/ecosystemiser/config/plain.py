"""Values of fields that are set by path: what a system file could hold and the log can keep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import AfterValidator

__all__ = ["PlainValue"]


def _plain(value: Any) -> Any:
    """Return `value` as plain data: numpy's numbers as Python's, paths as text. Raises ValueError for other things."""
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        value = value.tolist()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("is no finite number; give one")
        return value
    if value is None or isinstance(value, bool | int | str | date):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    raise ValueError(f"is a {type(value).__name__}; give what a system file could hold, as a number or text")


PlainValue = Annotated[Any, AfterValidator(_plain)]
"""A value that a system file could hold."""
