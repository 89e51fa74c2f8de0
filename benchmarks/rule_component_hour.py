"""What a component costs in an hour of a batch: 25 components beside 7."""

from __future__ import annotations

from benchmarks.measure import Effort, Row, by_turns
from benchmarks.systems import large, reference, variations

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.problem import Problem
from ecosystemiser.model.system import System
from ecosystemiser.solver.rule_based.merit_order import merit_orders, routes
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack
from ecosystemiser.solver.rule_based.strategies import lines_of

__all__ = ["rows"]

MOST = 2.0
LANES = 256


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    lanes = min(LANES, effort.lanes)
    many, few = _batch(large(effort.steps), lanes), _batch(reference(effort.steps), lanes)
    for batch in (many, few):
        short = float(RuleBasedSolver(batch, SolverOptions()).solve_batch(batch).unmet_kwh.max())
        assert batch is few or short == 0.0, f"{short:g} kWh of the large system are not met"
    solvers = [RuleBasedSolver(batch, SolverOptions()) for batch in (many, few)]
    pair = by_turns(
        lambda: solvers[0].solve_batch(many), lambda: solvers[1].solve_batch(few), effort.short_repeats
    )
    per_many, per_few = (lanes * effort.steps * len(batch.layout.components) for batch in (many, few))
    steps = [len(merit_orders(batch, routes(batch.layout, lines_of(SolverOptions())))[0][0]) for batch in (many, few)]
    orders = [len(merit_orders(batch, routes(batch.layout, lines_of(SolverOptions())))) for batch in (many, few)]
    note = f"{_count(many)} components, {steps[0]} steps of the merit order; peer: {_count(few)} and {steps[1]}"
    return [
        Row(
            "rule_component_hour",
            pair.ours_s / per_many,
            pair.peer_s / per_few,
            "s",
            MOST,
            spread=pair.spread * per_few / per_many,
            note=note,
            details={**pair.details(), "merit_steps": steps, "merit_orders": orders, "lanes": lanes},
        )
    ]


def _batch(system: System, lanes: int) -> Problem:
    return stack(variations(compile_problem(system), lanes))


def _count(problem: Problem) -> int:
    return len(problem.layout.components)
