"""Events to plain data, with every line known and everything refused that could harm or mislead."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.reader.document import Lines, dotted
from ecosystemiser.reader.problems import explain
from ecosystemiser.reader.scalars import MAX_NUMBER_LENGTH, Scalar, resolve
from ecosystemiser.reader.scanner import MAX_DEPTH, MarkedYAMLError, Refused, event_source

__all__ = ["MAX_NODES", "Builder"]

MAX_NODES = 200_000
"""Values in a document; what an alias repeats counts each time."""

MAX_FINDINGS = 100

_INVISIBLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_MERGE = -1
"""Stands for the key `<<`; other keys are strings, entries of lists count from 0."""

_Part = tuple[Any, "Lines | None", int, int]
"""Data, the lines within it, how many values it has, how many levels."""


_KINDS = {
    str: "text",
    bool: "truth value",
    int: "number",
    float: "number",
    type(None): "null",
    list: "list",
    dict: "mapping",
}


class _Container:
    """A mapping or list that is not complete."""

    __slots__ = ("anchor", "before", "data", "key", "key_line", "levels", "line", "lines", "merged")

    def __init__(self, data: Any, line: int, anchor: str | None, before: int) -> None:
        self.data, self.line, self.anchor, self.before = data, line, anchor, before
        self.lines: dict[str | int, tuple[int, Lines | None]] = {}
        self.levels = 1
        self.key: str | int | None = None
        self.key_line = 0
        self.merged: list[tuple[dict[str, Any], Lines]] = []


class Builder:
    """Builds the data of one text, with a stack of its own: no input exhausts Python's."""

    def __init__(self, file: str, *, one_line: bool = False) -> None:
        self._file = file
        self._one_line = one_line
        self._findings: list[Finding] = []
        self._stack: list[_Container] = []
        self._anchors: dict[str, _Part | None] = {}  # None: not complete
        self._nodes = 0
        self._documents = 0
        self._root: tuple[Any, Lines | None] | None = None
        self._handlers = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._start,
            SequenceStartEvent: self._start,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            AliasEvent: self._alias,
            DocumentStartEvent: self._document,
        }

    def build(self, text: str) -> tuple[Any, Lines | None] | None:
        """Return the data that `text` holds, and its lines; None if it holds nothing. Raises InputError."""
        source = event_source(text, comments=not self._one_line)
        try:
            while (event := source.get_event()) is not None:
                handler = self._handlers.get(type(event))
                if handler:
                    handler(event)
        except Refused as refusal:
            self._report(refusal.line + 1, refusal.message, refusal.remedy)
        except MarkedYAMLError as error:
            line, message, remedy = explain(error)
            self._report(line + 1, message, remedy)
        except (ValueError, OverflowError):  # from chr()
            message = "holds an escape of a character that does not exist"
            self._report(source.scanner.reader.line + 1, message, "write the character itself")
        if self._findings:
            raise InputError(sorted(self._findings, key=lambda finding: finding.line or 0))
        return self._root

    def _report(self, line: int, message: str, remedy: str, key: str = "", value: object = None) -> None:
        shown = None if self._one_line else line
        self._findings.append(Finding(message, remedy, key, value, self._file, shown))

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise Refused(event.start_mark.line, "starts a second document", "put it into a file of its own")

    def _scalar(self, event: Any) -> None:
        text, plain, line = event.value, event.implicit[0], event.start_mark.line
        value = _plain(text, line) if plain else text
        if event.style == '"':
            _refuse_invisible(text, line)
        if self._at_key():
            self._take_key(value, text, line, is_merge=plain and text == "<<")
            if event.anchor:
                self._anchors[event.anchor] = (value, None, 1, 0)
        elif self._stack or text or not plain:  # else the document is empty
            self._count(1, line)
            self._take((value, None, 1, 0), line, event.anchor)

    def _alias(self, event: Any) -> None:
        line, name = event.start_mark.line, event.anchor
        if name not in self._anchors:
            message = f"'*{name}' names nothing that stands above it"
            raise Refused(line, message, f"mark a value with '&{name}', or put quotes around the text")
        part = self._anchors[name]
        if part is None:
            raise Refused(line, f"'*{name}' stands within the value it names", "write the value out")
        if self._at_key():
            raise Refused(line, f"uses the alias '*{name}' as a key", "write the key out")
        if len(self._stack) + part[3] > MAX_DEPTH:
            raise _too_deep(line)
        self._count(part[2], line)
        self._take(part, line, None)

    def _start(self, event: Any) -> None:
        line = event.start_mark.line
        if self._at_key():
            remedy = "write one word before ':', or put quotes around a text that holds brackets"
            raise Refused(line, "uses a list or mapping as a key", remedy)
        if self._one_line and not event.flow_style:
            raise Refused(line, "is not one value", "write [1, 2] or {a: 1}, or put quotes around a text")
        if len(self._stack) >= MAX_DEPTH:
            raise _too_deep(line)
        self._count(1, line)
        if event.anchor:
            self._anchors[event.anchor] = None
        data: Any = {} if type(event) is MappingStartEvent else []
        self._stack.append(_Container(data, line, event.anchor, self._nodes))

    def _end(self, _: Any) -> None:
        done = self._stack.pop()
        data, lines = done.data, done.lines
        for source, source_lines in done.merged:
            data, lines = source | data, {**source_lines, **lines}
        lines.pop(_MERGE, None)
        self._take((data, lines, self._nodes - done.before + 1, done.levels), done.line, done.anchor)

    def _count(self, values: int, line: int) -> None:
        self._nodes += values
        if self._nodes > MAX_NODES:
            message = f"brings the values to more than {MAX_NODES}, those repeated by aliases included"
            raise Refused(line, message, "put long series in CSV files and name them here")

    def _take(self, part: _Part, line: int, anchor: str | None) -> None:
        """Put a complete value where it belongs."""
        data, lines, _, levels = part
        if anchor:
            self._anchors[anchor] = part
        if not self._stack:
            self._root = data, lines
            return
        parent = self._stack[-1]
        parent.levels = max(parent.levels, levels + 1)
        if isinstance(parent.data, list):
            parent.lines[len(parent.data)] = line + 1, lines
            parent.data.append(data)
            return
        key, parent.key = parent.key, None
        if key == _MERGE:
            self._merge(parent, data, lines or {})
        if key is not None and key not in parent.lines:  # of two equal keys, already reported, the first
            parent.lines[key] = parent.key_line, lines
            if key != _MERGE:
                parent.data[key] = data

    def _merge(self, parent: _Container, data: object, lines: Lines) -> None:
        if isinstance(data, dict):
            parent.merged.append((data, lines))
        elif isinstance(data, list) and all(isinstance(entry, dict) for entry in data):
            parent.merged.extend((entry, lines[index][1] or {}) for index, entry in enumerate(data))
        else:
            remedy = "name a mapping, as in '<<: *name', or put quotes around the key"
            self._report(parent.key_line, f"merges a {_kind(data)}", remedy, self._place("<<"))

    def _at_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].key is None and isinstance(self._stack[-1].data, dict)

    def _take_key(self, value: object, text: str, line: int, *, is_merge: bool) -> None:
        container = self._stack[-1]
        container.key, container.key_line = (_MERGE if is_merge else text), line + 1
        if isinstance(value, str) and container.key not in container.lines:
            return
        if len(self._findings) >= MAX_FINDINGS:
            raise Refused(line, "holds one mistake more, and reading ends here", "mend those above first")
        place = self._place(text)
        if value is None and not text:
            self._report(line + 1, "has no key before ':'", "write one", place.rstrip("."))
        elif not isinstance(value, str):
            message = f"is a {_kind(value)} used as a key"
            self._report(line + 1, message, f'write "{text[:40]}" in quotes', place)
        else:
            first = container.lines[container.key][0]
            self._report(line + 1, f"stands here again, after line {first}", "keep one of the two", place)

    def _place(self, key: str) -> str:
        above = (len(each.data) if isinstance(each.data, list) else each.key for each in self._stack[:-1])
        return dotted((*("<<" if part is None or part == _MERGE else part for part in above), key))


def _plain(text: str, line: int) -> Scalar:
    try:
        return resolve(text)
    except ValueError as error:
        message = f"holds {error}, more than {MAX_NUMBER_LENGTH}"
        raise Refused(line, message, "shorten it, or put quotes around it") from None


def _refuse_invisible(text: str, line: int) -> None:
    hidden = _INVISIBLE.search(text)
    if hidden:
        message = f"holds the control or invisible character U+{ord(hidden.group()):04X}"
        raise Refused(line, message, "delete it")


def _too_deep(line: int) -> Refused:
    return Refused(line, f"is nested deeper than {MAX_DEPTH} levels", "flatten it")


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "date")
