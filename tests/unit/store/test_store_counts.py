"""Counts of runs are those that counting anew would give, whatever was logged."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.store.counts import count_anew, counted_by
from ecosystemiser.store.curation import delete_runs, purge_runs, restore_runs
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import log_runs
from ecosystemiser.store.schema import parameter_names, run_parameters, runs
from ecosystemiser.store.states import RunStatus


@pytest.fixture
def database(tmp_path):
    with open_database(tmp_path / "runs.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with open_database(tmp_path_factory.mktemp("counts") / "runs.sqlite") as opened:
        yield opened


ids = st.sampled_from([f"r{at}" for at in range(6)])
rows = st.fixed_dictionaries(
    {"run_id": ids},
    optional={
        "study_id": st.sampled_from(["s", "t", None]),
        "solver_type": st.sampled_from(["milp", "hybrid", None]),
        "simulation_status": st.sampled_from(list(RunStatus)),
        "failure_cause": st.sampled_from(["unmet", None]),
        "total_cost": st.sampled_from([1.0, math.nan]),
        "parameters_json": st.sampled_from([{"a.b": 1.5}, {"a.c": "x"}, "{}", None]),
    },
)
acts = st.one_of(
    st.tuples(st.just(log_runs), st.lists(rows, max_size=5)),
    st.tuples(st.sampled_from([delete_runs, restore_runs, purge_runs]), st.lists(ids, max_size=3)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=8))
def test_counts_stay_right(shared, happens):
    for act, what in happens:
        with suppress(InputError, StoreError), shared.transaction() as connection:
            act(connection, what)
    with shared.transaction() as connection:
        assert count_anew(connection), "the counts kept were wrong"
        connection.execute(runs.delete())
        count_anew(connection)


def test_rows_of_different_columns_are_numbered_in_their_order_and_counted(database):
    logged = [
        {"run_id": "a", "study_id": "s"},
        {"run_id": "b", "simulation_status": "failed", "failure_cause": "unmet"},
        {"run_id": "c", "study_id": "s"},
        {"run_id": "d", "simulation_status": "failed", "failure_cause": "unmet"},
    ]
    with database.transaction() as connection:
        log_runs(connection, logged, owner_id=7)
        found = connection.execute(select(runs.c.run_id, runs.c.owner_id).order_by(runs.c.id)).all()
        by_status, by_study = (counted_by(connection, name) for name in ("simulation_status", "study_id"))
    assert [tuple(row) for row in found] == [("a", 7), ("b", None), ("c", 7), ("d", None)]
    assert (by_status, by_study) == ({"failed": 2, "running": 2}, {None: 2, "s": 2})


def test_new_runs_and_known_ones_of_the_same_columns_are_logged_together(database):
    with database.transaction() as connection:
        log_runs(connection, [{"run_id": "b", "study_id": "s"}, {"run_id": "d", "study_id": "s"}])
        done = {"simulation_status": "completed"}
        log_runs(connection, [{"run_id": name, "total_cost": at, **done} for at, name in enumerate("abcd")])
        chosen = select(runs.c.run_id, runs.c.study_id, runs.c.total_cost).order_by(runs.c.id)
        found = [tuple(row) for row in connection.execute(chosen)]
    assert found == [("b", "s", 1.0), ("d", "s", 3.0), ("a", None, 0.0), ("c", None, 2.0)]


def parameters(connection):
    chosen = select(runs.c.run_id, parameter_names.c.name, run_parameters.c.number, run_parameters.c.text)
    chosen = chosen.join_from(run_parameters, parameter_names).join(runs, runs.c.id == run_parameters.c.run_key)
    return {tuple(row) for row in connection.execute(chosen)}


def test_parameters_can_be_asked_for_by_number_and_text(database):
    given_ = {
        "battery.capacity_kwh": 40, "battery.power_kw": 2.5, "site.weather": "try", "battery.is_on": True,
        "grid.price": {"default": 1}, "pump.cop": [1, 2], "nothing": None,
    }  # fmt: skip
    with database.transaction() as connection:
        log_runs(connection, [{"run_id": "a", "parameters_json": given_}, {"run_id": "b"}])
        assert parameters(connection) == {
            ("a", "battery.capacity_kwh", 40.0, None),
            ("a", "battery.power_kw", 2.5, None),
            ("a", "site.weather", None, "try"),
            ("a", "battery.is_on", 1.0, "true"),
        }
        log_runs(connection, [{"run_id": "a", "parameters_json": {"battery.power_kw": 3}}])
        assert parameters(connection) == {("a", "battery.power_kw", 3.0, None)}
        log_runs(connection, [{"run_id": "a", "parameters_json": None}])
        assert parameters(connection) == set()


@pytest.mark.parametrize(
    "text",
    ['{"p": 1e999}', '{"p": -1e999}', f'{{"p": {10**400}}}', r'{"p": "\u0000"}', r'{"\u0000": 1}', r'{"p": "\ud800"}',
     r'{"\udfff": "x"}', "[1]", "3", '"text"'],
)  # fmt: skip
def test_parameters_that_no_column_holds_are_kept_as_text_only(database, text):
    with database.transaction() as connection:
        log_runs(connection, [{"run_id": "a", "parameters_json": text}])
        assert parameters(connection) == set()
        log_runs(connection, [{"run_id": "b", "parameters_json": json.dumps({"p": 1e308, "q": 2**1000})}])
        assert {row[1:3] for row in parameters(connection)} == {("p", 1e308), ("q", float(2**1000))}
