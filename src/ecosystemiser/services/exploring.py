"""What somebody who looks around in a log asks: what runs now, what can be ranked, what a study found.

Every question is answered in SQL, with as many rows as fit on a page, however many runs there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ecosystemiser.config.study_config import UNCHECKED, StudyConfig
from ecosystemiser.kpis import KPIS
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.run_filters import all_of, equal
from ecosystemiser.store import queries, studies
from ecosystemiser.store.identifiers import check_identifier
from ecosystemiser.store.states import RunStatus

__all__ = [
    "STATUSES",
    "Rankable",
    "StudyPoints",
    "UnderWay",
    "best_of",
    "points_of_study",
    "rankable_groups",
    "running_now",
    "sample_numbers",
]

STATUSES = tuple(status.value for status in RunStatus)
"""All that may stand as the status of a run or a study."""

MOST_RUNNING = 20
NEWEST_LOOKED_AT = 2_000
ALIKE = 1e-9
"""Demands that differ by less, relatively, are the same."""


@dataclass(frozen=True)
class UnderWay:
    """What stands as running, and which of it nobody works on any more."""

    studies: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    """Runs of no study, at most 20."""
    gone: frozenset[str]
    """Ids of runs whose owner has died."""


def running_now(log: DatabaseMetadataService) -> UnderWay:
    """Return what runs now, the newest first. Raises StoreError."""
    under_way = log.query_studies(status=RunStatus.RUNNING.value, limit=MOST_RUNNING)
    with log.reading() as connection:
        singles = queries.single_runs_under_way(connection, MOST_RUNNING)
    gone = log.runs_of_the_dead() if under_way or singles else set()
    return UnderWay(under_way, singles, frozenset(gone))


@dataclass(frozen=True)
class Rankable:
    """Runs that may be ranked: of one system, period, currency and demand."""

    system_id: str
    timesteps: int
    currency: str | None
    demand_kwh: float | None
    water_m3: float | None
    runs: int
    """How many of the newest runs belong to it."""

    @property
    def where(self) -> str:
        """The filter text of its completed runs."""
        demands = {"total_demand_kwh": self.demand_kwh, "total_water_demand_m3": self.water_m3}
        return all_of(
            equal("system_id", self.system_id),
            equal("timesteps", self.timesteps),
            equal("simulation_status", RunStatus.COMPLETED.value),
            "currency is null" if self.currency is None else equal("currency", self.currency),
            *(_about(name, value) for name, value in demands.items()),
        )


def rankable_groups(log: DatabaseMetadataService) -> list[Rankable]:
    """Return the groups that the newest 2,000 runs of the log belong to, the newest first."""
    names = ("system_id", "timesteps", "currency", "total_demand_kwh", "total_water_demand_m3")
    with log.reading() as connection:
        rows = queries.newest_groups(connection, names, NEWEST_LOOKED_AT)
    groups: dict[tuple[object, ...], Rankable] = {}
    for row in rows:
        if row["system_id"] is None or row["timesteps"] is None:
            continue
        key = (row["system_id"], row["timesteps"], row["currency"], *(_rounded(row[name]) for name in names[3:]))
        known = groups.get(key)
        number = row["runs"] + (known.runs if known is not None else 0)
        demand_kwh, water_m3 = row["total_demand_kwh"], row["total_water_demand_m3"]
        own = (row["system_id"], row["timesteps"], row["currency"])
        groups[key] = Rankable(*own, demand_kwh, water_m3, number)
    return list(groups.values())


def best_of(log: DatabaseMetadataService, group: Rankable, kpi: str, limit: int) -> list[dict[str, Any]]:
    """Return the best runs of a group by a KPI, each a dict by column name; runs without a value are left out."""
    declared = next(each for each in KPIS if each.name == kpi)
    order = f"-{kpi}" if declared.better == "higher" else kpi
    where = all_of(group.where, f"{kpi} is not null")
    return log.page_simulation_runs(where, order_by=order, limit=limit).rows


@dataclass(frozen=True)
class StudyPoints:
    """What the runs of a study found, point after point; the newest run of each point."""

    rows: list[dict[str, Any]]
    """`point`, `run_id`, `simulation_status`, `parameters_json`, and the KPIs."""
    one_of: int
    """1: all of them are there; else of so many points one."""


def points_of_study(log: DatabaseMetadataService, study_id: str, kpis: Sequence[str], most: int = 5_000) -> StudyPoints:
    """Return at most about `most` points of a study, evenly spread. Raises InputError for what is no study id."""
    check_identifier(study_id, "study_id")
    with log.reading() as connection:
        rows, stride = studies.study_points(connection, study_id, kpis, most)
    newest: Mapping[int, dict[str, Any]] = {row["point"]: row for row in rows}
    return StudyPoints(list(newest.values()), stride)


def sample_numbers(settings: Mapping[str, Any]) -> Callable[[int], bool]:
    """Return what tells by its number whether a point of a Monte Carlo study is a sample of its distributions.

    The others move one field alone, for the tornado and the Sobol indices. `settings` are those of the study's row;
    where they cannot be read every point counts.
    """
    try:
        config = StudyConfig.model_validate(settings, context=UNCHECKED)
    except ValidationError:
        return lambda _number: True
    asked = config.monte_carlo
    if asked is None:
        return lambda _number: True
    values = [len(each) for each in config.compared_values().values()]
    designs = (max(values, default=1) if config.combine == "zipped" else math.prod(values)) or 1
    alone = 2 * len(asked.distributions) + 1 if asked.has_tornado else 0
    kept = 2 if asked.sensitivity else 1
    return lambda number: number >= designs * alone and (number // designs - alone) % asked.points_per_sample < kept


def _about(name: str, value: float | None) -> str:
    if value is None:
        return f"{name} is null"
    slack = abs(value) * ALIKE
    return f"{name} between {value - slack!r} and {value + slack!r}"


def _rounded(value: float | None) -> str | None:
    return None if value is None else f"{value:.8e}"
