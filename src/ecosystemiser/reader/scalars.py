"""What an unquoted word means: the YAML 1.2 core schema, and as in ruamel.yaml dates, `0b1` and `1_000`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

__all__ = ["MAX_NUMBER_LENGTH", "Scalar", "resolve"]

Scalar = str | int | float | bool | date | datetime | None
"""A value that is neither mapping nor list; a `datetime` knows its time zone if the file states one."""

MAX_NUMBER_LENGTH = 1000
"""A longer number is a mistake or an attack (Python refuses to print integers of 4,300 digits)."""

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + word: float(sign + word[1:]) for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
}
_DIGITS = "[0-9](?:_?[0-9])*+"
_INT = re.compile(rf"[-+]?{_DIGITS}")
_BASED_INT = re.compile(r"[-+]?0(?:b[01](?:_?[01])*|o[0-7](?:_?[0-7])*|x[0-9a-fA-F](?:_?[0-9a-fA-F])*+)")
_FLOAT = re.compile(rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?"
    r"(?:[ \t]*(?:(Z)|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?"
)
_NUMBER_START = frozenset("+-.0123456789")


def resolve(text: str) -> Scalar:
    """Return the value of the unquoted scalar `text`; a word that is nothing else is a string.

    `no`, `12:30` and `2018-02-30` are strings. Raises ValueError for a number of more than
    `MAX_NUMBER_LENGTH` characters.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INT.fullmatch(text):
        return int(_bounded(text))
    if _FLOAT.fullmatch(text):
        return float(_bounded(text).replace("_", ""))
    if _BASED_INT.fullmatch(text):
        return int(_bounded(text), 0)
    found = _TIMESTAMP.fullmatch(text)
    return _timestamp(found) if found else text


def _bounded(text: str) -> str:
    if len(text) > MAX_NUMBER_LENGTH:
        message = f"a number of {len(text)} characters"
        raise ValueError(message)
    return text


def _timestamp(found: re.Match[str]) -> Scalar:
    year, month, day, hour, minute, second, fraction, utc, sign, zone_hour, zone_minute = found.groups()
    try:
        if hour is None:
            return date(int(year), int(month), int(day))
        zone: timezone | None = UTC if utc else None
        if sign:
            offset = timedelta(hours=int(zone_hour), minutes=int(zone_minute or 0))
            zone = timezone(-offset if sign == "-" else offset)
        microsecond = int((fraction or "")[:6].ljust(6, "0"))
        moment = (int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond)
        return datetime(*moment, tzinfo=zone)
    except ValueError:  # no such day or hour
        return found.group()
