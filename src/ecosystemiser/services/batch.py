"""Many rule-based runs at once, as totals without hours: one call of the kernel for all that share a structure."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ecosystemiser.analyser.audit import TOLERANCE, audit
from ecosystemiser.analyser.kpi_calculator import KPICalculator
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError
from ecosystemiser.model.compiling import Batch, Compiler
from ecosystemiser.model.problem import EndRule, Layout, Problem
from ecosystemiser.model.system import System
from ecosystemiser.model.variations import Group
from ecosystemiser.results import SolvedSystem, Totals
from ecosystemiser.services.orders import GivenSystem, Order, Outcome, failed_outcome
from ecosystemiser.solver.rule_based.merit_order import MeritOrder
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, dispatch_alike, needs_hours
from ecosystemiser.store.states import RunStatus

__all__ = ["BatchMaker", "Bench", "can_be_batched"]

KEPT_SOLVERS = 2
"""Prepared solvers, one a structure."""
KEPT_PASSED = 16
"""Structures, each with a merit order, that are known to have passed the audit."""
AUDITED_SHARE = 0.01
"""So many of the runs of a batch are made again with their hours, and audited."""
SLIGHT = 1e-3
"""Share of all demands below which a shortage is looked at hour by hour."""


class Bench(Protocol):
    """What runs are made with."""

    compiler: Compiler

    def load_many(self, orders: Sequence[Order]) -> tuple[list[Group], dict[int, InputError]]:
        """Return the systems of orders, and what is wrong with the others, by position."""

    def load(self, config: SimulationConfig, given: GivenSystem | None = None) -> System:
        """Return the system that a config names, or of the one given in its place."""

    def make(self, order: Order) -> Outcome:
        """Make one run by itself, with its hours."""


def can_be_batched(orders: Sequence[Order]) -> bool:
    """Return whether all orders are rule-based runs of which no hours are kept."""
    return all(order.config.solver_type == "rule_based" and not order.keeps_hours for order in orders)


class BatchMaker:
    """Makes runs side by side, and remembers what it has prepared and what the audit has passed."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._solvers: OrderedDict[tuple[Layout, SolverOptions], RuleBasedSolver] = OrderedDict()
        self._passed: deque[tuple[Problem, MeritOrder]] = deque(maxlen=KEPT_PASSED)

    def make(self, orders: Sequence[Order]) -> list[Outcome]:
        """Return how each run ended, in the order of `orders`.

        A hundredth of them, and the first run of every structure and merit order that comes, are also made with their
        hours and audited, and must cost the same; where one does not pass, none that was made with it does. Runs of a
        structure that a batch cannot trace, and those that miss very little, are made one by one.
        """
        outcomes: dict[str, Outcome] = {}
        for options in dict.fromkeys(order.config.solver for order in orders):
            some, end = [order for order in orders if order.config.solver == options], options.end
            groups, wrong = self._bench.load_many(some)
            for position, error in wrong.items():
                order = some[position]
                outcomes[order.run_id] = failed_outcome(order, FailureCause.DATA, str(error), "prepare")
            for batch in self._bench.compiler.batches(groups, EndRule(end)):
                members = [some[position] for position in batch.members]
                if needs_hours(batch.problem.layout) is not None:
                    outcomes |= {order.run_id: self._bench.make(order) for order in members}
                else:
                    outcomes |= self._outcomes(members, batch)
        return [outcomes[order.run_id] for order in orders]

    def _outcomes(self, orders: Sequence[Order], batch: Batch) -> dict[str, Outcome]:
        begin = time.perf_counter()
        solver = self._solver(batch.problem, orders[0].config.solver)
        totals = solver.solve_batch(batch.problem)
        kpis = KPICalculator().calculate_from_totals(totals)
        reason = self._what_is_wrong(orders, batch, solver, kpis["total_cost"])
        unmet, residual = _shortages(totals), _relative_residuals(totals)
        slight = _slight(totals, unmet)
        seconds = (time.perf_counter() - begin) / len(orders)
        rows = [dict(zip(kpis, values, strict=True)) for values in zip(*kpis.values(), strict=True)]
        outcomes = {}
        for at, order in enumerate(orders):
            if slight[at]:
                outcomes[order.run_id] = self._bench.make(order)
                continue
            columns: dict[str, object] = {
                "timesteps": batch.problem.steps,
                "currency": batch.heads[at].economics.currency,
                "solver_status": "dispatched",
                "balance_residual": residual[at],
                "wall_seconds": seconds,
                "solve_seconds": seconds,
                **rows[at],
            }
            broken = reason or _balance_reason(residual[at])
            outcomes[order.run_id] = _judged(order, columns, rows[at], broken, unmet[at])
        return outcomes

    def _solver(self, batch: Problem, options: SolverOptions) -> RuleBasedSolver:
        key = (batch.layout, options)
        solver = self._solvers.pop(key, None) or RuleBasedSolver(batch, options)
        self._solvers[key] = solver
        if len(self._solvers) > KEPT_SOLVERS:
            self._solvers.popitem(last=False)
        return solver

    def _what_is_wrong(
        self, orders: Sequence[Order], batch: Batch, solver: RuleBasedSolver, costs: Sequence[float | None]
    ) -> str | None:
        """Make some runs of a batch with their hours; return what the audit finds, their cost in the batch included."""
        sample = set(_sample(len(orders)))
        for merit_order, lanes in solver.lanes_by_order(batch.problem):
            if not self._has_passed(batch.problem, merit_order):
                sample.add(int(lanes[0]))
                self._passed.append((batch.problem, merit_order))
        for at in sorted(sample):
            system = batch.first if at == 0 else self._bench.load(orders[at].config, orders[at].given)
            problem = self._bench.compiler.compile(system, batch.problem.end)
            solution = solver.solve(problem)
            claimed = replace(solution, report=replace(solution.report, objective=float(costs[at] or 0.0)))
            found = audit(SolvedSystem(system, problem, claimed))
            if not (found.has_passed or found.is_short_only):
                self._passed.clear()
                return "; ".join(str(violation) for violation in found.violations[:3])
        return None

    def _has_passed(self, batch: Problem, merit_order: MeritOrder) -> bool:
        """Return whether the audit has passed a run that was dispatched by the same tables in the same order."""
        return any(order == merit_order and dispatch_alike(passed, batch) for passed, order in self._passed)


def _sample(number: int) -> list[int]:
    """Return the positions of those that are audited in any case, spread over all."""
    chosen = round(AUDITED_SHARE * number)
    return [int((at + 0.5) * number / chosen) for at in range(chosen)]


def _judged(
    order: Order, columns: dict[str, object], kpis: dict[str, float | None], broken: str | None, unmet: float
) -> Outcome:
    if broken is None and unmet == 0:
        columns["simulation_status"] = RunStatus.COMPLETED
        return Outcome(order.run_id, RunStatus.COMPLETED, columns, kpis)
    cause = FailureCause.UNMET if broken is None else FailureCause.BALANCE
    message = broken or f"demands that must be met are left short of {unmet:.4g} in all; raise what supplies them"
    failed = failed_outcome(order, cause, message, "audit")
    return replace(failed, columns=columns | failed.columns, kpis=kpis)


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
