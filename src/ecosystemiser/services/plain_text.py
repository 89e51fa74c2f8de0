"""Plain data as JSON text that gives it back whole, and as a hash that is equal for all that means the same."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from datetime import date, datetime
from types import NoneType
from typing import Any

__all__ = ["as_text", "digest", "from_text", "mapping_in"]

LARGEST_EXACT = 2**53
"""Below it every whole float is an integer that floats tell apart."""

_DATE, _DATETIME, _FLOAT, _MAPPING = "!date", "!datetime", "!float", "!mapping"
_READERS: dict[str, Callable[[str], Any]] = {
    _DATE: date.fromisoformat,
    _DATETIME: datetime.fromisoformat,
    _FLOAT: float,
}
_AS_IT_STANDS = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_IN_ORDER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
_PLAIN = frozenset({str, int, bool, NoneType})


def as_text(value: object) -> str:
    """Return `value` as JSON text from which `from_text` makes it again, keys in their order.

    `value` is what a document holds: dict, list, str, int, float, bool, None, date, datetime. What JSON lacks stands
    as an object with one key: `{"!date": "2018-01-01"}`. Raises TypeError for anything else.
    """
    return _AS_IT_STANDS.encode(_encoded(value))


def from_text(text: str) -> Any:
    """Return the data that `as_text` wrote; other JSON as it stands. Raises ValueError for text that is neither."""
    return _decoded(json.loads(text))


def mapping_in(text: object) -> dict[str, Any]:
    """Return the mapping that `text` holds; an empty one where it holds none: a row of the log may lack it."""
    try:
        found = from_text(text) if isinstance(text, str) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def digest(value: object) -> str:
    """Return the SHA-256 of `value` in hex: the same for any order of keys, and for 40 and 40.0."""
    text = _IN_ORDER.encode(_encoded(value, number=_plain_number))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain_number(value: float) -> float:
    """Return a whole number as an int, so that it is written without a point."""
    return int(value) if value.is_integer() and abs(value) < LARGEST_EXACT else value


def _same(value: float) -> float:
    return value


def _encoded(node: object, number: Callable[[float], float] = _same) -> Any:
    if type(node) in _PLAIN:
        return node
    if isinstance(node, float):
        return number(node) if math.isfinite(node) else {_FLOAT: repr(node)}
    if isinstance(node, dict):
        encoded = {key: _encoded(value, number) for key, value in node.items()}
        looks_tagged = len(encoded) == 1 and next(iter(encoded)).startswith("!")
        return {_MAPPING: encoded} if looks_tagged else encoded
    if isinstance(node, list | tuple):
        return [_encoded(value, number) for value in node]
    if isinstance(node, datetime):
        return {_DATETIME: node.isoformat()}
    if isinstance(node, date):
        return {_DATE: node.isoformat()}
    if isinstance(node, str | int):
        return node
    message = f"{type(node).__name__} is nothing that a document holds"
    raise TypeError(message)


def _decoded(node: Any) -> Any:
    if isinstance(node, list):
        return [_decoded(value) for value in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((key, value),) = node.items()
        if key == _MAPPING and isinstance(value, dict):
            return {name: _decoded(each) for name, each in value.items()}
        if key in _READERS and isinstance(value, str):
            return _READERS[key](value)
    return {key: _decoded(value) for key, value in node.items()}
