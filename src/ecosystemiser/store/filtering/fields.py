"""What a filter may ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ecosystemiser.names import did_you_mean
from ecosystemiser.store.filtering.literals import ValueKind, name_text

__all__ = ["Field", "FieldTable", "Kind"]

Kind = ValueKind | Literal["any"]
"""`any`: the value says which; a stored value of another kind counts as missing."""


@dataclass(frozen=True)
class Field:
    """One thing that may be asked for.

    A name that ends in `.*` stands for all names below it: `params.*`. Leave it out and give each parameter
    as a field of its own where the parameters are known: then a misspelt one is found. A field with `many`
    values, as tags, is asked by =, in and like: `=` passes where one of its values does, `!=` where none.
    """

    name: str
    kind: Kind
    unit: str | None
    meaning: str
    words: tuple[str, ...] | None = None
    """The closed vocabulary of a text; None: any text."""
    alias_of: str | None = None
    many: bool = False

    def alias(self, name: str) -> Field:
        """Return `name` as another name for this field."""
        return replace(self, name=name, alias_of=self.name)


class FieldTable:
    """Finds fields by the names in a filter."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = {field.name: field for field in fields}
        self._families = {name[:-1]: field for name, field in self._fields.items() if name.endswith(".*")}

    def find(self, name: str) -> Field | None:
        """Return the field with its full name, an alias resolved; None for a name that is none."""
        field = self._fields.get(name)
        if field is not None and not name.endswith(".*"):
            return replace(field, name=field.alias_of or name, alias_of=None)
        for prefix, family in self._families.items():
            if name.startswith(prefix) and len(name) > len(prefix):
                return replace(family, name=name)
        return None

    def remedy(self, name: str) -> str:
        """Return what to do about a name that is none: the nearest one, or where all of them stand."""
        guess = did_you_mean(name, [known for known in self._fields if not known.endswith(".*")]).strip()
        if guess:
            return guess
        if "." in name and self._families:
            return "write " + " or ".join(f"{prefix}{name_text(name)}" for prefix in self._families)
        names = ", ".join(sorted(self._fields)) or "nothing"
        return f"these can be asked for: {names}"
