"""The variations of one document: all that a study solves."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.checks import check_system, is_supplied
from ecosystemiser.model.components import Component
from ecosystemiser.model.frame import numbers_of
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.lanes import Lanes
from ecosystemiser.model.loading import Path_, Reading, SystemLoader, field_path, system_of, with_values
from ecosystemiser.model.placed import Placed
from ecosystemiser.model.system import System, SystemHead
from ecosystemiser.model.varied import Fields, VariedComponent, signature
from ecosystemiser.reader import Document

__all__ = ["Group", "Variations"]

FEWEST = 4
"""Variations that are worth reading side by side."""
Values = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Group:
    """Variations that were read as one: a system whose numbers may be `Lanes`, one a variation."""

    system: System
    first: System
    """The first of them by itself."""
    heads: tuple[SystemHead, ...]
    """Of each; they differ in nothing that components are resolved on."""
    members: tuple[int, ...]
    """Their positions in what was asked for."""

    @classmethod
    def of_one(cls, system: System, position: int = 0) -> Group:
        """Return a system by itself."""
        return cls(system, system, (system.head,), (position,))


class Variations:
    """Systems that differ from a document in the values of some fields.

    Each is what `load_system(with_values(document, values))` gives, with the same errors. Once the document is known
    only components whose fields are set are read, and what the others and the head are known to be stands; of many
    variations that differ in numbers, components are read side by side. Where anything about the values is wrong or
    unusual, the whole document is read, so that errors are told as always.
    """

    def __init__(self, document: Document, steps: int | None = None) -> None:
        self._document, self._loader = document, SystemLoader(steps)
        self._base: _Base | None = None
        self._count = 0

    def load(self, values: Values, source: str = "--set") -> System:
        """Return the system with these values. Raises InputError with all that is wrong."""
        self._expect(1)
        system = None if self._base is None else self._base.varied(values)
        return system or self._loader.load(with_values(self._document, values, source))

    def load_many(self, points: Sequence[Values]) -> tuple[list[Group], dict[int, InputError]]:
        """Return the systems with these values, and what is wrong with the others, by position."""
        self._expect(len(points))
        groups = [] if self._base is None else self._base.groups(points)
        grouped = {position for group in groups for position in group.members}
        wrong: dict[int, InputError] = {}
        for position in sorted({*range(len(points))} - grouped):
            try:
                groups.append(Group.of_one(self.load(points[position]), position))
            except InputError as error:
                wrong[position] = error
        return groups, wrong

    def _expect(self, more: int) -> None:
        """Read the document as it stands before the second variation; one alone may be read in full."""
        is_first, self._count = self._count < 2, self._count + more
        if is_first and self._count >= 2:
            try:
                self._base = _Base(self._document, self._loader, self._loader.read(self._document))
            except InputError:
                self._base = None  # wrong as it stands; a variation may set it right


class _Point(NamedTuple):
    """A variation as it was understood."""

    position: int
    head: SystemHead
    changes: dict[str, Fields]
    components: dict[str, Component]
    """Those whose fields are set."""


class _Base:
    """A document that was read, and what became of its components in variations.

    What is None takes a reading of the whole document to tell.
    """

    def __init__(self, document: Document, loader: SystemLoader, reading: Reading) -> None:
        self._document, self._loader = document, loader
        self._system, self._site = reading.system, reading.site
        self._placed = {name: part.placed for name, part in reading.parts.items()}
        self._components = {
            name: VariedComponent(name, part, document, reading.site) for name, part in reading.parts.items()
        }
        self._paths: dict[str, Path_ | Finding] = {}
        self._file = Path(document.file)

    def varied(self, values: Values) -> System | None:
        """Return the system with these values."""
        understood = self._understood(values)
        if understood is None:
            return None
        head, changes = understood
        placed = self._placed.copy()
        for name, fields in changes.items():
            found = self._components[name].placement(fields)
            if found is None:
                return None
            placed[name] = found.placed
        return self._sound(head, placed, changes)

    def groups(self, points: Sequence[Values]) -> list[Group]:
        """Return the variations that can be read side by side."""
        alike: dict[Hashable, list[_Point]] = {}
        for position, values in enumerate(points):
            point = self._point(position, values)
            if point is not None:
                signatures = [signature(point.components[name], fields) for name, fields in point.changes.items()]
                if None not in signatures:
                    alike.setdefault((*point.changes, *signatures), []).append(point)
        many = [some for some in alike.values() if len(some) >= FEWEST]
        return [group for some in many if (group := self._group(some, points)) is not None]

    def _group(self, points: Sequence[_Point], all_points: Sequence[Values]) -> Group | None:
        """Return variations of one signature side by side; None where they do not go the same way."""
        first = self.varied(all_points[points[0].position])
        if first is None:
            return None
        placed = {one.name: one for one in first.placed}
        try:
            with np.errstate(all="raise"):
                for name, fields in points[0].changes.items():
                    if name in placed:
                        components = [point.components[name] for point in points]
                        placed[name] = self._components[name].side_by_side(components, fields)
                system = System(first.head, first.clock, tuple(placed.values()), first.buses, first.file)
                is_sound = is_supplied(system)
        except (TypeError, ValueError, ArithmeticError, InputError):
            return None
        if not is_sound or not all(map(_agree, system.placed, first.placed)):
            return None
        heads = tuple([point.head for point in points])
        return Group(system, first, heads, tuple([point.position for point in points]))

    def _point(self, position: int, values: Values) -> _Point | None:
        understood = self._understood(values)
        if understood is None:
            return None
        head, changes = understood
        components: dict[str, Component] = {}
        for name, fields in changes.items():
            component = self._components[name].component(fields)
            if component is None:
                return None
            components[name] = component
        return _Point(position, head, changes, components)

    def _understood(self, values: Values) -> tuple[SystemHead, dict[str, Fields]] | None:
        """Return the head and which fields of which components are set."""
        changes: dict[str, Fields] = {}
        of_head: dict[Path_, object] = {}
        for name, value in values.items():
            path = self._paths.get(name)
            if path is None:
                path = self._paths[name] = field_path(self._document, name)
            if isinstance(path, Finding):
                return None
            if path[0] == "components":
                fields = changes.setdefault(str(path[1]), {})
                fields.pop(path[2:], None)  # one field by two names: the later one holds
                fields[path[2:]] = value
            else:
                of_head[path] = value
        head = self._head(of_head) if of_head else self._system.head
        return None if head is None else (head, changes)

    def _head(self, values: dict[Path_, object]) -> SystemHead | None:
        """Return the head with these values; None where it describes another site, or is wrong."""
        try:
            head, site = self._loader.head(self._document.with_values(values, "--set"))
        except InputError:
            return None
        return head if site is self._site else None

    def _sound(self, head: SystemHead, placed: dict[str, Placed | None], changed: Iterable[str]) -> System | None:
        """Return the system of these components; None where something is wrong with it as a whole."""
        if all(_are_linked_alike(placed[name], self._placed[name]) for name in changed):
            present = tuple([one for one in placed.values() if one is not None])
            system = System(head, self._site.clock, present, self._system.buses, self._file)
            if is_supplied(system):
                return system
        system = system_of(head, self._site, placed.values(), self._file)
        return None if check_system(system) else system


def _are_linked_alike(one: Placed | None, other: Placed | None) -> bool:
    return one is not None and other is not None and one.links == other.links


def _agree(together: Placed, first: Placed) -> bool:
    """Whether the first lane of components read side by side is the first of them by itself, and all are tied as it is.

    So it would show where something read lanes as a number, which is NaN, and went its own way.
    """
    if together is first:
        return True
    numbers = [number.values[0] if isinstance(number, Lanes) else number for number in numbers_of(together)]
    if not np.array_equal(numbers, numbers_of(first), equal_nan=True) or together.links != first.links:
        return False
    if together.rows.outlines != first.rows.outlines:
        return False
    ours, others = together.rows, first.rows
    shapes = zip((*ours.shapes, *ours.price_shapes), (*others.shapes, *others.price_shapes), strict=True)
    return all(_are_same(one, other) for one, other in shapes)


def _are_same(one: Floats | None, other: Floats | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))
