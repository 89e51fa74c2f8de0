"""The investment case of a logged run, beside a baseline that is solved and logged for it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.results.investment import CASH_PARTS, InvestmentCase, Return, case_of, return_over
from ecosystemiser.results.solution import SolvedSystem
from ecosystemiser.services.baseline import NAME, baseline_of
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.services.provenance import describe_system
from ecosystemiser.services.run_history import RunHistory
from ecosystemiser.services.run_words import run_named
from ecosystemiser.services.simulation_service import SimulationService
from ecosystemiser.services.stored_runs import StoredRun, StoredSystems

__all__ = ["CASH_PARTS", "RunEconomics", "economics_of_run"]

Stop = Callable[[], bool] | None

SAME_DEMAND = 1e-6
"""Demands that differ by no more, relatively, are the same."""


@dataclass(frozen=True)
class RunEconomics:
    """A run's case, and what it brings over its baseline."""

    run_id: str
    baseline_id: str
    case: InvestmentCase
    baseline: InvestmentCase
    gain: Return
    notes: tuple[str, ...] = ()
    """Where the two are no like systems, so that the gain is not the investment's alone."""


def economics_of_run(
    log: DatabaseMetadataService, run: str, baseline: str | None = None, should_stop: Stop = None
) -> RunEconomics:
    """Return the case of a run over `baseline`, a run; None: over the same demands from grids, boilers and mains alone.

    That one is solved by rule, since nothing in it can be shifted, and logged as a run tagged `baseline`; an equal one
    that is in the log is taken. The run's row is told the figures (`kpis_json`), the baseline among them.
    Raises InputError for a run that is no whole year, or whose baseline cannot be made; StoreError.
    """
    history = RunHistory(log)
    row = run_named(log, run)
    solved = history.solved(row["run_id"], may_solve=True, should_stop=should_stop)
    case = case_of(solved)
    baseline_id = run_named(log, baseline)["run_id"] if baseline else _baseline_run(log, StoredRun.of(row), should_stop)
    without = history.solved(baseline_id, may_solve=True, should_stop=should_stop)
    other = case_of(without)
    notes = _unlike(solved, without)
    found = RunEconomics(str(row["run_id"]), str(baseline_id), case, other, return_over(case, other), notes)
    told = mapping_in(row.get("kpis_json")) | _figures(found)
    log.log_simulation_run({"run_id": found.run_id, "kpis_json": json.dumps(told)})
    return found


def _unlike(solved: SolvedSystem, baseline: SolvedSystem) -> tuple[str, ...]:
    """Return what sets a run and its baseline apart beside the investment."""
    notes = []
    if solved.system.clock.start_utc != baseline.system.clock.start_utc:
        notes.append("the baseline is of another year")
    for asked, other, unit in (
        (solved.totals.final_demand_kwh, baseline.totals.final_demand_kwh, "kWh"),
        (solved.totals.water_demand_m3, baseline.totals.water_demand_m3, "m3"),
    ):
        if not math.isclose(float(asked), float(other), rel_tol=SAME_DEMAND, abs_tol=SAME_DEMAND):
            notes.append(f"the run asks for {float(asked):,.0f} {unit}, the baseline for {float(other):,.0f} {unit}")
    return tuple(notes)


def _baseline_run(log: DatabaseMetadataService, stored: StoredRun, should_stop: Stop) -> str:
    """Return the run of the baseline of a run: the one in the log, or a new one."""
    system = StoredSystems().load(stored)
    document = baseline_of(stored.varied(), system)
    folder = stored.row.get("results_path")
    config = SimulationConfig(
        system=stored.config.system,
        system_id=stored.config.system_id or system.system_id,
        solver_type="rule_based",
        timesteps=stored.config.timesteps,
        output_directory=Path(folder).parent if folder else stored.config.output_directory,
    )
    wanted = describe_system(document).sha256
    where = f"tag = '{NAME}' and status = 'completed' and system_id = '{config.system_id}'"
    for row in log.query_simulation_runs(where=where, order_by="timestamp", descending=True):
        whole = log.get_simulation_run(row["run_id"])
        with suppress(InputError):
            if whole is not None and StoredRun.of(whole).description.sha256 == wanted:  # its files' bytes included
                return str(row["run_id"])
    result = SimulationService(log).run_simulation(config, document=document, should_stop=should_stop)
    log.tag_runs([result.run_id], add=[NAME])
    if not result.has_completed:
        remedy = "look at it with runs show, or name another run: --baseline RUN"
        message = f"could not be solved ({result.cause}: {result.error})"
        raise InputError([Finding(message, remedy, "baseline", result.run_id)])
    return result.run_id


def _figures(found: RunEconomics) -> dict[str, object]:
    """Return what the run's row is told."""
    gain = found.gain
    return {
        "net_present_cost": found.case.net_present_cost,
        "net_present_value": gain.net_present_value,
        "internal_rate_of_return": gain.internal_rate_of_return,
        "simple_payback_years": gain.simple_payback_years,
        "discounted_payback_years": gain.discounted_payback_years,
        **{f"levelised_{one.carrier}_per_{one.unit.lower()}": one.per_delivered for one in found.case.levelised},
        "baseline_run": found.baseline_id,
    }
