"""What holds for any system: conservation, bounds, and that the optimum costs no more than the rule."""

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from tests.property.strategies import systems
from tests.reference.plain_checks import broken_rules
from tests.reference.plain_dispatch import Hours, plain_origin

from ecosystemiser.analyser.audit import audit
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.kpis import KPIS
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.kinds import Exchange, Sink, Source, Storage
from ecosystemiser.model.problem import EndRule
from ecosystemiser.results import SolvedSystem
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.milp.solver import MilpSolver
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, needs_hours, stack
from ecosystemiser.solver.windows import windows_of

any_system = settings(deadline=None, max_examples=30)
"""In CI, Hypothesis' own profile derandomizes."""
SOLVERS = ("rule_based", "rolling_horizon", "hybrid", "milp")
each_solver = pytest.mark.parametrize("solver", SOLVERS)
OPTIONS = SolverOptions(lookahead_h=5, commit_h=2)
NO_PLAN = {
    "milp": [FailureCause.INFEASIBLE],
    "rolling_horizon": [FailureCause.INFEASIBLE, FailureCause.UNMET],
    "hybrid": [FailureCause.INFEASIBLE, FailureCause.UNMET],
}
"""How a solver may end without a plan: only the optimiser of the whole horizon has always proved that there is none."""


def solve(system, solver, end=EndRule.SHORTFALL):
    """Return the solved system; None where there is no plan that meets every demand, or none was found."""
    problem = compile_problem(system, end)
    try:
        solved = SolvedSystem(system, problem, prepare(solver, problem, OPTIONS).solve(problem))
    except SolveError as error:
        cause = error.cause
    else:
        return solved
    assert cause in NO_PLAN.get(solver, [])
    event(f"{solver}: {cause}")
    if cause is FailureCause.INFEASIBLE and solver != "milp":
        assert solve(system, "milp", end) is None
    return None


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


@pytest.mark.parametrize("solver", ["rolling_horizon", "hybrid", "milp"])
@any_system
@given(system=systems(), end=st.sampled_from([EndRule.CYCLIC, EndRule.FIXED, EndRule.FREE]))
def test_who_looks_ahead_keeps_every_end_rule(solver, system, end):
    solved = solve(system, solver, end)
    if solved is not None:
        assert broken_rules(solved) == []
        assert audit(solved).has_passed, audit(solved)


@any_system
@given(system=systems(), end=st.sampled_from([EndRule.SHORTFALL, EndRule.SHORTFALL, *EndRule]))
def test_no_plan_costs_less_than_the_optimum_nor_any_bound_more(system, end):
    """And what any solver can do is never called infeasible; the hybrid never costs more than its feasible scout."""
    solvers = SOLVERS if end in (EndRule.SHORTFALL, EndRule.FREE) else SOLVERS[1:]
    answers = {solver: solve(system, solver, end) for solver in solvers}
    plans = {name: plan for name, plan in answers.items() if plan is not None and audit(plan).has_passed}
    event(f"plans: {', '.join(plans)}")
    best = answers["milp"]
    if best is None:
        assert not plans
        return
    slack = 1e-6 * max([1.0, *(abs(total_cost(plan)) for plan in plans.values())])
    for name, plan in plans.items():
        report = plan.report
        assert total_cost(best) <= total_cost(plan) + slack, name
        if report.objective is not None:
            assert report.objective == pytest.approx(total_cost(plan), rel=1e-6, abs=1e-6), name
        if report.bound is not None:
            assert report.bound <= total_cost(best) + slack, name
    if "rule_based" in plans:
        assert total_cost(plans["hybrid"]) <= total_cost(plans["rule_based"]) + slack


@any_system
@given(system=systems(), lookahead=st.integers(1, 9), commit=st.integers(1, 9))
def test_windows_join_to_one_plan(system, lookahead, commit):
    """Each window starts at the very level at which the one before was cut: the joined plan keeps every rule."""
    problem = compile_problem(system)
    options = SolverOptions(lookahead_h=max(lookahead, commit), commit_h=commit)
    starts = []

    class Seen(MilpSolver):
        def solve(self, problem, *, should_stop=None):
            starts.append(problem.coefficients.initial_level.copy())
            return super().solve(problem, should_stop=should_stop)

    planner = prepare("rolling_horizon", problem, options)
    planner._milp = Seen(problem, options)
    try:
        solved = SolvedSystem(system, problem, planner.solve(problem))
    except SolveError as error:
        assert error.cause in NO_PLAN["rolling_horizon"]  # noqa: PT017
        return
    assert broken_rules(solved) == []
    step_h = problem.step_h
    lookahead_steps, commit_steps = (max(1, round(hours / step_h)) for hours in (options.lookahead_h, options.commit_h))
    cuts = [window.first for window in windows_of(problem.steps, lookahead_steps, commit_steps)]
    assert np.array(starts).T.tolist() == solved.solution.levels[:, cuts].tolist()


@any_system
@given(system=systems(circles=False))
def test_totals_of_a_batch_are_those_of_the_hours(system):
    solved = solve(system, "rule_based")
    problem = solved.problem
    assume(needs_hours(problem.layout) is None)
    totals = RuleBasedSolver(problem, SolverOptions()).solve_batch(stack([problem, problem]))
    for kpi in KPIS:
        for formula in (kpi.numerator, kpi.denominator):
            if formula is not None:
                expected = float(formula(solved.totals))
                assert formula(totals) == pytest.approx([expected] * 2, rel=1e-9, abs=1e-9), kpi.name


@each_solver
@any_system
@given(system=systems())
def test_origins_are_those_of_the_plain_twin(solver, system):
    """Whoever made the plan: local electricity, renewable energy, water that nobody bought, and rain."""
    solved = solve(system, solver)
    if solved is None:
        return
    layout = solved.problem.layout
    hours = Hours(
        {flow.path: solved.solution.flows[at].tolist() for at, flow in enumerate(layout.flows)},
        {name: solved.level(name).tolist() for name in layout.storage_names},
    )
    origin, totals = plain_origin(system, hours), solved.totals
    slack = 1e-7 * max(1.0, float(np.abs(solved.solution.flows).sum()))
    assert float(totals.local_use_kwh) == pytest.approx(origin.local_use, abs=slack)
    assert float(totals.renewable_delivered_kwh) == pytest.approx(origin.renewable_delivered, abs=slack)
    assert float(totals.local_water_m3) == pytest.approx(origin.local_water, abs=slack)
    assert float(totals.rain_delivered_m3) == pytest.approx(origin.rain_delivered, abs=slack)


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
    received = sum(
        float(solved.flow(f"{k.name}.in").sum())
        for k in system.kinds
        if isinstance(k, Sink) and not system.buses[k.bus].is_energy
    )
    assert -slack <= totals.rain_delivered_m3 <= totals.local_water_m3 + slack <= received + 2 * slack
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
    prices = [kind.import_price for kind in system.kinds if isinstance(kind, Exchange)]
    prices += [kind.cost for kind in system.kinds if isinstance(kind, Source) and kind.is_bought]
    buys_for_nothing = any(price.lowest() <= 0 for price in prices)
    for kind in system.kinds:
        if isinstance(kind, Storage):
            charged, discharged = (float(solved.flow(f"{kind.name}.{way}").sum()) for way in ("charge", "discharge"))
            levels = solved.level(kind.name)
            standing = kind.loss * float(levels[:-1].sum())
            converting = charged * (1 - kind.charge_efficiency) + discharged * (1 / kind.discharge_efficiency - 1)
            rise = float(levels[-1] - levels[0])
            slack = 1e-6 * max(kind.capacity, charged, discharged)
            gone = charged - discharged - standing - converting - rise
            if kind.overflows and buys_for_nothing:  # what was bought and did not fit when rain had come
                assert -slack <= gone <= charged + slack
            else:
                assert gone == pytest.approx(0.0, abs=slack)
