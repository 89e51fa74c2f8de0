"""Rows as a table that fits the terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import io
import json
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ecosystemiser.cli.text import printable

__all__ = ["Column", "Format", "as_csv", "as_json", "as_pairs", "as_table", "terminal_width"]

GAP = "  "
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")
"""A spreadsheet takes a cell that starts so for a formula, and runs it."""


class Format(StrEnum):
    """How a listing is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@dataclass
class Column:
    """A column of a table: its head and cells, and what it gives up where the terminal is narrow."""

    head: str
    cells: list[str] = field(default_factory=list)
    is_number: bool = False
    """Numbers stand right."""
    least: int | None = None
    """The width to which it may be cut; None: it is never cut."""
    drop: int = 0
    """Columns with higher numbers are left out first; 0: never."""

    @property
    def width(self) -> int:
        """The width of head and cells."""
        return max(_cells(text) for text in (self.head, *self.cells))


def terminal_width() -> int:
    """Return how many characters a line has; 80 where nobody knows."""
    return max(20, shutil.get_terminal_size((80, 24)).columns)


def as_table(columns: Sequence[Column], width: int | None = None, indent: str = "") -> str:
    """Return the columns as lines of at most `width` characters, the terminal's by default."""
    room = (width or terminal_width()) - len(indent)
    shown = [
        Column(printable(one.head), [printable(cell) for cell in one.cells], one.is_number, one.least, one.drop)
        for one in columns
    ]
    widths = _fitted(shown, room)
    lines = []
    for row in range(-1, len(shown[0].cells)):
        texts = [one.head if row < 0 else one.cells[row] for one in shown]
        parts = [_padded(text, size, one) for text, size, one in zip(texts, widths, shown, strict=True)]
        lines.append((indent + GAP.join(parts)).rstrip())
    return "\n".join(lines if any(one.head for one in shown) else lines[1:])


def _fitted(shown: list[Column], room: int) -> list[int]:
    """Return the widths; first cut what may be cut, then leave out columns (which are removed from `shown`)."""
    while True:
        widths = [one.width for one in shown]
        excess = sum(widths) + len(GAP) * (len(shown) - 1) - room
        for at, one in enumerate(shown):
            if excess > 0 and one.least is not None:
                cut = min(excess, max(0, widths[at] - one.least))
                widths[at] -= cut
                excess -= cut
        droppable = [one for one in shown if one.drop]
        if excess <= 0 or not droppable:
            return widths
        shown.remove(max(droppable, key=lambda one: one.drop))


def _padded(text: str, width: int, column: Column) -> str:
    if _cells(text) > width:
        while _cells(text) > width - 1:
            text = text[:-1]
        text += "…"
    space = " " * (width - _cells(text))
    return space + text if column.is_number else text + space


def _cells(text: str) -> int:
    """Return how many places of a terminal `text` takes: letters of the far east take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def as_pairs(pairs: Iterable[tuple[str, str]], indent: str = "  ", width: int | None = None) -> str:
    """Return names and values below each other; long sentences go on below, a path stays on its line."""
    kept = [(name, printable(value)) for name, value in pairs]
    names = max((len(name) for name, _ in kept), default=0)
    lines: list[str] = []
    for name, value in kept:
        first = f"{indent}{name:<{names}}{GAP}"
        wrap = textwrap.TextWrapper(
            width or terminal_width(),
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += wrap.wrap(value) or [first.rstrip()]
    return "\n".join(lines)


def as_csv(rows: Iterable[Mapping[str, object]], names: Sequence[str]) -> str:
    """Return rows as CSV with full numbers; no cell is a formula to a spreadsheet."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return sink.getvalue().rstrip("\n")


def _cell(value: object) -> object:
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").replace("\r", "\n")  # which the writer puts into quotes
    if isinstance(value, str) and value.startswith(FORMULA_STARTS) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def as_json(content: object) -> str:
    """Return `content` as JSON text."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=str)
