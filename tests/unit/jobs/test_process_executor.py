"""What only the executor with worker processes can be asked: its workers' start, their memory, a defect in its pool."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from tests.contract.executors import HASTE, LONG_S, TASKS, Log, children, left_after

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors import Lost, Patience, ProcessExecutor, Said
from ecosystemiser.jobs.executors import pool as pool_module
from ecosystemiser.jobs.executors import worker_process as worker_module
from ecosystemiser.jobs.executors.frames import READY
from ecosystemiser.jobs.states import JobStatus


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def make(log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ProcessExecutor]]:
    monkeypatch.syspath_prepend(str(TASKS))
    made: list[ProcessExecutor] = []

    def one(workers: int = 2, memory_limit_mb: float | None = None, patience: Patience = HASTE) -> ProcessExecutor:
        made.append(ProcessExecutor(workers, memory_limit_mb=memory_limit_mb, patience=patience))
        made[-1].listen(log)
        return made[-1]

    yield one
    for executor in made:
        executor.close()


def test_an_executor_that_never_had_a_job_costs_nothing() -> None:
    before = children()
    executor = ProcessExecutor(2)
    executor.cancel("nothing")
    executor.close()
    assert children() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("job-")]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"workers": 0}, "workers is 0; give 1 or more"),
        ({"memory_limit_mb": 0.0}, "memory_limit_mb is 0.0; give more than 0"),
        ({"memory_limit_mb": float("nan")}, "memory_limit_mb is nan; give more than 0"),
    ],
)
def test_what_makes_no_executor_is_refused(words: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ProcessExecutor(**words)  # type: ignore[arg-type] # the wrong ones, on purpose


def test_workers_that_do_not_come_up_fail_their_jobs(
    make: Callable[..., ProcessExecutor], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said with the exit code; when workers come up again, so do jobs."""
    executor = make()
    with monkeypatch.context() as patch:
        patch.setattr(worker_module, "_PROGRAM", "raise SystemExit(9)")
        executor.submit("a", "job_tasks:double", 1)
        outcome = log.outcomes(1)["a"]
    assert (outcome.status, outcome.cause) == (JobStatus.FAILED, FailureCause.CRASH)
    assert "ended with exit code 9, 3 times in a row" in (outcome.message or "")
    executor.submit("b", "job_tasks:double", 1)
    assert log.outcomes(2)["b"].result == 2


def test_a_defect_in_the_pool_leaves_nobody_waiting(
    make: Callable[..., ProcessExecutor], log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every job ends, no process is left, and the next job is refused."""
    before = children()
    executor = make()
    for number in range(5):
        executor.submit(str(number), "job_tasks:tell_pid_and_sleep", LONG_S)
    log.wait_for(Said, 2)
    monkeypatch.setattr(pool_module.Pool, "_hire", lambda self: 1 / 0)
    executor.cancel("4")
    outcomes = log.outcomes(5)
    assert Counter(outcome.status for outcome in outcomes.values()) == {JobStatus.FAILED: 4, JobStatus.CANCELLED: 1}
    assert "the pool of workers broke" in caplog.text
    with pytest.raises(RuntimeError, match="broke"):
        executor.submit("late", "job_tasks:double", 1)
    executor.close()
    assert children() == before


def test_a_job_that_takes_too_much_memory_is_ended_once_and_others_go_on(
    make: Callable[..., ProcessExecutor], log: Log
) -> None:
    """With its worker, which is replaced; it is not repeated, since it would do the same again."""
    executor = make(memory_limit_mb=300)
    executor.submit("greedy", "job_tasks:swell", 3_000)
    for number in range(10):
        executor.submit(str(number), "job_tasks:sleep", 0.05)
    outcomes = log.outcomes(11)
    greedy = outcomes.pop("greedy")
    assert (greedy.status, greedy.cause) == (JobStatus.FAILED, FailureCause.MEMORY)
    assert "more than the 300 MB of memory that a worker may have, and was ended" in (greedy.message or "")
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}
    (said,) = [each for each in log.of("greedy") if isinstance(each, Said)]
    assert left_after([said.message], 2.0) == []
    assert not [each for each in log.deliveries if isinstance(each, Lost)]


def test_a_job_within_its_memory_completes(make: Callable[..., ProcessExecutor], log: Log) -> None:
    """Negative control: it takes 200 MB, of 300 that it may; and the same job of 3,000 MB completes without a limit."""
    make(memory_limit_mb=300).submit("modest", "job_tasks:swell", 200)
    make().submit("unlimited", "job_tasks:swell", 600)
    assert {outcome.status for outcome in log.outcomes(2).values()} == {JobStatus.COMPLETED}


def test_an_allocation_beyond_twice_the_limit_fails_in_the_worker(
    make: Callable[..., ProcessExecutor], log: Log
) -> None:
    """At once, before any of it is used: however fast a task is, the machine survives. The worker goes on."""
    executor = make(1, memory_limit_mb=400)
    executor.submit("first", "job_tasks:serve", 0)
    executor.submit("huge", "job_tasks:reserve", 1_000)
    executor.submit("last", "job_tasks:serve", 0)
    outcomes = log.outcomes(3)
    assert outcomes["huge"].cause is FailureCause.MEMORY
    (first_pid, _), (last_pid, _) = outcomes["first"].result, outcomes["last"].result  # type: ignore[misc]
    assert first_pid == last_pid
    make(1).submit("huge without a limit", "job_tasks:reserve", 1_000)
    assert log.outcomes(4)["huge without a limit"].status is JobStatus.COMPLETED  # negative control


def test_the_memory_of_a_worker_is_its_own() -> None:
    """That of an interpreter that has just come up, and 0 once it has ended."""
    worker = worker_module.WorkerProcess(dict(os.environ), 0.0)
    try:
        worker.line.settimeout(40.0)
        assert [frame.kind for frame in worker.receive()] == [READY]
        assert 5 < worker.memory_mb() < 100
    finally:
        worker.process.kill()
        worker.process.wait()
        worker.line.close()
    assert worker.memory_mb() == 0.0
