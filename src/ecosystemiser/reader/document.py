"""A file's data as plain dicts and lists, together with the line that each part stands on."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecosystemiser.errors import Finding, InputError

__all__ = ["Document", "Lines", "Path", "dotted", "holds", "similar"]

Path = tuple[str | int, ...]
"""Where a value stands: keys of mappings and, counted from 0, entries of lists."""

Lines = Mapping[str | int, tuple[int, "Lines | None"]]
"""The line of each key or entry of a container, and the lines within it."""


def dotted(path: Path) -> str:
    """Return `path` as it is shown and typed.

    >>> dotted(("grid", "periods", 1, "price"))
    'grid.periods[1].price'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def similar(word: object, choices: Sequence[str]) -> str | None:
    """Return the one of `choices` that `word` most likely misspells."""
    matches = difflib.get_close_matches(str(word)[:100].lower(), choices, n=1, cutoff=0.6)
    return matches[0] if matches else None


@dataclass(frozen=True)
class Document:
    """A file's data (plain dict, list, str, int, float, bool, None, date, datetime) that knows its lines.

    Parts that an alias repeats are one object: change nothing in place, use `with_value`.
    """

    data: dict[str, Any]
    file: str
    _lines: Lines = field(default_factory=dict, repr=False, compare=False)
    _sources: Mapping[Path, str] = field(default_factory=dict, repr=False, compare=False)

    def value(self, path: Path) -> Any:
        """Return the value at `path`; raises KeyError if there is none."""
        node: Any = self.data
        for part in path:
            if not holds(node, part):
                raise KeyError(dotted(path))
            node = node[part]
        return node

    def line(self, path: Path) -> int | None:
        """Return the line of the key at `path`, or of its nearest parent that exists.

        None for the whole document and for what `with_value` set.
        """
        if self._source(path) is not None:
            return None
        line, lines = None, self._lines
        for part in path:
            if not lines or part not in lines:
                break
            line, below = lines[part]
            lines = below or {}
        return line

    def finding(self, path: Path, message: str, remedy: str, value: object = None) -> Finding:
        """Return a Finding about `path` that names its place."""
        source = self._source(path)
        return Finding(message, remedy, dotted(path), value, source or self.file, self.line(path))

    def with_value(self, path: Path, value: object, source: str) -> Document:
        """Return a copy that holds `value` at `path`, and reports `source` (as `--set`) as the place of it.

        The parents of `path` must exist; only they are copied. Raises InputError if they do not.
        """
        return self.with_values({path: value}, source)

    def with_values(self, values: Mapping[Path, object], source: str) -> Document:
        """Return a copy with each value at its path, set one after the other; as `with_value`."""
        data = self.data.copy()
        own, sources = {id(data)}, dict(self._sources)
        for path, value in values.items():
            if not path:
                remedy = "give a path such as battery.capacity_kwh"
                raise InputError([Finding("names no value", remedy, file=source)])
            _put(data, path, value, own, source)
            if sources:
                sources = {place: name for place, name in sources.items() if place[: len(path)] != path}
            sources[path] = source
        return Document(data, self.file, self._lines, sources)

    def _source(self, path: Path) -> str | None:
        """Return the source of the longest part of `path` that was set, if any was."""
        for length in range(len(path) if self._sources else 0, 0, -1):
            if path[:length] in self._sources:
                return self._sources[path[:length]]
        return None


def holds(node: object, part: str | int) -> bool:
    """Whether `node` is a mapping with the key `part`, or a list with that entry."""
    if isinstance(node, dict):
        return part in node
    return isinstance(node, list) and isinstance(part, int) and 0 <= part < len(node)


def _put(node: Any, path: Path, value: object, own: set[int], source: str) -> None:
    """Set `value` in `node`, which is ours; containers on the way are copied unless they are in `own`."""
    for depth, part in enumerate(path):
        is_last = depth == len(path) - 1
        if not holds(node, part) and not (is_last and isinstance(node, dict) and isinstance(part, str)):
            raise InputError([_no_such_place(node, path[: depth + 1], source)])
        if is_last:
            node[part] = value
        elif id(node[part]) in own:
            node = node[part]
        else:
            below = node[part]
            if isinstance(below, dict | list):
                below = node[part] = below.copy()
                own.add(id(below))
            node = below


def _no_such_place(node: object, path: Path, source: str) -> Finding:
    key = dotted(path)
    parent = f"'{dotted(path[:-1])}'" if len(path) > 1 else "the file"
    if isinstance(node, dict) and isinstance(path[-1], str):
        guess = similar(path[-1], list(node))
        there = ", ".join(map(str, node)) or "nothing"
        remedy = f"did you mean '{guess}'?" if guess else f"{parent} holds: {there}"
        return Finding("does not exist", remedy, key, None, source)
    if isinstance(node, list):
        entries = f"{parent} is a list of {len(node)}: name an entry by [0] to [{len(node) - 1}]"
        return Finding("does not exist", entries if node else f"{parent} is an empty list", key, None, source)
    return Finding("does not exist", f"{parent} holds a single value: set it as a whole", key, None, source)
