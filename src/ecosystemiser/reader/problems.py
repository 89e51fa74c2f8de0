"""What to tell a person where a text is not YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

__all__ = ["explain"]

_ALIGN = "start this line in the same column as its neighbours, with spaces"
_QUOTE = "put quotes around the text"


def explain(error: MarkedYAMLError) -> tuple[int, str, str]:
    """Return the line (from 0), what is wrong there, and what to do about it."""
    problem, context = str(error.problem or ""), str(error.context or "")
    line = _line(error.problem_mark)
    start = _line(error.context_mark)
    line = start if line is None else line
    line = line or 0
    start = line if start is None else start
    character = re.search(r"found character '(.|\\.)'", problem)
    if character and character[1] == r"\t":
        return line, "holds a tab", "use spaces, also around ':' and '-'"
    if character:
        return line, f"starts a text with {character[1]!r}, which YAML reserves", _QUOTE
    if "unexpected end of stream" in problem or "document separator" in problem:
        return start, "opens a quote that is never closed", "close it; write a quote within quotes twice"
    if "expected ':'" in problem:
        return start, "holds no ':'", "write 'key: value'; indent the later lines of a longer text"
    if "mapping values are not allowed" in problem:
        remedy = f"{_QUOTE} if it is one, complete the key above, or {_ALIGN}"
        return line, "holds ': ' where no key can stand", remedy
    if "flow sequence" in context or "flow mapping" in context:
        return _unclosed(line, start, context)
    if "but found '<scalar>'" in problem:
        return line, "holds text after the end of a value", f"{_QUOTE} as a whole, or begin a new line"
    if "expected the node content" in problem:
        return line, "holds a bracket or comma where a value belongs", f"complete the list, or {_QUOTE}"
    if "expected <block end>" in problem or "not allowed here" in problem:
        return line, "is out of line with what stands above it", _ALIGN
    if "escape" in problem:
        return line, "holds a backslash that starts no known escape", "write two, or use single quotes"
    if "alias" in context or "anchor" in context:
        return line, "holds '*' or '&' without a name after it", f"{_QUOTE} if it is one"
    return line, f"is not YAML: {problem or context or 'unreadable'}", _QUOTE


def _unclosed(line: int, start: int, context: str) -> tuple[int, str, str]:
    bracket, close = ("[", "]") if "sequence" in context else ("{", "}")
    where = "" if line == start else f" (opened in line {start + 1})"
    return line, f"lacks a ',' or a '{close}' for its '{bracket}'{where}", f"add it, or {_QUOTE}"


def _line(mark: object) -> int | None:
    line = getattr(mark, "line", None)
    return line if isinstance(line, int) else None
