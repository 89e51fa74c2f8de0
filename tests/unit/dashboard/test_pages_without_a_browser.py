"""The pages as Streamlit's own test sees them: on no, an empty, a damaged and an older database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tests.servers import PASSWORD

import ecosystemiser.dashboard
from ecosystemiser import DatabaseMetadataService
from ecosystemiser.dashboard.addresses import Place
from ecosystemiser.dashboard.log import the_log
from ecosystemiser.errors import StoreError

SCRIPT = Path(ecosystemiser.dashboard.__file__).parent / "script" / "app.py"
LISTED = (Place.OVERVIEW, Place.RUNS, Place.STUDIES, Place.STUDY)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., AppTest]:
    """Return what opens a page on a database."""
    monkeypatch.chdir(tmp_path)

    def opening(place: Place, database: Path | str, *, read_only: bool = False, **values: str) -> AppTest:
        monkeypatch.setenv("ECOSYSTEMISER_DB", str(database))
        monkeypatch.setenv("ECOSYSTEMISER_EXPLORE_READ_ONLY", "1" if read_only else "0")
        st.cache_resource.clear()
        st.cache_data.clear()
        test = AppTest.from_string(
            "import sys\n"
            "from ecosystemiser.dashboard.addresses import Place, _shown\n"
            f"_shown(Place({place.value!r}))()\n",
            default_timeout=30,
        )
        for name, value in values.items():
            test.query_params[name] = value
        return test.run()

    return opening


@pytest.fixture
def log(tmp_path: Path) -> DatabaseMetadataService:
    """Return a log with 120 runs, one of them failed, in which a name is hostile."""
    log = DatabaseMetadataService(tmp_path / "runs.sqlite")
    shared = {"system_id": "house", "timesteps": 24, "solver_type": "milp", "currency": "EUR"}
    rows: list[dict[str, Any]] = [
        {**shared, "run_id": f"run-{at:03}", "simulation_status": "completed", "total_cost": float(at)}
        for at in range(119)
    ]
    rows.append({**shared, "run_id": "bad", "simulation_status": "failed", "failure_cause": "infeasible"})
    log.log_simulation_runs(rows)
    return log


def told(test: AppTest) -> str:
    assert not test.exception
    kinds = (test.error, test.info, test.warning, test.markdown, test.caption)
    return "\n".join(each.value for kind in kinds for each in kind)


@pytest.mark.parametrize("place", LISTED)
def test_where_there_is_no_database_a_page_says_how_to_begin(
    place: Place, opened: Callable[..., AppTest], tmp_path: Path
) -> None:
    path = tmp_path / "none.sqlite"
    test = opened(place, path)
    assert "There are no runs yet" in told(test)
    assert "ecosystemiser demo" in test.code[0].value
    assert not path.exists()


@pytest.mark.parametrize("place", LISTED)
def test_what_is_no_database_is_said_to_be_none(place: Place, opened: Callable[..., AppTest], tmp_path: Path) -> None:
    path = tmp_path / "text.sqlite"
    path.write_text("hello")
    assert "is not a SQLite database" in told(opened(place, path)).replace("\\", "")


def test_an_older_database_is_said_to_be_older_and_is_not_touched(
    opened: Callable[..., AppTest], log: DatabaseMetadataService
) -> None:
    path = log.db_path
    log.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    said = told(opened(Place.RUNS, path)).replace("\\", "")
    assert "ecosystemiser db upgrade" in said
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    connection.close()


def test_a_page_of_runs_is_filtered_and_sorted_as_its_address_says(
    opened: Callable[..., AppTest], log: DatabaseMetadataService
) -> None:
    test = opened(Place.RUNS, log.db_path, where="total_cost < 10", sort="total_cost", falling="1")
    table = test.dataframe[0].value
    assert list(table["cost [EUR]"]) == [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    assert "of 10" in told(test)


def test_the_next_page_follows_the_first(opened: Callable[..., AppTest], log: DatabaseMetadataService) -> None:
    test = opened(Place.RUNS, log.db_path)
    first = list(test.dataframe[0].value["run"])
    test.button(key="next").click().run()
    second = list(test.dataframe[0].value["run"])
    assert (len(first), len(second)) == (100, 20)
    assert not set(first) & set(second)
    assert test.query_params["from"] == "101"


def test_a_chip_is_a_condition_of_the_filter(opened: Callable[..., AppTest], log: DatabaseMetadataService) -> None:
    test = opened(Place.RUNS, log.db_path, where="timesteps = 24")
    chips = next(each for each in test.get("button_group") if each.label == "Status")
    chips.set_value("failed").run()
    assert test.query_params["where"] == "timesteps = 24 and simulation_status = 'failed'"
    assert list(test.dataframe[0].value["run"]) == ["bad"]


def test_only_like_runs_are_ranked(opened: Callable[..., AppTest], log: DatabaseMetadataService) -> None:
    other = {"run_id": "cheap", "simulation_status": "completed", "system_id": "house", "timesteps": 48}
    log.log_simulation_run({**other, "total_cost": -1.0, "currency": "EUR"})
    test = opened(Place.OVERVIEW, log.db_path, group="house, 24 steps, EUR")
    assert list(test.dataframe[0].value["cost [EUR]"])[:3] == [0.0, 1.0, 2.0]
    names = ("Runs", "Studies", "Running", "Failed")
    assert [caption.value for caption in test.caption if caption.value in names] == [*names]
    assert test.subheader[3].value == "1"


def test_what_runs_now_can_be_stopped_unless_the_explorer_only_looks(
    opened: Callable[..., AppTest], log: DatabaseMetadataService
) -> None:
    log.log_simulation_run({"run_id": "busy", "solver_type": "milp", "system_id": "house"})
    looking = opened(Place.OVERVIEW, log.db_path, read_only=True)
    assert not [button for button in looking.button if button.label == "Stop"]
    test = opened(Place.OVERVIEW, log.db_path)
    test.button(key="stop-busy").click().run()
    assert log.is_cancel_requested(run_id="busy")


@pytest.mark.parametrize("place", LISTED)
def test_a_database_on_a_server_is_shown(place: Place, opened: Callable[..., AppTest], postgres_url: str) -> None:
    log = DatabaseMetadataService(postgres_url)
    log.log_study({"study_id": "sizing", "study_type": "parametric"})
    alike = {"study_id": "sizing", "simulation_status": "completed", "system_id": "house", "timesteps": 24}
    log.log_simulation_runs([{**alike, "run_id": f"r{at}", "point": at, "total_cost": float(at)} for at in range(5)])
    log.close()
    test = opened(place, postgres_url)
    assert not test.error
    assert len(test.dataframe[0].value) == (1 if place is Place.STUDIES else 5)
    assert PASSWORD not in told(test)


def test_pages_cannot_write(opened: Callable[..., AppTest], log: DatabaseMetadataService) -> None:
    opened(Place.RUNS, log.db_path)
    with pytest.raises(StoreError, match="for reading only"):
        the_log().write_note("bad", "written")


HOSTILE = [
    (Place.STUDY, {"id": "../../etc/passwd"}, "is not a valid study_id"),
    (Place.STUDY, {"id": "nothing-like-it"}, "is no study in"),
    (Place.STUDY, {"id": "'; DROP TABLE runs; --"}, "is not a valid study_id"),
    (Place.STUDY, {"id": "<img src=x onerror=alert(1)>"}, "is not a valid study_id"),
    (Place.RUNS, {"where": "'; DROP TABLE runs; --"}, "filter, character"),
    (Place.RUNS, {"sort": "run_id);--"}, "column of runs"),
    (Place.RUNS, {"after": "bm8"}, "is no place of this order"),
    (Place.RUNS, {"where": "x" * 100_000}, "more than any page knows"),
    (Place.RUNS, {"where": "cost < 1 \0"}, "holds a NUL"),
    (Place.NEW, {"started": "run:../../secret"}, "is not a valid run_id"),
    (Place.NEW, {"started": "run:never-started"}, "was not started here"),
    (Place.NEW, {"started": "gibberish"}, "names nothing that was started"),
]


@pytest.mark.parametrize(("place", "values", "expected"), HOSTILE)
def test_a_hostile_address_gets_a_clear_page(
    place: Place,
    values: dict[str, str],
    expected: str,
    opened: Callable[..., AppTest],
    log: DatabaseMetadataService,
) -> None:
    assert expected in told(opened(place, log.db_path, **values)).replace("\\", "")
    assert log.get_statistics()["runs"] == 120


def test_an_unexpected_error_is_no_traceback(
    opened: Callable[..., AppTest], log: DatabaseMetadataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError("a secret of the program")

    monkeypatch.setattr(DatabaseMetadataService, "get_statistics", broken)
    said = told(opened(Place.OVERVIEW, log.db_path))
    assert "a fault of the explorer itself" in said
    assert "a secret of the program" not in said
