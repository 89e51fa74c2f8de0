"""From the text of a filter to its tree, and back."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from tests.unit.store.filtering.cases import FIELDS, TREES

from ecosystemiser.store.filtering.fields import Field
from ecosystemiser.store.filtering.parsing import parse
from ecosystemiser.store.filtering.tree import And, Between, Comparison, In, IsNull, Like, Not, Or

A, B, C = (Comparison("steps", "=", number) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("total_cost < 20000", Comparison("total_cost", "<", 20000)),
        ("total_cost<20000", Comparison("total_cost", "<", 20000)),
        ("20000 > total_cost", Comparison("total_cost", "<", 20000)),
        ("20000 <= total_cost", Comparison("total_cost", ">=", 20000)),
        ("1 = steps", A),
        ("steps == 1", A),
        ("steps <> 1", Comparison("steps", "!=", 1)),
        ("steps >-1", Comparison("steps", ">", -1)),
        ("steps > +1.5e+3", Comparison("steps", ">", 1500.0)),
        ("steps > .5", Comparison("steps", ">", 0.5)),
        ("solver_type = ''", Comparison("solver_type", "=", "")),
        ("solver_type = 'it''s'", Comparison("solver_type", "=", "it's")),
        ("pinned = TRUE", Comparison("pinned", "=", True)),
        ("steps in (1)", In("steps", (1,))),
        ("status NOT IN ('failed', 'running')", In("simulation_status", ("failed", "running"), negated=True)),
        ("steps between 1 and 2", Between("steps", 1, 2)),
        ("steps not between 1 and 2 and steps = 3", And((Between("steps", 1, 2, negated=True), C))),
        ("solver_type LIKE 'roll%'", Like("solver_type", "roll%")),
        (r"solver_type not like '50\%'", Like("solver_type", r"50\%", negated=True)),
        ("cost is null", IsNull("total_cost")),
        ("cost Is\nNot\tNull", IsNull("total_cost", negated=True)),
        ("steps = 1 or steps = 2 and steps = 3", Or((A, And((B, C))))),
        ("(steps = 1 or steps = 2) and steps = 3", And((Or((A, B)), C))),
        ("steps = 1 and (steps = 2 and steps = 3)", And((A, B, C))),
        ("((steps = 1 or (steps = 2))) or steps = 3", Or((A, B, C))),
        ("not steps = 1 and steps = 2", And((Not(A), B))),
        ("not (steps = 1 and steps = 2)", Not(And((A, B)))),
        ("NOT not steps = 1", Not(Not(A))),
        ("steps = 1 && steps = 2 || steps = 3", Or((And((A, B)), C))),
        ("params.battery.capacity_kwh >= 40", Comparison("params.battery.capacity_kwh", ">=", 40)),
        ("params.roof-pv.kw = 3", Comparison("params.roof-pv.kw", "=", 3)),
        ("params.grid.periods[1].price = 3", Comparison("params.grid.periods[1].price", "=", 3)),
        ("params.in.not = 3", Comparison("params.in.not", "=", 3)),
        ('params."odd name".x = 3', Comparison("params.odd name.x", "=", 3)),
        ('params."a.b" = 3', Comparison("params.a.b", "=", 3)),
        ('params."it""s" = 3', Comparison('params.it"s', "=", 3)),
        ('"total_cost" = 3', Comparison("total_cost", "=", 3)),
        ("params.pump.source = 'air'", Comparison("params.pump.source", "=", "air")),
        ("params.pump.on != false", Comparison("params.pump.on", "!=", False)),
        (
            "status = 'failed' or not (cost < 5)",
            Or((Comparison("simulation_status", "=", "failed"), Not(Comparison("total_cost", "<", 5)))),
        ),
    ],
)
def test_a_text_says_its_tree(text, tree):
    assert parse(text, FIELDS) == tree


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T06:30", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("2026-11-01 06:30:00Z", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("2026-11-01T06:30:00.25+02:00", datetime(2026, 11, 1, 4, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc(text, moment, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        read = parse(f"timestamp >= '{text}'", FIELDS)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert read == Comparison("timestamp", ">=", moment)


def test_text_that_looks_like_a_time_stays_text_elsewhere():
    assert parse("params.day = '2026-11-01'", FIELDS) == Comparison("params.day", "=", "2026-11-01")


def test_whole_numbers_are_exact_as_far_as_the_database_holds_them():
    assert parse("steps = 9223372036854775807", FIELDS).value == 2**63 - 1
    assert parse("steps = 9007199254740993", FIELDS).value == 2**53 + 1
    assert type(parse("steps = 9223372036854775808", FIELDS).value) is float
    assert type(parse("steps = " + "9" * 300, FIELDS).value) is float


def test_a_flag_is_no_number_though_python_holds_them_equal():
    assert parse("params.a = true", FIELDS) != parse("params.a = 1", FIELDS)
    assert parse("params.a in (true)", FIELDS) != parse("params.a in (1)", FIELDS)


def test_nodes_know_where_they_begin():
    tree = parse("cost < 5 or not  (20000 > cost)", FIELDS)
    first, second = tree.terms
    assert (tree.at, first.at, second.at, second.term.at) == (0, 0, 12, 18)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("20000.0>cost", "total_cost < 20000"),
        ("cost <> 1E-7 AND (status='failed')", "total_cost != 1e-07 and simulation_status = 'failed'"),
        ("not ( not (cost=1 or cost=2))", "not not (total_cost = 1 or total_cost = 2)"),
        ("(cost=1 and cost=2) or (cost=3)", "total_cost = 1 and total_cost = 2 or total_cost = 3"),
        ("(cost=1 or cost=2) and cost=3", "(total_cost = 1 or total_cost = 2) and total_cost = 3"),
        ("timestamp < '20261101T0630'", "timestamp < '2026-11-01T06:30:00Z'"),
        ("timestamp < '2026-11-01T06:00'", "timestamp < '2026-11-01T06:00:00Z'"),
        ("timestamp < '2026-11-01T00:00Z'", "timestamp < '2026-11-01'"),
        ("timestamp < '2026-11-01T00:00:00.5Z'", "timestamp < '2026-11-01T00:00:00.500000Z'"),
        ('params."pump"."heat source" is NULL', 'params.pump."heat source" is null'),
        ("solver_type in ('a','it''s')", "solver_type in ('a', 'it''s')"),
        ("steps not between -0.0 and 1e18", "steps not between 0 and 1000000000000000000"),
        ("cost < 100000000000000000000", "total_cost < 1e+20"),
        ("pinned = TRUE", "pinned = true"),
    ],
)
def test_the_canonical_text(text, canonical):
    assert str(parse(text, FIELDS)) == canonical
    assert str(parse(canonical, FIELDS)) == canonical


@settings(max_examples=150)
@given(TREES)
def test_the_text_of_a_tree_says_the_tree(tree):
    assert parse(str(tree), FIELDS) == tree


@pytest.mark.parametrize("name", ["like", "NOT", "two words", "1st", "a-b", 'q"'])
def test_an_unusual_name_is_written_in_double_quotes(name):
    quoted = '"' + name.replace('"', '""') + '"'
    tree = parse(f"{quoted} is null", [Field(name, "number", None, "")])
    assert tree == IsNull(name)
    assert str(tree) == f"{quoted} is null"


def test_a_connective_takes_its_own_kind_apart_and_joins_two_at_least():
    assert And((A, And((B, C)))) == And((A, B, C))
    with pytest.raises(ValueError, match="two terms"):
        Or((A,))


def test_values_of_two_kinds_make_no_condition():
    with pytest.raises(ValueError, match="one kind"):
        In("steps", (1, "a"))
    with pytest.raises(ValueError, match="one kind"):
        In("steps", ())
    with pytest.raises(ValueError, match="one kind"):
        Between("steps", 1, "a")
