"""One component of a document and its variations: read one by one, or many at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from pydantic import ValidationError

from ecosystemiser.errors import InputError
from ecosystemiser.model.components import Component
from ecosystemiser.model.lanes import Lanes
from ecosystemiser.model.loading import Part, misplacements
from ecosystemiser.model.placed import Placed
from ecosystemiser.model.site import BuildSite
from ecosystemiser.reader import Document

__all__ = ["Fields", "Placement", "VariedComponent", "signature"]

T = TypeVar("T")
KEPT = 64
"""Variations that are remembered: a grid's values come again and again."""
PLAIN = frozenset({str, int, float, bool, type(None)})

Fields = dict[tuple[str | int, ...], object]
"""Values of one component, by their paths within its section."""


class Placement(NamedTuple):
    """What became of a component."""

    placed: Placed | None
    """None where its size is 0, which removes it."""


class VariedComponent:
    """A component as the document has it, and its last variations.

    Every method returns None where something about the fields is wrong or unusual: then the whole document is to be
    read, which tells what is wrong.
    """

    def __init__(self, name: str, part: Part, document: Document, site: BuildSite) -> None:
        self._name, self._kind, self._placed = name, type(part.component), part.placed
        self._document, self._site = document, site
        self._section: dict[str, Any] = document.value(("components", name))
        read = {key: getattr(part.component, key) for key, value in self._section.items() if isinstance(value, dict)}
        self._eased = {**self._section, **read}  # tables in it, such as tariffs, are not read again
        self._placements = _Memory[Placement]()
        self._components = _Memory[Component]()

    def placement(self, fields: Fields) -> Placement | None:
        """Return the component with these fields."""
        key = _key(fields)
        known = None if key is None else self._placements.get(key)
        if known is not None:
            return known
        component = self._read(fields)
        found = None if component is None else self._place(component)
        if key is not None and found is not None:
            self._placements.keep(key, found)
        return found

    def component(self, fields: Fields) -> Component | None:
        """Return the component with these fields, without its place; None also for values that are no plain ones."""
        key = _key(fields)
        if key is None:
            return None
        component = self._components.get(key)
        if component is None:
            component = self._read(fields)
            if component is not None:
                self._components.keep(key, component)
        return component

    def side_by_side(self, components: Sequence[Component], fields: Fields) -> Placed:
        """Return components that differ in numbers of `fields` as one, whose numbers are lanes where they differ.

        Raises TypeError, ValueError, ArithmeticError or InputError where they are not to be read as one.
        """
        first = components[0]
        values = {name: getattr(first, name) for name in type(first).model_fields}
        for path in fields:
            numbers = [getattr(component, str(path[0])) for component in components]
            if any(number != numbers[0] for number in numbers):
                values[str(path[0])] = Lanes(np.array(numbers, dtype=np.float64))
        together = self._kind.model_construct(_fields_set=first.model_fields_set, **values)
        return Placed.of(self._name, together, together.kinds(self._name, self._site))

    def _read(self, fields: Fields) -> Component | None:
        section = self._with(fields)
        if section is None or section.get("type") != self._section["type"]:
            return None
        try:
            return self._kind.model_validate(section)
        except ValidationError:
            return None

    def _place(self, component: Component) -> Placement | None:
        if component.is_absent:
            return Placement(None)
        try:
            kinds = component.kinds(self._name, self._site)
        except InputError:
            return None
        placed = Placed.of(self._name, component, kinds)
        stands_elsewhere = self._placed is None or placed.buses != self._placed.buses
        if stands_elsewhere and any(misplacements(self._name, kind, component, self._site) for kind in kinds):
            return None
        return Placement(placed)

    def _with(self, fields: Fields) -> dict[str, Any] | None:
        """Return the section with these fields; None where it has no such place."""
        if all(len(path) == 1 for path in fields):
            return {**self._eased, **{str(path[0]): value for path, value in fields.items()}}
        place = ("components", self._name)
        try:
            changed = self._document.with_values({(*place, *path): value for path, value in fields.items()}, "--set")
        except InputError:
            return None
        section: dict[str, Any] = changed.value(place)
        return section


class _Memory(Generic[T]):
    """The last things that were made."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        return self._known.get(key)

    def keep(self, key: Hashable, made: T) -> None:
        self._known[key] = made
        if len(self._known) > KEPT:
            self._known.popitem(last=False)


def signature(component: Component, fields: Fields) -> Hashable | None:
    """Return what variations must share to be read side by side: all but numbers; None for fields within fields."""
    shared: list[Hashable] = [component.is_absent]
    for path, value in fields.items():
        if len(path) != 1:
            return None
        is_number = type(getattr(component, str(path[0]))) is float
        shared.append((path, None if is_number else (type(value), value)))
    return tuple(shared)


def _key(fields: Fields) -> Hashable | None:
    """Return what tells plain values from others; 1 and True are two."""
    if not PLAIN.issuperset(map(type, fields.values())):
        return None
    return tuple([(path, type(value), value) for path, value in fields.items()])
