"""Names: what may be an id, and what a mistyped name was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["IDENTIFIER_RULE", "did_you_mean", "is_identifier", "nearest"]

IDENTIFIER_RULE = "1 to 128 of letters, digits, '.', '_', '-', the first a letter or digit, without '..'"
LONGEST_COMPARED = 100
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def is_identifier(text: str) -> bool:
    """Return whether `text` may be the id of a run, a study or a system: safe as a file name and in a URL."""
    return _IDENTIFIER.fullmatch(text) is not None and ".." not in text


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the one of `known` that `name` most likely misspells, whatever its case; None where none is near."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(str(name)[:LONGEST_COMPARED].lower(), by_lower, n=1)
    return by_lower[found[0]] if found else None


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return "did you mean 'x'? " for the known name nearest to `name`, or "" where none is near."""
    guess = nearest(name, known)
    return f"did you mean {guess!r}? " if guess else ""
