"""What is wrong with a filter's text, and where."""

from __future__ import annotations

import unicodedata

from ecosystemiser.errors import Finding, InputError

__all__ = ["MOST_FINDINGS", "Findings"]

MOST_FINDINGS = 20
"""More of them help nobody; the last finding says how many there are besides."""

_BEFORE, _WIDTH = 40, 70


class Findings:
    """Collects all that is wrong with one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[tuple[int, Finding]] = []

    def add(self, at: int, length: int, message: str, remedy: str) -> None:
        """Note what is wrong with the `length` characters from `at` on, and what to do."""
        piece = self._text[at : at + length]
        value = piece[1:-1].replace("''", "'") if len(piece) > 1 and piece[0] == piece[-1] == "'" else piece or None
        shown = f"{remedy}\n{self._excerpt(at, length)}"
        self._found.append((at, Finding(message, shown, f"filter, character {at + 1}", value)))

    def add_misplaced(self, at: int, length: int, awaited: str, remedy: str) -> None:
        """Note that something else, or nothing, stands where `awaited` belongs."""
        verb = "stands" if length else "The text ends"
        self.add(at, length, f"{verb} where {awaited} belongs", remedy)

    def raise_if_any(self) -> None:
        """Raise InputError with what was found, in the order of the text."""
        if not self._found:
            return
        findings = [finding for _, finding in sorted(self._found, key=lambda pair: pair[0])]
        more = len(findings) - MOST_FINDINGS
        if more > 0:
            note = Finding(f"there are {more} more mistakes", "mend these first", "filter")
            findings = [*findings[:MOST_FINDINGS], note]
        raise InputError(findings)

    def _excerpt(self, at: int, length: int) -> str:
        """Return the text around `at` in one line, and carets below what is meant."""
        start = max(0, at - _BEFORE)
        end = start + _WIDTH
        before, after = ("…" if start else "", "…" if end < len(self._text) else "")
        line = "".join(char if char.isprintable() else " " for char in self._text[start:end])
        marked = line[at - start : at - start + max(length, 1)]
        indent = " " * (len(before) + _columns(line[: at - start]))
        return f"    {before}{line}{after}\n    {indent}{'^' * max(_columns(marked), 1)}"


def _columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
