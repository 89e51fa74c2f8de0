"""Asking for runs."""

import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.queries import query_runs
from ecosystemiser.store.runs import ALL_COLUMNS, log_runs

COSTS = {"a": 30.0, "b": 10.0, "c": None, "d": 20.0, "e": 10.0}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with open_database(tmp_path_factory.mktemp("queries") / "runs.sqlite") as opened:
        with opened.transaction() as connection:
            log_runs(
                connection,
                [
                    {
                        "run_id": run_id,
                        "study_id": "s1" if run_id < "c" else "s2",
                        "system_id": "farm",
                        "solver_type": "hybrid" if run_id in "bd" else "milp",
                        "simulation_status": "running" if cost is None else "completed",
                        "timesteps": 168,
                        "total_cost": cost,
                        "renewable_fraction": None if cost is None else cost / 100,
                    }
                    for run_id, cost in COSTS.items()
                ],
            )
        yield opened


def names(database, **query):
    with database.reading() as connection:
        return "".join(run["run_id"] for run in query_runs(connection, **query))


def test_rows_are_dicts_by_column_name(database):
    with database.reading() as connection:
        row = query_runs(connection, limit=1)[0]
    assert type(row) is dict
    assert list(row) == [column.name for column in ALL_COLUMNS]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "edcba"),
        ({"study_id": "s1"}, "ba"),
        ({"study_id": None}, "edcba"),
        ({"study_id": "nobody"}, ""),
        ({"solver_type": "hybrid"}, "db"),
        ({"status": "running"}, "c"),
        ({"simulation_status": "completed", "study_id": "s2"}, "ed"),
        ({"system_id": "farm", "max_cost": 20}, "edb"),
        ({"min_cost": 20, "max_cost": 20}, "d"),
        ({"min_total_cost": 20.5}, "a"),
        ({"min_renewable_fraction": 0.15}, "da"),
        ({"max_renewable_fraction": 0.1}, "eb"),
        ({"min_timesteps": 169}, ""),
        ({"study_id": "' or 1=1 --"}, ""),
    ],
)
def test_filters(database, query, found):
    assert names(database, **query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"order_by": "total_cost"}, "bedac"),
        ({"order_by": "cost"}, "bedac"),
        ({"order_by": "-total_cost"}, "adebc"),
        ({"order_by": "total_cost", "descending": True}, "adebc"),
        ({"order_by": "run_id"}, "abcde"),
        ({"order_by": "-status"}, "cedba"),
        ({"order_by": "total_cost", "limit": 2}, "be"),
        ({"order_by": "total_cost", "limit": 2, "offset": 2}, "da"),
        ({"order_by": "total_cost", "offset": 3}, "ac"),
        ({"order_by": "total_cost", "limit": 0}, ""),
        ({"order_by": "total_cost", "limit": 9, "offset": 9}, ""),
    ],
)
def test_order_and_pages_with_missing_values_last(database, query, found):
    assert names(database, **query) == found


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"solver_typ": "hybrid"}, "did you mean 'solver_type'"),
        ({"max_totl_cost": 1}, "did you mean 'max_total_cost'"),
        ({"max_solver_type": 1}, "is not a filter"),
        ({"metadata_json": "x"}, "is not a filter"),
        ({"status": "complete"}, "did you mean 'completed'"),
        ({"study_id": 5}, "study_id: 5 is not text"),
        ({"max_cost": "20"}, "max_cost: '20' is not a number"),
        ({"max_cost": float("nan")}, "not finite"),
        ({"max_cost": True}, "not a number"),
        ({"order_by": "total_csot"}, "did you mean 'total_cost'"),
        ({"order_by": "id"}, "order_by"),
        ({"order_by": "total_cost; drop table simulation_runs"}, "order_by"),
        ({"limit": -1}, "limit: -1 is not a whole number"),
        ({"limit": True}, "limit"),
        ({"limit": 1.0}, "limit"),
        ({"offset": 2**63}, "offset"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_hint(database, query, said):
    with pytest.raises(InputError, match=said):
        names(database, **query)


def test_pages_neither_repeat_nor_lose_rows_of_equal_rank(database):
    pages = [names(database, order_by="timesteps", limit=2, offset=offset) for offset in (0, 2, 4)]
    assert "".join(pages) == "abcde"
