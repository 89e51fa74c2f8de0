"""Does what stands in a condition fit the field that it asks for?"""

from __future__ import annotations

from ecosystemiser.names import did_you_mean
from ecosystemiser.store.filtering.fields import Field, Kind
from ecosystemiser.store.filtering.literals import Value, ValueKind, kind_of, read_time, value_text
from ecosystemiser.store.filtering.patterns import is_pattern
from ecosystemiser.store.filtering.places import Findings
from ecosystemiser.store.filtering.tokens import Token

__all__ = ["check_operator", "read_pattern", "read_value", "read_values"]

_WHAT = {"number": "a number", "text": "text", "time": "a time", "flag": "true or false"}
_EXAMPLE: dict[Kind, str] = {
    "number": "give a number, as 40 or 1.2e6, without quotes",
    "text": "put text into single quotes",
    "time": "give ISO text in quotes, as '2026-11-01' or '2026-11-01T06:30:00Z'",
    "flag": "give true or false",
}
_SET_OPERATORS = ("=", "!=", "in", "like")


def check_operator(token: Token, field: Field, findings: Findings) -> bool:
    """Return whether `field` may be asked in this way; a reason why not goes to `findings`."""
    asked = str(token.value) if token.kind == "operator" else token.kind
    if field.many and asked not in _SET_OPERATORS:
        message = f"cannot be asked of {field.name}, which has several values"
        findings.add(token.at, len(token.text), message, "use =, !=, IN or LIKE")
    elif asked == "like" and field.kind not in {"text", "any"}:
        remedy = "use >= and <" if field.kind == "time" else "use = or a comparison"
        findings.add(token.at, len(token.text), f"asks for text, and {field.name} is none", remedy)
    elif field.kind == "flag" and asked not in {"=", "!=", "in"}:
        message = f"puts in order, and {field.name} is true or false"
        findings.add(token.at, len(token.text), message, "use = or !=")
    else:
        return True
    return False


def read_value(token: Token, field: Field | None, findings: Findings, *, ordered: bool = False) -> Value | None:
    """Return the value that `token` gives for `field`; None where it is none, told to `findings`.

    Without a field it is taken as it stands. `ordered`: true and false are refused, having no order.
    """
    if token.kind == "name":
        findings.add(token.at, len(token.text), "is a name where a value belongs", _instead_of_name(token, field))
        return None
    value = token.value
    if field is None:
        return value
    found = kind_of(value)
    wanted: Kind = "text" if field.kind == "time" else field.kind
    if wanted not in {found, "any"}:
        findings.add(token.at, len(token.text), _mismatch(found, field), _remedy(value, field.kind))
        return None
    if ordered and found == "flag":
        findings.add(token.at, len(token.text), "has no order", "use = or !=")
        return None
    if field.kind == "time":
        return _read_time(token, findings)
    return _in_vocabulary(token, field, findings)


def read_values(
    tokens: list[Token], field: Field | None, findings: Findings, *, ordered: bool = False
) -> tuple[Value, ...] | None:
    """Return the values that stand together for `field`; None where one is none or they are of two kinds."""
    values = [read_value(token, field, findings, ordered=ordered) for token in tokens]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    for token, value in zip(tokens, known, strict=True):
        if kind_of(value) != kind_of(known[0]):
            message = f"is {_WHAT[kind_of(value)]} beside {_WHAT[kind_of(known[0])]}"
            findings.add(token.at, len(token.text), message, "give values of one kind")
            return None
    return tuple(known)


def read_pattern(token: Token, findings: Findings) -> str | None:
    """Return the pattern that `token` gives to LIKE; None where it is none, told to `findings`."""
    if token.kind != "value" or not isinstance(token.value, str):
        findings.add(token.at, len(token.text), "is no pattern", "give text, as 'roll%' or '%sizing%'")
        return None
    if not is_pattern(token.value):
        message = r"has a backslash that stands before none of % _ \ "[:-1]
        findings.add(token.at, len(token.text), message, r"write \\ for a backslash itself")
        return None
    return token.value


def _instead_of_name(token: Token, field: Field | None) -> str:
    if field is None or field.kind == "any":
        return f"put text into single quotes: {value_text(token.value)}"
    return f"put text into single quotes: {value_text(token.value)}" if field.kind == "text" else _EXAMPLE[field.kind]


def _mismatch(found: ValueKind, field: Field) -> str:
    return f"is {_WHAT[found]}, and {field.name} is {_WHAT[field.kind]}"


def _remedy(value: Value, kind: Kind) -> str:
    if kind == "number" and isinstance(value, str) and value.replace(".", "", 1).isdecimal():
        return f"write it without quotes: {value}"
    if kind == "text" and not isinstance(value, str):
        return f"put it into single quotes: '{value_text(value)}'"
    return _EXAMPLE[kind]


def _read_time(token: Token, findings: Findings) -> Value | None:
    try:
        return read_time(str(token.value))
    except (ValueError, OverflowError):
        findings.add(token.at, len(token.text), "is not a time", _EXAMPLE["time"])
        return None


def _in_vocabulary(token: Token, field: Field, findings: Findings) -> Value | None:
    if field.words is None or token.value in field.words:
        return token.value
    remedy = did_you_mean(token.value, field.words).strip() or f"use one of {', '.join(field.words)}"
    findings.add(token.at, len(token.text), f"is no {field.name}", remedy)
    return None
