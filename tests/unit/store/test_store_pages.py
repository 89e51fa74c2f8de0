"""Pages of runs, beside a plain sort of the same rows, however they are found."""

from contextlib import ExitStack
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ecosystemiser.store import leads, pages, targets
from ecosystemiser.store.curation import add_tags, delete_runs
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.queries import checked_order, count_wanted, page_of_runs, wanted
from ecosystemiser.store.runs import log_runs
from ecosystemiser.store.schema import parameter_names, run_counts, runs


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with open_database(tmp_path_factory.mktemp("pages") / "runs.sqlite") as opened:
        with opened.transaction() as connection:
            connection.execute(parameter_names.insert(), [{"name": "a.b"}, {"name": "never.varied"}])
        yield opened


EARLY, LATE = "2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"
PARAMETER = "params.a.b"
FILTERS = {
    None: lambda run: True,
    "study_id = 's'": lambda run: run["study_id"] == "s",
    "study_id = 's' and params.a.b >= 2": lambda run: run["study_id"] == "s" and is_number(run) and run[PARAMETER] >= 2,
    "study_id = 's' or total_cost < 2": lambda run: run["study_id"] == "s" or has(run, "total_cost", lambda v: v < 2),
    "run_id = 'r3'": lambda run: run["run_id"] == "r3",
    "total_cost >= 2": lambda run: has(run, "total_cost", lambda v: v >= 2),
    "total_cost between 1 and 2 and total_co2 = 1": lambda run: (
        has(run, "total_cost", lambda v: v <= 2) and run["total_co2"] == 1
    ),
    "not total_cost > 1": lambda run: has(run, "total_cost", lambda v: v <= 1),
    "total_cost != 2": lambda run: has(run, "total_cost", lambda v: v != 2),
    "total_cost in (1, 3)": lambda run: run["total_cost"] in (1, 3),
    "total_cost is null": lambda run: run["total_cost"] is None,
    "timestamp >= '2026-01-01T12:00:00Z'": lambda run: run["timestamp"] == LATE,
    "params.a.b = 2": lambda run: run[PARAMETER] == 2,
    "params.a.b <= 2 and solver_type = 'milp'": lambda run: (
        is_number(run) and run[PARAMETER] <= 2 and run["solver_type"] == "milp"
    ),
    "params.a.b = 'x'": lambda run: run[PARAMETER] == "x",
    "params.a.b is null": lambda run: run[PARAMETER] is None,
    "params.a.b != 2": lambda run: is_number(run) and run[PARAMETER] != 2,
    "params.a.b = 1 or params.a.b = 3": lambda run: is_number(run) and run[PARAMETER] in (1, 3),
    "tag = 'good'": lambda run: run["tag"] == "good",
    "tag != 'good'": lambda run: run["tag"] != "good",
    "note = 'n' and total_co2 = 1": lambda run: run["note"] == "n" and run["total_co2"] == 1,
    "params.never.varied = 1": lambda run: False,
    "solver_type like 'mi%'": lambda run: run["solver_type"] == "milp",
}
ORDERS = (
    None, "timestamp", "-timestamp", "total_cost", "-total_cost", "total_co2", "-total_co2", "solver_type",
    "-solver_type", "run_id", PARAMETER, f"-{PARAMETER}", "params.never.varied",
)  # fmt: skip
WAYS = st.tuples(st.sampled_from([(1, 2), (2, 5), (1_000, 20_000)]), st.sampled_from([0, 2, 5_000]), st.booleans())
"""Sizes of the windows, what few runs are, and whether parameters are collected where they are few."""

logged = st.fixed_dictionaries(
    {
        "study_id": st.sampled_from(["s", "t", None]),
        "solver_type": st.sampled_from(["milp", "hybrid", None]),
        "timestamp": st.sampled_from([EARLY, LATE]),
        "total_cost": st.sampled_from([1.0, 2.0, 3.0, None]),
        "total_co2": st.sampled_from([1.0, 2.0, None]),
        "note": st.sampled_from(["n", None]),
        PARAMETER: st.sampled_from([1.0, 2.0, 3.0, "x", None]),
        "tag": st.sampled_from(["good", "bad", None]),
        "is_deleted": st.sampled_from([False, False, False, True]),
    }
)


def has(run, name, passes):
    return run[name] is not None and passes(run[name])


def is_number(run):
    return isinstance(run[PARAMETER], float)


def log(connection, rows):
    columns = ("run_id", "study_id", "solver_type", "timestamp", "total_cost", "total_co2", "note")
    log_runs(
        connection,
        [
            {
                **{name: row[name] for name in columns},
                "simulation_status": "completed",
                "parameters_json": {} if row[PARAMETER] is None else {"a.b": row[PARAMETER]},
            }
            for row in rows
        ],
    )
    for row in rows:
        if row["tag"] is not None:
            add_tags(connection, [row["run_id"]], [row["tag"]])
    delete_runs(connection, [row["run_id"] for row in rows if row["is_deleted"]])


def expected(rows, where, order):
    """The ids of the wanted runs: sorted by value, equal ones as they were logged; those without a value last."""
    there = [(at, row) for at, row in enumerate(rows) if not row["is_deleted"] and FILTERS[where](row)]
    if order is None:
        return [row["run_id"] for _, row in reversed(there)]
    name, is_falling = order.removeprefix("-"), order.startswith("-")
    value = {at: None if name.startswith("params.never") else row[name] for at, row in there}
    if name == PARAMETER:
        value = {at: each if isinstance(each, float) else None for at, each in value.items()}
    there.sort(key=lambda each: each[0], reverse=is_falling)
    valued = [each for each in there if value[each[0]] is not None]
    valued.sort(key=lambda each: value[each[0]], reverse=is_falling)  # stable, also in reverse
    return [row["run_id"] for _, row in (*valued, *(each for each in there if value[each[0]] is None))]


def found_by(windows, few, collects):
    stack = ExitStack()
    stack.enter_context(patch.object(pages, "WINDOWS", windows))
    stack.enter_context(patch.object(leads, "FEW", few))
    stack.enter_context(patch.object(targets, "FEW", 20_000 if collects else -1))
    return stack


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(logged, max_size=14),
    arriving=st.lists(logged, max_size=4),
    question=st.tuples(st.sampled_from(list(FILTERS)), st.sampled_from(ORDERS)),
    limit=st.integers(1, 5),
    way=WAYS,
)
def test_pages_neither_repeat_nor_miss_a_run_while_others_arrive(database, rows, arriving, question, limit, way):
    where, order = question
    rows = [{**row, "run_id": f"r{at}"} for at, row in enumerate(rows)]
    late = iter([{**row, "run_id": f"late{at}"} for at, row in enumerate(arriving)])
    tree, asked = wanted(where, {}), checked_order(order)
    seen, after = [], None
    with found_by(*way), database.transaction() as connection:
        connection.execute(runs.delete())
        connection.execute(run_counts.delete())
        log(connection, rows)
        number = len(expected(rows, where, order))
        assert count_wanted(connection, tree, 5) == min(5, number)
        assert len(pages.find_runs(connection, tree, asked, limit)) == min(limit, number)
        for _ in range(50):
            page = page_of_runs(connection, tree, asked, limit, after)
            assert len(page.rows) == limit or page.next is None
            seen += [row["run_id"] for row in page.rows]
            after = page.next
            if after is None:
                break
            log(connection, [row for row in [next(late, None)] if row is not None])
        connection.rollback()
    assert after is None, "the pages do not end"
    assert len(set(seen)) == len(seen), "a run was repeated"
    assert [run_id for run_id in seen if run_id.startswith("r")] == expected(rows, where, order)


@pytest.fixture
def some_runs(database):
    """Ten runs, in a transaction that is given up."""
    row = dict.fromkeys(("solver_type", "total_co2", "note", "tag"), None)
    row |= {"study_id": "s", "timestamp": EARLY, "is_deleted": False}
    with database.transaction() as connection:
        connection.execute(runs.delete())
        log(connection, [{**row, "run_id": f"r{at}", "total_cost": at / 2, PARAMETER: at / 3} for at in range(10)])
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    ("where", "lead"),
    [
        (None, targets.Lead.SCAN),
        ("study_id = 's' and total_cost = 1", targets.Lead.STUDY),
        ("run_id in ('r1')", targets.Lead.STUDY),
        ("total_cost < 1", targets.Lead.KEYS),
        ("total_cost < 4", targets.Lead.SCAN),
        ("total_cost < 4 and params.a.b <= 0.5", targets.Lead.KEYS),
        ("total_cost < 1 or total_co2 = 1", targets.Lead.SCAN),
        ("total_cost != 1 and timestamp is null", targets.Lead.SCAN),
        ("not (total_cost >= 1 or total_co2 = 1)", targets.Lead.KEYS),
        ("tag = 'good'", targets.Lead.KEYS),
        ("params.a.b = 'x'", targets.Lead.SCAN),
    ],
)
def test_few_runs_of_an_index_lead_where_neither_a_study_nor_a_run_is_named(some_runs, where, lead):
    with patch.object(leads, "FEW", 3):
        assert leads.Way(some_runs, wanted(where, {})).lead is lead


def test_what_few_runs_pass_is_found_by_their_keys(some_runs):
    chosen = select(runs.c.id).where(*leads.Way(some_runs, wanted("params.a.b = 2 and note is null", {})).conditions())
    text = str(chosen.compile(some_runs.engine, compile_kwargs={"literal_binds": True}))
    plan = [row[3] for row in some_runs.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert plan[0] == "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)", plan
    assert any("COVERING INDEX" in step or "ix_run_parameters_name_key" in step for step in plan), plan


def test_a_window_that_holds_all_wanted_runs_ends_the_search(some_runs):
    """Where the filter is about the ordered column itself, a run without a value is not looked for."""
    asked = checked_order("total_cost")
    with found_by((1_000,), -1, True), patch.object(pages, "_sorted", side_effect=AssertionError("table was read")):
        page = page_of_runs(some_runs, wanted("total_cost >= 4", {}), asked, 5)
    assert [row["run_id"] for row in page.rows] == ["r8", "r9"]
