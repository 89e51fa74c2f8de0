"""JobFacade: jobs and their events, over every executor."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from ecosystemiser.errors import FailureCause, InputError
from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import (
    Event,
    JobCancelled,
    JobCompleted,
    JobFailed,
    JobStarted,
    JobSubmitted,
    RunCompleted,
    RunStarted,
)
from ecosystemiser.jobs.executors import InlineExecutor, Patience, ProcessExecutor
from ecosystemiser.jobs.states import Job, JobStatus
from ecosystemiser.services.job_facade import JobFacade

TASKS = Path(__file__).parents[1] / "jobs"
EXECUTORS: list[Literal["inline", "process"]] = ["inline", "process"]


@pytest.fixture(autouse=True)
def _tasks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TASKS))


@pytest.fixture(params=EXECUTORS)
def facade(request: pytest.FixtureRequest) -> Iterator[JobFacade]:
    with JobFacade(request.param, workers=2) as made:
        yield made


@pytest.fixture
def processes() -> Iterator[JobFacade]:
    patience = Patience(cancel_grace_s=0.3, close_grace_s=0.3, limit_factor=1.0, limit_slack_s=0.3)
    with JobFacade(ProcessExecutor(1, patience=patience)) as made:
        yield made


def test_a_job_runs_and_its_events_are_published_in_order(facade: JobFacade) -> None:
    """With the ids that it was submitted with; what the worker sends stands between."""
    with facade.bus.record() as seen:
        facade.submit_job("job_tasks:say_events", "r1", job_id="j1", study_id="s1", run_id="r1")
        (job,) = facade.wait()
    assert (job.status, job.result, job.attempts) == (JobStatus.COMPLETED, "r1", 1)
    assert [type(event) for event in seen] == [JobSubmitted, JobStarted, RunStarted, RunCompleted, JobCompleted]
    assert {(event.study_id, event.run_id, event.job_id) for event in (seen[0], seen[1], seen[4])} == {
        ("s1", "r1", "j1")
    }
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.submitted_at <= job.started_at <= job.finished_at
    assert job.waited_s is not None
    assert job.ran_s is not None
    assert min(job.waited_s, job.ran_s) >= 0


def test_events_that_are_sent_together_are_published_one_by_one(facade: JobFacade) -> None:
    """Other tuples are messages as any."""
    messages: list[object] = []
    with facade.bus.record() as seen:
        facade.submit_job("job_tasks:say_events_at_once", 3)
        list(facade.wait(on_message=lambda _, message: messages.append(message)))
    assert [event.run_id for event in seen if isinstance(event, RunStarted)] == ["0", "1", "2"]
    assert messages == [(), ("no", "events")]


def test_a_task_may_be_given_as_a_function(facade: JobFacade) -> None:
    from ecosystemiser.names import is_identifier

    job = facade.submit_job(is_identifier, "a")  # type: ignore[arg-type]
    assert job.task == "ecosystemiser.names:is_identifier"
    (ended,) = facade.wait()
    assert "TypeError" in (ended.message or "")  # it takes no context


def test_inline_returns_after_the_work_and_process_at_once() -> None:
    with JobFacade("inline") as inline:
        assert inline.submit_job("job_tasks:sleep", 0.05).result == 0.05
    with JobFacade("process", workers=1) as process:
        begin = time.monotonic()
        assert process.submit_job("job_tasks:sleep", 1.0).status is JobStatus.PENDING
        assert time.monotonic() - begin < 0.5


def test_a_failure_is_a_job_not_an_exception(facade: JobFacade) -> None:
    with facade.bus.record() as seen:
        facade.submit_job("job_tasks:fail", "solve")
        (job,) = facade.wait()
    assert (job.status, job.cause, job.message) == (JobStatus.FAILED, FailureCause.INFEASIBLE, "no plan")
    assert isinstance(seen[-1], JobFailed)
    assert (seen[-1].cause, seen[-1].message) == (FailureCause.INFEASIBLE, "no plan")


def test_wait_yields_each_job_once_and_those_submitted_meanwhile(facade: JobFacade) -> None:
    """As a study does: ask, wait, tell, ask again."""
    for number in range(5):
        facade.submit_job("job_tasks:double", number)
    results = []
    for job in facade.wait():
        results.append(job.result)
        if len(results) <= 5:
            facade.submit_job("job_tasks:double", 100)
    assert sorted(results, key=str) == sorted([0, 2, 4, 6, 8, *[200] * 5], key=str)
    assert list(facade.wait()) == []


def test_wait_for_some_leaves_the_others(facade: JobFacade) -> None:
    """A job that another wait has yielded is yielded again where it is asked for by name."""
    jobs = [facade.submit_job("job_tasks:double", number) for number in range(6)]
    assert {job.result for job in facade.wait(jobs[:2])} == {0, 2}
    assert {job.result for job in facade.wait()} == {4, 6, 8, 10}
    assert {job.result for job in facade.wait(jobs)} == {0, 2, 4, 6, 8, 10}
    assert list(facade.wait([])) == []
    with pytest.raises(KeyError, match="there is no job 'foreign'"):
        facade.wait([Job(job_id="foreign", task="m:f")])


def test_messages_come_before_the_end_of_their_job_and_events_do_not_come_here(facade: JobFacade) -> None:
    facade.submit_job("job_tasks:say", 3, job_id="a")
    facade.submit_job("job_tasks:say_events", "r", job_id="b")
    heard: list[tuple[str, object]] = []
    ends = facade.wait(on_message=lambda job, message: heard.append((job.job_id, message)))
    for job in ends:
        heard += [(job.job_id, "ended")]  # in turn with the messages
    assert [message for name, message in heard if name == "a"] == [0, 1, 2, "ended"]
    assert [message for name, message in heard if name == "b"] == ["between", "ended"]


def test_subscribers_are_told_before_wait_yields(facade: JobFacade) -> None:
    seen: list[str | None] = []
    facade.bus.subscribe(JobCompleted, lambda event: seen.append(event.job_id))
    for number in range(200):
        facade.submit_job("job_tasks:double", number)
    for job in facade.wait():
        assert job.job_id in seen


def test_jobs_can_be_listed_and_forgotten(facade: JobFacade) -> None:
    facade.submit_job("job_tasks:double", 1, job_id="a")
    facade.submit_job("job_tasks:fail", "value", job_id="b")
    list(facade.wait())
    assert [job.job_id for job in facade.jobs()] == ["a", "b"]
    assert [job.job_id for job in facade.jobs(JobStatus.FAILED)] == ["b"]
    facade.forget("a")
    with pytest.raises(KeyError, match="there is no job 'a'"):
        facade.job("a")
    with pytest.raises(ValueError, match="there is a job 'b' already"):
        facade.submit_job("job_tasks:double", 1, job_id="b")


def test_a_job_forgotten_before_it_was_waited_for_is_not_yielded(facade: JobFacade) -> None:
    job = facade.submit_job("job_tasks:double", 1)
    while not facade.job(job.job_id).status.is_terminal:
        time.sleep(0.005)
    facade.forget(job.job_id)
    assert list(facade.wait()) == []


def test_a_subscriber_may_cancel_a_job_before_it_is_handed_over(facade: JobFacade, tmp_path: Path) -> None:
    """It never starts."""
    facade.bus.subscribe(JobSubmitted, lambda event: facade.cancel(event.job_id or ""))
    with facade.bus.record() as seen:
        job = facade.submit_job("job_tasks:touch", str(tmp_path / "never"))
        (waited,) = facade.wait()
    assert job.status is waited.status is JobStatus.CANCELLED
    assert [type(event) for event in seen] == [JobSubmitted, JobCancelled]
    assert list(tmp_path.iterdir()) == []
    facade.cancel(job.job_id)  # changes nothing
    assert facade.job(job.job_id) == job


def test_a_subscriber_that_waits_is_told_that_it_cannot(facade: JobFacade) -> None:
    """It would wait for what it holds up."""
    facade.bus.subscribe(JobStarted, lambda event: list(facade.wait()))
    facade.submit_job("job_tasks:double", 1)
    (job,) = facade.wait()
    assert job.result == 2
    assert "cannot wait for jobs" in str(facade.bus.failures[0].error)


def test_a_subscriber_that_raises_harms_no_job(facade: JobFacade) -> None:
    def bad(event: Event) -> None:
        raise RuntimeError("bad subscriber")

    facade.bus.subscribe(Event, bad)
    for number in range(3):
        facade.submit_job("job_tasks:double", number)
    assert {job.status for job in facade.wait()} == {JobStatus.COMPLETED}
    assert len(facade.bus.failures) == 9


def test_cancel_all_ends_what_waits_and_what_runs(processes: JobFacade) -> None:
    jobs = [processes.submit_job("job_tasks:wait_until_told", 30.0) for _ in range(5)]
    messages = 0
    for _ in range(500):
        messages = len(processes.jobs(JobStatus.RUNNING))
        if messages:
            break
        time.sleep(0.01)
    assert messages == 1
    processes.cancel_all()
    assert {job.status for job in processes.wait(jobs)} == {JobStatus.CANCELLED}


def test_close_ends_all_jobs_and_a_closed_facade_takes_none(processes: JobFacade) -> None:
    for _ in range(3):
        processes.submit_job("job_tasks:sleep", 30.0)
    processes.close()
    processes.close()
    assert {job.status for job in processes.wait()} == {JobStatus.CANCELLED}
    with processes.bus.record() as seen, pytest.raises(RuntimeError, match="closed"):
        processes.submit_job("job_tasks:double", 1)
    assert [type(event) for event in seen] == [JobSubmitted, JobCancelled]
    assert list(processes.wait()) == processes.jobs()[3:]


def test_a_repeated_job_is_told_as_started_again(processes: JobFacade, tmp_path: Path) -> None:
    with processes.bus.record() as seen:
        processes.submit_job("job_tasks:die_once", str(tmp_path / "died"))
        (job,) = processes.wait()
    assert (job.status, job.attempts, job.result) == (JobStatus.COMPLETED, 2, 2)
    assert [event.attempt for event in seen if isinstance(event, JobStarted)] == [1, 2]


def test_ctrl_c_in_an_inline_job_cancels_it_and_goes_its_way() -> None:
    """Also where it hits a subscriber; no job stays without an end."""
    with JobFacade("inline") as facade:
        with pytest.raises(KeyboardInterrupt):
            facade.submit_job("job_tasks:raise_when_told", 0.01, job_id="task")
        assert facade.job("task").status is JobStatus.CANCELLED
        for kind in (JobSubmitted, JobStarted, JobCompleted):
            unsubscribe = facade.bus.subscribe(kind, _interrupt)
            with pytest.raises(KeyboardInterrupt):
                facade.submit_job("job_tasks:double", 1, job_id=kind.__name__)
            unsubscribe()
        statuses = [job.status for job in facade.wait()]
    assert statuses == [*[JobStatus.CANCELLED] * 3, JobStatus.COMPLETED]


def _interrupt(event: Event) -> None:
    raise KeyboardInterrupt


def test_two_threads_may_wait(processes: JobFacade) -> None:
    """Each job asked for by name reaches both; nobody hangs."""
    jobs = [processes.submit_job("job_tasks:double", number) for number in range(100)]
    results: dict[int, set[object]] = {}

    def wait(number: int) -> None:
        results[number] = {job.result for job in processes.wait(jobs)}

    threads = [threading.Thread(target=wait, args=(number,), daemon=True) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == {0: {2 * n for n in range(100)}, 1: {2 * n for n in range(100)}}


def test_an_executor_or_a_bus_may_be_given() -> None:
    bus = EventBus()
    with JobFacade(InlineExecutor(), bus=bus) as facade, bus.record() as seen:
        facade.submit_job("job_tasks:double", 1)
    assert len(seen) == 3
    with pytest.raises(InputError, match=r"executor: 'threads' is no executor; give inline, process or dask"):
        JobFacade("threads")  # type: ignore[arg-type]
