"""What may be written into a row: known columns, and values that mean something."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from numbers import Integral, Real
from pathlib import PurePath

from sqlalchemy import Column, Double, Integer, Table

from ecosystemiser.errors import FailureCause, Finding, InputError
from ecosystemiser.names import did_you_mean
from ecosystemiser.store.clock import utc_text
from ecosystemiser.store.identifiers import check_identifier
from ecosystemiser.store.states import RunStatus

__all__ = ["SET_BY_STORE", "checked_number", "checked_row", "checked_word", "unknown_name"]

SET_BY_STORE = frozenset({"id", "created_at", "updated_at"})
"""Columns that no caller writes."""

Check = Callable[[object], object]


class _RefusedError(Exception):
    """A value that a column does not take: what is wrong with it, and what to give instead."""


def checked_row(table: Table, row: Mapping[str, object], call: str) -> dict[str, object]:
    """Return the values of `row` as the columns of `table` take them; None stays None.

    Times become UTC text, mappings and lists JSON text, paths text. Raises InputError with everything that is
    wrong: unknown keys, NaN and infinite numbers, booleans and text where a number belongs, invalid names and
    states. `call` names the place in the messages.
    """
    checks = _checks(table)
    checked: dict[str, object] = {}
    findings: list[Finding] = []
    for key, value in row.items():
        check = checks.get(key)
        if check is None:
            findings.append(unknown_name(key, checks, f"column of {table.name} that can be written", call))
            continue
        try:
            checked[key] = None if value is None and table.c[key].nullable else check(value)
        except _RefusedError as refusal:
            findings.append(Finding(str(refusal.args[0]), str(refusal.args[1]), key, value))
        except InputError as error:
            findings.extend(error.findings)
    if findings:
        raise InputError(findings)
    return checked


def checked_word(vocabulary: type[StrEnum], value: object, key: str) -> str:
    """Return `value` if it is a word of `vocabulary`, else raise InputError."""
    try:
        return vocabulary(str(value)).value
    except ValueError as error:
        words = [word.value for word in vocabulary]
        remedy = did_you_mean(value, words).strip() or f"use one of {', '.join(words)}"
        raise InputError([Finding(f"is not a {key}", remedy, key, value)]) from error


def checked_number(value: object, key: str) -> float:
    """Return `value` as a float if it is a finite number, else raise InputError."""
    try:
        return _finite(value)
    except _RefusedError as refusal:
        raise InputError([Finding(str(refusal.args[0]), str(refusal.args[1]), key, value)]) from refusal


def unknown_name(name: object, known: Iterable[str], kind: str, key: str) -> Finding:
    """Return the finding that `name` is none of the `known` ones, with the closest of them."""
    names = sorted(known)
    remedy = did_you_mean(name, names).strip() or f"use one of {', '.join(names)}"
    return Finding(f"is not a {kind}", remedy, key, name)


@cache
def _checks(table: Table) -> dict[str, Check]:
    return {column.name: _check_of(column) for column in table.columns if column.name not in SET_BY_STORE}


def _check_of(column: Column[object]) -> Check:
    name = column.name
    if name in {"run_id", "study_id"}:
        return lambda value: check_identifier(value, name)
    if name in {"simulation_status", "status"}:
        return lambda value: checked_word(RunStatus, value, name)
    if name == "failure_cause":
        return lambda value: checked_word(FailureCause, value, name)
    if name in {"timestamp", "finished_at"}:
        return _time
    if name.endswith("_json"):
        return _json
    if isinstance(column.type, Integer):
        return _whole
    return _finite if isinstance(column.type, Double) else _text


def _finite(value: object) -> float:
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, Real)):
        raise _RefusedError("is not a number", "give a finite number or None")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _RefusedError("is not finite", "give a finite number, or None where there is no value")
    return number


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) < 1 << 63:
        raise _RefusedError("is not a whole number from 0 on", "give one, or None")
    return int(value)


def _text(value: object) -> str:
    if not isinstance(value, str | PurePath):
        raise _RefusedError("is not text", "give text or None")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _RefusedError("holds characters that are no Unicode", "take them out") from error
    if "\0" in text:
        raise _RefusedError("holds a NUL", "take it out")
    return text


def _json(value: object) -> str:
    try:
        if isinstance(value, str):
            json.loads(value, parse_constant=_no_constant)
            return _text(value)
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"is not JSON ({error})"
        raise _RefusedError(msg, "give JSON text, or a dict of texts, finite numbers and lists") from error


def _no_constant(name: str) -> object:
    msg = f"{name} is no number of JSON"
    raise ValueError(msg)


def _time(value: object) -> str:
    if not isinstance(value, str | datetime):
        raise _RefusedError("is not a time", "give a datetime or ISO text")
    try:
        return utc_text(value)
    except (ValueError, OverflowError) as error:
        msg = f"is not a time ({error})"
        raise _RefusedError(msg, "give a datetime or ISO text, as 2018-01-01T00:00:00Z") from error
