"""How everything here is timed, and what a measurement hands back.

Two things are compared by turns, A B A B, so that whatever else the machine does meets both alike. Each is called
first without counting (compilation, caches, imports); what a call returns lives until its clock has stopped, so that
neither pays for throwing away. Ratios are of medians; their spread is that of the ratios of single turns.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

__all__ = ["QUICK", "Effort", "Limit", "Pair", "Row", "Verdict", "by_turns", "peak_mb", "quartiles", "seconds_of"]

Work = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How much is measured; `quick` shows that all of it works, its figures mean little."""

    steps: int = 8760
    lanes: int = 1000
    """Variations of a batch."""
    long_repeats: int = 5
    """Turns of what takes seconds."""
    short_repeats: int = 15
    """Turns of what takes a second or less."""
    many_repeats: int = 200
    """Turns of what takes milliseconds."""

    @property
    def is_full(self) -> bool:
        """Whether the figures are those that the limits are meant for."""
        return self == Effort()


QUICK = Effort(steps=168, lanes=96, long_repeats=2, short_repeats=3, many_repeats=10)


def peak_mb(pid: int | str = "self") -> float:
    """Return the most memory that a process has had since its program began. [MB]

    What getrusage tells of a child begins with the peak of the parent that it was forked from.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def seconds_of(work: Work, *, tidy: bool = True) -> float:
    """Return how long one call takes on the wall clock. [s]

    `tidy` collects garbage first, so that nobody pays for another's; off for what takes milliseconds, since it also
    empties the processor's caches.
    """
    if tidy:
        gc.collect()
    begin = time.perf_counter()
    kept = work()
    seconds = time.perf_counter() - begin
    del kept
    return seconds


@dataclass(frozen=True)
class Pair:
    """Seconds of two things done by turns."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ours_s(self) -> float:
        """Median of ours. [s]"""
        return statistics.median(self.ours)

    @property
    def peer_s(self) -> float:
        """Median of the peer's. [s]"""
        return statistics.median(self.peer)

    @property
    def ratio(self) -> float:
        """Median of ours over median of the peer's."""
        return self.ours_s / self.peer_s

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ratio of each turn."""
        return tuple(one / other for one, other in zip(self.ours, self.peer, strict=True))

    @property
    def spread(self) -> float:
        """Half of what the middle half of the turns' ratios span."""
        low, high = quartiles(self.ratios)
        return (high - low) / 2

    def details(self) -> dict[str, Any]:
        """Return all turns for the JSON file."""
        return {"ours_s": list(self.ours), "peer_s": list(self.peer), "ratio_spread": self.spread}


def by_turns(ours: Work, peer: Work, repeats: int, *, warm_ups: int = 1, tidy: bool = True) -> Pair:
    """Time `ours` and `peer` by turns, after calls of both that do not count."""
    for _ in range(warm_ups):
        ours()
        peer()
    turns = [(seconds_of(ours, tidy=tidy), seconds_of(peer, tidy=tidy)) for _ in range(repeats)]
    return Pair(tuple(one for one, _ in turns), tuple(other for _, other in turns))


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile; of a single value, that value twice."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


class Limit(StrEnum):
    """What of a row is held against its limit."""

    RATIO = "ratio"
    """Ours over the peer's."""
    VALUE = "value"
    """Ours as it stands, in the row's unit."""
    DIFFERENCE = "difference"
    """Distance between the two over the peer's size."""


class Verdict(StrEnum):
    """How a row stands."""

    OK = "ok"
    MISSED = "MISSED"
    INFORMATIVE = "-"
    SKIPPED = "skipped"
    FAILED = "FAILED"
    """Measuring it raised."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    ours: float | None = None
    peer: float | None = None
    unit: str = "s"
    limit: float | None = None
    """The most that is allowed; None for a row that informs."""
    holds: Limit = Limit.RATIO
    spread: float | None = None
    note: str = ""
    """One line below the table: why it was skipped, what else was found."""
    has_failed: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def measured(self) -> float | None:
        """What is held against the limit."""
        if self.ours is None:
            return None
        if self.holds is Limit.VALUE:
            return self.ours
        if self.peer is None:
            return None
        if self.holds is Limit.RATIO:
            return self.ours / self.peer
        return abs(self.ours - self.peer) / max(abs(self.peer), 1e-300)

    @property
    def verdict(self) -> Verdict:
        """Whether the limit is kept; a NaN misses it."""
        if self.has_failed:
            return Verdict.FAILED
        if self.ours is None:
            return Verdict.SKIPPED
        if self.limit is None or self.measured is None:
            return Verdict.INFORMATIVE
        return Verdict.OK if self.measured <= self.limit else Verdict.MISSED
