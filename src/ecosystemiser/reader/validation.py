"""Validation errors, as pydantic lists them, to findings that name the place in the file.

pydantic is not imported: an error is the mapping that `ValidationError.errors()` gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from math import inf
from typing import Any

from ecosystemiser.errors import Finding
from ecosystemiser.reader.document import Document, Path, holds, similar
from ecosystemiser.reader.words import (
    Words,
    choices_in,
    expected,
    missing,
    unknown_key,
    value_error,
    words,
    wrong_value,
)

__all__ = ["findings_from_pydantic"]

_Members = tuple[tuple[Path, str | int], ...]
"""For each union on the way: the part of pydantic's location that leads to it, and the member's name."""

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")


@dataclass(frozen=True, eq=False)
class _Error:
    """An error at its place in the document."""

    type: str
    path: Path
    value: Any
    context: Mapping[str, Any]
    message: str
    members: _Members

    @property
    def is_wrong_value(self) -> bool:
        """Whether the value is of the wrong kind as a whole."""
        return self.type in ("literal_error", "enum") or expected(self.type) is not None


def findings_from_pydantic(
    errors: Sequence[Mapping[str, Any]],
    document: Document,
    prefix: Path = (),
    allowed: Callable[[Path], Sequence[str]] = lambda _: (),
) -> list[Finding]:
    """Return a finding for each thing wrong in `document`, in the order of its lines.

    `errors` come from validating the value at `prefix`; `allowed` tells the keys that are valid in the
    mapping at a path. Of a union only the member that was most likely meant is reported; of a misspelt key
    only the misspelling, not that the right key is missing. Raises KeyError if nothing stands at `prefix`.
    """
    root = document.value(prefix)
    located = _likely_members([_located(error, prefix, root) for error in errors])
    findings: dict[Finding, None] = {}
    for group in _by_place(_without_misspelt(located, allowed)):
        error = group[0]
        message, remedy = _words(group, allowed)
        findings[document.finding(error.path, message, remedy, _shown(error))] = None
    return sorted(findings, key=lambda finding: inf if finding.line is None else finding.line)


def _shown(error: _Error) -> object:
    if error.type in (*_UNKNOWN_KEY, *_MISSING) or isinstance(error.value, (dict, list)):
        return None
    return str(error.value) if isinstance(error.value, date) else error.value


def _words(group: Sequence[_Error], allowed: Callable[[Path], Sequence[str]]) -> Words:
    error = group[0]
    name = str(error.path[-1]) if error.path else ""
    if error.is_wrong_value:
        kinds = [kind for each in group if (kind := expected(each.type))]
        choices = [choice for each in group for choice in choices_in(each.context.get("expected", ""))]
        return wrong_value(error.value, kinds, choices)
    if error.type in _UNKNOWN_KEY:
        return unknown_key(name, allowed(error.path[:-1]))
    if error.type in _MISSING:
        return missing(name)
    if error.type in ("value_error", "assertion_error"):
        return value_error(error.context, error.message)
    return words(error.type, error.value, error.context)


def _located(error: Mapping[str, Any], prefix: Path, root: object) -> _Error:
    kind, value, context = str(error["type"]), error.get("input"), error.get("ctx") or {}
    location: Path = tuple(error["loc"])
    tail: Path = location[-1:] if kind in _MISSING else ()
    path, members = _reading(root, location[: len(location) - len(tail)], value)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tag = re.search(r"'(\w+)'", str(context.get("discriminator", "")))
        if tag and isinstance(value, dict):
            tail = (tag[1],)
            found = kind == "union_tag_invalid"
            value, kind = (value.get(tag[1]), "literal_error") if found else (None, "missing")
            context = {"expected": context.get("expected_tags", "")}
    message = str(error.get("msg", ""))
    return _Error(kind, (*prefix, *path, *tail), value, context, message, members)


def _reading(root: object, location: Path, value: object) -> tuple[Path, _Members]:
    """Return the first reading of `location` that ends at `value`, or the first of all."""
    readings = islice(_walks(root, location), 100)
    first = next(readings)
    path, members, _ = next((each for each in (first, *readings) if each[2] is value), first)
    return path, members


def _walks(node: Any, location: Path, done: int = 0) -> Iterator[tuple[Path, _Members, Any]]:
    """Give each reading of `location` from `node` on: path in the data, members of unions, value at the end.

    An entry that is no key of the data names the member of a union; one that is a key may do so too.
    """
    if done == len(location):
        yield (), (), node
        return
    entry = location[done]
    if holds(node, entry):
        for path, members, end in _walks(node[entry], location, done + 1):
            yield (entry, *path), members, end
    for path, members, end in _walks(node, location, done + 1):
        yield path, ((location[:done], entry), *members), end


def _likely_members(errors: Sequence[_Error]) -> list[_Error]:
    """Drop the errors of those members of a union that were not meant.

    A member that takes such a value, but finds something wrong in it, was more likely meant than one that
    takes no such value; of several the one with the fewest errors.
    """
    unions: dict[Path, dict[str | int, list[_Error]]] = {}
    for error in errors:
        for union, member in error.members:
            unions.setdefault(union, {}).setdefault(member, []).append(error)
    dropped: set[_Error] = set()
    for union in sorted(unions, key=len):
        left = {name: [each for each in of if each not in dropped] for name, of in unions[union].items()}
        place = min((len(each.path) for of in left.values() for each in of), default=0)
        near = {
            name: of
            for name, of in left.items()
            if not all(each.is_wrong_value and len(each.path) == place for each in of)
        }
        if near:
            meant = min(near, key=lambda name: len(near[name]))
            dropped.update(each for name, of in left.items() if name != meant for each in of)
    return [error for error in errors if error not in dropped]


def _without_misspelt(errors: Sequence[_Error], allowed: Callable[[Path], Sequence[str]]) -> list[_Error]:
    """Drop what is missing only because its key is misspelt."""
    meant = {
        (*error.path[:-1], similar(error.path[-1], allowed(error.path[:-1])))
        for error in errors
        if error.type in _UNKNOWN_KEY and error.path
    }
    return [error for error in errors if error.type not in _MISSING or error.path not in meant]


def _by_place(errors: Sequence[_Error]) -> list[list[_Error]]:
    """Put together the errors that one value of the wrong kind gave in several members of a union."""
    groups: dict[object, list[_Error]] = {}
    for error in errors:
        groups.setdefault(error.path if error.is_wrong_value else error, []).append(error)
    return list(groups.values())
