"""The curves of a logged run: its stored hours laid over the system that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ecosystemiser.charts import RunCurves, curves_of
from ecosystemiser.errors import StoreError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import EndRule, Ints, Problem
from ecosystemiser.results import Solution, SolvedSystem, SolverReport, on_columns, price_columns
from ecosystemiser.services.hours import HoursState, hours_of
from ecosystemiser.services.stored_runs import StoredRun, StoredSystems
from ecosystemiser.store.hourly import HourlySeries
from ecosystemiser.units import amount_unit

__all__ = ["curves_of_row", "hours_of_row", "solved_of_row"]

Row = Mapping[str, Any]

_WHY_NONE = {
    HoursState.NOT_KEPT: "its hours were not kept",
    HoursState.MISSING: "its hourly file is missing",
    HoursState.DAMAGED: "its hourly file is damaged",
}


def curves_of_row(row: Row, solve_again: Callable[[], HourlySeries] | None = None) -> RunCurves:
    """Return the curves of the run of a row: of its stored hours, or of those that `solve_again` gives.

    Raises StoreError where there are no hours, or hours of another system; InputError where the system can no longer
    be read.
    """
    notes = [
        f"{change}: what was available, asked for and paid is that of the file as it is now."
        for change in StoredRun.of(row).changed_files()
    ]
    hours, are_new = hours_of_row(row, solve_again)
    if are_new:
        notes.append("The hours were solved again for these curves.")
    found = curves_of(solved_of_row(row, hours), str(row.get("title") or row["run_id"]))
    return replace(found, notes=tuple(notes))


def hours_of_row(row: Row, solve_again: Callable[[], HourlySeries] | None = None) -> tuple[HourlySeries, bool]:
    """Return the hours of the run of a row, and whether `solve_again` gave them. Raises StoreError without any."""
    state, hours = hours_of(row)
    if hours is not None:
        return hours, False
    if solve_again is not None:
        return solve_again(), True
    remedy = f"Have them again with: ecosystemiser runs rerun {row['run_id']}"
    raise StoreError(f"run {row['run_id']} has no curves: {_WHY_NONE[state]}. {remedy}")


def solved_of_row(row: Row, hours: HourlySeries) -> SolvedSystem:
    """Return the solved system that the hours of a run were taken from.

    The system is read from the run's description, its series and weather files as they lie now. Raises InputError
    where that cannot be, StoreError where the hours are not those of its flows.
    """
    stored = StoredRun.of(row)
    system = StoredSystems().load(stored)
    problem = compile_problem(system, EndRule(stored.config.solver.end))
    plan = _plan(row, problem, hours)
    report = SolverReport(
        solver=str(row.get("solver_type")),
        status=str(row.get("solver_status")),
        objective=row.get("objective"),
        bound=row.get("bound"),
        solve_seconds=row.get("solve_seconds") or 0.0,
    )
    return SolvedSystem(system, problem, Solution(*plan, report, _bus_prices(problem, hours), on=_on(problem, hours)))


def _bus_prices(problem: Problem, hours: HourlySeries) -> Floats | None:
    """Return what one more unit on each bus would have cost; None where the solver did not know. (buses, steps)"""
    names = price_columns(problem.layout)
    return np.array([hours.columns[name] for name in names]) if hours.columns.keys() >= set(names) else None


def _on(problem: Problem, hours: HourlySeries) -> Ints | None:
    """Return how many units of each committed converter were on; None where there are none. (committed, steps)"""
    names = [name for name in on_columns(problem.layout) if name in hours.columns]
    if not names:
        return None
    return np.array([np.round(hours.columns[name]) for name in names]).astype(np.int64)


def _plan(row: Row, problem: Problem, hours: HourlySeries) -> tuple[Floats, Floats]:
    """Return the flows and the levels, those at the start with them. (flows, steps), (storages, steps + 1)"""
    layout = problem.layout
    flows = [f"{flow.path}_{amount_unit(layout.carrier(at))}" for at, flow in enumerate(layout.flows)]
    units = [amount_unit(layout.carrier(flow)) for flow in layout.charges]
    levels = [f"{name}.level_{unit}" for name, unit in zip(layout.storage_names, units, strict=True)]
    missing = [name for name in (*flows, *levels) if name not in hours.columns]
    if missing or len(hours.time) != problem.steps:
        found = f"without {missing[0]}" if missing else f"{len(hours.time):,} steps instead of {problem.steps:,}"
        remedy = f"Solve it again with: ecosystemiser runs rerun {row['run_id']}"
        raise StoreError(f"run {row['run_id']}: its hours are not those of its system ({found}). {remedy}")
    ends = np.array([hours.columns[name] for name in levels]).reshape(len(levels), problem.steps)
    starts = ends[:, -1] if problem.end is EndRule.CYCLIC else problem.coefficients.initial_level
    flow_values = np.array([hours.columns[name] for name in flows]).reshape(len(flows), problem.steps)
    return flow_values, np.column_stack([starts, ends])
