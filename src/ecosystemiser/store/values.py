"""What may be written into a row: known columns, and values that mean something."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from numbers import Integral, Real
from pathlib import PurePath
from types import NoneType
from typing import Any

from sqlalchemy import BigInteger, Column, Double

from ecosystemiser.errors import FailureCause, Finding, InputError
from ecosystemiser.names import did_you_mean
from ecosystemiser.store.blocks import Block, grouped
from ecosystemiser.store.clock import utc_text
from ecosystemiser.store.column_checks import quick_check_of
from ecosystemiser.store.columns import UtcTime
from ecosystemiser.store.identifiers import check_identifier
from ecosystemiser.store.states import RunStatus

__all__ = ["SET_BY_STORE", "RowChecker", "checked_number", "checked_word", "unknown_name"]

SET_BY_STORE = frozenset({"id", "created_at", "updated_at"})
"""Columns that no caller writes."""

Check = Callable[[object], object]


class _RefusedError(Exception):
    """A value that a column does not take: what is wrong with it, and what to give instead."""


class RowChecker:
    """Knows what the columns of a table take. `call` names the place in its messages."""

    def __init__(self, columns: Iterable[Column[Any]], table: str, call: str) -> None:
        named = {column.name: column for column in columns if column.name not in SET_BY_STORE}
        self._checks = {name: _check_of(column) for name, column in named.items()}
        self._quick = {name: quick_check_of(column) for name, column in named.items()}
        self._nullable = frozenset(name for name, column in named.items() if column.nullable)
        self._table, self._call = table, call

    def checked(self, row: Mapping[str, object]) -> dict[str, Any]:
        """Return the values of `row` as the columns take them; None stays None.

        Times become UTC text, mappings and lists JSON text, paths text. Raises InputError with everything that is
        wrong: unknown keys, NaN and infinite numbers, booleans and text where a number belongs, invalid names and
        states.
        """
        try:
            return {
                key: None if value is None and key in self._nullable else self._checks[key](value)
                for key, value in row.items()
            }
        except (KeyError, _RefusedError, InputError):
            raise InputError(self._findings(row)) from None

    def checked_blocks(self, rows: Sequence[Mapping[str, object]]) -> list[Block]:
        """Do as `checked` for many rows at once, which come back in blocks of the same columns.

        Raises InputError with everything that is wrong with the first row that is refused.
        """
        if len(rows) == 1:
            return grouped([self.checked(rows[0])])
        try:
            return [
                Block(block.places, {name: self._taken(name, values) for name, values in block.columns.items()})
                for block in grouped(rows)
            ]
        except (KeyError, _RefusedError, InputError):
            for row in rows:
                self.checked(row)
            raise

    def _taken(self, name: str, values: Sequence[Any]) -> Sequence[Any]:
        check, quick, may_lack = self._checks[name], self._quick[name], name in self._nullable
        kinds = set(map(type, values))
        present = values
        if may_lack and NoneType in kinds:
            kinds.remove(NoneType)
            present = [value for value in values if value is not None]
        if not present or (quick is not None and kinds == {quick.kind} and quick.are_right(present)):
            return values
        if all(issubclass(kind, str) for kind in kinds):  # the same in many rows, mostly
            taken = {value: check(value) for value in set(present)}
            return [None if value is None else taken[value] for value in values]
        return [None if value is None and may_lack else check(value) for value in values]

    def _findings(self, row: Mapping[str, object]) -> list[Finding]:
        findings: list[Finding] = []
        for key, value in row.items():
            check = self._checks.get(key)
            if check is None:
                kind = f"column of {self._table} that can be written"
                findings.append(unknown_name(key, self._checks, kind, self._call))
                continue
            try:
                _ = None if value is None and key in self._nullable else check(value)
            except _RefusedError as refusal:
                findings.append(Finding(str(refusal.args[0]), str(refusal.args[1]), key, value))
            except InputError as error:
                findings.extend(error.findings)
        return findings


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


def _check_of(column: Column[Any]) -> Check:
    name = column.name
    if name in {"run_id", "study_id"}:
        return lambda value: check_identifier(value, name)
    if name in {"simulation_status", "status"}:
        return lambda value: checked_word(RunStatus, value, name)
    if name == "failure_cause":
        return lambda value: checked_word(FailureCause, value, name)
    if isinstance(column.type, UtcTime):
        return _time
    if name.endswith("_json"):
        return _json
    if isinstance(column.type, BigInteger):
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
            _DECODER.decode(value)
            return _text(value)
        return _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"is not JSON ({error})"
        raise _RefusedError(msg, "give JSON text, or a dict of texts, finite numbers and lists") from error


def _no_constant(name: str) -> object:
    msg = f"{name} is no number of JSON"
    raise ValueError(msg)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False)


def _time(value: object) -> str:
    if not isinstance(value, str | datetime):
        raise _RefusedError("is not a time", "give a datetime or ISO text")
    try:
        return utc_text(value)
    except (ValueError, OverflowError) as error:
        msg = f"is not a time ({error})"
        raise _RefusedError(msg, "give a datetime or ISO text, as 2018-01-01T00:00:00Z") from error
