"""A component where it stands, with what follows from it: told once for all variations that leave it as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ecosystemiser.model.components import Component
from ecosystemiser.model.kinds import Investment, Kind, buses_of
from ecosystemiser.model.reach import Links, Reach, reach_of
from ecosystemiser.model.rows import Rows, rows_of

__all__ = ["Placed"]


@dataclass(frozen=True, eq=False, slots=True)
class Placed:
    """A component and the kinds it is made of at its site. Never changes; it is equal to itself alone."""

    name: str
    component: Component
    kinds: tuple[Kind, ...]
    investment: Investment
    """What it costs before it runs."""
    rows: Rows
    """What it fills the tables of a Problem with."""
    reaches: tuple[Reach, ...]
    """What checks ask of each of its kinds."""
    links: tuple[Links, ...]
    """How each of its kinds is tied to its buses."""
    buses: tuple[str, ...]
    """Where its kinds stand: each one's own bus, then those that it gives to."""

    @classmethod
    def of(cls, name: str, component: Component, kinds: tuple[Kind, ...]) -> Self:
        """Return a component in its place."""
        reaches = tuple([reach_of(kind) for kind in kinds])
        links = tuple([reach.links for reach in reaches])
        buses = buses_of(kinds[0]) if len(kinds) == 1 else tuple([bus for kind in kinds for bus in buses_of(kind)])
        return cls(name, component, kinds, component.investment(), rows_of(kinds), reaches, links, buses)
