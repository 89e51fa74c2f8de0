"""Many rule-based runs at once, as totals without hours: one call of the kernel for all that share a structure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecosystemiser.analyser.audit import TOLERANCE, audit
from ecosystemiser.analyser.kpi_calculator import KPICalculator
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.model.system import System
from ecosystemiser.results import SolvedSystem, Totals
from ecosystemiser.services.orders import Order, Outcome, failed_outcome
from ecosystemiser.solver.rule_based.nodes import has_circle
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, share_tables, stack
from ecosystemiser.store.states import RunStatus

__all__ = ["can_be_batched", "make_batch"]


SLIGHT = 1e-3
"""Share of all demands below which a shortage is looked at hour by hour."""


@dataclass(frozen=True, eq=False)
class _Member:
    order: Order
    system: System
    problem: Problem


def can_be_batched(orders: Sequence[Order]) -> bool:
    """Return whether all orders are rule-based runs of which no hours are kept."""
    return all(order.config.solver_type == "rule_based" and not order.keeps_hours for order in orders)


def make_batch(
    orders: Sequence[Order], load: Callable[[SimulationConfig], System], make: Callable[[Order], Outcome]
) -> list[Outcome]:
    """Return how each run ended, in the order of `orders`.

    Of every group of one structure the first run is also made with its hours and audited, and must cost the same. Runs
    of a structure that a batch cannot trace are made one by one with `make`.
    """
    outcomes: dict[str, Outcome] = {}
    groups: list[list[_Member]] = []
    for order in orders:
        try:
            system = load(order.config)
            _join(groups, _Member(order, system, compile_problem(system, EndRule(order.config.solver.end))))
        except InputError as error:
            outcomes[order.run_id] = failed_outcome(order, FailureCause.DATA, str(error), "prepare")
    for group in groups:
        if has_circle(group[0].problem.layout):
            outcomes |= {member.order.run_id: make(member.order) for member in group}
        else:
            outcomes |= _group_outcomes(group, make)
    return [outcomes[order.run_id] for order in orders]


def _join(groups: list[list[_Member]], member: _Member) -> None:
    """Put a run to others of its structure, and share their signals, so that memory holds them once."""
    for group in groups:
        if share_tables(group[0].problem, member.problem):
            first = group[0].problem
            shared = replace(member.problem, layout=first.layout, signals=first.signals)
            group.append(replace(member, problem=shared))
            return
    groups.append([member])


def _group_outcomes(group: Sequence[_Member], make: Callable[[Order], Outcome]) -> dict[str, Outcome]:
    begin = time.perf_counter()
    solver = RuleBasedSolver(group[0].problem, SolverOptions())
    totals = solver.solve_batch(stack([member.problem for member in group]))
    kpis = KPICalculator().calculate_from_totals(totals)
    reason = _what_is_wrong(group[0], solver, float(kpis["total_cost"][0] or 0.0))
    unmet, residual = _shortages(totals), _relative_residuals(totals)
    slight = _slight(totals, unmet)
    seconds = (time.perf_counter() - begin) / len(group)
    outcomes = {}
    for at, member in enumerate(group):
        if slight[at]:
            outcomes[member.order.run_id] = make(member.order)
            continue
        own = {name: values[at] for name, values in kpis.items()}
        columns: dict[str, object] = {
            "timesteps": member.system.clock.steps,
            "solver_status": "dispatched",
            "balance_residual": residual[at],
            "wall_seconds": seconds,
            "solve_seconds": seconds,
            **own,
        }
        outcome = _judged(member, columns, own, reason or _balance_reason(residual[at]), unmet[at])
        outcomes[member.order.run_id] = outcome
    return outcomes


def _judged(
    member: _Member, columns: dict[str, object], kpis: dict[str, float | None], broken: str | None, unmet: float
) -> Outcome:
    if broken is None and unmet == 0:
        text = json.dumps({"currency": member.system.economics.currency})
        columns |= {"simulation_status": RunStatus.COMPLETED, "metadata_json": text}
        return Outcome(member.order.run_id, RunStatus.COMPLETED, columns, kpis)
    cause = FailureCause.UNMET if broken is None else FailureCause.BALANCE
    message = broken or f"demands that must be met are left short of {unmet:.4g} in all; raise what supplies them"
    failed = failed_outcome(member.order, cause, message, "audit", currency=member.system.economics.currency)
    return replace(failed, columns=columns | failed.columns, kpis=kpis)


def _what_is_wrong(member: _Member, solver: RuleBasedSolver, cost: float) -> str | None:
    """Make one run of a batch with its hours; return what the audit finds, its cost in the batch included."""
    solution = solver.solve(member.problem)
    claimed = replace(solution, report=replace(solution.report, objective=cost))
    found = audit(SolvedSystem(member.system, member.problem, claimed))
    if found.has_passed or found.is_short_only:
        return None
    return "; ".join(str(violation) for violation in found.violations[:3])


def _shortages(totals: Totals) -> list[float]:
    """Return what demands that must be met miss, run by run."""
    must = np.array(totals.problem.layout.must_meet, dtype=bool)
    return [float(short) for short in totals.tally.unmet[must].sum(axis=0)]


def _slight(totals: Totals, unmet: Sequence[float]) -> list[bool]:
    """Return which runs miss so little, run by run, that only their hours tell whether the audit lets it pass."""
    demand = totals.tally.flow[list(totals.problem.layout.sinks)].sum(axis=0)
    return [0 < short <= SLIGHT * whole for short, whole in zip(unmet, demand, strict=True)]


def _relative_residuals(totals: Totals) -> list[float]:
    """Return the largest imbalance of each run as a share of its mean flow, or of one unit."""
    scale = np.maximum(totals.tally.flow.max(axis=0) / totals.problem.steps, 1.0)
    return [float(residual) for residual in totals.tally.residual.max(axis=0) / scale]


def _balance_reason(residual: float) -> str | None:
    return None if residual <= TOLERANCE else f"a bus does not balance, by {residual:.3g} of its flow"
