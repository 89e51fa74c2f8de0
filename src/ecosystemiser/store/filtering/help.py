"""What can be asked for, as a page for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from ecosystemiser.store.filtering.fields import Field

__all__ = ["help_text"]

_WIDTH = 80
_WIDEST_NAME, _WIDEST_UNIT = 26, 12

_GRAMMAR = r"""
A filter: total_cost < 20000 and solver_type = 'hybrid'

  =  !=  <  <=  >  >=           name and value, in either order
  IN ('a', 'b')   NOT IN        one of up to 1,000 values
  BETWEEN 10 AND 20             both ends included; NOT BETWEEN
  LIKE 'roll%'   NOT LIKE       % any text, _ one letter, \ before a plain one
  IS NULL   IS NOT NULL         no value; a missing value passes nothing else
  NOT, AND, OR, ( )             NOT binds closest, then AND, then OR
  40  -0.5  1.2e6  true  false  numbers and flags stand without quotes
  'text'  'it''s'               text in single quotes; upper case differs
  '2026-11-01T06:30+01:00'      a time, UTC without a zone; a date: its 0:00
  params."odd name".x           names with other characters in double quotes
"""


def help_text(fields: Iterable[Field]) -> str:
    """Return the fields with unit and meaning, and the grammar, in lines of 80 characters at most."""
    known = list(fields)
    aliases: dict[str, list[str]] = {}
    for field in known:
        if field.alias_of is not None:
            aliases.setdefault(field.alias_of, []).append(field.name)
    rows = [
        (field.name, field.unit or "", _meaning(field, aliases.get(field.name, [])))
        for field in known
        if field.alias_of is None
    ]
    table = [("name", "unit", "meaning"), *rows]
    names = min(_WIDEST_NAME, max(len(row[0]) for row in table))
    units = min(_WIDEST_UNIT, max(len(row[1]) for row in table))
    return "\n".join([*(_row(row, names, units) for row in table), _GRAMMAR.rstrip()])


def _meaning(field: Field, aliases: list[str]) -> str:
    parts = [field.meaning]
    if field.words:
        parts.append(f"one of {', '.join(field.words)}")
    if aliases:
        parts.append(f"short: {', '.join(aliases)}")
    if len(parts) > 1:
        parts[0] = parts[0].removesuffix(".")
    return "; ".join(parts)


def _row(row: tuple[str, str, str], names: int, units: int) -> str:
    name, unit, meaning = row
    head = f"{name:<{names}}  {unit:<{units}}  "
    margin = names + units + 4
    lines = textwrap.wrap(meaning, _WIDTH - margin) or [""]
    if len(head) > margin:
        lines.insert(0, "")
    first, *others = lines
    return "\n".join([f"{head}{first}".rstrip(), *(f"{' ' * margin}{line}" for line in others)])
