"""Text that somebody else wrote, shown as text: nothing in it is a link, a picture, a formula or a tag."""

from __future__ import annotations

import re

__all__ = ["plain"]

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!<>|~$:^=&])")


def plain(text: object) -> str:
    """Return `text` on one line as Markdown that shows it as it stands.

    >>> plain("a*b <img> [x](y)")
    'a\\\\*b \\\\<img\\\\> \\\\[x\\\\]\\\\(y\\\\)'
    """
    line = "".join(char if char.isprintable() else " " for char in str(text))
    return _MARKS.sub(r"\\\1", line)
