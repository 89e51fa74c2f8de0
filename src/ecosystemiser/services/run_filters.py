"""Which runs are meant: filter texts, and what they may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store import queries
from ecosystemiser.store.filtering.help import help_text
from ecosystemiser.store.filtering.literals import name_text
from ecosystemiser.store.filtering.tree import And, Comparison, Tree
from ecosystemiser.store.parameters import all_names
from ecosystemiser.store.targets import PARAMETER

__all__ = [
    "all_of",
    "asked_of",
    "asking_for",
    "equal",
    "filter_help",
    "filter_text",
    "sortable_names",
    "varied_fields",
]


def filter_text(where: str | None, filters: Mapping[str, object] | None = None) -> str | None:
    """Return one filter text for a text and filters by name (`query_simulation_runs`); None where all runs pass.

    Raises InputError for a text that is no filter, with the place, and for wrong filters.
    """
    tree = queries.wanted(where, filters or {})
    return None if tree is None else str(tree)


def filter_help() -> str:
    """Return what a filter may ask for, with units and meanings, and its grammar; 80 characters wide."""
    return help_text(queries.FIELDS)


def varied_fields(log: DatabaseMetadataService) -> list[str]:
    """Return the fields that some run of the log varied, as a filter writes them. Raises StoreError."""
    with log.reading() as connection:
        return [name_text(f"{PARAMETER}{path}") for path in all_names(connection)]


def equal(name: str, value: str | float) -> str:
    """Return the filter text that lets pass what has this value, quoted as it has to be."""
    return str(Comparison(name, "=", value))


def all_of(*conditions: str) -> str:
    """Return one filter text that asks for all of these, as it is written best. Raises InputError."""
    trees = [tree for condition in conditions if (tree := queries.wanted(condition, {})) is not None]
    return "" if not trees else str(And(tuple(trees)) if len(trees) > 1 else trees[0])


def asked_of(where: str | None, conditions: Sequence[str]) -> str | None:
    """Return the first of `conditions` that the filter text asks for, joined to the rest of it by AND; else None."""
    terms = _terms(where)
    return next((condition for condition in conditions if queries.wanted(condition, {}) in terms), None)


def asking_for(where: str | None, conditions: Sequence[str], chosen: str | None) -> str:
    """Return the filter text with `chosen` in the place of whichever of `conditions` it asks for; None: of none."""
    others = [queries.wanted(condition, {}) for condition in conditions]
    kept = [f"({term})" for term in _terms(where) if term not in others]
    return all_of(*kept, chosen or "")


def sortable_names() -> list[str]:
    """Return the columns that runs can be ordered by; a varied field (`varied_fields`) is one, too."""
    return [field.name for field in queries.FIELDS if field.alias_of is None and queries.is_sortable(field.name)]


def _terms(where: str | None) -> Sequence[Tree]:
    """Return the conditions that a filter text joins by AND."""
    tree = queries.wanted(where, {})
    if tree is None:
        return ()
    return tree.terms if isinstance(tree, And) else (tree,)
