"""What executors promise that run jobs in workers: they return at once, survive dead workers, enforce time limits."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.contract.executors import LONG_S, Log, Member, children, is_alive, left_after, running_beside

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors import Delivery, Ended, Executor, Lost, Patience, Said, Started
from ecosystemiser.jobs.states import JobStatus, Outcome


def test_a_cancelled_waiting_job_never_starts(single: Executor, log: Log, tmp_path: Path) -> None:
    """And the one that was not cancelled does: negative control."""
    single.submit("first", "job_tasks:sleep", 0.3)
    single.submit("never", "job_tasks:touch", str(tmp_path / "never"))
    single.submit("other", "job_tasks:touch", str(tmp_path / "other"))
    single.cancel("never")
    outcomes = log.outcomes(3)
    assert outcomes["never"].status is JobStatus.CANCELLED
    assert [type(each) for each in log.of("never")] == [Ended]
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_jobs_start_in_the_order_of_submission(single: Executor, log: Log) -> None:
    for number in range(200):
        single.submit(str(number), "job_tasks:double", number)
    log.outcomes(200)
    assert [each.job_id for each in log.deliveries if isinstance(each, Started)] == [str(n) for n in range(200)]


def test_a_worker_serves_many_jobs_and_keeps_its_globals(executor: Executor, log: Log) -> None:
    """In a process of its own, which counts what it has served."""
    for number in range(10):
        executor.submit(str(number), "job_tasks:serve", number)
    results: list[Any] = [log.outcomes(10)[str(number)].result for number in range(10)]
    counts: dict[int, list[int]] = {}
    for pid, served in results:
        counts.setdefault(pid, []).append(served)
    assert len(counts) <= 2
    assert os.getpid() not in counts
    assert all(sorted(each) == list(range(min(each), min(each) + len(each))) for each in counts.values())


def test_no_job_waits_behind_a_long_one_while_a_worker_is_idle(executor: Executor, log: Log) -> None:
    executor.submit("long", "job_tasks:wait_until_told", LONG_S)
    log.wait_for(Said)
    for number in range(50):
        executor.submit(str(number), "job_tasks:double", number)
    endings = log.wait_for(Ended, 50)
    assert "long" not in {each.job_id for each in endings}


def test_closing_ends_everything_within_five_seconds(own: Executor, log: Log) -> None:
    """Waiting jobs are cancelled, one that holds the interpreter is killed, no process is left."""
    before = children()
    own.submit("deaf", "job_tasks:hold_the_interpreter", 0)
    own.submit("keen", "job_tasks:wait_until_told", LONG_S)
    for number in range(10):
        own.submit(str(number), "job_tasks:double", number)
    pids = [each.message for each in log.wait_for(Said, 2)]
    assert children() > before  # negative control: this is how processes are seen
    begin = time.monotonic()
    own.close()
    assert time.monotonic() - begin < 5.5
    outcomes = log.outcomes(12, within_s=0)
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.CANCELLED}
    assert left_after(pids, 0.5) == []
    assert children() == before


def test_idle_workers_go_by_themselves(own: Executor, log: Log) -> None:
    """Closed without force: no child, not even a zombie, is left."""
    before = children()
    for number in range(4):
        own.submit(str(number), "job_tasks:tell_pid_and_sleep", 0.05)
    log.outcomes(4)
    assert children() > before
    own.close()
    assert children() == before
    assert left_after([each.message for each in log.wait_for(Said, 4)], 0.5) == []


def test_workers_get_one_thread_each_before_they_import_anything(executor: Executor, log: Log) -> None:
    """And the environment of this process stays as it was."""
    before = dict(os.environ)
    executor.submit("a", "job_tasks:surroundings", None)
    found: Any = log.outcomes(1)["a"].result
    names = ("MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    assert [found[name] for name in names] == ["1"] * 4
    assert found["group"] != os.getpgid(0)  # so a Ctrl-C in the terminal does not reach it
    assert dict(os.environ) == before


def test_a_worker_ignores_ctrl_c_itself(executor: Executor, log: Log) -> None:
    """A SIGINT sent straight to it changes nothing."""
    executor.submit("a", "job_tasks:tell_pid_and_sleep", 0.3)
    os.kill(log.wait_for(Said)[0].message, signal.SIGINT)
    assert log.outcomes(1)["a"] == Outcome(JobStatus.COMPLETED, "slept")


# Dead workers and time limits.


def test_the_time_limit_is_enforced_at_one_and_a_half_times_and_ten_seconds() -> None:
    """The figures that stand in the promise."""
    patience = Patience()
    assert (patience.limit_factor, patience.limit_slack_s, patience.deaths_alone) == (1.5, 10.0, 3)


def test_a_job_that_kills_its_worker_every_time_fails_alone(executor: Executor, log: Log) -> None:
    """It is tried once in company and three times with nothing else running; all others complete."""
    for number in range(30):
        executor.submit(str(number), "job_tasks:sleep", 0.002)
        if number == 10:
            executor.submit("poison", "job_tasks:die", "kill")
    outcomes = log.outcomes(31)
    poison = outcomes.pop("poison")
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}
    assert (poison.status, poison.cause) == (JobStatus.FAILED, FailureCause.CRASH)
    assert "3 times with nothing else running" in (poison.message or "")
    assert [type(each) for each in log.of("poison")] == [Started, Lost] * 3 + [Started, Ended]
    assert running_beside("poison", log.deliveries, attempt=2) == set()


@pytest.mark.parametrize(("way", "words"), [("kill", "SIGKILL"), ("exit", "exit code 5"), ("segfault", "SIGSEGV")])
def test_how_a_worker_died_is_said(executor: Executor, log: Log, way: str, words: str) -> None:
    executor.submit("poison", "job_tasks:die", way)
    outcome = log.outcomes(1)["poison"]
    assert outcome.cause is FailureCause.CRASH
    assert words in (outcome.message or "")


def test_the_check_for_company_sees_company() -> None:
    """Negative control of the check above."""
    deliveries: list[Delivery] = [Started(job_id="a", attempt=1), Started(job_id="poison", attempt=2)]
    assert running_beside("poison", deliveries, attempt=2) == {"a"}
    assert running_beside("poison", deliveries, attempt=3) == set()


def test_two_suspects_run_one_at_a_time(executor: Executor, log: Log) -> None:
    """Two poisons and twenty others: the others complete, the poisons never meet again."""
    for name in ("poison-1", "poison-2"):
        executor.submit(name, "job_tasks:die", "kill")
    for number in range(20):
        executor.submit(str(number), "job_tasks:double", number)
    outcomes = log.outcomes(22)
    assert Counter(outcome.status for outcome in outcomes.values()) == {JobStatus.COMPLETED: 20, JobStatus.FAILED: 2}
    assert running_beside("poison-1", log.deliveries, attempt=2) == set()
    assert running_beside("poison-2", log.deliveries, attempt=2) == set()


def test_one_worker_killed_among_a_hundred_jobs(executor: Executor, log: Log) -> None:
    """kill -9 from outside: all 100 complete, the one that the worker had in hand at its second attempt."""
    for number in range(100):
        executor.submit(str(number), "job_tasks:tell_pid_and_sleep", 0.01)
    victim = log.wait_for(Said, 20)[-1]
    os.kill(victim.message, signal.SIGKILL)
    outcomes = log.outcomes(100)
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}
    lost = log.wait_for(Lost)
    assert len(lost) == 1  # negative control: the worker did die with a job
    assert victim.message not in {each.message for each in log.of(lost[0].job_id)[3:] if isinstance(each, Said)}


def test_workers_killed_at_random_lose_no_job(member: Member, executor: Executor, log: Log) -> None:
    """Kills of workers that are up, idle or busy, at random moments: every job ends, once, and completes."""
    chance = random.Random(7)  # noqa: S311 - no secret
    for number in range(300):
        executor.submit(str(number), "job_tasks:tell_pid_and_sleep", 0.01)
    killed: set[int] = set()
    while len(killed) < member.kills:
        time.sleep(chance.uniform(0.01, 0.05))
        pid = chance.choice(log.wait_for(Said)[-2:]).message
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
    assert len(log.deliveries) < 900  # negative control: there was still work
    outcomes = log.outcomes(300, within_s=90)
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}
    assert set(Counter(each.job_id for each in log.deliveries if isinstance(each, Ended)).values()) == {1}


def test_a_job_that_died_once_completes_at_its_second_attempt(executor: Executor, log: Log, tmp_path: Path) -> None:
    executor.submit("a", "job_tasks:die_once", str(tmp_path / "died"))
    assert log.outcomes(1)["a"] == Outcome(JobStatus.COMPLETED, 2)


@pytest.mark.parametrize("task", ["job_tasks:sleep", "job_tasks:hold_the_interpreter"])
def test_a_job_that_ignores_its_time_limit_is_ended_from_outside(executor: Executor, log: Log, task: str) -> None:
    """Also while it lets no other thread of its process run; others go on."""
    executor.submit("deaf", task, LONG_S, time_limit_s=0.3)
    for number in range(20):
        executor.submit(str(number), "job_tasks:sleep", 0.01)
    outcomes = log.outcomes(21)
    begin, *_, end = log.of("deaf")
    assert 0.6 <= end.clock_s - begin.clock_s < 5
    deaf = outcomes.pop("deaf")
    assert (deaf.status, deaf.cause) == (JobStatus.FAILED, FailureCause.TIMEOUT)
    assert deaf.message == "did not stop at its time limit of 0.3 s and was ended after 0.6 s"
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}


def test_a_part_that_ignores_its_time_limit_is_ended_from_outside(executor: Executor, log: Log) -> None:
    executor.submit("deaf", "job_tasks:take_parts", (0.2, 0.2, LONG_S), time_limit_s=0.3)
    outcome = log.outcomes(1)["deaf"]
    begin, *_, end = log.of("deaf")
    assert 1.0 <= end.clock_s - begin.clock_s < 5
    assert (outcome.status, outcome.cause) == (JobStatus.FAILED, FailureCause.TIMEOUT)


def test_a_cancelled_job_that_does_not_stop_is_ended(executor: Executor, log: Log) -> None:
    """After the grace, with its worker; another worker takes the next job."""
    executor.submit("deaf", "job_tasks:hold_the_interpreter", LONG_S)
    pid = log.wait_for(Said)[0].message
    executor.cancel("deaf")
    outcome = log.outcomes(1, within_s=5)["deaf"]
    assert outcome == Outcome(JobStatus.CANCELLED, message="did not stop when asked; its worker was killed")
    assert left_after([pid], 2.0) == []
    executor.submit("next", "job_tasks:double", 2)
    assert log.outcomes(2)["next"].result == 4


def test_a_frozen_worker_holds_up_nobody(executor: Executor, log: Log) -> None:
    """Stopped by a signal with a payload larger than its socket holds on the way: others go on, its limit holds."""
    executor.submit("first", "job_tasks:tell_pid_and_sleep", 0)
    pid = log.wait_for(Said)[0].message
    log.outcomes(1)
    os.kill(pid, signal.SIGSTOP)
    executor.submit("frozen", "job_tasks:give_back", bytes(20_000_000), time_limit_s=0.5)
    for number in range(20):
        executor.submit(str(number), "job_tasks:double", number)
    outcomes = log.outcomes(22)
    assert Counter(outcome.cause for outcome in outcomes.values()) == {None: 21, FailureCause.TIMEOUT: 1}
