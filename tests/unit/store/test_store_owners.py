"""Whose runs are under way, and what becomes of those of the dead."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import select

from ecosystemiser.errors import StoreError
from ecosystemiser.store.engine import open_database
from ecosystemiser.store.identity import own_identity
from ecosystemiser.store.owners import (
    RunningOwner,
    Watch,
    add_owner,
    beat,
    close_runs_of,
    end_owner,
    running_owners,
)
from ecosystemiser.store.runs import get_run, log_run
from ecosystemiser.store.schema import owners
from ecosystemiser.store.studies import get_study, log_study, statistics

HERE = own_identity()
ELSEWHERE = replace(HERE, host="another-machine", boot_id="another-start")


@pytest.fixture
def database(tmp_path):
    with open_database(tmp_path / "runs.sqlite") as opened:
        yield opened


def owned(database, identity, *run_ids, beat_every_s=10.0):
    """Log running runs of an owner; return its key."""
    with database.transaction() as connection:
        key = add_owner(connection, identity, beat_every_s)
        for run_id in run_ids:
            log_run(connection, {"run_id": run_id}, key)
    return key


def status(database, run_id):
    with database.reading() as connection:
        return get_run(connection, run_id)["simulation_status"]


def swept(database, watch=None, now=None):
    """Close what the dead left; return how many runs."""
    with database.transaction() as connection:
        return close_runs_of(connection, (watch or Watch()).dead(running_owners(connection), now))


def of_the_dead():
    """Return the identity of a process of this machine that has ended."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = replace(HERE, pid=child.pid, process_start=own_start(child.pid))
    assert identity.lives()
    child.communicate(b"\n")
    return identity


def own_start(pid):
    from ecosystemiser.store.identity import _process_start

    return _process_start(pid)


def test_this_process_lives():
    assert HERE.lives() is True
    assert HERE.pid == os.getpid()


def test_a_process_that_ended_is_dead():
    assert of_the_dead().lives() is False


def test_another_process_with_the_same_number_is_not_the_owner():
    assert replace(HERE, process_start="1").lives() is False


def test_no_process_outlives_its_machines_start():
    assert replace(HERE, boot_id="the-start-before").lives() is False


def test_of_other_machines_and_containers_one_look_tells_nothing():
    assert ELSEWHERE.lives() is None
    assert replace(HERE, place="another-container").lives() is None


def test_a_zombie_is_dead():
    child = subprocess.Popen([sys.executable, "-c", ""])
    start = own_start(child.pid)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert replace(HERE, pid=child.pid, process_start=start).lives() is False
    child.wait()


def test_runs_of_the_dead_are_interrupted_and_their_study_with_them(database):
    key = owned(database, of_the_dead(), "a", "b")
    with database.transaction() as connection:
        log_study(connection, {"study_id": "s"}, key)
    assert swept(database) == 2
    assert [status(database, run_id) for run_id in "ab"] == ["interrupted", "interrupted"]
    with database.reading() as connection:
        study = get_study(connection, "s")
        assert statistics(connection)["by_status"] == {"interrupted": 2}
        assert running_owners(connection) == []
    assert (study["status"], study["finished_at"] is not None) == ("interrupted", True)


def test_runs_of_the_living_stay(database):
    owned(database, HERE, "a")
    assert swept(database) == 0
    assert status(database, "a") == "running"


def test_a_late_result_of_a_closed_run_is_refused(database):
    owned(database, of_the_dead(), "a")
    swept(database)
    late = {"run_id": "a", "simulation_status": "completed", "total_cost": 1.0}
    with pytest.raises(StoreError, match="cannot become completed"), database.transaction() as connection:
        log_run(connection, late)
    assert status(database, "a") == "interrupted"


def test_an_owner_elsewhere_is_dead_after_three_beats_that_did_not_come(database):
    owned(database, ELSEWHERE, "a", beat_every_s=10.0)
    watch = Watch()
    assert [swept(database, watch, now) for now in (100.0, 129.9, 130.0)] == [0, 0, 1]


def test_an_owner_elsewhere_that_beats_lives_however_slow_its_run_is(database):
    key = owned(database, ELSEWHERE, "a", beat_every_s=10.0)
    watch = Watch()
    for now in range(0, 1000, 20):
        with database.transaction() as connection:
            beat(connection, key)
        assert swept(database, watch, float(now)) == 0


def test_beats_are_counted_by_the_observers_clock_alone(database):
    """The owner's clock may stand wherever it likes."""
    owned(database, ELSEWHERE, "a")
    with database.transaction() as connection:
        connection.exec_driver_sql("update owners set beat_at = '1999-01-01T00:00:00.000000Z'")
    assert swept(database, Watch(), 0.0) == 0


def test_an_owner_that_beats_between_the_look_and_the_closing_is_left_alone(database):
    key = owned(database, ELSEWHERE, "a")
    watch = Watch()
    with database.transaction() as connection:
        watch.dead(running_owners(connection), 0.0)
        dead = watch.dead(running_owners(connection), 1000.0)
        beat(connection, key)
        assert close_runs_of(connection, dead) == 0
    assert status(database, "a") == "running"


def test_an_owner_that_ended_in_order_leaves_no_row_unless_something_is_left(database):
    key, other = owned(database, HERE), owned(database, HERE, "a")
    with database.transaction() as connection:
        end_owner(connection, key)
        end_owner(connection, other)
        assert connection.scalars(select(owners.c.id)).all() == [other]
    assert swept(database) == 0  # its process lives, and may finish it under another connection


def test_runs_that_nobody_owns_are_left_to_whoever_logged_them(database):
    with database.transaction() as connection:
        log_run(connection, {"run_id": "by-hand"})
        assert [owner.lives for owner in running_owners(connection)] == [True]
    assert swept(database) == 0


def test_watching_takes_three_beats_of_the_slowest():
    found = [RunningOwner(1, ELSEWHERE, 0, 10.0), RunningOwner(2, ELSEWHERE, 0, 20.0), RunningOwner(3, HERE, 0, 99.0)]
    assert Watch().is_waiting_for(found) == 60.0
