"""A filter without NOT above a condition, and what it fixes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ecosystemiser.store.filtering.literals import Value
from ecosystemiser.store.filtering.tree import And, Comparison, In, Leaf, Not, Operator, Or, Tree

__all__ = ["normalised", "opposite", "simple_equalities"]

_OPPOSITE: dict[Operator, Operator] = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def normalised(tree: Tree) -> Tree:
    """Return a tree that passes the same rows, without Not: `not x >= 40` becomes `x < 40`.

    Exact in SQL's logic of three values: a condition and its opposite both leave out a missing value.
    """
    return _pushed(tree, negated=False)


def _pushed(tree: Tree, *, negated: bool) -> Tree:
    if isinstance(tree, Not):
        return _pushed(tree.term, negated=not negated)
    if isinstance(tree, And | Or):
        kind = type(tree) if not negated else Or if isinstance(tree, And) else And
        return kind(tuple([_pushed(term, negated=negated) for term in tree.terms]), tree.at)
    return opposite(tree) if negated else tree


def opposite(leaf: Leaf) -> Leaf:
    """Return the condition that passes the values that `leaf` does not pass; a missing one passes neither."""
    if isinstance(leaf, Comparison):
        return replace(leaf, operator=_OPPOSITE[leaf.operator])
    return replace(leaf, negated=not leaf.negated)


def simple_equalities(tree: Tree) -> Mapping[str, Value]:
    """Return the names that every row which passes holds equal to one value, with that value.

    Only what a top-level AND says: `=`, and IN with one value. Where it fixes a name twice, the first counts.
    """
    whole = normalised(tree)
    fixed: dict[str, Value] = {}
    for term in whole.terms if isinstance(whole, And) else (whole,):
        if isinstance(term, Comparison) and term.operator == "=":
            fixed.setdefault(term.name, term.value)
        elif isinstance(term, In) and not term.negated and len(term.values) == 1:
            fixed.setdefault(term.name, term.values[0])
    return fixed
