"""The condition that a database gets: bound, alike on both engines, not too deep, fit for its indexes."""

import pytest
from sqlalchemy import BigInteger, Column, Double, MetaData, String, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.types import TypeDecorator
from tests.unit.store.filtering.cases import FIELDS, fill, new_engine, resolve, run_parameters, runs, statement

from ecosystemiser.store.filtering.parsing import MOST_CONDITIONS, MOST_TURNS, parse
from ecosystemiser.store.filtering.sql import to_sql
from ecosystemiser.store.filtering.targets import ColumnTarget, RowsTarget
from ecosystemiser.store.filtering.tree import Between, Comparison, In


def where(text, dialect=sqlite):
    """The condition as SQL text with numbered places, and what is bound to them."""
    compiled = to_sql(parse(text, FIELDS), resolve).compile(dialect=dialect.dialect(paramstyle="named"))
    processors = compiled._bind_processors
    bound = [
        processors[name](value) if name in processors and not isinstance(value, list) else value
        for name, value in compiled.params.items()
    ]
    return " ".join(str(compiled).split()), bound


def test_every_value_is_bound():
    text, bound = where("cost < 20000 and not (solver_type = 'x' or steps between 1 and 2)")
    assert text == (
        "runs.total_cost < :param_1 AND runs.solver_type != :param_2 AND runs.steps NOT BETWEEN :param_3 AND :param_4"
    )
    assert bound == [20000.0, "x", 1, 2]


def test_a_parameter_becomes_a_question_to_its_table():
    text, bound = where("not params.pump.kw >= 40")
    assert text == (
        "runs.id IN (SELECT run_parameters.run_key FROM run_parameters "
        "WHERE run_parameters.number < :param_1 AND run_parameters.name = :name_1)"
    )
    assert bound == [40.0, "pump.kw"]


def test_none_of_several_values_is_the_opposite_of_one_of_them():
    text, bound = where("tag != 'a'")
    assert text == "(runs.id NOT IN (SELECT run_tags.run_key FROM run_tags WHERE run_tags.tag = :param_1))"
    assert bound == ["a"]


def test_a_pattern_keeps_upper_and_lower_case_apart_on_both_engines():
    text, bound = where(r"solver_type like 'a\_*%_[/'")
    assert text == "runs.solver_type GLOB :param_1"
    assert bound == ["a_[*]*?[[]/"]
    text, bound = where(r"solver_type not like 'a\_*%_[/'", postgresql)
    assert "runs.solver_type NOT LIKE" in text
    assert "ESCAPE '/'" in text
    assert bound == ["a/_*%_[//"]


def test_the_collation_of_a_column_stays_out_of_the_values():
    table = Table("t", MetaData(), Column("x", Text(collation="C")))
    condition = to_sql(Between("x", "a", "b"), lambda _: ColumnTarget(table.c.x))
    assert "COLLATE" not in str(condition.compile(dialect=psycopg.dialect()))


def test_filters_of_one_shape_share_one_compiled_statement():
    assert same_key("cost < 5 and solver_type like 'a%'", "cost < 7 and solver_type like '%b'")
    assert same_key("steps in (1, 2)", "steps in (1, 2, 3)")
    assert same_key("params.a > 1 or tag = 'x'", "params.b > 2 or tag = 'y'")
    assert not same_key("solver_type like 'a%'", "solver_type not like 'a%'")
    assert not same_key("cost < 5", "cost <= 5")


def same_key(first, second):
    keys = [statement(text)._generate_cache_key().key for text in (first, second)]
    return keys[0] == keys[1]


class Moment(TypeDecorator[str]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return f"moment of {value}"


def bound_for(type_, leaf):
    table = Table("t", MetaData(), Column("x", type_))
    compiled = to_sql(leaf, lambda name: ColumnTarget(table.c[name])).compile(dialect=sqlite.dialect())
    ((name, value),) = compiled.params.items()
    processor = compiled._bind_processors.get(name)
    return processor(value) if processor and not isinstance(value, list) else value


def test_values_go_through_the_columns_type():
    moment = parse("timestamp > '2026-11-01T01:00+01:00'", FIELDS).value
    assert bound_for(Text(), Comparison("x", ">", moment)) == "2026-11-01T00:00:00.000000Z"
    assert bound_for(Moment(), Comparison("x", ">", moment)) == "moment of 2026-11-01T00:00:00.000000Z"
    assert bound_for(Moment(), Comparison("x", "=", "a")) == "moment of a"
    assert bound_for(String(), Comparison("x", "=", True)) == "true"
    assert [type(bound_for(held, Comparison("x", "=", True))) for held in (BigInteger(), Double())] == [int, int]


def test_a_whole_number_stays_whole_and_a_fraction_is_not_rounded():
    assert bound_for(BigInteger(), Comparison("x", "=", 2**53 + 1)) == 2**53 + 1
    assert bound_for(BigInteger(), Comparison("x", "<", 1.5)) == 1.5
    assert bound_for(BigInteger(), In("x", (1, 2.5))) == [1.0, 2.5]
    assert type(bound_for(Double(), Comparison("x", "=", 40))) is float


def test_what_a_table_has_no_column_for_is_missing():
    target = RowsTarget(runs.c.id, run_parameters.c.run_key, {"number": run_parameters.c.number})
    assert str(to_sql(Comparison("a", "=", "x"), lambda _: target)) == "false"


def test_the_question_to_another_table_stays_whole_where_that_table_is_joined():
    names = Table("names", MetaData(), Column("id", BigInteger()), Column("name", Text()))
    c = run_parameters.c
    target = RowsTarget(runs.c.id, c.run_key, {"number": c.number}, (c.name == names.c.name) & (names.c.id == 7))
    joined = select(runs.c.id).join(run_parameters, run_parameters.c.run_key == runs.c.id)
    engine = new_engine()
    with engine.begin() as connection:
        names.create(connection)
        connection.execute(names.insert(), {"id": 7, "name": "a"})
        fill(connection, [{"params": {"a": 1.0, "b": 5.0}}, {"params": {"b": 1.0}}])
        query = joined.where(to_sql(Comparison("params.a", "=", 1), lambda _: target))
        assert list(connection.scalars(query)) == [0, 0]


# Depth: SQLite's parser and expression trees have limits, and so has Python's stack.

LEAVES = ("params.a > 0", "params.b is not null", "steps >= 0", "tag != 'x'")


def last_deepest(levels):
    text = "steps = 1"
    for level in range(levels):
        text = f"{LEAVES[level % 4]} {'and' if level % 2 else 'or'} ({text})"
    return text


def both_deep(levels):
    if levels == 0:
        return "steps=1"
    inner = both_deep(levels - 1)
    return f"({inner} {'and' if levels % 2 else 'or'} {inner})"


def deep_with_deep_ends():
    text = both_deep(5)
    for level in range(MOST_TURNS - 6):
        text = f"({'steps=1' if level < 30 else both_deep(2)} {'and' if level % 2 else 'or'} ({text}))"
    return text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(last_deepest(MOST_TURNS), id="last deepest"),
        pytest.param(both_deep(7), id="both deep"),
        pytest.param(deep_with_deep_ends(), id="deep with deep ends"),
        pytest.param(" or ".join(["steps=1"] * MOST_CONDITIONS), id="chain"),
        pytest.param("not (" * 24 + last_deepest(MOST_TURNS) + ")" * 24, id="not"),
        pytest.param(f"steps in ({','.join(['1'] * 1000)}) or " + " or ".join(["params.a=1"] * 190), id="wide"),
    ],
)
def test_what_the_limits_allow_the_database_takes(text):
    engine = new_engine()
    with engine.begin() as connection:
        fill(connection, [{"steps": 1, "params": {"a": 1.0, "b": 2.0}}])
        ids = statement(text)
        page = select(runs).where(runs.c.id.in_(ids.limit(10))).order_by(runs.c.total_cost.desc().nulls_last())
        assert [row.id for row in connection.execute(page)] == [0]


# Indexes


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("cost < 5", "ix_cost (total_cost<?)"),
        ("not cost >= 5", "ix_cost (total_cost<?)"),
        ("cost between 1 and 2", "ix_cost (total_cost>? AND total_cost<?)"),
        ("solver_type = 'milp'", "ix_solver (solver_type=?)"),
        ("solver_type in ('milp', 'hybrid')", "ix_solver (solver_type=?)"),
        ("solver_type like 'mil%'", "ix_solver (solver_type>? AND solver_type<?)"),
        ("params.pump.kw > 3", "ix_parameter (name=? AND number>?)"),
    ],
)
def test_sqlite_can_use_an_index(text, index):
    with new_engine().connect() as connection:
        compiled = statement(text).order_by(None).compile(connection, compile_kwargs={"render_postcompile": True})
        values = compiled.construct_params()
        bound = [
            compiled._bind_processors.get(name, lambda value: value)(values[name]) for name in compiled.positiontup
        ]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(bound)).all()
    assert index in " ".join(row[3] for row in plan)
