"""Tags, notes, delete and purge; asking the living to stop."""

import pytest
from sqlalchemy import func, select

from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.store import cancel_requests, curation
from ecosystemiser.store.counts import count_anew
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.queries import query_runs
from ecosystemiser.store.runs import get_run, log_runs
from ecosystemiser.store.schema import run_details, run_parameters, run_tags
from ecosystemiser.store.studies import log_study, statistics


@pytest.fixture
def connection(tmp_path):
    with open_database(tmp_path / "runs.sqlite") as database, database.transaction() as connection:
        done = {"simulation_status": "completed", "total_cost": 1.0, "parameters_json": {"x.y": 1}}
        log_runs(connection, [{"run_id": run_id, **done} for run_id in "abc"])
        log_runs(connection, [{"run_id": "running"}])
        yield connection


def listed(connection, where=None):
    return "".join(row["run_id"] for row in query_runs(connection, where=where, order_by="run_id"))


def test_runs_are_found_by_their_tags(connection):
    curation.add_tags(connection, ["a", "b"], ["good", "good", "old"])
    curation.add_tags(connection, ["b", "c"], ["good"])
    assert curation.remove_tags(connection, ["a"], ["good"]) == 1
    assert curation.tags_of(connection, ["a", "b", "c"]) == {"a": ["old"], "b": ["good", "old"], "c": ["good"]}
    assert listed(connection, "tag = 'good'") == "bc"
    assert listed(connection, "tag is null") == "running"


@pytest.mark.parametrize("tag", ["", "  ", "x" * 101, "a\nb", "\x1b[31m"])
def test_what_is_no_tag_is_refused(connection, tag):
    with pytest.raises(InputError, match="is no tag"):
        curation.add_tags(connection, ["a"], [tag])


def test_a_note_is_written_over_and_taken_away(connection):
    curation.write_note(connection, "a", "first <b>")
    curation.write_note(connection, "a", "second")
    assert get_run(connection, "a")["note"] == "second"
    assert listed(connection, "note like 'sec%'") == "a"
    curation.write_note(connection, "a", None)
    assert get_run(connection, "a")["note"] is None


@pytest.mark.parametrize("act", ["tag", "note", "delete"])
def test_an_unknown_run_is_named(connection, act):
    acts = {
        "tag": lambda: curation.add_tags(connection, ["a", "nobody"], ["x"]),
        "note": lambda: curation.write_note(connection, "nobody", "x"),
        "delete": lambda: curation.delete_runs(connection, ["a", "nobody"]),
    }
    with pytest.raises(InputError, match="'nobody' is no run"):
        acts[act]()
    assert listed(connection) == "abcrunning"


def test_deleted_runs_are_in_no_list_and_come_back_whole(connection):
    before = get_run(connection, "b")
    curation.delete_runs(connection, ["a", "b"])
    assert listed(connection) == "crunning"
    assert get_run(connection, "b") is None
    assert statistics(connection)["by_status"] == {"completed": 1, "running": 1}
    assert [row["run_id"] for row in curation.deleted_runs(connection)] == ["b", "a"]
    assert curation.restore_runs(connection, ["b", "nobody"]) == 1
    assert get_run(connection, "b") == before
    assert count_anew(connection)


def test_a_running_run_is_not_deleted_nor_the_others_with_it(connection):
    with pytest.raises(StoreError, match="is running"):
        curation.delete_runs(connection, ["a", "running"])
    assert listed(connection) == "abcrunning"


def test_only_deleted_runs_are_purged_with_all_that_hangs_on_them(connection):
    curation.add_tags(connection, ["a"], ["x"])
    curation.delete_runs(connection, ["a"])
    assert curation.purge_runs(connection, ["a", "b"]) == 1
    assert curation.restore_runs(connection, ["a"]) == 0
    for table in (run_details, run_parameters, run_tags):
        assert connection.scalar(select(func.count()).where(table.c.run_key == 1)) == 0
    assert listed(connection) == "bcrunning"


def test_a_deleted_run_takes_no_result(connection):
    curation.delete_runs(connection, ["a"])
    with pytest.raises(StoreError, match="was deleted"):
        log_runs(connection, [{"run_id": "a", "total_cost": 2.0}])


def test_only_what_runs_can_be_asked_to_stop(connection):
    log_study(connection, {"study_id": "s"})
    assert cancel_requests.request_cancel(connection, run_id="running")
    assert cancel_requests.request_cancel(connection, study_id="s")
    assert not cancel_requests.request_cancel(connection, run_id="a")
    assert not cancel_requests.request_cancel(connection, study_id="nobody")
    asked = [
        cancel_requests.is_cancel_requested(connection, **named)
        for named in ({"run_id": "running"}, {"study_id": "s"}, {"run_id": "a"}, {"study_id": "nobody"})
    ]
    assert asked == [True, True, False, False]


def test_a_study_that_runs_again_is_not_asked_to_stop_by_an_old_request(connection):
    log_study(connection, {"study_id": "s"})
    cancel_requests.request_cancel(connection, study_id="s")
    log_study(connection, {"study_id": "s", "status": "cancelled"})
    log_study(connection, {"study_id": "s", "status": "running"})
    assert not cancel_requests.is_cancel_requested(connection, study_id="s")
