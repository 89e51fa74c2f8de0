"""What holds for any system: conservation, bounds, and that the optimum costs no more than the rule."""

import numpy as np
import pytest
from hypothesis import event, given, settings
from tests.property.strategies import systems
from tests.reference.plain_checks import broken_rules

from ecosystemiser.analyser.audit import audit
from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.kpis import KPIS
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.kinds import Storage
from ecosystemiser.model.problem import EndRule
from ecosystemiser.results import SolvedSystem
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack

any_system = settings(deadline=None, max_examples=40)
"""In CI, Hypothesis' own profile derandomizes."""
each_solver = pytest.mark.parametrize("solver", ["rule_based", "milp"])


def solve(system, solver, end=EndRule.SHORTFALL):
    """Return the solved system; None where the optimiser proved that no plan meets every demand."""
    problem = compile_problem(system, end)
    try:
        solved = SolvedSystem(system, problem, prepare(solver, problem).solve(problem))
    except SolveError as error:
        assert (solver, error.cause) == ("milp", FailureCause.INFEASIBLE), error  # noqa: PT017
        event("infeasible")
        return None
    return solved


def total_cost(solved):
    return float(KPIS[0].numerator(solved.totals))


@each_solver
@any_system
@given(system=systems())
def test_every_balance_closes_and_every_bound_holds(solver, system):
    """By our own arithmetic and by the audit, which agree on whether a demand is left short."""
    solved = solve(system, solver)
    if solved is None:
        return
    found = audit(solved)
    assert broken_rules(solved, must_meet=False) == []
    assert found.has_passed or (solver == "rule_based" and found.is_short_only), found
    assert found.has_passed == (broken_rules(solved) == [])
    assert found.balance_residual <= 1e-6


@pytest.mark.parametrize("end", [EndRule.CYCLIC, EndRule.FIXED, EndRule.FREE])
@any_system
@given(system=systems())
def test_the_optimiser_keeps_every_end_rule(end, system):
    solved = solve(system, "milp", end)
    if solved is not None:
        assert broken_rules(solved) == []
        assert audit(solved).has_passed, audit(solved)


@any_system
@given(system=systems())
def test_the_optimum_costs_no_more_than_the_rule(system):
    """And what the rule can do is never called infeasible."""
    by_rule, best = solve(system, "rule_based"), solve(system, "milp")
    if not audit(by_rule).has_passed:
        event("rule left a demand short")
        return
    assert best is not None
    event("rule met all")
    gap = best.report.objective - best.report.bound
    slack = max(0.0, gap) + 1e-6 * max(1.0, abs(total_cost(by_rule)))
    assert total_cost(best) <= total_cost(by_rule) + slack
    assert best.report.bound <= total_cost(by_rule) + slack
    assert best.report.objective == pytest.approx(total_cost(best), rel=1e-6, abs=1e-6)


@any_system
@given(system=systems(circles=False))
def test_totals_of_a_batch_are_those_of_the_hours(system):
    solved = solve(system, "rule_based")
    problem = solved.problem
    totals = RuleBasedSolver(problem, None).solve_batch(stack([problem, problem]))
    for kpi in KPIS:
        for formula in (kpi.numerator, kpi.denominator):
            if formula is not None:
                expected = float(formula(solved.totals))
                assert formula(totals) == pytest.approx([expected] * 2, rel=1e-9, abs=1e-9), kpi.name


@each_solver
@any_system
@given(system=systems())
def test_origins_are_parts_of_the_whole(solver, system):
    """Local electricity used is part of what is generated and of what is used; renewable part of what is delivered."""
    solved = solve(system, solver)
    if solved is None:
        return
    totals = solved.totals
    slack = 1e-6 * max(1.0, float(np.abs(solved.solution.flows).max()))
    assert -slack <= totals.local_use_kwh <= min(totals.generation_kwh, totals.electricity_use_kwh) + slack
    assert -slack <= totals.renewable_delivered_kwh <= totals.delivered_kwh + slack
    for share in ("self_consumption_rate", "self_sufficiency_rate", "renewable_fraction"):
        (kpi,) = (kpi for kpi in KPIS if kpi.name == share)
        whole = float(kpi.denominator(totals))
        assert -slack <= float(kpi.numerator(totals)) <= whole + slack, share


@each_solver
@any_system
@given(system=systems())
def test_storages_conserve_energy_over_the_horizon(solver, system):
    """What went in less what came out less all losses is what the level rose by."""
    solved = solve(system, solver)
    if solved is None:
        return
    for kind in system.kinds:
        if isinstance(kind, Storage):
            charged, discharged = (float(solved.flow(f"{kind.name}.{way}").sum()) for way in ("charge", "discharge"))
            levels = solved.level(kind.name)
            standing = kind.loss * float(levels[:-1].sum())
            converting = charged * (1 - kind.charge_efficiency) + discharged * (1 / kind.discharge_efficiency - 1)
            rise = float(levels[-1] - levels[0])
            slack = 1e-6 * max(kind.capacity, charged, discharged)
            assert charged - discharged - standing - converting == pytest.approx(rise, abs=slack)
