"""What a filter passes on a database is what a plain evaluation of its text passes, row by row."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.store.filtering.cases import FIELDS, ROWS, TREES, fill, new_engine, passes, resolve, runs, statement

from ecosystemiser.store.filtering.normalising import normalised
from ecosystemiser.store.filtering.parsing import parse
from ecosystemiser.store.filtering.sql import to_sql
from ecosystemiser.store.filtering.tree import And, Comparison, In, Like, Not, Or

ENGINE = new_engine()


def passed(tree, rows):
    with ENGINE.begin() as connection:
        fill(connection, rows)
        return set(connection.scalars(runs.select().with_only_columns(runs.c.id).where(to_sql(tree, resolve))))


@settings(deadline=None, max_examples=120)
@given(TREES, st.lists(ROWS, min_size=1, max_size=6))
@example(Not(Comparison("tag", "=", "a")), [{"tag": {"a", "b"}}, {"tag": {"b"}}, {}])
@example(Not(In("params.pump.kw", (1, 2))), [{"params": {"pump.kw": 1.0}}, {"params": {"pump.kw": "a"}}, {}])
@example(Comparison("params.a", "!=", True), [{"params": {"a": value}} for value in (True, False, "x", 1.0)])
@example(Like("solver_type", "_"), [{"solver_type": "日"}, {"solver_type": "日本"}])
def test_the_database_passes_what_the_plain_evaluation_passes(tree, rows):
    expected = {number for number, row in enumerate(rows) if passes(tree, row)}
    assert passed(tree, rows) == expected
    assert passed(parse(str(tree), FIELDS), rows) == expected


@settings(deadline=None, max_examples=120)
@given(TREES, ROWS)
def test_a_normalised_tree_says_the_same_even_of_what_is_unknown(tree, row):
    assert passes(normalised(tree), row) == passes(tree, row)


@given(TREES)
def test_a_normalised_tree_holds_no_not(tree):
    def nots(node):
        terms = node.terms if isinstance(node, And | Or) else ()
        return isinstance(node, Not) + sum(nots(term) for term in terms)

    assert nots(normalised(tree)) == 0
    assert normalised(normalised(tree)) == normalised(tree)


ROWS_BY_HAND = [
    {"total_cost": 10.0, "simulation_status": "completed", "tag": {"baseline", "paper"}},
    {"total_cost": 40.0, "simulation_status": "failed", "params": {"pump.kw": 40.0}, "tag": {"paper"}},
    {"total_cost": None, "simulation_status": "running", "params": {"pump.kw": "air", "pump.on": True}},
]


@pytest.fixture(scope="module")
def by_hand():
    engine = new_engine()
    with engine.begin() as connection:
        fill(connection, ROWS_BY_HAND)
    with engine.connect() as connection:
        yield lambda text: list(connection.scalars(statement(text)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cost < 40", [0]),
        ("40 > cost", [0]),
        ("not cost < 40", [1]),
        ("cost != 10", [1]),
        ("not (cost = 10 or cost = 40)", []),
        ("cost is null", [2]),
        ("not cost is null", [0, 1]),
        ("cost not in (10)", [1]),
        ("cost not between 0 and 20", [1]),
        ("cost < 0 or status = 'running'", [2]),
        ("status not like '%ed'", [2]),
        ("params.pump.kw >= 40", [1]),
        ("params.pump.kw != 'water'", [2]),
        ("params.pump.kw != 3", [1]),
        ("params.pump.kw is null", [0]),
        ("params.pump.kw is not null", [1, 2]),
        ("params.pump.on = true", [2]),
        ("not params.pump.on = false", [2]),
        ("tag = 'paper'", [0, 1]),
        ("tag != 'baseline'", [1, 2]),
        ("not tag in ('baseline', 'x')", [1, 2]),
        ("tag like 'base%' and tag = 'paper'", [0]),
        ("tag is null", [2]),
    ],
)
def test_a_missing_value_passes_nothing_but_is_null(by_hand, text, found):
    assert by_hand(text) == found
