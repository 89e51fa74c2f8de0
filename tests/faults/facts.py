"""What came of a fault: counts, and every promise that was broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Facts", "Fault"]

MOST_SHOWN = 5


@dataclass
class Facts:
    """Counted facts of one fault, tried many times."""

    counts: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """One sentence for each promise that was not kept; empty where all held."""

    def count(self, what: str, number: int = 1) -> None:
        """Add `number` to the count of `what`."""
        self.counts[what] = self.counts.get(what, 0) + number

    def blame(self, what: str, sentence: str) -> None:
        """Count a broken promise as `what`, and keep the sentence that says how it was broken."""
        self.count(what)
        self.broken.append(f"{what}: {sentence}")

    def expect(self, what: str, *, least: int) -> None:
        """Blame the fault itself where fewer than `least` of `what` were counted: it has shown nothing then."""
        if self.counts.get(what, 0) < least:
            self.broken.append(f"only {self.counts.get(what, 0):,} {what}, at least {least:,} wanted")

    def add(self, other: Facts) -> None:
        """Take over what `other` counted and blamed."""
        for what, number in other.counts.items():
            self.count(what, number)
        self.broken += other.broken

    def __getitem__(self, what: str) -> int:
        """Return how many of `what` were counted."""
        return self.counts.get(what, 0)

    @property
    def reached(self) -> str:
        """All counts in one line."""
        return ", ".join(f"{number:,} {what}" for what, number in self.counts.items())

    @property
    def complaint(self) -> str:
        """The first broken promises, one a line, for the message of a test."""
        more = len(self.broken) - MOST_SHOWN
        lines = [*self.broken[:MOST_SHOWN], *([f"... and {more} more"] if more > 0 else [])]
        return "\n".join([self.reached, *lines])


@dataclass(frozen=True)
class Fault:
    """One row of the table: what is tried, and which figure is wanted."""

    name: str
    wanted: str
    run: Callable[..., Facts]
    """Called with an empty folder and the figures of the short or of the long version."""
    short: Mapping[str, Any] = field(default_factory=dict)
    long: Mapping[str, Any] = field(default_factory=dict)
    lacks: Callable[[], str | None] = lambda: None
    """Says what this machine lacks to try it; None: nothing."""

    def tried_shortly(self, folder: Path, **figures: Any) -> Facts:
        """Run the short version; `figures` stand over its own."""
        return self.run(folder, **{**self.short, **figures})

    def tried_long(self, folder: Path) -> Facts:
        """Run the version that reaches the figure wanted."""
        return self.run(folder, **self.long)
