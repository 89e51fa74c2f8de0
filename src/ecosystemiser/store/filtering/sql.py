"""A filter as a condition of SQL; every value is bound, every column comes from the caller."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    Double,
    Float,
    Integer,
    Numeric,
    String,
    Text,
    and_,
    bindparam,
    literal,
    not_,
    or_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression
from sqlalchemy.types import TypeDecorator, TypeEngine

from ecosystemiser.store.clock import utc_text
from ecosystemiser.store.filtering.literals import Value, kind_of
from ecosystemiser.store.filtering.normalising import normalised, opposite
from ecosystemiser.store.filtering.patterns import ESCAPE, glob_pattern, like_pattern
from ecosystemiser.store.filtering.targets import Build, Target
from ecosystemiser.store.filtering.tree import And, Between, Comparison, In, IsNull, Leaf, Like, Or, Tree

__all__ = ["Resolve", "to_sql"]

Resolve = Callable[[str], Target]
"""From the full name of a field to where its value stands."""

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def to_sql(tree: Tree, resolve: Resolve) -> ColumnElement[bool]:
    """Return the condition for WHERE that passes the rows which `tree` passes.

    It is NULL, or false, for a row that does not pass. `resolve` is asked for each name once per condition.
    """
    return _condition(normalised(tree), resolve)[1]


def _condition(tree: Tree, resolve: Resolve) -> tuple[int, ColumnElement[bool]]:
    """Return how many levels the condition has, and the condition."""
    if isinstance(tree, And | Or):
        join = and_ if isinstance(tree, And) else or_
        # SQLite's parser holds all that stands in front of an open parenthesis: the deepest comes first.
        terms = sorted([_condition(term, resolve) for term in tree.terms], key=lambda term: -term[0])
        return terms[0][0] + 1, join(*[condition for _, condition in terms])
    return 0, _leaf(cast("Leaf", tree), resolve(cast("Leaf", tree).name))


def _leaf(leaf: Leaf, target: Target) -> ColumnElement[bool]:
    if isinstance(leaf, IsNull):
        return target.is_not_null() if leaf.negated else target.is_null()
    kind = "text" if isinstance(leaf, Like) else leaf.kind
    negated = leaf.operator == "!=" if isinstance(leaf, Comparison) else leaf.negated
    if negated and target.many:
        # "None of its values is", not "one of its values is another".
        return not_(target.condition(_build(cast("_Asked", opposite(leaf))), kind))
    return target.condition(_build(leaf), kind)


_Asked = Comparison | Between | In | Like


def _build(leaf: _Asked) -> Build:
    if isinstance(leaf, Comparison):
        return lambda column: _OPERATORS[leaf.operator](column, *_bound([leaf.value], column))
    if isinstance(leaf, In):
        return lambda column: _in(column, leaf)
    if isinstance(leaf, Like):
        return lambda column: _like(column, leaf)
    return lambda column: _between(column, leaf)


def _between(column: ColumnElement[Any], leaf: Between) -> ColumnElement[bool]:
    low, high = _bound([leaf.low, leaf.high], column)
    inside = column.between(low, high)
    return not_(inside) if leaf.negated else inside


def _in(column: ColumnElement[Any], leaf: In) -> ColumnElement[bool]:
    stored, type_ = _stored(leaf.values, column)
    values = bindparam(None, stored, type_=type_, expanding=True, unique=True)
    return column.not_in(values) if leaf.negated else column.in_(values)


def _bound(values: Sequence[Value], column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    stored, type_ = _stored(values, column)
    return [literal(value, type_) for value in stored]


def _stored(values: Sequence[Value], column: ColumnElement[Any]) -> tuple[Sequence[object], TypeEngine[Any]]:
    """Return the values, all of one kind, as the column holds them, and the type that binds them."""
    kind, held = kind_of(values[0]), column.type
    if kind == "number":
        # A fraction must not be rounded to the column's type, nor a whole number to a float where both are whole.
        whole = isinstance(held, Integer) and all(isinstance(value, int) for value in values)
        return (values, BigInteger()) if whole else ([float(cast("float", value)) for value in values], Double())
    if kind == "flag" and isinstance(held, Integer | Numeric | Float):
        return [int(cast("bool", value)) for value in values], BigInteger()
    # The collation of a text column stays out of the values: PostgreSQL takes none within BETWEEN.
    type_ = Text() if isinstance(held, String) else held
    if kind == "flag" and isinstance(held, String):
        return ["true" if value else "false" for value in values], type_
    if kind == "time":
        return [utc_text(cast("datetime", value)) for value in values], type_
    return values, type_


class _Pattern(TypeDecorator[str]):
    """A pattern of LIKE, bound in the language of what `_Like` compiles to."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return glob_pattern(value) if dialect.name == "sqlite" else like_pattern(value)


class _Like(BinaryExpression[bool]):
    """`column LIKE pattern`, upper and lower case apart on every engine."""

    inherit_cache = True


def _like(column: ColumnElement[Any], leaf: Like) -> ColumnElement[bool]:
    sign = operators.not_like_op if leaf.negated else operators.like_op
    pattern = bindparam(None, leaf.pattern, type_=_Pattern(), unique=True)
    return _Like(column, pattern, sign, type_=Boolean(), modifiers={"escape": ESCAPE})


@compiles(_Like, "sqlite")
def _glob(element: _Like, compiler: SQLCompiler, **options: Any) -> str:
    column, pattern = (compiler.process(side, **options) for side in (element.left, element.right))
    return f"{column} {'NOT GLOB' if element.operator is operators.not_like_op else 'GLOB'} {pattern}"
