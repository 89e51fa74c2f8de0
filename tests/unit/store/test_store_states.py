"""States of runs and studies."""

import pytest

from ecosystemiser.store.states import RunStatus, can_follow, study_can_follow

TERMINAL = [status for status in RunStatus if status is not RunStatus.RUNNING]


def test_the_words_are_those_of_the_definitions():
    assert [str(status) for status in RunStatus] == [
        "running",
        "completed",
        "failed",
        "cancelled",
        "interrupted",
    ]


@pytest.mark.parametrize("new", RunStatus)
def test_a_running_run_may_become_anything(new):
    assert can_follow(RunStatus.RUNNING, new)


@pytest.mark.parametrize("old", TERMINAL)
@pytest.mark.parametrize("new", RunStatus)
def test_a_finished_run_stays_what_it_is(old, new):
    assert old.is_terminal
    assert can_follow(old, new) == (old is new)


def test_a_study_that_did_not_complete_may_run_again():
    resumable = [old for old in TERMINAL if study_can_follow(old, RunStatus.RUNNING)]
    assert resumable == [RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.INTERRUPTED]
    assert not study_can_follow(RunStatus.FAILED, RunStatus.COMPLETED)
