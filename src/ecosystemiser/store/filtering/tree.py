"""What a filter says, as a tree. `str(tree)` is canonical text that parses back to an equal tree.

Names are full names of fields (aliases resolved). `at` is where a node begins in the text that it was parsed
from; it does not count when trees are compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ecosystemiser.store.filtering.literals import Value, ValueKind, kind_of, name_text, value_text

__all__ = ["And", "Between", "Comparison", "In", "IsNull", "Leaf", "Like", "Not", "Operator", "Or", "Tree"]

Operator = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Comparison:
    """`total_cost < 20000`."""

    name: str
    operator: Operator
    value: Value
    at: int = field(default=0, compare=False, repr=False)
    kind: ValueKind = field(init=False, repr=False)
    """Of the value; keeps `x = 1` and `x = true` apart, which Python holds equal."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", kind_of(self.value))

    def __str__(self) -> str:
        return f"{name_text(self.name)} {self.operator} {value_text(self.value)}"


@dataclass(frozen=True)
class Between:
    """`total_cost between 10 and 20`, both ends included."""

    name: str
    low: Value
    high: Value
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)
    kind: ValueKind = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", _one_kind((self.low, self.high)))

    def __str__(self) -> str:
        ends = f"{value_text(self.low)} and {value_text(self.high)}"
        return f"{name_text(self.name)} {_not(self.negated)}between {ends}"


@dataclass(frozen=True)
class In:
    """`status in ('failed', 'cancelled')`."""

    name: str
    values: tuple[Value, ...]
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)
    kind: ValueKind = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", _one_kind(self.values))

    def __str__(self) -> str:
        values = ", ".join(map(value_text, self.values))
        return f"{name_text(self.name)} {_not(self.negated)}in ({values})"


@dataclass(frozen=True)
class Like:
    r"""`solver_type like 'roll%'`: % is any text, _ one character, \\ takes a wildcard after it literally."""

    name: str
    pattern: str
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{name_text(self.name)} {_not(self.negated)}like {value_text(self.pattern)}"


@dataclass(frozen=True)
class IsNull:
    """`total_cost is null`: there is no value."""

    name: str
    negated: bool = False
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{name_text(self.name)} is {_not(self.negated)}null"


@dataclass(frozen=True)
class And:
    """All of two or more terms; an And among them is taken apart."""

    terms: tuple[Tree, ...]
    at: int = field(default=0, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _flat(And, self.terms))

    def __str__(self) -> str:
        return " and ".join(map(_inside_and, self.terms))


@dataclass(frozen=True)
class Or:
    """One of two or more terms at least; an Or among them is taken apart."""

    terms: tuple[Tree, ...]
    at: int = field(default=0, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _flat(Or, self.terms))

    def __str__(self) -> str:
        return " or ".join(map(str, self.terms))


@dataclass(frozen=True)
class Not:
    """The opposite of a term; where a value is missing, neither passes."""

    term: Tree
    at: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return f"not ({self.term})" if isinstance(self.term, And | Or) else f"not {self.term}"


Leaf = Comparison | Between | In | Like | IsNull
Tree = Leaf | And | Or | Not


def _inside_and(term: Tree) -> str:
    return f"({term})" if isinstance(term, Or) else str(term)


def _flat(kind: type[And | Or], terms: Iterable[Tree]) -> tuple[Tree, ...]:
    flat: list[Tree] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, And | Or) and type(term) is kind else (term,))
    if len(flat) < 2:
        msg = f"{kind.__name__} joins two terms or more, not {len(flat)}"
        raise ValueError(msg)
    return tuple(flat)


def _one_kind(values: tuple[Value, ...]) -> ValueKind:
    kinds = {kind_of(value) for value in values}
    if len(kinds) != 1:
        msg = f"values of one kind belong together, not of {sorted(kinds) or 'none'}"
        raise ValueError(msg)
    return kinds.pop()


def _not(negated: bool) -> str:  # noqa: FBT001 - the word that a node's own flag puts into its text
    return "not " if negated else ""
