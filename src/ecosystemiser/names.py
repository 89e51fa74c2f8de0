"""What may be the id of a run, a study or a system: safe as a file name, in a URL and in a terminal."""

from __future__ import annotations

import re

__all__ = ["IDENTIFIER_RULE", "is_identifier"]

IDENTIFIER_RULE = "1 to 128 of letters, digits, '.', '_', '-', the first a letter or digit, without '..'"


def is_identifier(text: str) -> bool:
    """Return whether `text` may be an id."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", text) is not None and ".." not in text
