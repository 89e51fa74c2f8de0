"""What a study will take, estimated from its own first runs: nothing is solved twice for it, or outside the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.jobs.events import StudyEstimated
from ecosystemiser.services.batch import can_be_batched
from ecosystemiser.services.best_hours import KEPT
from ecosystemiser.services.orders import Order, Outcome

__all__ = ["LARGE_BYTES", "LARGE_S", "Agree", "Budget", "Trial"]

LARGE_S = 600.0
"""A study that will take longer is asked about. [s]"""
LARGE_BYTES = 5e9
"""A study that will take more room on the disk is asked about. [B]"""
ROW_BYTES = 900.0
"""Of the database for each run: 870 were measured on SQLite, 10,000 rule-based runs with two varied fields. [B]"""
TIMED_RUNS = 2
"""Runs that are made before all others, one after the other: the first one prepares what the second one finds."""


@dataclass(frozen=True)
class Budget:
    """What is still to be done of a study."""

    runs: int
    """At most: a search or a sample may end sooner."""
    seconds: float
    """By the clock, with all workers. [s]"""
    disk_bytes: float
    """Rows and hours. [B]"""
    timed: int
    """Runs that were timed for it."""

    @property
    def is_large(self) -> bool:
        """Whether somebody should agree to it."""
        return self.seconds > LARGE_S or self.disk_bytes > LARGE_BYTES

    def event(self, study_id: str) -> StudyEstimated:
        """Return what is told of it."""
        return StudyEstimated(
            study_id=study_id, runs=self.runs, seconds=self.seconds, disk_bytes=self.disk_bytes, timed=self.timed
        )


Agree = Callable[[Budget], bool]
"""Is asked whether a large study is to go on; called by the thread that runs it, while nothing is under way."""


class Trial:
    """The first runs of a study, timed. They are runs as all others, in the same chunks whether they are timed or not.

    Of runs that are made one by one, the second tells the pace, since the first one prepares. Of runs that go side by
    side through one kernel, the second chunk does for the same reason, with its rows.
    """

    def __init__(self, study_config: StudyConfig, runs: int, workers: int, agree: Agree | None = None) -> None:
        """`runs`: those to be made, at most. Without `agree` nothing waits for the first runs, and nobody is asked.

        A study of no more runs than workers takes as long as one run: nothing waits then, either.
        """
        self.agree = agree if runs > workers else None
        self.is_over = False
        self._left, self._workers = runs, workers
        self._timed = self._chunks = 0
        settings = study_config.genetic_algorithm
        self._limit_s = None if settings is None else settings.time_limit_s
        self._again = min(KEPT, runs) if study_config.kept_hours == "best" else 0
        """Runs that are made again at the end, for their hours."""

    @property
    def holds(self) -> bool:
        """Whether all other runs are to wait for the first ones."""
        return self.agree is not None and not self.is_over

    def took_over(self, runs: int) -> None:
        """Hear of runs that need not be made."""
        self._left -= runs

    def hear(self, chunk: Sequence[Order], outcomes: Sequence[Outcome], seconds: float) -> Budget | None:
        """Hear how a chunk ended, and how long it took with its rows; return what the others will take.

        None where nothing is left, and where another chunk is to be timed.
        """
        if not outcomes:
            return None
        self._left -= len(outcomes)
        self._timed += len(outcomes)
        self._chunks += 1
        is_batch = can_be_batched(chunk)
        if is_batch and self._chunks == 1:
            return None
        took = self._rest_of_batches(seconds / len(outcomes)) if is_batch else self._rest_of_singles(outcomes, seconds)
        took = took if self._limit_s is None else min(took, self._limit_s)
        budget = Budget(self._left, took, self._left * (ROW_BYTES + _hours_bytes(outcomes)), self._timed)
        self.is_over = True
        return budget if self._left > 0 else None

    def _rest_of_batches(self, each_s: float) -> float:
        return each_s * self._left / self._workers

    def _rest_of_singles(self, outcomes: Sequence[Outcome], seconds: float) -> float:
        """Return what the other runs take, and the best ones once more, one after the other.

        Each further worker prepares once, too, all of them at the same time. What a run of a batch takes by itself
        nobody has timed; ten of them are little beside a study that is asked about.
        """
        first, *_, last = [_seconds(each, seconds / len(outcomes)) for each in (outcomes[0], *outcomes)]
        prepares = max(0.0, first - last) if self._workers > 1 else 0.0
        return last * self._left / self._workers + last * self._again + prepares


def _seconds(outcome: Outcome, otherwise: float) -> float:
    known = outcome.columns.get("wall_seconds")
    return float(known) if isinstance(known, int | float) else otherwise


def _hours_bytes(outcomes: Sequence[Outcome]) -> float:
    """Return the size of the files that a run left, by the largest of these."""
    names = ("flows_path", "components_path")
    files = [[Path(str(each.columns[name])) for name in names if each.columns.get(name)] for each in outcomes]
    return float(max((sum(file.stat().st_size for file in each if file.exists()) for each in files), default=0))
