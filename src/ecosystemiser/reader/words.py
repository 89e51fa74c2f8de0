"""What to tell a person about each type of validation error: what is wrong, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from ecosystemiser.reader.document import similar
from ecosystemiser.reader.scalars import resolve

__all__ = ["Words", "choices_in", "expected", "missing", "unknown_key", "value_error", "words", "wrong_value"]

Words = tuple[str, str]
"""Message and remedy."""

_REFERENCE = "look this key up in the reference"

_EXPECTED = {
    "bool": "true or false",
    "dataclass": "a mapping",
    "date": "a date",
    "datetime": "a date with a time",
    "decimal": "a number",
    "dict": "a mapping",
    "float": "a number",
    "frozen_set": "a list",
    "int": "a whole number",
    "iterable": "a list",
    "list": "a list",
    "mapping": "a mapping",
    "model": "a mapping",
    "none": "null",
    "path": "a path",
    "set": "a list",
    "string": "text",
    "time": "a time of day",
    "time_delta": "a duration",
    "tuple": "a list",
    "url": "a URL",
    "uuid": "a UUID",
}
_EXAMPLES = {
    "true or false": "write true or false, without quotes",
    "a mapping": "write 'key: value' lines below it",
    "a list": "write it as [...]",
    "a date": "write it as 2018-01-31",
    "a date with a time": "write it as 2018-01-31 13:00:00",
    "a time of day": 'write it as "13:00"',
    "null": "remove the line",
}
_MISMATCH = re.compile(
    r"(.+?)(?:_attributes|_exact|_sub|_from_date|_from_datetime|_object)?(?:_type|_parsing|_parsing_size|_required)"
)
_NUMBER_AND_UNIT = re.compile(r"[-+]?[0-9][0-9.,_]* ?[A-Za-z%°€$][^0-9]*")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")
_UNITS = {
    "c": "degrees Celsius",
    "days": "days",
    "deg": "degrees",
    "h": "hours",
    "hours": "hours",
    "kw": "kW",
    "kwh": "kWh",
    "m": "metres",
    "m2": "m2",
    "m3": "m3",
    "years": "years",
}


def expected(error_type: str) -> str | None:
    """Return what kind of value a `..._type` or `..._parsing` error wants; None for other errors."""
    if error_type == "int_from_float":
        return _EXPECTED["int"]
    found = _MISMATCH.fullmatch(error_type)
    return _EXPECTED.get(found[1]) if found else None


def wrong_value(value: object, kinds: Sequence[str], choices: Sequence[str]) -> Words:
    """Return the words for a `value` that is neither of one of the `kinds` nor one of the `choices`."""
    kinds, choices = list(dict.fromkeys(kinds)), list(dict.fromkeys(choices))
    if not kinds and value is not None:
        return _not_among(value, choices)
    listed = ", ".join(choices)
    wanted = _alternatives([*kinds, f"one of ({listed})"] if choices else kinds)
    if value is None:
        return f"is empty where {wanted} belongs", "give a value, or remove the line"
    if kinds == ["a whole number"] and isinstance(value, float):
        return "is not a whole number", "round it"
    guess = similar(value, choices) if isinstance(value, str) else None
    remedy = f"did you mean '{guess}'?" if guess else _correction(kinds, value)
    return f"is {_kind(value)} where {wanted} belongs", remedy


def _correction(kinds: Sequence[str], value: object) -> str:
    numeric = any(kind.endswith("number") for kind in kinds)
    if numeric and isinstance(value, str):
        if _DECIMAL_COMMA.fullmatch(value.strip()):
            return "write a point for the comma"
        if _NUMBER_AND_UNIT.fullmatch(value.strip()):
            return "write the number alone"
        if value.strip() and len(value) < 1000 and type(resolve(value.strip())) in (int, float):
            return "remove the quotes"
    if "text" in kinds and not isinstance(value, (dict, list)):
        return f'put quotes around it: "{str(value)[:60]}"'
    if len(kinds) == 1:
        return _EXAMPLES.get(kinds[0], f"write {kinds[0]}")
    return "write one of these"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a truth value"
    kinds: Mapping[type, str] = {
        str: "text",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
    }
    return kinds.get(type(value), "a date" if isinstance(value, date) else "something else")


def missing(name: str) -> Words:
    """Return the words for a key that must be there."""
    unit, per, per_unit = name.rpartition("_")[2], *name.rpartition("_per_")[1:]
    if per:
        return "is missing", f"add '{name}:' and an amount per {_UNITS.get(per_unit, per_unit)}"
    if "_" in name and unit in _UNITS:
        return "is missing", f"add '{name}:' and a number in {_UNITS[unit]}"
    return "is missing", f"add '{name}:' and its value"


def unknown_key(name: str, allowed: Sequence[str]) -> Words:
    """Return the words for a key that is not among the `allowed`."""
    guess = similar(name, allowed)
    if guess:
        return "is not a known key", f"did you mean '{guess}'?"
    return "is not a known key", f"allowed: {', '.join(allowed)}" if allowed else "remove it"


def _not_among(value: object, choices: Sequence[str]) -> Words:
    if not choices:
        return "is not allowed here", _REFERENCE
    guess = similar(value, choices) if isinstance(value, str) else None
    listed = ", ".join(choices)
    return (
        "is not allowed here",
        f"did you mean '{guess}'? (allowed: {listed})" if guess else f"allowed: {listed}",
    )


def choices_in(text: object) -> list[str]:
    """Return the choices in a list as pydantic writes it: `'a', 'b' or 3`."""
    parts = re.findall(r"'((?:[^'\\]|\\.)*)'|([^\s,']+)", str(text))
    return [quoted or bare for quoted, bare in parts if bare != "or"]


def value_error(context: Mapping[str, Any], message: str) -> Words:
    """Return the words that a validator of ours raised as `ValueError("message; remedy")`."""
    text = str(context.get("error", "")) or message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    said, _, remedy = text.partition("; ")
    return said or "is not accepted here", remedy


def words(error_type: str, value: object, context: Mapping[str, Any]) -> Words:
    """Return the words for any other type of error."""
    rule = _RULES.get(error_type)
    return rule(value, context) if rule else ("is not accepted here", _REFERENCE)


def _bound(key: str, message: str, remedy: str) -> Callable[[object, Mapping[str, Any]], Words]:
    def rule(value: object, context: Mapping[str, Any]) -> Words:
        bound = _number(context.get(key, "the bound"))
        if key == "ge" and bound == "0" and isinstance(value, (int, float)):
            return "is negative", remedy.format(bound)
        return message.format(bound), remedy.format(bound)

    return rule


def _fixed(message: str, remedy: str) -> Callable[[object, Mapping[str, Any]], Words]:
    return lambda _, context: (message.format_map(_Shown(context)), remedy.format_map(_Shown(context)))


class _Shown(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"the {key.replace('_', ' ')}"


def _number(bound: object) -> str:
    return str(int(bound)) if isinstance(bound, float) and bound.is_integer() else str(bound)


def _alternatives(kinds: Sequence[str]) -> str:
    *first, last = kinds
    return f"{', '.join(first)} or {last}" if first else last


_RULES: dict[str, Callable[[object, Mapping[str, Any]], Words]] = {
    "greater_than_equal": _bound("ge", "is less than {}", "give {} or more"),
    "greater_than": _bound("gt", "is not more than {}", "give more than {}"),
    "less_than_equal": _bound("le", "is more than {}", "give {} or less"),
    "less_than": _bound("lt", "is not less than {}", "give less than {}"),
    "finite_number": _fixed("is not a finite number", "give a number"),
    "multiple_of": _fixed("is not a multiple of {multiple_of}", "give a multiple of {multiple_of}"),
    "too_short": _fixed("has {actual_length} entries", "give at least {min_length}"),
    "too_long": _fixed("has {actual_length} entries", "give at most {max_length}"),
    "string_too_short": _fixed("is too short", "give at least {min_length} characters"),
    "string_too_long": _fixed("is too long", "give at most {max_length} characters"),
    "string_pattern_mismatch": _fixed("is not of the form wanted here", "it must match {pattern}"),
    "date_from_datetime_inexact": _fixed("has a time where a date belongs", "leave the time out"),
    "timezone_naive": _fixed("states no time zone", "add one, as in 2018-01-31T13:00:00+01:00"),
    "timezone_aware": _fixed("states a time zone", "leave it out"),
    "zoneinfo_str": _fixed("is no time zone that is known here", "give one such as Europe/Berlin"),
    "union_tag_invalid": _fixed("is none of the forms allowed here", _REFERENCE),
    "union_tag_not_found": _fixed("is none of the forms allowed here", _REFERENCE),
    "recursion_loop": _fixed("contains itself", "write it out"),
}
