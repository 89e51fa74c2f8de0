"""What only the executor with Dask workers can be asked: its package, its scheduler, workers that others look after."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import distributed  # noqa: F401 - its settings must be there before one of them is changed
import pytest
from tests.contract.dask_by_hand import ByHand
from tests.contract.executors import HASTE, LONG_S, Log, children, is_alive, left_after

from ecosystemiser.errors import FailureCause, InputError, WorkersGoneError
from ecosystemiser.jobs.executors import DaskExecutor, Ended, Lost, Patience, Said, Started
from ecosystemiser.jobs.executors import dask_pool as pool_module
from ecosystemiser.jobs.states import JobStatus, Outcome
from ecosystemiser.services.job_facade import JobFacade

Make = Callable[..., DaskExecutor]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[ByHand]:
    with ByHand(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def make(log: Log) -> Iterator[Make]:
    made: list[DaskExecutor] = []

    def one(address: str, workers: int | None = None, patience: Patience = HASTE) -> DaskExecutor:
        made.append(DaskExecutor(address, workers, patience=patience))
        made[-1].listen(log)
        return made[-1]

    yield one
    for executor in made:
        executor.close()


def test_a_missing_package_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"needs the package distributed.*; install it: pip install ecosystemiser\[d"):
        JobFacade("dask")


def test_an_executor_that_never_had_a_job_costs_nothing() -> None:
    before = children()
    executor = DaskExecutor(workers=2)
    executor.cancel("nothing")
    executor.close()
    assert children() == before
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit("a", "job_tasks:double", 1)
    with pytest.raises(ValueError, match="workers is 0; give 1 or more"):
        DaskExecutor(workers=0)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x:1"])
def test_an_address_without_a_scheduler_is_told(address: str, log: Log) -> None:
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}), DaskExecutor(address) as executor:
        executor.listen(log)
        with pytest.raises(InputError, match=rf"address: '{address}' is no Dask scheduler that answers .*; give the "):
            executor.submit("a", "job_tasks:double", 1)
    assert log.deliveries == []


def test_a_facade_runs_jobs_on_a_cluster_of_its_own(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    before = children()
    with JobFacade("dask", workers=1) as facade:
        jobs = [facade.submit_job("job_tasks:serve", number) for number in range(3)]
        ended = list(facade.wait(jobs))
        results: list[Any] = [job.result for job in ended]
        assert len(children()) == len(before) + 1
    assert [served for _, served in results] == [1, 2, 3]  # by one worker, which keeps its globals
    assert {pid for pid, _ in results}.isdisjoint({os.getpid()})
    assert children() == before


def test_a_defect_in_the_pool_leaves_nobody_waiting(
    by_hand: ByHand, make: Make, log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every job ends, and the next one is refused."""
    by_hand.add_worker("--nthreads", "1")
    executor = make(by_hand.address)
    for number in range(4):
        executor.submit(str(number), "job_tasks:tell_pid_and_sleep", LONG_S)
    log.wait_for(Said)
    monkeypatch.setattr(pool_module.DaskPool, "_hand_out", lambda self: 1 / 0)
    executor.submit("last", "job_tasks:double", 1)
    outcomes = log.outcomes(5)
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.FAILED}
    assert "the pool of Dask workers broke" in caplog.text
    with pytest.raises(RuntimeError, match="broke"):
        executor.submit("late", "job_tasks:double", 1)


def test_a_scheduler_that_dies_leaves_nobody_waiting(
    by_hand: ByHand, make: Make, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    by_hand.add_worker("--nthreads", "1")
    executor = make(by_hand.address)
    for number in range(4):
        executor.submit(str(number), "job_tasks:wait_until_told", LONG_S)
    log.wait_for(Said)
    by_hand.scheduler.kill()
    outcomes = log.outcomes(4)
    assert {(outcome.status, outcome.cause) for outcome in outcomes.values()} == {
        (JobStatus.FAILED, FailureCause.CRASH)
    }
    assert f"the Dask scheduler at {by_hand.address} is gone" in (executor.trouble or "")
    with pytest.raises(WorkersGoneError, match=r"is gone .*; start one"):
        executor.submit("late", "job_tasks:double", 1)


def test_jobs_wait_for_workers_but_not_for_ever(by_hand: ByHand, make: Make, log: Log) -> None:
    """Nobody has started a worker; when one comes, jobs run."""
    executor = make(by_hand.address, None, Patience(start_s=1.5))
    for name in ("a", "b"):
        executor.submit(name, "job_tasks:double", 1)
    outcomes = log.outcomes(2)
    assert {outcome.cause for outcome in outcomes.values()} == {FailureCause.CRASH}
    assert "no Dask worker has come up for 1.5 s; start one with `dask worker ADDRESS" in (outcomes["a"].message or "")
    by_hand.add_worker("--nthreads", "1")
    executor.submit("c", "job_tasks:double", 1)
    assert log.outcomes(3)["c"].result == 2


def test_what_dask_repeats_by_itself_is_told_and_counted(by_hand: ByHand, make: Make, log: Log) -> None:
    """By default Dask repeats a task three times: four deaths, of which the last three are alone; others complete."""
    by_hand.add_worker("--nthreads", "1")
    by_hand.add_worker("--nthreads", "1")
    executor = make(by_hand.address)
    executor.submit("poison", "job_tasks:die", "kill")
    for number in range(10):
        executor.submit(str(number), "job_tasks:sleep", 0.01)
    outcomes = log.outcomes(11, within_s=90)
    poison = outcomes.pop("poison")
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}
    assert (poison.status, poison.cause) == (JobStatus.FAILED, FailureCause.CRASH)
    assert [type(each) for each in log.of("poison")] == [Started, Lost] * 3 + [Started, Ended]
    assert [each.attempt for each in log.of("poison") if isinstance(each, Started)] == [1, 2, 3, 4]


def test_a_worker_with_many_threads_runs_our_tasks_one_at_a_time(by_hand: ByHand, make: Make, log: Log) -> None:
    """They may keep things in globals that one thread only can use."""
    by_hand.add_worker("--nthreads", "4")
    executor = make(by_hand.address, 4)
    for number in range(8):
        executor.submit(str(number), "job_tasks:alone", 0.05)
    assert Counter(outcome.result for outcome in log.outcomes(8).values()) == {0: 8}


def test_a_worker_without_a_nanny_ends_itself(by_hand: ByHand, make: Make, log: Log) -> None:
    """Nobody starts another, as Dask has it; the job ends in time, and another worker takes the next."""
    by_hand.add_worker("--nthreads", "1", "--no-nanny")
    executor = make(by_hand.address)
    executor.submit("deaf", "job_tasks:tell_pid_and_sleep", LONG_S, time_limit_s=0.3)
    (said,) = log.wait_for(Said)
    assert is_alive(said.message)  # negative control
    assert log.outcomes(1)["deaf"].cause is FailureCause.TIMEOUT
    assert left_after([said.message], 2.0) == []
    by_hand.add_worker("--nthreads", "1")
    executor.submit("next", "job_tasks:double", 2)
    assert log.outcomes(2)["next"].result == 4


def test_a_job_cancelled_before_dask_began_it_never_starts(by_hand: ByHand, make: Make, log: Log) -> None:
    """It was handed to Dask, where it stood behind another's work."""
    by_hand.add_worker("--nthreads", "1")
    executor = make(by_hand.address, 2)
    executor.submit("first", "job_tasks:wait_until_told", LONG_S)
    log.wait_for(Said)
    executor.submit("second", "job_tasks:double", 1)
    executor.submit("third", "job_tasks:double", 1)
    executor.cancel("third")
    executor.cancel("second")
    outcomes = log.outcomes(2)
    never = Outcome(JobStatus.CANCELLED, message="cancelled before it ran")
    assert outcomes == {"second": never, "third": never}
    executor.cancel("first")
    assert log.outcomes(3)["first"].message == "stopped when asked"
    assert [each.job_id for each in log.deliveries if isinstance(each, Started)] == ["first"]
