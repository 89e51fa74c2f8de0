"""Fields, a small database, filters and rows drawn at random, and a plain evaluation of a filter over a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Engine,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    case,
    create_engine,
    insert,
    select,
)

from ecosystemiser.store.clock import utc_text
from ecosystemiser.store.filtering.fields import Field
from ecosystemiser.store.filtering.parsing import parse
from ecosystemiser.store.filtering.sql import to_sql
from ecosystemiser.store.filtering.targets import ColumnTarget, RowsTarget, Target
from ecosystemiser.store.filtering.tree import (
    And,
    Between,
    Comparison,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Tree,
)

WORDS = ("running", "completed", "failed", "cancelled")
COST = Field("total_cost", "number", "currency", "what the run costs")
STATUS = Field("simulation_status", "text", None, "where the run stands", WORDS)
FIELDS = (
    COST,
    COST.alias("cost"),
    STATUS,
    STATUS.alias("status"),
    Field("steps", "number", None, "how many steps"),
    Field("solver_type", "text", None, "which solver"),
    Field("timestamp", "time", None, "when the run started"),
    Field("pinned", "flag", None, "whether somebody pinned it"),
    Field("tag", "text", None, "a word given to the run", many=True),
    Field("params.*", "any", None, "a parameter by its path"),
)

metadata = MetaData()
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("total_cost", Double),
    Column("steps", BigInteger),
    Column("simulation_status", Text),
    Column("solver_type", Text),
    Column("timestamp", Text),
    Column("pinned", Boolean),
    Index("ix_cost", "total_cost"),
    Index("ix_solver", "solver_type"),
)
run_parameters = Table(
    "run_parameters",
    metadata,
    Column("run_key", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Double),
    Column("text", Text),
    Index("ix_parameter", "name", "number"),
)
run_tags = Table(
    "run_tags",
    metadata,
    Column("run_key", Integer, primary_key=True),
    Column("tag", Text, primary_key=True),
)


def resolve(name: str) -> Target:
    if name == "tag":
        return RowsTarget(runs.c.id, run_tags.c.run_key, {"text": run_tags.c.tag}, many=True)
    if name.startswith("params."):
        c = run_parameters.c
        values = {"number": c.number, "text": c.text, "flag": case((c.text.is_not(None), c.number))}
        return RowsTarget(runs.c.id, c.run_key, values, c.name == name.removeprefix("params."))
    return ColumnTarget(runs.c[name])


def statement(text: str) -> Select[Any]:
    return select(runs.c.id).where(to_sql(parse(text, FIELDS), resolve)).order_by(runs.c.id)


Row = Mapping[str, Any]
"""Columns by name; `params` maps paths to values, `tag` is a set."""


def new_engine() -> Engine:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


def fill(connection: Connection, rows: Sequence[Row]) -> None:
    """Write the rows, numbered from 0 on, in place of all that was there."""
    for table in (run_parameters, run_tags, runs):
        connection.execute(table.delete())
    columns = [column.name for column in runs.c if column.name not in {"id", "timestamp"}]
    for number, row in enumerate(rows):
        moment, parameters, tags = row.get("timestamp"), row.get("params", {}), row.get("tag", ())
        values = {name: row.get(name) for name in columns}
        values["timestamp"] = None if moment is None else utc_text(moment)
        connection.execute(insert(runs), {"id": number, **values})
        if parameters:
            rows_of_run = [{"run_key": number, "name": path, **_stored(value)} for path, value in parameters.items()]
            connection.execute(insert(run_parameters), rows_of_run)
        if tags:
            connection.execute(insert(run_tags), [{"run_key": number, "tag": tag} for tag in tags])


def _stored(value: Any) -> dict[str, Any]:
    """True and false stand as both, 1 and 'true'."""
    if isinstance(value, bool):
        return {"number": int(value), "text": "true" if value else "false"}
    return {"number": None, "text": value} if isinstance(value, str) else {"number": value, "text": None}


# The plain evaluation: True, False, or None for unknown.


def passes(tree: Tree, row: Row) -> bool | None:
    if isinstance(tree, Not):
        inner = passes(tree.term, row)
        return None if inner is None else not inner
    if isinstance(tree, And | Or):
        found = {passes(term, row) for term in tree.terms}
        decisive = isinstance(tree, Or)
        return decisive if decisive in found else None if None in found else not decisive
    if tree.name == "tag":
        return _tag_passes(tree, row.get("tag", set()))
    value = row.get(tree.name)
    if tree.name.startswith("params."):
        value = row.get("params", {}).get(tree.name.removeprefix("params."))
        if not isinstance(tree, IsNull):
            value = _as_asked(value, tree)
    if isinstance(tree, IsNull):
        return (value is None) != tree.negated
    return None if value is None else _value_passes(tree, value)


def _as_asked(value: Any, leaf: Any) -> Any:
    """A parameter of another kind than what it is compared with counts as missing; true is 1 and 'true' too."""
    kind = "text" if isinstance(leaf, Like) else leaf.kind
    if kind == "flag":
        return value if isinstance(value, bool) else None
    return None if value is None else _stored(value)[kind]


def _tag_passes(leaf: Any, tags: set[str]) -> bool:
    if isinstance(leaf, IsNull):
        return (not tags) != leaf.negated
    if isinstance(leaf, Comparison):
        return (leaf.value in tags) == (leaf.operator == "=")
    if isinstance(leaf, In):
        return bool(tags & set(leaf.values)) != leaf.negated
    return any(matches(leaf.pattern, tag) for tag in tags) != leaf.negated


def _value_passes(leaf: Any, value: Any) -> bool:
    if isinstance(leaf, Comparison):
        other = leaf.value
        return {
            "=": value == other,
            "!=": value != other,
            "<": value < other,
            "<=": value <= other,
            ">": value > other,
            ">=": value >= other,
        }[leaf.operator]
    if isinstance(leaf, Between):
        return (leaf.low <= value <= leaf.high) != leaf.negated
    if isinstance(leaf, In):
        return (value in leaf.values) != leaf.negated
    return matches(leaf.pattern, value) != leaf.negated


def matches(pattern: str, text: str) -> bool:
    """Whether all of `text` is what `pattern` says, by a regular expression."""
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    regex = "".join(wild.get(piece) or re.escape(piece[-1]) for piece in pieces)
    return re.fullmatch(regex, text, re.DOTALL) is not None


# Drawn at random. Few values, so that rows and filters meet.

NUMBERS = st.sampled_from([-1, 0, 1, 2.5, 40, 1e-7, 1e16, 2**53 + 2])
TEXTS = st.sampled_from(["", "a", "A", "ab", "b", "it's", "é", "z[", "*", "%", "a_b", "\\", "/", "日本", "x\ny"])
PATTERNS = st.lists(
    st.sampled_from(["a", "A", "b", "%", "_", r"\%", r"\_", r"\\", "/", "*", "?", "[", "]", "'", "é", "^", "-"])
).map("".join)
TIMES = st.sampled_from(
    [
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 6, 30, 0, 1, tzinfo=UTC),
        datetime(999, 1, 1, tzinfo=UTC),
    ]
)
FLAGS = st.booleans()
PATHS = st.sampled_from(["pump.kw", "odd name.x", "grid.periods[1].price", 'q"uote.é', "in.not"])
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
EQUALITIES = st.sampled_from(["=", "!="])


def _leaves(names: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        st.builds(Comparison, names, OPERATORS, values),
        st.builds(Between, names, values, values, FLAGS),
        st.builds(In, names, st.lists(values, min_size=1, max_size=3).map(tuple), FLAGS),
        st.builds(IsNull, names, FLAGS),
    )


def _set_leaves(names: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        st.builds(Comparison, names, EQUALITIES, values),
        st.builds(In, names, st.lists(values, min_size=1, max_size=3).map(tuple), FLAGS),
        st.builds(IsNull, names, FLAGS),
    )


PARAMS = PATHS.map("params.{}".format)
LEAVES = st.one_of(
    _leaves(st.sampled_from(["total_cost", "steps"]), NUMBERS),
    _leaves(st.just("solver_type"), TEXTS),
    _leaves(st.just("simulation_status"), st.sampled_from(WORDS)),
    _leaves(st.just("timestamp"), TIMES),
    _leaves(PARAMS, NUMBERS),
    _leaves(PARAMS, TEXTS),
    _set_leaves(PARAMS, FLAGS),
    _set_leaves(st.just("pinned"), FLAGS),
    _set_leaves(st.just("tag"), TEXTS),
    st.builds(Like, st.one_of(st.sampled_from(["solver_type", "tag"]), PARAMS), PATTERNS, FLAGS),
)
TREES: st.SearchStrategy[Tree] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


ROWS = st.fixed_dictionaries(
    {
        "total_cost": _maybe(NUMBERS.map(float)),
        "steps": _maybe(st.sampled_from([-1, 0, 1, 40, 2**53 + 1, 2**53 + 2])),
        "simulation_status": _maybe(st.sampled_from(WORDS)),
        "solver_type": _maybe(TEXTS),
        "timestamp": _maybe(TIMES),
        "pinned": _maybe(FLAGS),
        "params": st.dictionaries(PATHS, st.one_of(NUMBERS.map(float), TEXTS, FLAGS), max_size=3),
        "tag": st.sets(TEXTS, max_size=2),
    }
)
