"""Values and names as a filter's text writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from ecosystemiser.store.clock import utc_text

__all__ = ["KEYWORDS", "NAME", "Value", "ValueKind", "kind_of", "name_of", "name_text", "read_time", "value_text"]

Value = bool | int | float | str | datetime
"""What a filter compares with; a datetime is UTC."""

ValueKind = Literal["number", "text", "time", "flag"]

KEYWORDS = frozenset({"and", "or", "not", "in", "between", "like", "is", "null", "true", "false"})

_FIRST = r"[^\W\d]\w*"
_NEXT = r"\w+(?:-\w+)*(?:\[[0-9]+\])*"
_QUOTED = r'"(?:[^"]|"")+"'
NAME = re.compile(rf"(?:{_FIRST}|{_QUOTED})(?:\.(?:{_NEXT}|{_QUOTED}))*")
"""A name: parts with dots between them; unusual ones stand in double quotes."""

_PART = re.compile(rf"{_QUOTED}|[^.\"]+")
_LARGEST_WHOLE = 1 << 63


def kind_of(value: Value) -> ValueKind:
    """Return what kind of value it is; true and false are no numbers."""
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, str):
        return "text"
    return "time" if isinstance(value, datetime) else "number"


def value_text(value: Value) -> str:
    """Return `value` as a filter writes it; equal values of a kind give equal texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"'{_time_text(value)}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    whole = abs(value) < _LARGEST_WHOLE and value == int(value)
    return str(int(value)) if whole else repr(float(value))


def _time_text(moment: datetime) -> str:
    text = utc_text(moment)
    for ending, short in (("T00:00:00.000000Z", ""), (".000000Z", "Z")):
        if text.endswith(ending):
            return text.removesuffix(ending) + short
    return text


def read_time(text: str) -> datetime:
    """Return the moment that ISO text names, in UTC; without a zone it is UTC, as times are shown.

    Raises ValueError for other text, OverflowError for a time whose UTC lies outside the years 1 to 9999.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def name_of(text: str) -> str:
    """Return the plain name that `text`, which matches `NAME`, writes: quotes gone, dots between its parts."""
    return ".".join(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in _PART.findall(text))


def name_text(name: str) -> str:
    """Return a plain name as a filter writes it, with quotes around the parts that need them."""
    first, *others = name.split(".")
    bare = re.fullmatch(_FIRST, first) and (others or first.lower() not in KEYWORDS)
    parts = [first if bare else _quoted(first)]
    return ".".join(parts + [part if re.fullmatch(_NEXT, part) else _quoted(part) for part in others])


def _quoted(part: str) -> str:
    return '"' + part.replace('"', '""') + '"'
