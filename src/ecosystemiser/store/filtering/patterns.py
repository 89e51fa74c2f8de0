r"""Patterns of LIKE: % stands for any text, _ for one character; \%, \_ and \\ for %, _ and \ themselves.

Upper and lower case differ, as they do for =. SQLite's own LIKE takes A for a, PostgreSQL's does not, so
SQLite gets GLOB: the same answer on both, and both may use an index where a pattern begins with plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

__all__ = ["ESCAPE", "glob_pattern", "is_pattern", "like_pattern"]

ESCAPE = "/"
"""Of `like_pattern`: unlike a backslash it means the same to every engine and setting."""

_PIECE = re.compile(r"\\(.)|(.)", re.DOTALL)
_GLOB_WILDCARDS = {"%": "*", "_": "?"}


def is_pattern(text: str) -> bool:
    r"""Return whether every backslash in `text` stands before %, _ or \."""
    return re.fullmatch(r"(?:[^\\]|\\[%_\\])*", text) is not None


def glob_pattern(pattern: str) -> str:
    """Return `pattern` in the language of SQLite's GLOB."""
    return _translated(pattern, _GLOB_WILDCARDS, lambda plain: f"[{plain}]" if plain in "*?[" else plain)


def like_pattern(pattern: str) -> str:
    """Return `pattern` for LIKE ... ESCAPE `ESCAPE`."""
    special = f"%_{ESCAPE}"
    return _translated(pattern, {}, lambda plain: f"{ESCAPE}{plain}" if plain in special else plain)


def _translated(pattern: str, wildcards: Mapping[str, str], plain: Callable[[str], str]) -> str:
    pieces = _PIECE.findall(pattern)
    return "".join(
        plain(escaped) if escaped else wildcards.get(char, char) if char in "%_" else plain(char)
        for escaped, char in pieces
    )
