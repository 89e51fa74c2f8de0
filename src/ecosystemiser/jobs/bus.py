"""The event bus: whoever publishes an event does not know who listens."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from ecosystemiser.jobs.events import Event

__all__ = ["EventBus", "SubscriberFailure"]

E = TypeVar("E", bound=Event)

KEPT_FAILURES = 100
"""Failures that a bus remembers; an older one gives way."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SubscriberFailure:
    """A subscriber raised `error` on `event`."""

    subscriber: str
    event: Event
    error: Exception


@dataclass(eq=False)
class _Subscription:
    kind: type[Event]
    callback: Callable[[Event], object]
    is_active: bool = True
    has_failed: bool = False


class EventBus:
    """Delivers events to subscribers, in the order in which they were published, whatever thread they come from.

    Every subscriber sees the same order. When `publish` returns, the event was delivered, or the thread that is
    delivering at that moment (this one, where a subscriber publishes) delivers it next; so nothing ever waits for
    a lock that a subscriber holds. A subscriber that raises harms neither the publisher nor other subscribers.
    """

    def __init__(self) -> None:
        self.failures: deque[SubscriberFailure] = deque(maxlen=KEPT_FAILURES)
        """What subscribers raised, newest last. The first failure of each subscriber is also logged."""
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._waiting: deque[Event] = deque()
        self._is_delivering = False
        self._lock = threading.Lock()

    def subscribe(self, event_type: type[E], callback: Callable[[E], object]) -> Callable[[], None]:
        """Call `callback` with every later event of `event_type` or a type below it; return what ends that.

        The callback runs in the thread that publishes. It should be quick; it may publish, subscribe, unsubscribe.
        """
        subscription = _Subscription(event_type, callback)  # type: ignore[arg-type] # only ever called with an E
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)

        def unsubscribe() -> None:
            subscription.is_active = False
            with self._lock:
                self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Deliver `event` to all who subscribed to its type or one above it. Never raises what subscribers raise."""
        with self._lock:
            self._waiting.append(event)
            if self._is_delivering:
                return
            self._is_delivering = True
        try:
            self._deliver_all()
        except BaseException:  # Ctrl-C in a subscriber: it goes on its way, and the bus stays usable
            self._is_delivering = False
            raise

    @contextmanager
    def record(self) -> Iterator[list[Event]]:
        """Yield a list that receives every event published inside the `with` block."""
        seen: list[Event] = []
        unsubscribe = self.subscribe(Event, seen.append)
        try:
            yield seen
        finally:
            unsubscribe()

    def _deliver_all(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_delivering = False
                    return
                event = self._waiting.popleft()
                subscriptions = self._subscriptions
            for subscription in subscriptions:
                if subscription.is_active and isinstance(event, subscription.kind):
                    self._deliver(event, subscription)

    def _deliver(self, event: Event, subscription: _Subscription) -> None:
        try:
            subscription.callback(event)
        except Exception as error:  # noqa: BLE001 - whatever a subscriber raises stays with it
            name = getattr(subscription.callback, "__qualname__", repr(subscription.callback))
            self.failures.append(SubscriberFailure(name, event, error))
            if not subscription.has_failed:
                subscription.has_failed = True
                _log.exception("subscriber %s failed on %s; the work goes on", name, type(event).__name__)
