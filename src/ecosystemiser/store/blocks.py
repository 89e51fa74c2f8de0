"""Rows that have the same columns, held column by column: so many are checked and written at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

__all__ = ["Block", "grouped"]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some of the rows that were given."""

    places: Sequence[int]
    """Where each of them stood among those given."""
    columns: Mapping[str, Sequence[Any]]
    """Their values by name."""

    def __len__(self) -> int:
        return len(self.places)

    def column(self, name: str, default: object = None) -> Sequence[Any]:
        """Return a column; where the rows do not have it, `default` for each."""
        found = self.columns.get(name)
        return [default] * len(self.places) if found is None else found

    def chosen(self, are_wanted: Sequence[bool]) -> Block:
        """Return those of the rows that are wanted."""
        if all(are_wanted):
            return self
        columns = {name: list(compress(values, are_wanted)) for name, values in self.columns.items()}
        return Block(list(compress(self.places, are_wanted)), columns)


def grouped(rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Return the rows in blocks, in the order of the first row of each."""
    if len(rows) == 1:
        return [Block((0,), {name: (value,) for name, value in rows[0].items()})]
    places: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(tuple(row), []).append(place)
    return [_block(names, own, [rows[place] for place in own]) for names, own in places.items()]


def _block(names: tuple[str, ...], places: list[int], rows: Sequence[Mapping[str, Any]]) -> Block:
    columns = zip(*[row.values() for row in rows], strict=True)
    return Block(places, dict(zip(names, columns, strict=True)))
