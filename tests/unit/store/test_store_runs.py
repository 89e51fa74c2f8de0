"""Logging runs."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.runs import ALL_COLUMNS, DOCUMENTS, get_run, log_run, log_runs
from ecosystemiser.store.states import RunStatus
from ecosystemiser.store.values import RowChecker


@pytest.fixture
def database(tmp_path):
    with open_database(tmp_path / "runs.sqlite") as opened:
        yield opened


def log(database, **row):
    with database.transaction() as connection:
        log_run(connection, row)


def get(database, run_id="r1"):
    with database.reading() as connection:
        return get_run(connection, run_id)


def test_a_new_run_is_running_and_started_now(database):
    before = datetime.now(UTC)
    log(database, run_id="r1")
    row = get(database)
    assert row["simulation_status"] == "running"
    assert before <= datetime.fromisoformat(row["timestamp"]) <= datetime.now(UTC)
    assert row["timestamp"] == row["created_at"] == row["updated_at"]
    assert list(row) == [*(column.name for column in ALL_COLUMNS), *(f"{kind}_json" for kind in DOCUMENTS)]


def test_a_second_call_changes_only_what_it_names(database):
    log(database, run_id="r1", study_id="s", solver_type="hybrid", total_cost=3.0)
    first = get(database)
    log(database, run_id="r1", simulation_status="completed", total_co2=4)
    second = get(database)
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"simulation_status", "total_co2", "updated_at"}
    assert second["total_co2"] == 4.0


def test_every_kpi_is_kept_to_the_last_digit(database):
    values = {name: 0.1 + number / 3 for number, name in enumerate(KPI_NAMES)}
    log(database, run_id="r1", **values)
    assert {name: get(database)[name] for name in KPI_NAMES} == values


def test_none_empties_a_column(database):
    log(database, run_id="r1", total_cost=1.0, study_id="s")
    log(database, run_id="r1", total_cost=None, study_id=None)
    assert (get(database)["total_cost"], get(database)["study_id"]) == (None, None)


@pytest.mark.parametrize("old", [status for status in RunStatus if status.is_terminal])
@pytest.mark.parametrize("new", RunStatus)
def test_a_finished_run_never_changes_its_state(database, old, new):
    log(database, run_id="r1", simulation_status=old)
    before = get(database)
    if new is old:
        log(database, run_id="r1", simulation_status=new)
        return
    with pytest.raises(StoreError, match=f"r1: is {old} and cannot become {new}"):
        log(database, run_id="r1", simulation_status=new, total_cost=5.0)
    assert get(database) == before


def test_an_unknown_column_is_named_with_the_closest_one(database):
    with pytest.raises(InputError, match=r"'totl_cost' is not a column.*did you mean 'total_cost'"):
        log(database, run_id="r1", totl_cost=1.0)
    assert get(database) is None


def test_all_that_is_wrong_is_told_at_once(database):
    with pytest.raises(InputError) as caught:
        log(database, run_id="a/b", total_cost=float("nan"), colour=3, simulation_status="complete")
    text = str(caught.value)
    assert [finding.key for finding in caught.value.findings] == [
        "run_id",
        "total_cost",
        "log_simulation_run",
        "simulation_status",
    ]
    assert "did you mean 'completed'?" in text


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((name, bad) for name in ("total_cost", "mip_gap") for bad in (float("nan"), float("inf"), -float("inf"))),
        ("total_cost", True),
        ("total_cost", "5"),
        ("total_cost", np.float64("nan")),
        ("total_cost", 10**400),
        ("timesteps", 1.5),
        ("timesteps", -1),
        ("timesteps", True),
        ("timesteps", 2**63),
        ("solver_type", 3),
        ("solver_type", b"hybrid"),
        ("results_path", "a\0b"),
        ("solver_type", "\ud800"),
        ("timestamp", "yesterday"),
        ("timestamp", 5),
        ("timestamp", None),
        ("timestamp", "0001-01-01T00:00:00+14:00"),
        ("simulation_status", None),
        ("failure_cause", "bad luck"),
        ("metadata_json", "{"),
        ("metadata_json", "NaN"),
        ("metadata_json", {"x": float("nan")}),
        ("metadata_json", {"x": object()}),
        ("study_id", "../s"),
        ("created_at", "2026-01-01T00:00:00Z"),
        ("id", 1),
    ],
)
def test_values_that_mean_nothing_are_refused(database, column, value):
    with pytest.raises(InputError):
        log(database, run_id="r1", **{column: value})
    assert get(database) is None


@given(st.dictionaries(st.sampled_from([c.name for c in ALL_COLUMNS]), st.none() | st.text() | st.floats()))
def test_a_row_is_taken_or_refused_with_reasons_and_nothing_else(row):
    reasons = set()
    try:
        taken = set(RowChecker(ALL_COLUMNS, "simulation_runs", "log_simulation_run").checked(row))
    except InputError as error:
        taken, reasons = set(), set(error.findings)
    assert bool(reasons) != (taken == set(row))


@pytest.mark.parametrize("value", [np.float64(2.5), np.float32(2.5), 2.5])
def test_numbers_of_numpy_are_numbers(database, value):
    log(database, run_id="r1", total_cost=value, timesteps=np.int64(8760))
    assert (get(database)["total_cost"], get(database)["timesteps"]) == (2.5, 8760)


def test_a_row_without_a_run_id_is_refused(database):
    for row in ({"total_cost": 1.0}, {"run_id": None}):
        with pytest.raises(InputError, match="run_id"):
            log(database, **row)


def test_times_become_utc_of_fixed_width(database):
    stockholm = timezone(timedelta(hours=2))
    log(database, run_id="r1", timestamp=datetime(2026, 7, 1, 12, tzinfo=stockholm))
    log(database, run_id="r2", timestamp="2026-07-01T12:00:00.5+02:00")
    naive = datetime(2026, 7, 1, 12)  # noqa: DTZ001  # as the customer's code gives it
    log(database, run_id="r3", timestamp=naive.isoformat())
    assert get(database, "r1")["timestamp"] == "2026-07-01T10:00:00.000000Z"
    assert get(database, "r2")["timestamp"] == "2026-07-01T10:00:00.500000Z"
    assert datetime.fromisoformat(get(database, "r3")["timestamp"]) == naive.astimezone()


def test_paths_and_mappings_become_text(database):
    log(
        database,
        run_id="r1",
        results_path=Path("results/r1"),
        parameters_json={"pv.capacity_kw": 5.5, "ä": [1]},
    )
    assert get(database)["results_path"] == str(Path("results/r1"))
    assert json.loads(get(database)["parameters_json"]) == {"pv.capacity_kw": 5.5, "ä": [1]}


def test_hostile_text_is_only_text(database):
    hostile = "'; drop table simulation_runs; --"
    log(database, run_id="r1", system_id=hostile, metadata_json=json.dumps({"error": hostile}))
    assert get(database)["system_id"] == hostile


def test_many_runs_are_logged_by_one_commit(database):
    names = [f"r{number}" for number in range(1234)]
    with database.transaction() as connection:
        log_runs(connection, [{"run_id": name, "study_id": "s"} for name in names])
    finished = [{"run_id": name, "simulation_status": "completed", "total_cost": 1.0} for name in names[::2]]
    failed = [{"run_id": name, "simulation_status": "failed", "failure_cause": "unmet"} for name in names[1::2]]
    with database.transaction() as connection:
        log_runs(connection, [*finished, *failed, {"run_id": "late"}])
        rows = [get_run(connection, name) for name in names]
    assert [row["simulation_status"] for row in rows[:3]] == ["completed", "failed", "completed"]
    assert {row["total_cost"] for row in rows} == {1.0, None}
    assert get(database, "late")["simulation_status"] == "running"


def test_a_batch_with_one_wrong_row_is_refused_whole(database):
    log(database, run_id="r2", simulation_status="failed")
    with pytest.raises(StoreError, match="r2"), database.transaction() as connection:
        log_runs(connection, [{"run_id": "r1"}, {"run_id": "r2", "simulation_status": "completed"}])
    assert get(database, "r1") is None
    with pytest.raises(InputError, match="named twice"), database.transaction() as connection:
        log_runs(connection, [{"run_id": "r1"}, {"run_id": "r1"}])


def test_an_empty_batch_does_nothing(database):
    with database.transaction() as connection:
        log_runs(connection, [])
