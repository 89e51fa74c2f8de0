"""The states of a job and its record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.states import Job, JobStatus, Outcome, can_follow

NOON = datetime(2018, 6, 1, 12, tzinfo=UTC)
P, R, C, F, X = (
    JobStatus.PENDING,
    JobStatus.RUNNING,
    JobStatus.COMPLETED,
    JobStatus.FAILED,
    JobStatus.CANCELLED,
)
ALLOWED = {(P, R), (P, F), (P, X), (R, P), (R, C), (R, F), (R, X)}


@pytest.mark.parametrize("old", JobStatus)
@pytest.mark.parametrize("new", JobStatus)
def test_only_the_allowed_changes_are_allowed(old: JobStatus, new: JobStatus) -> None:
    """All 25 pairs; terminal states lead nowhere."""
    assert can_follow(old, new) is ((old, new) in ALLOWED)
    assert old.is_terminal is (old in {C, F, X})


def test_a_job_knows_its_times_and_durations() -> None:
    """Durations come from the monotonic clock: a clock that is set back by a day changes none."""
    pending = Job(job_id="a", task="m:f", submitted_at=NOON, clock_s=100.0)
    running = pending.begun(1, NOON - timedelta(days=1), 103.0)
    done = running.ended(Outcome(C, 42), NOON - timedelta(days=2), 110.0)
    assert (done.waited_s, done.ran_s) == (3.0, 7.0)
    assert (done.started_at, done.finished_at) == (NOON - timedelta(days=1), NOON - timedelta(days=2))
    assert (done.status, done.result, done.attempts) == (C, 42, 1)
    assert (pending.status, running.status) == (P, R)  # each is a picture of its moment


def test_a_repeated_job_counts_from_its_first_start() -> None:
    first = Job(job_id="a", task="m:f", clock_s=0.0).begun(1, NOON, 1.0)
    second = first.put_back().begun(2, NOON + timedelta(seconds=5), 6.0)
    done = second.ended(Outcome(F, cause=FailureCause.CRASH, message="m"), NOON, 9.0)
    assert (done.attempts, done.started_at, done.waited_s, done.ran_s) == (2, NOON, 1.0, 8.0)
    assert (done.cause, done.message) == (FailureCause.CRASH, "m")


def test_a_job_that_never_started_has_no_run_time() -> None:
    cancelled = Job(job_id="a", task="m:f").ended(Outcome(X), NOON, 9.0)
    assert (cancelled.started_at, cancelled.waited_s, cancelled.ran_s) == (None, None, None)


def test_a_change_that_is_not_allowed_is_named() -> None:
    done = Job(job_id="a", task="m:f").begun(1, NOON, 1.0).ended(Outcome(C), NOON, 2.0)
    with pytest.raises(ValueError, match="job a is completed and cannot become running; allowed: nothing: it has"):
        done.begun(2, NOON, 3.0)
    with pytest.raises(ValueError, match="job b is pending and cannot become completed; allowed: cancelled, failed"):
        Job(job_id="b", task="m:f").ended(Outcome(C), NOON, 2.0)
