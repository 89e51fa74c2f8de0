"""What every executor promises, and what those promise that say so in their capabilities."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.executors import (
    Delivery,
    Ended,
    Executor,
    InlineExecutor,
    Lost,
    Patience,
    ProcessExecutor,
    Said,
    Started,
)
from ecosystemiser.jobs.executors import pool as pool_module
from ecosystemiser.jobs.executors import worker_process as worker_module
from ecosystemiser.jobs.states import JobStatus, Outcome

TASKS = Path(__file__).parents[1] / "unit" / "jobs"
HASTE = Patience(cancel_grace_s=0.3, close_grace_s=0.3, limit_factor=1.0, limit_slack_s=0.3)
MEMBERS: dict[str, Callable[[], Executor]] = {
    "inline": InlineExecutor,
    "process": lambda: ProcessExecutor(2, patience=HASTE),
}
LONG_S = 30.0
"""Longer than any test; what takes so long is ended from outside. [s]"""


class Log:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self._changed = threading.Condition()

    def __call__(self, delivery: Delivery) -> None:
        with self._changed:
            self.deliveries.append(delivery)
            self._changed.notify_all()

    def wait_for(self, kind: type[Delivery], count: int = 1, within_s: float = 20.0) -> Any:
        """Return the deliveries of a kind when there are `count`; a job that never ends fails here, not hangs."""

        def found() -> list[Delivery]:
            return [each for each in self.deliveries if isinstance(each, kind)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, within_s), self.deliveries[-5:]
            return found()

    def outcomes(self, count: int, within_s: float = 20.0) -> dict[str, Outcome]:
        return {each.job_id: each.outcome for each in self.wait_for(Ended, count, within_s=within_s)}

    def of(self, job_id: str) -> list[Delivery]:
        return [each for each in self.deliveries if each.job_id == job_id]


@pytest.fixture(autouse=True)
def _tasks_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TASKS))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture(params=MEMBERS)
def executor(request: pytest.FixtureRequest, log: Log) -> Iterator[Executor]:
    with MEMBERS[request.param]() as member:
        member.listen(log)
        yield member


@pytest.fixture(params=[name for name, make in MEMBERS.items() if make().capabilities.survives_dead_workers])
def sturdy(request: pytest.FixtureRequest, log: Log) -> Iterator[Executor]:
    """An executor that survives dead workers and enforces time limits."""
    with MEMBERS[request.param]() as member:
        member.listen(log)
        yield member


def keeps_the_order(deliveries: list[Delivery], messages: int) -> bool:
    """Whether this is Started, the messages 0, 1, 2 ..., Ended, and nothing else."""
    middle = deliveries[1:-1]
    return (
        isinstance(deliveries[0], Started)
        and [each.message if isinstance(each, Said) else None for each in middle] == list(range(messages))
        and isinstance(deliveries[-1], Ended)
    )


# Every executor.


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


def test_a_listener_that_raises_harms_no_job(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """All jobs run to their end."""
    for make in MEMBERS.values():
        ended = threading.Semaphore(0)

        def listen(delivery: Delivery, ended: threading.Semaphore = ended) -> None:
            if isinstance(delivery, Ended):
                ended.release()
            raise RuntimeError("a bad listener")

        with make() as executor:
            executor.listen(listen)
            for number in range(3):
                executor.submit(str(number), "job_tasks:double", number)
            assert all(ended.acquire(timeout=10) for _ in range(3))
    assert "the listener failed" in caplog.text


def test_an_executor_has_one_listener_and_no_jobs_when_closed(executor: Executor, log: Log) -> None:
    """Misuse is told; closing twice is none."""
    with pytest.raises(RuntimeError, match="has a listener"):
        executor.listen(log)
    executor.close()
    executor.close()
    with pytest.raises(RuntimeError, match="closed"):
        executor.submit("a", "job_tasks:double", 1)


def test_many_small_jobs_cost_little(executor: Executor, log: Log) -> None:
    """5,000 jobs, each ending once with its own result, at less than a millisecond each."""
    executor.submit("first", "job_tasks:double", 0)
    log.outcomes(1)
    begin = time.perf_counter()
    for number in range(5000):
        executor.submit(str(number), "job_tasks:double", number)
    outcomes = log.outcomes(5001)
    seconds = time.perf_counter() - begin
    assert [outcomes[str(number)].result for number in range(5000)] == [2 * number for number in range(5000)]
    assert set(Counter(each.job_id for each in log.deliveries if isinstance(each, Ended)).values()) == {1}
    assert seconds < 5


def test_large_payloads_messages_and_results_pass(executor: Executor, log: Log) -> None:
    """20 MB each way, several at a time: more than any buffer holds."""
    for number in range(4):
        executor.submit(str(number), "job_tasks:give_back", bytes([number]) * 20_000_000)
    outcomes = log.outcomes(4)
    assert all(outcomes[str(number)].result == bytes([number]) * 20_000_000 for number in range(4))
    said = {each.job_id: each.message for each in log.wait_for(Said, 4)}
    assert all(said[str(number)] == outcomes[str(number)].result for number in range(4))


# Executors whose `submit` returns at once.


@pytest.fixture
def single(log: Log) -> Iterator[ProcessExecutor]:
    """One worker only."""
    with ProcessExecutor(1, patience=HASTE) as member:
        member.listen(log)
        yield member


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


def test_a_worker_serves_many_jobs_and_keeps_its_globals(single: Executor, log: Log) -> None:
    for number in range(10):
        single.submit(str(number), "job_tasks:serve", number)
    results: list[Any] = [log.outcomes(10)[str(number)].result for number in range(10)]
    assert len({pid for pid, _ in results}) == 1
    assert [served for _, served in results] == list(range(1, 11))
    assert results[0][0] != os.getpid()


def test_no_job_waits_behind_a_long_one_while_a_worker_is_idle(sturdy: Executor, log: Log) -> None:
    sturdy.submit("long", "job_tasks:sleep", 3.0)
    for number in range(50):
        sturdy.submit(str(number), "job_tasks:double", number)
    endings = log.wait_for(Ended, 50, within_s=2.9)
    assert "long" not in {each.job_id for each in endings}


def test_closing_ends_everything_within_five_seconds(log: Log) -> None:
    """Waiting jobs are cancelled, one that holds the interpreter is killed, no process is left."""
    executor = ProcessExecutor(2)
    executor.listen(log)
    executor.submit("deaf", "job_tasks:hold_the_interpreter", 0)
    executor.submit("keen", "job_tasks:wait_until_told", LONG_S)
    for number in range(10):
        executor.submit(str(number), "job_tasks:double", number)
    pids = [each.message for each in log.wait_for(Said, 2)]
    begin = time.monotonic()
    executor.close()
    assert time.monotonic() - begin < 5
    outcomes = log.outcomes(12, within_s=0)
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.CANCELLED}
    assert not any(is_alive(pid) for pid in pids)
    assert children() == []


def test_idle_workers_go_by_themselves(sturdy: Executor, log: Log) -> None:
    """Closed without force: in less than the grace, and no child, not even a zombie, is left."""
    for number in range(4):
        sturdy.submit(str(number), "job_tasks:sleep", 0.05)
    log.outcomes(4)
    assert len(children()) == 2  # negative control: this is how workers are seen
    sturdy.close()
    assert children() == []


def test_an_executor_that_never_had_a_job_costs_nothing() -> None:
    executor = ProcessExecutor(2)
    executor.cancel("nothing")
    executor.close()
    with pytest.raises(ValueError, match="workers is 0; give 1 or more"):
        ProcessExecutor(0)


def test_workers_get_one_thread_each_before_they_import_anything(sturdy: Executor, log: Log) -> None:
    """And the environment of this process stays as it was."""
    before = dict(os.environ)
    sturdy.submit("a", "job_tasks:surroundings", None)
    found: Any = log.outcomes(1)["a"].result
    names = ("MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    assert [found[name] for name in names] == ["1"] * 4
    assert not found["numpy"]
    assert found["group"] != os.getpgid(0)  # so a Ctrl-C in the terminal does not reach it
    assert dict(os.environ) == before


def test_a_worker_ignores_ctrl_c_itself(sturdy: Executor, log: Log) -> None:
    """A SIGINT sent straight to it changes nothing."""
    sturdy.submit("a", "job_tasks:tell_pid_and_sleep", 0.3)
    os.kill(log.wait_for(Said)[0].message, signal.SIGINT)
    assert log.outcomes(1)["a"] == Outcome(JobStatus.COMPLETED, "slept")


# Executors that survive dead workers and enforce time limits.


@pytest.mark.parametrize("way", ["kill", "exit", "segfault"])
def test_a_job_that_kills_its_worker_every_time_fails_alone(sturdy: Executor, log: Log, way: str) -> None:
    """It is tried once in company and three times with nothing else running; all others complete."""
    for number in range(30):
        sturdy.submit(str(number), "job_tasks:sleep", 0.002)
        if number == 10:
            sturdy.submit("poison", "job_tasks:die", way)
    outcomes = log.outcomes(31)
    poison = outcomes.pop("poison")
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}
    assert (poison.status, poison.cause) == (JobStatus.FAILED, FailureCause.CRASH)
    how = {"kill": "SIGKILL", "exit": "exit code 5", "segfault": "SIGSEGV"}[way]
    assert how in (poison.message or "")
    assert "3 times with nothing else running" in (poison.message or "")
    assert [type(each) for each in log.of("poison")] == [Started, Lost] * 3 + [Started, Ended]
    assert running_beside("poison", log.deliveries, attempt=2) == set()


def running_beside(job_id: str, deliveries: list[Delivery], attempt: int) -> set[str]:
    """Return the other jobs that ran while the job was at this attempt or a later one."""
    running: set[str] = set()
    beside: set[str] = set()
    is_on = False
    for each in deliveries:
        if each.job_id == job_id:
            is_on = isinstance(each, Started) and each.attempt >= attempt
        elif isinstance(each, Started):
            running.add(each.job_id)
        elif isinstance(each, Ended | Lost):
            running.discard(each.job_id)
        if is_on:
            beside |= running
    return beside


def test_the_check_for_company_sees_company() -> None:
    """Negative control of the check above."""
    deliveries: list[Delivery] = [Started(job_id="a", attempt=1), Started(job_id="poison", attempt=2)]
    assert running_beside("poison", deliveries, attempt=2) == {"a"}
    assert running_beside("poison", deliveries, attempt=3) == set()


def test_two_suspects_run_one_at_a_time(sturdy: Executor, log: Log) -> None:
    """Two poisons and twenty others: the others complete, the poisons never meet again."""
    for name in ("poison-1", "poison-2"):
        sturdy.submit(name, "job_tasks:die", "kill")
    for number in range(20):
        sturdy.submit(str(number), "job_tasks:double", number)
    outcomes = log.outcomes(22)
    assert Counter(outcome.status for outcome in outcomes.values()) == {JobStatus.COMPLETED: 20, JobStatus.FAILED: 2}
    assert running_beside("poison-1", log.deliveries, attempt=2) == set()
    assert running_beside("poison-2", log.deliveries, attempt=2) == set()


def test_one_worker_killed_among_a_hundred_jobs(sturdy: Executor, log: Log) -> None:
    """kill -9 from outside: all 100 complete, the one that the worker had in hand at its second attempt."""
    for number in range(100):
        sturdy.submit(str(number), "job_tasks:tell_pid_and_sleep", 0.01)
    victim = log.wait_for(Said, 20)[-1]
    os.kill(victim.message, signal.SIGKILL)
    outcomes = log.outcomes(100)
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}
    lost = log.wait_for(Lost)
    assert len(lost) == 1  # negative control: the worker did die with a job
    assert "SIGKILL" in lost[0].message
    assert victim.message not in {each.message for each in log.of(lost[0].job_id)[3:] if isinstance(each, Said)}


def test_workers_killed_at_random_lose_no_job(sturdy: Executor, log: Log) -> None:
    """Eight kills of workers that are up, idle or busy, at random moments: every job ends, once, and completes."""
    chance = random.Random(7)  # noqa: S311 - no secret
    for number in range(300):
        sturdy.submit(str(number), "job_tasks:tell_pid_and_sleep", 0.01)
    killed: set[int] = set()
    while len(killed) < 8:
        time.sleep(chance.uniform(0.01, 0.05))
        pid = chance.choice(log.wait_for(Said)[-2:]).message
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
    assert len(log.deliveries) < 900  # negative control: there was still work
    outcomes = log.outcomes(300)
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}
    assert set(Counter(each.job_id for each in log.deliveries if isinstance(each, Ended)).values()) == {1}


def test_a_job_that_died_once_completes_at_its_second_attempt(sturdy: Executor, log: Log, tmp_path: Path) -> None:
    sturdy.submit("a", "job_tasks:die_once", str(tmp_path / "died"))
    assert log.outcomes(1)["a"] == Outcome(JobStatus.COMPLETED, 2)


@pytest.mark.parametrize("task", ["job_tasks:sleep", "job_tasks:hold_the_interpreter"])
def test_a_job_that_ignores_its_time_limit_is_ended_from_outside(sturdy: Executor, log: Log, task: str) -> None:
    """Also while it lets no other thread of its process run; others go on."""
    begin = time.monotonic()
    sturdy.submit("deaf", task, LONG_S, time_limit_s=0.3)
    for number in range(20):
        sturdy.submit(str(number), "job_tasks:sleep", 0.01)
    outcomes = log.outcomes(21)
    assert 0.6 <= time.monotonic() - begin < 5
    deaf = outcomes.pop("deaf")
    assert (deaf.status, deaf.cause) == (JobStatus.FAILED, FailureCause.TIMEOUT)
    assert deaf.message == "did not stop at its time limit of 0.3 s and was ended after 0.6 s"
    assert {outcome.status for outcome in outcomes.values()} == {JobStatus.COMPLETED}


def test_the_time_limit_is_enforced_at_one_and_a_half_times_and_ten_seconds() -> None:
    """The figures that stand in the promise."""
    patience = Patience()
    assert (patience.limit_factor, patience.limit_slack_s, patience.deaths_alone) == (1.5, 10.0, 3)


def test_a_cancelled_job_that_does_not_stop_is_ended(sturdy: Executor, log: Log) -> None:
    """After the grace, with its worker; another worker takes the next job."""
    sturdy.submit("deaf", "job_tasks:hold_the_interpreter", LONG_S)
    pid = log.wait_for(Said)[0].message
    sturdy.cancel("deaf")
    outcome = log.outcomes(1, within_s=5)["deaf"]
    assert outcome == Outcome(JobStatus.CANCELLED, message="did not stop when asked; its worker was killed")
    assert not is_alive(pid)
    sturdy.submit("next", "job_tasks:double", 2)
    assert log.outcomes(2)["next"].result == 4


def test_a_frozen_worker_holds_up_nobody(sturdy: Executor, log: Log) -> None:
    """Stopped by a signal with a payload larger than its socket holds on the way: others go on, its limit holds."""
    sturdy.submit("first", "job_tasks:tell_pid_and_sleep", 0)
    pid = log.wait_for(Said)[0].message
    log.outcomes(1)
    os.kill(pid, signal.SIGSTOP)
    sturdy.submit("frozen", "job_tasks:give_back", bytes(20_000_000), time_limit_s=0.5)
    for number in range(20):
        sturdy.submit(str(number), "job_tasks:double", number)
    outcomes = log.outcomes(22)
    assert Counter(outcome.cause for outcome in outcomes.values()) == {None: 21, FailureCause.TIMEOUT: 1}


def test_workers_that_do_not_come_up_fail_their_jobs(
    sturdy: Executor, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said with the exit code; when workers come up again, so do jobs."""
    with monkeypatch.context() as patch:
        patch.setattr(worker_module, "_PROGRAM", "raise SystemExit(9)")
        sturdy.submit("a", "job_tasks:double", 1)
        outcome = log.outcomes(1)["a"]
    assert (outcome.status, outcome.cause) == (JobStatus.FAILED, FailureCause.CRASH)
    assert "ended with exit code 9, 3 times in a row" in (outcome.message or "")
    sturdy.submit("b", "job_tasks:double", 1)
    assert log.outcomes(2)["b"].result == 2


def test_a_defect_in_the_pool_leaves_nobody_waiting(
    sturdy: Executor, log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every job ends, no process is left, and the next job is refused."""
    for number in range(5):
        sturdy.submit(str(number), "job_tasks:tell_pid_and_sleep", LONG_S)
    log.wait_for(Said, 2)
    monkeypatch.setattr(pool_module.Pool, "_hire", lambda self: 1 / 0)
    sturdy.cancel("4")
    outcomes = log.outcomes(5)
    assert Counter(outcome.status for outcome in outcomes.values()) == {JobStatus.FAILED: 4, JobStatus.CANCELLED: 1}
    assert "the pool of workers broke" in caplog.text
    with pytest.raises(RuntimeError, match="broke"):
        sturdy.submit("late", "job_tasks:double", 1)
    sturdy.close()
    assert children() == []


# Whole programs.

PROGRAM = f"""
import sys, time
sys.path.insert(0, {str(TASKS)!r})
from ecosystemiser.jobs.executors import ProcessExecutor, Said, Ended
print("main runs", flush=True)
executor = ProcessExecutor(2)
def tell(delivery):
    if isinstance(delivery, Said):
        print(delivery.message, flush=True)
    if isinstance(delivery, Ended):
        print(delivery.outcome.status, flush=True)
executor.listen(tell)
for number in range(2):
    executor.submit(str(number), sys.argv[1], float(sys.argv[2]))
time.sleep(float(sys.argv[3]))
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a script that does not guard its main part, and does not close its executor."""
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    started: list[subprocess.Popen[str]] = []

    def start(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(script), *map(str, words)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()  # not for the end of its output, which a worker left over would keep open
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def first_lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


@pytest.mark.parametrize("task", ["job_tasks:wait_until_told", "job_tasks:hold_the_interpreter"])
def test_no_worker_outlives_a_killed_parent(program: Callable[..., subprocess.Popen[str]], task: str) -> None:
    """Within 5 s after kill -9, also where compiled code lets no other thread of the worker run."""
    process = program(task, LONG_S, LONG_S)
    main, *pids = first_lines(process, 3)
    assert main == "main runs"
    assert all(is_alive(int(pid)) for pid in pids)  # negative control
    process.kill()
    process.wait()
    end = time.monotonic() + 5
    while any(is_alive(int(pid)) for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    left = [int(pid) for pid in pids if is_alive(int(pid))]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def test_a_program_that_closes_nothing_ends_by_itself(program: Callable[..., subprocess.Popen[str]]) -> None:
    """Its running jobs are cancelled, it exits with 0, its main part ran once only, it says nothing on stderr."""
    process = program("job_tasks:wait_until_told", LONG_S, 1.0)
    out, err = process.communicate(timeout=10)
    main, *pids, first, second = out.split("\n")[:-1]
    assert (main, first, second, len(pids)) == ("main runs", "cancelled", "cancelled", 2)
    assert (process.returncode, err) == (0, "")
    assert not any(is_alive(int(pid)) for pid in pids)


def test_ctrl_c_reaches_the_parent_only(program: Callable[..., subprocess.Popen[str]]) -> None:
    """A SIGINT to its whole process group: the parent ends its jobs and itself; no worker prints a traceback."""
    process = program("job_tasks:wait_until_told", LONG_S, LONG_S)
    _, *pids = first_lines(process, 3)
    assert all(is_alive(int(pid)) for pid in pids)
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert time.monotonic() - begin < 5
    assert out.split() == ["cancelled", "cancelled"]
    assert err.count("Traceback") == err.count("KeyboardInterrupt") == 1
    assert process.returncode == -signal.SIGINT
    assert not any(is_alive(int(pid)) for pid in pids)


def is_alive(pid: int) -> bool:
    """Whether there is such a process; a zombie counts as dead here, `children` sees it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children() -> list[int]:
    """Return the children of this process, zombies among them."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if (
                folder.name.isdigit()
                and int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
            ):
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
