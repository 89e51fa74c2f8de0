"""What a page shows of a study's points: no more rows than it lists, however many the study has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecosystemiser.cli.run_list import Row, currency_of, short_ids

if TYPE_CHECKING:
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["BEST_LISTED", "MAPPED", "Cause", "Points", "mapping_in", "read_points"]

BEST_LISTED = 10
"""So many of the cheapest points are read."""
MAPPED = 140
"""As many points as a map of costs can have."""


@dataclass(frozen=True)
class Cause:
    """Why runs failed."""

    name: str
    runs: int
    example: Row
    """One of them."""


@dataclass(frozen=True)
class Points:
    """The points of a study, each with the row of its newest run."""

    varied: tuple[str, ...]
    """Paths of the fields that vary."""
    rows: tuple[Row, ...]
    """The first ones, in their order."""
    best: tuple[Row, ...]
    """The cheapest that completed, the cheapest first."""
    number: int
    """Of all points that have a run."""
    causes: tuple[Cause, ...] = ()
    """Why runs failed, the most frequent cause first."""
    taken_over: int = 0
    """Runs that took over the result of an earlier one."""
    gone: Collection[str] = ()
    """Runs that stand as running, though their owner has died."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """The beginning of each run id that tells it from all others."""

    @property
    def currency(self) -> str | None:
        """The currency of all costs, where it is one."""
        found = {currency_of(row) for row in (*self.rows, *self.best) if row["total_cost"] is not None}
        return found.pop() if len(found) == 1 else None


def read_points(
    log: DatabaseMetadataService,
    study_id: str,
    settings: Mapping[str, Any],
    *,
    first: int | None = 0,
    gone: Collection[str] = (),
) -> Points:
    """Return the points of a study: the `first` of them (None: all), the cheapest ones, and counts of all."""
    found = log.query_study_runs(study_id, below=first) if first != 0 else []
    rows = tuple({row["point"]: row for row in found}.values())
    best = log.query_simulation_runs(study_id, status="completed", order_by="total_cost", limit=BEST_LISTED)
    causes = _causes(log, study_id)
    return Points(
        varied=tuple(mapping_in(settings, "parameters")),
        rows=rows,
        best=tuple(row for row in best if row["total_cost"] is not None),
        number=log.count_study_points(study_id),
        causes=causes,
        taken_over=log.count_simulation_runs(f"study_id = '{study_id}' and reused_from is not null", at_most=10**9),
        gone=gone,
        ids=_told_apart(log, [row["run_id"] for row in (*rows, *best, *(cause.example for cause in causes))]),
    )


def mapping_in(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what a study's settings hold under a name; empty where that is no mapping."""
    found = settings.get(name)
    return found if isinstance(found, dict) else {}


def _causes(log: DatabaseMetadataService, study_id: str) -> tuple[Cause, ...]:
    summary = log.get_study_summary(study_id)
    asked = [(name, runs, f"failure_cause = '{name}'") for name, runs in summary["by_cause"].items()]
    untold = summary["by_status"].get("failed", 0) - sum(summary["by_cause"].values())
    if untold > 0:
        asked.append(("unknown", untold, "simulation_status = 'failed' and failure_cause is null"))
    found = [
        Cause(name, runs, row)
        for name, runs, where in asked
        for row in log.query_simulation_runs(study_id, where=where, limit=1)
    ]
    return tuple(sorted(found, key=lambda cause: -cause.runs))


def _told_apart(log: DatabaseMetadataService, run_ids: Sequence[str]) -> dict[str, str]:
    """Return the beginning of each id that no other run in the log shares."""
    full = list(dict.fromkeys(run_ids))
    return {run_id: _only_its(log, run_id, least) for run_id, least in zip(full, short_ids(full), strict=True)}


def _only_its(log: DatabaseMetadataService, run_id: str, least: str) -> str:
    for length in range(len(least), len(run_id)):
        if len(log.find_run_ids(run_id[:length], 2)) < 2:
            return run_id[:length]
    return run_id
