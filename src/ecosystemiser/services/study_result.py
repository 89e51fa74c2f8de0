"""How a study ended, and what of it stands in the log already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, overload

from ecosystemiser.errors import FailureCause, Finding, InputError
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.store.states import RunStatus

__all__ = ["Ended", "LoggedRuns", "StoredPoints", "StudyResult", "StudyRun"]

DONE = (RunStatus.COMPLETED, RunStatus.FAILED)
"""States of a run that answer what was asked; the others are asked again when a study is resumed."""


@dataclass(frozen=True, eq=False)
class StudyRun:
    """One run of a study: its point and how it ended."""

    point: int
    parameters: Mapping[str, object]
    run_id: str
    status: RunStatus
    kpis: Mapping[str, float | None] = field(default_factory=dict)
    cause: FailureCause | None = None
    error: str | None = None

    @property
    def answer(self) -> Mapping[str, float | None] | None:
        """What a strategy hears of it: its KPIs, None where it failed."""
        return self.kpis if self.status is RunStatus.COMPLETED else None


@dataclass
class Ended:
    """How many runs ended in each status, and failed of each cause."""

    by_status: Counter[str] = field(default_factory=Counter)
    by_cause: Counter[str] = field(default_factory=Counter)

    def take(self, run: StudyRun) -> None:
        """Count a run."""
        self.by_status[run.status.value] += 1
        if run.cause is not None:
            self.by_cause[run.cause.value] += 1

    @classmethod
    def of(cls, runs: Iterable[StudyRun]) -> Ended:
        """Count runs."""
        ended = cls()
        for run in runs:
            ended.take(run)
        return ended


class LoggedRuns(Sequence[StudyRun]):
    """The runs of a study in the order of their points, read from the log when first looked at."""

    def __init__(self, read: Callable[[], Iterable[Mapping[str, Any]]], number: int) -> None:
        """`read` returns the rows of the study's runs; `number`: of its points."""
        self._read, self._number = read, number

    @cached_property
    def _runs(self) -> tuple[StudyRun, ...]:
        return tuple(answers_of(self._read()).values())

    def __len__(self) -> int:
        return self._number

    @overload
    def __getitem__(self, at: int) -> StudyRun: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[StudyRun]: ...

    def __getitem__(self, at: int | slice) -> StudyRun | Sequence[StudyRun]:
        return self._runs[at]

    def __iter__(self) -> Iterator[StudyRun]:
        return iter(self._runs)


@dataclass(frozen=True, eq=False)
class StudyResult:
    """How a study ended."""

    study_id: str
    runs: Sequence[StudyRun]
    """In the order of their points."""
    wall_seconds: float = 0.0
    ended: Ended | None = None
    """What was counted as they ended; None: to be counted."""

    def best(self, kpi: str = "total_cost", *, lowest: bool = True) -> StudyRun | None:
        """Return the completed run with the lowest (or highest) value of a KPI; None where there is none."""
        if kpi not in KPI_NAMES:
            raise InputError([Finding("is no KPI", f"use one of {', '.join(KPI_NAMES)}", "kpi", kpi)])
        rated = [(value, run.point, run) for run in self.completed if (value := run.kpis.get(kpi)) is not None]
        if not rated:
            return None
        return min(rated, key=lambda row: (row[0] if lowest else -row[0], row[1]))[2]

    @property
    def completed(self) -> list[StudyRun]:
        """Runs that completed."""
        return [run for run in self.runs if run.status is RunStatus.COMPLETED]

    def by_status(self) -> dict[str, int]:
        """Return how many runs ended in each status."""
        return dict((self.ended or Ended.of(self.runs)).by_status)

    def by_cause(self) -> dict[str, int]:
        """Return how many runs failed of each cause."""
        return dict((self.ended or Ended.of(self.runs)).by_cause)

    def summary(self) -> dict[str, object]:
        """Return the study in a few numbers: counts, the cheapest run, the range of costs."""
        best = self.best()
        costs = [cost for run in self.completed if (cost := run.kpis.get("total_cost")) is not None]
        return {
            "study_id": self.study_id,
            "runs": len(self.runs),
            "by_status": self.by_status(),
            "by_cause": self.by_cause(),
            "best_run_id": None if best is None else best.run_id,
            "best_parameters": None if best is None else dict(best.parameters),
            "lowest_cost": min(costs, default=None),
            "highest_cost": max(costs, default=None),
            "wall_seconds": self.wall_seconds,
        }


ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, eq=False)
class StoredPoints:
    """The points of a study that were asked before, by their numbers. Their answers stay in the log until wanted."""

    done: frozenset[int] = frozenset()
    """Those that have an answer: it is taken as it stands."""
    attempted: Mapping[int, str] = field(default_factory=dict)
    """Those that have none, with the run that last attempted them."""
    read: Callable[[int, int], Iterable[Mapping[str, Any]]] = lambda _first, _below: ()
    """Returns the rows of the runs of the points from a number to below another, in order."""

    @classmethod
    def of(
        cls, states: Iterable[tuple[int, str, str]], read: Callable[[int, int], Iterable[Mapping[str, Any]]]
    ) -> StoredPoints:
        """Return what the states of a study's runs say: point, status and run, in the order of points and attempts."""
        done: set[int] = set()
        attempted: dict[int, str] = {}
        for point, status, run_id in states:
            if status in DONE:
                done.add(point)
            else:
                attempted[point] = run_id
        return cls(frozenset(done), {at: run_id for at, run_id in attempted.items() if at not in done}, read)

    def answers(self, numbers: Collection[int]) -> Iterator[StudyRun]:
        """Yield the answers of those of these points that have one, in the order of their numbers."""
        wanted = sorted(self.done.intersection(numbers))
        for begin in range(0, len(wanted), ROWS_AT_ONCE):
            block = wanted[begin : begin + ROWS_AT_ONCE]
            own = frozenset(block)
            found = answers_of(row for row in self.read(block[0], block[-1] + 1) if int(row["point"]) in own)
            yield from found.values()


def answers_of(rows: Iterable[Mapping[str, Any]]) -> dict[int, StudyRun]:
    """Return the run that answers each point, from rows in the order of points and attempts."""
    return {int(row["point"]): _stored_run(row) for row in rows if row["simulation_status"] in DONE}


def _stored_run(row: Mapping[str, Any]) -> StudyRun:
    cause = row["failure_cause"]
    return StudyRun(
        point=int(row["point"]),
        parameters=mapping_in(row["parameters_json"]),
        run_id=row["run_id"],
        status=RunStatus(row["simulation_status"]),
        kpis={name: row[name] for name in KPI_NAMES if row[name] is not None},
        cause=None if cause is None else FailureCause(cause),
        error=mapping_in(row["metadata_json"]).get("error"),
    )
