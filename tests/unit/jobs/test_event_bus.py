"""The event bus: order, types, bad subscribers, threads."""

from __future__ import annotations

import logging
import threading

import pytest

from ecosystemiser.jobs.bus import KEPT_FAILURES, EventBus
from ecosystemiser.jobs.events import Event, JobEvent, JobStarted, JobSubmitted, RunStarted


def started(number: int) -> JobStarted:
    return JobStarted(attempt=number)


def test_a_subscriber_receives_its_type_and_all_below_it() -> None:
    bus = EventBus()
    everything: list[Event] = []
    jobs: list[Event] = []
    only: list[Event] = []
    bus.subscribe(Event, everything.append)
    bus.subscribe(JobEvent, jobs.append)
    bus.subscribe(JobStarted, only.append)
    a, b, c = started(1), JobSubmitted(task="m:f"), RunStarted()
    for event in (a, b, c):
        bus.publish(event)
    assert (everything, jobs, only) == ([a, b, c], [a, b], [a])


def test_unsubscribing_ends_the_calls_and_may_be_repeated() -> None:
    bus = EventBus()
    seen: list[Event] = []
    unsubscribe = bus.subscribe(Event, seen.append)
    bus.publish(started(1))
    unsubscribe()
    unsubscribe()
    bus.publish(started(2))
    assert len(seen) == 1


def test_record_holds_what_was_published_inside() -> None:
    bus = EventBus()
    bus.publish(started(1))
    with bus.record() as seen:
        bus.publish(started(2))
    bus.publish(started(3))
    assert seen == [seen[0]]
    assert isinstance(seen[0], JobStarted)
    assert seen[0].attempt == 2


def test_a_subscriber_that_raises_harms_nobody_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Its failures are kept; the others receive everything."""
    bus = EventBus()

    def bad(event: Event) -> None:
        raise RuntimeError("broken")

    bus.subscribe(Event, bad)
    with caplog.at_level(logging.ERROR), bus.record() as seen:
        for number in range(3):
            bus.publish(started(number))
    assert len(seen) == 3
    assert [str(failure.error) for failure in bus.failures] == ["broken"] * 3
    assert bus.failures[0].event is seen[0]
    assert len(caplog.records) == 1
    assert "bad failed on JobStarted" in caplog.text
    for number in range(2 * KEPT_FAILURES):
        bus.publish(started(number))
    assert len(bus.failures) == KEPT_FAILURES


def test_every_subscriber_sees_the_same_order_when_a_subscriber_publishes() -> None:
    """What is published inside a callback comes after what is being delivered, for all."""
    bus = EventBus()
    first: list[int] = []
    last: list[int] = []

    def answer(event: JobStarted) -> None:
        first.append(event.attempt)
        if event.attempt < 3:
            bus.publish(started(event.attempt + 1))

    bus.subscribe(JobStarted, answer)
    bus.subscribe(JobStarted, lambda event: last.append(event.attempt))
    bus.publish(started(1))
    assert first == last == [1, 2, 3]


def test_events_of_many_threads_arrive_all_and_in_the_same_order_for_all() -> None:
    """Those of one thread in its order."""
    bus = EventBus()
    one: list[tuple[str | None, int]] = []
    two: list[tuple[str | None, int]] = []
    bus.subscribe(JobStarted, lambda event: one.append((event.job_id, event.attempt)))
    bus.subscribe(JobStarted, lambda event: two.append((event.job_id, event.attempt)))

    def publish(name: str) -> None:
        for number in range(500):
            bus.publish(JobStarted(job_id=name, attempt=number))

    threads = [threading.Thread(target=publish, args=(str(name),)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one == two
    assert all([n for name, n in one if name == str(each)] == list(range(500)) for each in range(4))


def test_a_subscriber_may_wait_for_a_thread_that_publishes() -> None:
    """No lock is held while a subscriber runs."""
    bus = EventBus()
    seen: list[int] = []

    def wait_for_another(event: JobStarted) -> None:
        seen.append(event.attempt)
        if event.attempt == 1:
            thread = threading.Thread(target=bus.publish, args=(started(2),))
            thread.start()
            thread.join(timeout=10)
            assert not thread.is_alive()

    bus.subscribe(JobStarted, wait_for_another)
    bus.publish(started(1))
    assert seen == [1, 2]
    assert not bus.failures


def test_ctrl_c_in_a_subscriber_goes_its_way_and_leaves_the_bus_usable() -> None:
    bus = EventBus()

    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    unsubscribe = bus.subscribe(Event, interrupt)
    with pytest.raises(KeyboardInterrupt):
        bus.publish(started(1))
    unsubscribe()
    with bus.record() as seen:
        bus.publish(started(2))
    assert len(seen) == 1
