"""What pages call the columns of the log, with units and meanings; moments and kinds of study in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ecosystemiser.charts.tokens import STATUSES
from ecosystemiser.kpis import KPIS
from ecosystemiser.wording import OWNER_GONE, moment

__all__ = [
    "CAUSES",
    "KPI_BY_NAME",
    "PARAMETER",
    "head_of",
    "kind_words",
    "meaning_of",
    "moment",
    "parameters_of",
    "status_words",
    "unit_of",
]

KPI_BY_NAME = {kpi.name: kpi for kpi in KPIS}
PARAMETER = "params."
"""What the names of varied fields begin with."""

_HEADS = {
    "simulation_status": "status",
    "run_id": "run",
    "study_id": "study",
    "system_id": "system",
    "solver_type": "solver",
    "timesteps": "steps",
    "timestamp": "when",
    "failure_cause": "cause",
    "mip_gap": "gap",
    "solve_seconds": "solving",
    "wall_seconds": "whole run",
    "total_cost": "cost",
    "total_co2": "CO₂",
    "co2_cost": "CO₂ cost",
    "co2_operational_kg": "CO₂ operational",
    "co2_embodied_kg": "CO₂ embodied",
    "self_sufficiency_rate": "self-sufficiency",
    "self_consumption_rate": "self-consumption",
    "renewable_fraction": "renewable",
    "unmet_kwh": "unmet energy",
    "unmet_m3": "unmet water",
}
_UNITS = {
    "mip_gap": "share",
    "solve_seconds": "s",
    "wall_seconds": "s",
    "balance_residual": "1",
    "objective": "currency",
    "bound": "currency",
}
_ENDINGS = ("_kwh", "_kw", "_m3", "_m2", "_kg", "_h", "_c", "_years")

CAUSES = {
    "infeasible": "no plan meets every demand and limit",
    "unmet": "the plan leaves a demand short that must be met",
    "unbounded": "a price makes money without end",
    "data": "the system or its files are wrong",
    "timeout": "the time limit came first",
    "memory": "the memory did not suffice",
    "crash": "the worker died",
    "balance": "the audit found a balance or a bound violated",
    "solver": "the solver gave up",
    "storage": "the results could not be written",
}
"""Why runs fail, in a sentence each."""

_KINDS = {"parametric": "parametric", "genetic_algorithm": "genetic", "monte_carlo": "Monte Carlo"}


def head_of(name: str) -> str:
    """Return what a column is called, without its unit."""
    if name in _HEADS:
        return _HEADS[name]
    if name.startswith(PARAMETER):
        return _without_unit(name.removeprefix(PARAMETER).removeprefix("components."))
    return _without_unit(name).replace("_", " ")


def unit_of(name: str) -> str:
    """Return the unit of a column that is no varied field, as KPIs name theirs; empty where it has none."""
    if name in KPI_BY_NAME:
        return KPI_BY_NAME[name].unit
    return _UNITS.get(name, "")


def meaning_of(name: str) -> str | None:
    """Return what a KPI means; None for other columns."""
    return KPI_BY_NAME[name].meaning if name in KPI_BY_NAME else None


def kind_words(study_type: str | None) -> str:
    """Return what kind of study it is."""
    return _KINDS.get(study_type or "", study_type or "of unknown kind")


def status_words(status: object, *, is_gone: bool = False) -> str:
    """Return a status as sign and word; `is_gone`: its owner has died though it stands as running."""
    found = STATUSES.get(OWNER_GONE if is_gone else str(status))
    return f"? {status}" if found is None else f"{found.sign} {found.word}"


def parameters_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a run's varied fields took."""
    try:
        found = json.loads(row.get("parameters_json") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _without_unit(name: str) -> str:
    ending = next((each for each in _ENDINGS if name.endswith(each)), "")
    return name.removesuffix(ending).removesuffix("_per")
