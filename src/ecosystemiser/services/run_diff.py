"""Two runs side by side: changed inputs first, then KPIs, and what speaks against ranking them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ecosystemiser.analyser.comparison import (
    InputDifference,
    KpiDifference,
    RunFacts,
    SeriesContent,
    Value,
    flat_inputs,
    input_differences,
    kpi_differences,
    warnings,
)
from ecosystemiser.errors import InputError
from ecosystemiser.model.system import Economics, TimeSpec
from ecosystemiser.services.environment import VersionChange, version_changes
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.services.provenance import PACKAGED_DATA
from ecosystemiser.services.stored_runs import StoredRun

__all__ = ["InputDifference", "KpiDifference", "RunDiff", "diff_of", "inputs_of"]

Row = Mapping[str, Any]

Inputs = dict[str, Value]

PACKAGED_PATH = "packaged data"

_DEFAULTS: dict[str, type[BaseModel]] = {"time": TimeSpec, "economics": Economics}


@dataclass(frozen=True)
class RunDiff:
    """What differs between run `a` and run `b`."""

    run_a: str
    run_b: str
    inputs: tuple[InputDifference, ...]
    """How they were solved first, then the system in the order of its file."""
    kpis: tuple[KpiDifference, ...]
    """Every declared KPI."""
    warnings: tuple[str, ...]
    """Why neither may be called better than the other, and what could not be compared."""
    versions: tuple[VersionChange, ...]
    """What differs in the program and the machine: `then` is of run a, `now` of run b."""

    @property
    def is_rankable(self) -> bool:
        """Whether one of the two may be called better than the other."""
        return not self.warnings


def diff_of(a: Row, b: Row, names: tuple[str, str] = ("a", "b")) -> RunDiff:
    """Return what differs between the runs of two rows. A row without a description is compared by what it has.

    `names`: what warnings call the two.
    """
    systems = {row["run_id"]: _system_inputs(row) for row in (a, b)}
    told = list(warnings(_facts(a, systems[a["run_id"]]), _facts(b, systems[b["run_id"]]), names))
    lacking = [run_id for run_id, inputs in systems.items() if not inputs]
    if lacking:
        told.append(f"the log holds no description of the system of {' and '.join(lacking)}: see only what was set")
        systems = {row["run_id"]: _set_inputs(row) for row in (a, b)}
    one, other = (_settings(row) | systems[row["run_id"]] for row in (a, b))
    return RunDiff(
        a["run_id"],
        b["run_id"],
        input_differences(one, other),
        kpi_differences(a, b),
        tuple(told),
        version_changes(a.get("environment_json"), b.get("environment_json")),
    )


def inputs_of(row: Row) -> Inputs:
    """Return all inputs of a run by path: how it was solved, then its system, or what it set where no more is known."""
    return _settings(row) | (_system_inputs(row) or _set_inputs(row))


def _system_inputs(row: Row) -> Inputs:
    """Return the inputs of a run's system, its variation included; empty where the row does not say."""
    try:
        stored = StoredRun.of(row)
    except InputError:
        return {}
    files = {**stored.description.files, **stored.own_files()}
    try:
        inputs = flat_inputs(stored.varied().data, files)
    except InputError:  # a variation that does not fit its system: such a run failed
        inputs = flat_inputs(stored.description.data, files) | _set_inputs(row)
    packaged = files.get(PACKAGED_DATA)
    if packaged is not None:
        inputs[PACKAGED_PATH] = SeriesContent(PACKAGED_PATH, packaged)
    return inputs


def _set_inputs(row: Row) -> Inputs:
    """Return what a run set, by path."""
    return flat_inputs(mapping_in(row.get("parameters_json")))


def _settings(row: Row) -> Inputs:
    """Return how a run was asked to be solved, solver first."""
    options = mapping_in(row.get("config_json")).get("solver") or {}
    return flat_inputs({"solver_type": row.get("solver_type"), "timesteps": row.get("timesteps"), "solver": options})


def _facts(row: Row, inputs: Inputs) -> RunFacts:
    noted = mapping_in(row.get("metadata_json")).get("currency") or row.get("currency")
    currency = noted or _stated(inputs, "economics.currency")
    return RunFacts(
        system_id=row.get("system_id"),
        period=_period(row, inputs),
        currency=None if currency is None else str(currency),
        demand_kwh=row.get("total_demand_kwh"),
        demand_m3=row.get("total_water_demand_m3"),
        status=str(row["simulation_status"]),
    )


def _period(row: Row, inputs: Inputs) -> str:
    """Return the hours of a run in words; its steps alone where the row describes no system."""
    steps = f"{row.get('timesteps')} steps"
    if not inputs:
        return steps
    start, step, zone = (_stated(inputs, f"time.{name}") for name in ("start", "step", "timezone"))
    return f"{steps} of {step} from {start}, {zone}"


def _stated(inputs: Inputs, path: str) -> Value:
    """Return what the system's file says, or the default of what it leaves out; None where no file is known."""
    if not inputs:
        return None
    section, _, name = path.partition(".")
    return inputs.get(path, _DEFAULTS[section].model_fields[name].default)
