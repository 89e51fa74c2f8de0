"""What every executor promises."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from tests.contract import test_executor_programs as programs
from tests.contract import test_executor_workers as workers
from tests.contract.executors import HASTE, LONG_S, MEMBERS, Log, Member, keeps_the_order

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors import Delivery, Ended, Executor, Said, Started
from ecosystemiser.jobs.states import JobStatus, Outcome


def test_what_a_member_cannot_promise_is_known_here() -> None:
    """No test is left out that does not exist, and `capabilities` say the same as the table of exceptions."""
    modules = [globals(), vars(workers), vars(programs)]
    here = {name for module in modules for name in module if name.startswith("test_")}
    for member in MEMBERS:
        assert set(member.cannot) <= here, member.name
        able = member.make(1, HASTE).capabilities
        assert able.returns_at_once == ("test_a_cancelled_waiting_job_never_starts" not in member.cannot)
        assert able.survives_dead_workers == ("test_two_suspects_run_one_at_a_time" not in member.cannot)
        in_time = "test_a_job_that_ignores_its_time_limit_is_ended_from_outside"
        assert able.enforces_time_limits == (in_time not in member.cannot)


def test_each_job_is_told_of_in_order(executor: Executor, log: Log) -> None:
    """Started, every message, Ended; for each of many jobs."""
    for number in range(20):
        executor.submit(f"job-{number}", "job_tasks:say", 100)
    outcomes = log.outcomes(20)
    assert all(outcome == Outcome(JobStatus.COMPLETED, "said") for outcome in outcomes.values())
    assert all(keeps_the_order(log.of(f"job-{number}"), 100) for number in range(20))


def test_the_check_of_the_order_sees_disorder() -> None:
    """Negative control of the test above."""
    ended = Ended(job_id="a", outcome=Outcome(JobStatus.COMPLETED))
    good: list[Delivery] = [Started(job_id="a", attempt=1), *(Said(job_id="a", message=i) for i in range(3)), ended]
    assert keeps_the_order(good, 3)
    assert not keeps_the_order(good, 4)
    for first, second in ((0, 1), (1, 2), (3, 4)):
        bad = list(good)
        bad[first], bad[second] = bad[second], bad[first]
        assert not keeps_the_order(bad, 3)


@pytest.mark.parametrize(
    ("kind", "cause", "message"),
    [
        ("solve", FailureCause.INFEASIBLE, "no plan"),
        ("input", FailureCause.DATA, "pv.capacity_kw: -3 is negative; give 0 or more"),
        ("store", FailureCause.STORAGE, "disk full"),
        ("memory", FailureCause.MEMORY, "the memory of this machine did not suffice"),
        ("value", FailureCause.CRASH, "ValueError: a defect"),
        ("exit", FailureCause.CRASH, "SystemExit: 3"),
        ("speechless", FailureCause.CRASH, "SpeechlessError: (its message cannot be read)"),
    ],
)
def test_an_error_becomes_cause_and_message(
    executor: Executor, log: Log, kind: str, cause: FailureCause, message: str
) -> None:
    """Whatever a task raises, its job has failed, with a traceback, and the next one runs."""
    executor.submit("bad", "job_tasks:fail", kind)
    executor.submit("good", "job_tasks:double", 4)
    outcomes = log.outcomes(2)
    bad = outcomes["bad"]
    assert (bad.status, bad.cause, bad.message) == (JobStatus.FAILED, cause, message)
    assert "job_tasks.py" in (bad.details or "")
    assert outcomes["good"].result == 8


@pytest.mark.parametrize(
    ("task", "payload", "words"),
    [
        ("job_tasks:double", lambda: None, "the payload for task job_tasks:double cannot be pickled"),
        ("job_tasks:return_unpicklable", 0, "of type function, cannot be pickled"),
        ("job_tasks:return_unreadable", 0, "cannot be read"),
        ("job_tasks:send_unpicklable", 0, "a message of type function cannot be pickled"),
        ("job_tasks:send_unreadable", 0, "cannot be read"),
        ("job_tasks:no_such_task", 0, "has no attribute 'no_such_task'"),
        ("no_such_module:task", 0, "No module named 'no_such_module'"),
    ],
)
def test_what_cannot_be_sent_or_found_is_a_failed_job(
    executor: Executor, log: Log, task: str, payload: object, words: str
) -> None:
    """Never a hang, never an exception in `submit`."""
    executor.submit("bad", task, payload)
    executor.submit("good", "job_tasks:double", 4)
    outcomes = log.outcomes(2)
    assert (outcomes["bad"].status, outcomes["bad"].cause) == (JobStatus.FAILED, FailureCause.CRASH)
    assert words in (outcomes["bad"].message or "")
    assert outcomes["good"].result == 8


@pytest.mark.parametrize("task", ["double", "job_tasks.double", "__main__:double", "a b:c", "job_tasks:Unreadable.x"])
def test_what_is_no_task_is_refused(executor: Executor, task: str) -> None:
    """A worker could not import it."""
    with pytest.raises(ValueError, match="is no task; give a function at the top of a module"):
        executor.submit("a", task, 0)


def test_a_task_shares_nothing_with_its_submitter(executor: Executor, log: Log) -> None:
    """The payload is a copy."""
    payload = [0]
    executor.submit("a", "job_tasks:append_one", payload)
    assert log.outcomes(1)["a"].result == [0, 1]
    assert payload == [0]


def test_a_running_job_is_asked_to_stop(executor: Executor, log: Log) -> None:
    """Whether it then returns or raises, it is cancelled."""
    cancelled = _cancelling_at_the_first_message(executor, log)
    for task in ("job_tasks:wait_until_told", "job_tasks:raise_when_told"):
        executor.submit(task, task, LONG_S)
    outcomes = log.outcomes(2, within_s=5)
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.CANCELLED}
    assert {outcome.message for outcome in outcomes.values()} == {"stopped when asked"}
    assert cancelled == {"job_tasks:wait_until_told", "job_tasks:raise_when_told"}


def _cancelling_at_the_first_message(executor: Executor, log: Log) -> set[str]:
    """Have the listener cancel each job that says something; return the set that the cancelled ones get into."""
    cancelled: set[str] = set()
    keep = log.deliveries.append

    class Cancelling(list[Delivery]):
        def append(self, delivery: Delivery) -> None:
            keep(delivery)
            super().append(delivery)
            if isinstance(delivery, Said):
                cancelled.add(delivery.job_id)
                executor.cancel(delivery.job_id)

    log.deliveries = Cancelling()
    return cancelled


def test_a_job_that_nobody_told_keeps_its_result(executor: Executor, log: Log) -> None:
    """Cancelled too late to be noticed: the work was done, and its result stands."""
    _cancelling_at_the_first_message(executor, log)
    executor.submit("a", "job_tasks:tell_pid_and_sleep", 0.05)
    assert log.outcomes(1)["a"] == Outcome(JobStatus.COMPLETED, "slept")


def test_a_job_is_asked_to_stop_at_its_time_limit(executor: Executor, log: Log) -> None:
    """It has then failed, whatever it returns."""
    executor.submit("a", "job_tasks:wait_until_told", LONG_S, time_limit_s=0.1)
    outcome = log.outcomes(1, within_s=5)["a"]
    assert (outcome.status, outcome.cause) == (JobStatus.FAILED, FailureCause.TIMEOUT)
    assert outcome.message == "stopped when asked at its time limit of 0.1 s"


def test_each_part_of_a_job_has_the_time_limit_to_itself(executor: Executor, log: Log) -> None:
    """Six parts within it, which together take twice what ends a job from outside."""
    executor.submit("a", "job_tasks:take_parts", (0.2,) * 6, time_limit_s=0.3)
    assert log.outcomes(1)["a"] == Outcome(JobStatus.COMPLETED, "all parts")
    assert [type(each).__name__ for each in log.of("a")] == ["Started", "Ended"]


def test_a_part_beyond_its_limit_stops_the_job(executor: Executor, log: Log) -> None:
    executor.submit("a", "job_tasks:take_parts", (0.1, 0.5, LONG_S), time_limit_s=0.3)
    outcome = log.outcomes(1, within_s=5)["a"]
    assert (outcome.status, outcome.cause) == (JobStatus.FAILED, FailureCause.TIMEOUT)


def test_a_listener_that_raises_harms_no_job(
    executor: Executor, log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All jobs run to their end."""
    hear = Log.__call__

    def fail(log: Log, delivery: Delivery) -> None:
        hear(log, delivery)
        raise RuntimeError("a bad listener")

    monkeypatch.setattr(Log, "__call__", fail)
    for number in range(3):
        executor.submit(str(number), "job_tasks:double", number)
    assert {outcome.result for outcome in log.outcomes(3).values()} == {0, 2, 4}
    assert "the listener failed" in caplog.text


def test_an_executor_has_one_listener_and_no_jobs_when_closed(executor: Executor, log: Log) -> None:
    """Misuse is told; closing twice is none."""
    with pytest.raises(RuntimeError, match="has a listener"):
        executor.listen(log)
    executor.close()
    executor.close()
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit("a", "job_tasks:double", 1)


def test_many_small_jobs_cost_little(member: Member, executor: Executor, log: Log) -> None:
    """Thousands of jobs, each ending once with its own result, and little of this process' time for each."""
    number = member.small_jobs
    executor.submit("first", "job_tasks:double", 0)
    log.outcomes(1)
    begin = time.process_time()
    for each in range(number):
        executor.submit(str(each), "job_tasks:double", each)
    outcomes = log.outcomes(number + 1)
    seconds = time.process_time() - begin
    assert [outcomes[str(each)].result for each in range(number)] == [2 * each for each in range(number)]
    assert set(Counter(each.job_id for each in log.deliveries if isinstance(each, Ended)).values()) == {1}
    assert 1e3 * seconds / number < member.small_job_ms


def test_large_payloads_messages_and_results_pass(executor: Executor, log: Log) -> None:
    """12 MB each way, several at a time: more than any buffer holds, or Dask likes to see."""
    for number in range(4):
        executor.submit(str(number), "job_tasks:give_back", bytes([number]) * 12_000_000)
    outcomes = log.outcomes(4)
    assert all(outcomes[str(number)].result == bytes([number]) * 12_000_000 for number in range(4))
    said = {each.job_id: each.message for each in log.wait_for(Said, 4)}
    assert all(said[str(number)] == outcomes[str(number)].result for number in range(4))
