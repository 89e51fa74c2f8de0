"""Strategies that end in time, also where several processes share the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Sequence

from ecosystemiser.study.points import Point
from ecosystemiser.study.strategy import Kpis, Step, Strategy

__all__ = ["TimeLimited"]


class TimeLimited:
    """A strategy that begins no batch after its time is over, but for what is known already."""

    def __init__(
        self,
        strategy: Strategy,
        limit_s: float,
        *,
        spent_s: float = 0.0,
        known: Container[int] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`spent_s`: what earlier processes took of the time, for the points whose numbers are `known`."""
        self._strategy, self._limit_s, self._spent_s, self._clock = strategy, limit_s, spent_s, clock
        self._known = known

    @property
    def size(self) -> int | None:
        """Not known: it depends on time."""
        return None

    @property
    def steps(self) -> Sequence[Step]:
        """What is known after each batch."""
        return self._strategy.steps

    @property
    def stopped_because(self) -> str | None:
        """Why it asks for no more, though there could be more points."""
        return self._strategy.stopped_because

    def ask(self) -> Iterator[list[Point]]:
        """Yield the batches that begin in time."""
        begin = self._clock()
        for points in self._strategy.ask():
            is_new = any(point.number not in self._known for point in points)
            if is_new and self._spent_s + self._clock() - begin >= self._limit_s:
                self._strategy.stop(f"{self._limit_s:g} s are over (time_limit_s)")
                return
            yield points

    def tell(self, point: Point, kpis: Kpis | None) -> None:
        """Hear the KPIs of a point; None where it failed."""
        self._strategy.tell(point, kpis)

    def stop(self, reason: str) -> None:
        """Ask for no more."""
        self._strategy.stop(reason)
