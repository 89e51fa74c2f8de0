"""What every solver promises (`solver/door.py`), one suite over all of them. A new solver is a new line of SOLVERS."""

import re
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np
import pytest
from tests.reference.plain_checks import broken_rules

from ecosystemiser.analyser.audit import audit
from ecosystemiser.config.solver_options import SOLVER_TYPES, SolverOptions
from ecosystemiser.errors import FailureCause, InputError, SolveError
from ecosystemiser.kpis import KPIS
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.model.problem import Coefficients, EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import SolvedSystem, Tally
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack


@dataclass(frozen=True)
class Promise:
    """What a solver can do beyond what all can."""

    ends: tuple[EndRule, ...]
    is_exact: bool
    """Equal results bit by bit; otherwise total_cost to 1e-6."""
    has_objective: bool


SOLVERS = {
    "rule_based": Promise((EndRule.SHORTFALL, EndRule.FREE), is_exact=True, has_objective=False),
    "rolling_horizon": Promise(tuple(EndRule), is_exact=False, has_objective=True),
    "hybrid": Promise(tuple(EndRule), is_exact=False, has_objective=True),
    "milp": Promise(tuple(EndRule), is_exact=False, has_objective=True),
}
OPTIONS = SolverOptions(lookahead_h=8, commit_h=3)
"""Short enough for many windows in 48 steps."""
each_solver = pytest.mark.parametrize("solver", list(SOLVERS))

HEAD = "system_id: contract\ntime: {start: 2018-01-31, step: STEP, steps: 48}\n"
HOUSE = """
economics: {co2_price_per_kg: 0.05}
components:
  grid:
    type: grid
    import_price_per_kwh: {default: 0.28, periods: [{price: 0.18, hours: "22-06"}, {price: 0.38, hours: "17-21"}]}
    import_limit_kw: 20
    export_price_per_kwh: 0.08
    export_limit_kw: 3
    co2_kg_per_kwh: 0.381
    renewable_share: 0.5
  pv: {type: pv, capacity_kw: 8, count: 2, profile: SUN, variable_cost_per_kwh: 0.01, capex_per_kw: 900}
  battery: {type: battery, capacity_kwh: 10, power_kw: 4, loss_per_hour: 0.001, embodied_co2_kg_per_kwh: 70}
  houses: {type: electricity_demand, profile: LOAD}
  rooms: {type: heat_demand, profile: HEAT}
  pump: {type: heat_pump, power_kw: 1.5, cop: COP}
  buffer: {type: heat_storage, capacity_kwh: 12}
  gas: {type: gas_supply, price_per_kwh: 0.11, co2_kg_per_kwh: 0.2}
  boiler: {type: gas_boiler, power_kw: 12, variable_cost_per_kwh: 0.002}
"""
TARIFF = {
    "fixed_per_month": 20.0,
    "tiers": [{"price_per_kwh": 0.0, "up_to_kwh": 900.0}, {"price_per_kwh": 0.1}],
    "demand_charges": [{"price_per_kw": 30.0, "least_kw": 1.0, "ratchet": 0.5}],
}
WATER = """
components:
  mains: {type: source, bus: water, flow_m3_per_h: 1, cost_per_m3: 2.5}
  cistern: {type: storage, bus: water, capacity_m3: 2, flow_m3_per_h: 1, charge_efficiency: 0.9, loss_per_hour: 0.01}
  taps: {type: sink, bus: water, profile: LOAD, unmet_cost_per_m3: 9}
"""
TWO_BUSES = """
buses: {cellar: electricity}
components:
  grid: {type: grid, import_price_per_kwh: PRICE, renewable_share: 0.4}
  cable: {type: converter, input: electricity, output: cellar, ratio: 0.9}
  back: {type: converter, input: cellar, output: electricity, ratio: 0.9}
  pv: {type: pv, capacity_kw: 5, profile: SUN}
  roof: {type: pv, bus: cellar, capacity_kw: 5, profile: SUN}
  battery: {type: battery, bus: cellar, capacity_kwh: 5, duration_h: 2}
  pump: {type: electricity_demand, bus: cellar, profile: LOAD}
  houses: {type: electricity_demand, profile: LOAD}
"""
CIRCLE = """
components:
  grid: {type: grid, import_price_per_kwh: PRICE}
  pv: {type: pv, capacity_kw: 9, profile: SUN}
  houses: {type: electricity_demand, profile: LOAD}
  pump: {type: heat_pump, power_kw: 4, cop: 3.0}
  engine: {type: converter, input: heat, output: electricity, ratio: 0.1, power_kw: 3}
  tank: {type: heat_storage, capacity_kwh: 20}
  rooms: {type: heat_demand, profile: HEAT}
"""
SHORT = """
components:
  grid: {type: grid, import_price_per_kwh: PRICE, import_limit_kw: 2}
  pv: {type: pv, capacity_kw: 3, profile: SUN}
  battery: {type: battery, capacity_kwh: 3, power_kw: 3}
  houses: {type: electricity_demand, profile: LOAD, unmet_cost_per_kwh: 1.5}
"""
RAIN = """
components:
  mains: {type: water_grid, import_price_per_m3: {default: 2.1, periods: [{price: 1.4, hours: "22-06"}]},
          import_limit_m3_per_h: 3, variable_cost_per_m3: 0.1, co2_kg_per_m3: 0.3}
  taps: {type: water_demand, profile: DRINK, count: 3}
  topup: {type: converter, input: water, output: service_water, ratio: 1.0, flow_m3_per_h: 2}
  roof: {type: rainwater, bus: service_water, area_m2: 900, profile: SUN, capex_per_m2: 4}
  pond: {type: water_tank, bus: service_water, capacity_m3: 4, evaporation_mm_per_day: 30, surface_m2: 12}
  butt: {type: water_tank, bus: service_water, capacity_m3: 1.5, initial_level: 0.2, variable_cost_per_m3: 0.02}
  flush: {type: water_demand, bus: service_water, profile: LOAD, unmet_cost_per_m3: 6}
"""
SYSTEMS = {"house": HOUSE, "water": WATER, "rain": RAIN, "two_buses": TWO_BUSES, "circle": CIRCLE, "short": SHORT}
each_system = pytest.mark.parametrize("name", list(SYSTEMS))


def profiles():
    """Return two days of hours: sun, load, heat, prices, COP."""
    hours = np.arange(48)
    sun = np.maximum(0.0, np.sin((hours - 6) / 12 * np.pi)) * np.where(hours < 24, 1.0, 0.4)
    return {
        "SUN": sun,
        "LOAD": 1.5 + np.cos((hours - 19) / 12 * np.pi) + 0.5 * (hours % 3),
        "HEAT": 4 + 3 * np.cos(hours / 12 * np.pi),
        "PRICE": 0.2 + 0.1 * np.cos((hours - 18) / 6 * np.pi),
        "DRINK": 0.1 + 0.05 * np.cos((hours - 8) / 6 * np.pi),
        "COP": 3 - np.cos(hours / 12 * np.pi),
    }


def document(name, step="1h"):
    text = HEAD.replace("STEP", step) + SYSTEMS[name]
    for word, values in profiles().items():
        text = re.sub(rf"\b{word}\b", str(values.round(4).tolist()), text)
    return parse_yaml(text, f"{name}.yaml")


def load(name, step="1h", **changes):
    """Return a system of SYSTEMS; changes by their path, with `__` for the dot."""
    values = {path.replace("__", "."): value for path, value in changes.items()}
    return load_system(with_values(document(name, step), values))


def solve(solver, system, end=EndRule.SHORTFALL):
    problem = compile_problem(system, end)
    return SolvedSystem(system, problem, prepare(solver, problem, OPTIONS).solve(problem))


def bytes_of(problem):
    """Return all arrays of a problem as bytes."""
    arrays = {one.name: getattr(problem, one.name) for one in fields(problem)}
    arrays |= {one.name: getattr(problem.coefficients, one.name) for one in fields(Coefficients)}
    return {name: value.tobytes() for name, value in arrays.items() if isinstance(value, np.ndarray | np.generic)}


def assert_equal_results(solver, one, other):
    """Bit by bit where the solver promises so, else to 1e-6 of total_cost."""
    if SOLVERS[solver].is_exact:
        assert one.solution.flows.tobytes() == other.solution.flows.tobytes()
        assert one.solution.levels.tobytes() == other.solution.levels.tobytes()
    else:
        cost, other_cost = (float(KPIS[0].numerator(solved.totals)) for solved in (one, other))
        assert cost == pytest.approx(other_cost, rel=1e-6, abs=1e-6)


def test_the_suite_knows_every_solver():
    assert set(SOLVERS) == set(SOLVER_TYPES)


def test_a_solver_of_another_name_is_refused_with_the_names():
    with pytest.raises(InputError, match=r"rule_based.*rolling_horizon.*hybrid.*milp"):
        prepare("rule-based", compile_problem(load("water")))


# Balances, bounds, ends, demands


@each_solver
@each_system
@pytest.mark.parametrize("step", ["1h", "15min"])
def test_every_balance_closes_and_every_bound_holds(solver, name, step):
    solved = solve(solver, load(name, step))
    assert broken_rules(solved) == []
    assert audit(solved).has_passed, audit(solved)


@each_solver
@each_system
@pytest.mark.parametrize("end", list(EndRule))
def test_an_end_rule_is_kept_or_refused(solver, name, end):
    """Not one is kept by half: what a solver cannot promise it refuses, naming the solvers' options."""
    if end not in SOLVERS[solver].ends:
        with pytest.raises(InputError, match="end: shortfall or free"):
            solve(solver, load(name), end)
        return
    solved = solve(solver, load(name), end)
    assert solved.problem.end is end
    assert broken_rules(solved) == []
    assert audit(solved).has_passed, audit(solved)
    if end is not EndRule.SHORTFALL:
        assert float(solved.totals.end_shortfall_cost) == 0


@each_solver
def test_a_priced_demand_may_go_unmet_and_is_paid_for(solver):
    solved = solve(solver, load("short"))
    demand, received = solved.system.kinds[-1].demand.values(48), solved.flow("houses.in")
    missing = float((demand - received).sum())
    assert missing > 1
    assert float(solved.totals.unmet_kwh) == pytest.approx(missing)
    assert float(solved.totals.unmet_cost) == pytest.approx(1.5 * missing)
    assert audit(solved).has_passed


@each_solver
def test_a_demand_that_must_be_met_fails_where_it_cannot_be(solver):
    """A rule keeps its hours and the audit says what is short; an optimiser proves that there is no plan.

    2 kW of grid and half a kWh stored, which the rule uses at once: of 2, 3 and 3 it leaves 1 short in the last two.
    Looking ahead would leave 1.5.
    """
    text = (
        "system_id: short\ntime: {start: 2018-01-01, steps: 3}\ncomponents:\n"
        "  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 2}\n"
        "  battery: {type: battery, capacity_kwh: 1, power_kw: 1, initial_level: 0.5, efficiency: 1.0}\n"
        "  house: {type: electricity_demand, profile: [2.0, 3.0, 3.0]}\n"
    )
    try:
        solved = solve(solver, load_system(parse_yaml(text, "short.yaml")))
    except SolveError as error:
        assert SOLVERS[solver].has_objective
        assert error.cause is FailureCause.INFEASIBLE  # noqa: PT017
        return
    assert not SOLVERS[solver].has_objective
    found = audit(solved)
    assert found.is_short_only
    assert [(violation.where, violation.step) for violation in found.violations] == [("house", 1)]
    assert float(solved.totals.unmet_kwh) == pytest.approx(2)


# Totals


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "circle"])
def test_totals_of_a_batch_are_those_of_the_hours(name):
    """Every KPI's sums and every field of the tally, for variations of sizes, prices, losses and merit order."""
    changes = {
        "house": [{}, {"battery__capacity_kwh": 3}, {"gas__price_per_kwh": 0.02}, {"pv__capacity_kw": 1}],
        "water": [{}, {"cistern__capacity_m3": 0.5}, {"mains__flow_m3_per_h": 3}],
        "rain": [{}, {"roof__area_m2": 90}, {"pond__capacity_m3": 1}, {"topup__ratio": 0.5, "pond__surface_m2": 0}],
        "two_buses": [{}, {"cable__ratio": 0.5}, {"battery__efficiency": 0.6, "back__variable_cost": 0.3}],
        "short": [{}, {"grid__import_limit_kw": 1}, {"battery__loss_per_hour": 0.2, "houses__unmet_cost_per_kwh": 0}],
    }[name]
    systems = [load(name, **change) for change in changes]
    problems = [compile_problem(system) for system in systems]
    totals = RuleBasedSolver(problems[0], SolverOptions()).solve_batch(stack(problems))
    for lane, system in enumerate(systems):
        solved = solve("rule_based", system)
        for one in fields(Tally):
            expected, found = getattr(solved.tally, one.name), getattr(totals.tally, one.name)[..., lane]
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11, err_msg=one.name)
        for kpi in KPIS:
            for formula in filter(None, (kpi.numerator, kpi.denominator)):
                expected = float(formula(solved.totals))
                assert float(formula(totals)[lane]) == pytest.approx(expected, rel=1e-11, abs=1e-11), kpi.name


@each_solver
@each_system
def test_an_objective_is_the_total_cost(solver, name):
    solved = solve(solver, load(name))
    report = solved.report
    assert report.solver == solver
    if not SOLVERS[solver].has_objective:
        assert (report.objective, report.bound, report.gap) == (None, None, None)
        return
    assert report.objective == pytest.approx(float(KPIS[0].numerator(solved.totals)), rel=1e-6)
    assert report.bound <= report.objective + 1e-6 * abs(report.objective)
    assert report.gap >= 0


@each_solver
@each_system
def test_a_bound_is_below_the_optimum(solver, name):
    """And near it: one that says nothing would be no bound. Windows of 8 hours of 48 leave at most a third open."""
    best = solve("milp", load(name)).report.objective
    bound = solve(solver, load(name)).report.bound
    if SOLVERS[solver].has_objective:
        assert best - abs(best) / 3 <= bound <= best + 1e-6 * abs(best)


@pytest.mark.parametrize("solver", [name for name, promise in SOLVERS.items() if promise.has_objective])
@each_system
def test_no_plan_is_cheaper_than_the_optimum(solver, name):
    best = solve("milp", load(name)).report.objective
    assert solve(solver, load(name)).report.objective >= best - 1e-6 * abs(best)
    assert float(KPIS[0].numerator(solve("rule_based", load(name)).totals)) >= best - 1e-6 * abs(best)


def test_a_window_that_keeps_more_than_it_sees_is_refused_before_work():
    problem = compile_problem(load("water"))
    for solver in ("rolling_horizon", "hybrid"):
        with pytest.raises(InputError, match=r"commit_h: 24.0 is longer than the look-ahead; take commit_h of at most"):
            prepare(solver, problem, SolverOptions(lookahead_h=12))


# Again and again


@each_solver
@each_system
def test_a_problem_is_never_changed(solver, name):
    problem = compile_problem(load(name))
    before = bytes_of(problem)
    assert len(before) > 20
    prepared = prepare(solver, problem, OPTIONS)
    prepared.solve(problem)
    prepared.solve(problem)
    assert bytes_of(problem) == before


def test_a_batch_is_never_changed():
    batch = stack([compile_problem(load("house")), compile_problem(load("house", pv__capacity_kw=1))])
    before = bytes_of(batch)
    RuleBasedSolver(batch, SolverOptions()).solve_batch(batch)
    assert bytes_of(batch) == before


@each_solver
@each_system
def test_the_same_problem_has_the_same_answer_twice(solver, name):
    system = load(name)
    problem = compile_problem(system)
    prepared = prepare(solver, problem, OPTIONS)
    answers = [SolvedSystem(system, problem, prepared.solve(problem)) for _ in range(2)]
    assert_equal_results(solver, *answers)
    assert_equal_results(solver, answers[0], solve(solver, system))


VARIATIONS = {
    "smaller battery": {"battery__capacity_kwh": 2.5},
    "lossy battery": {"battery__efficiency": 0.6, "battery__loss_per_hour": 0.05},
    "cheap gas": {"gas__price_per_kwh": 0.02},
    "dear CO2": {"economics__co2_price_per_kg": 0.5},
    "flat price": {"grid__import_price_per_kwh": 0.3},
    "no sale": {"grid__export_limit_kw": 0},
    "another profile": {"houses__profile": [2.0] * 48},
    "one profile of two": {"rooms__profile": profiles()["LOAD"].round(4).tolist()},
    "without battery": {"battery__capacity_kwh": 0},
    "priced demand": {"houses__unmet_cost_per_kwh": 0.2},
    "another month": {"time__start": date(2018, 3, 1)},
}


@each_solver
@pytest.mark.parametrize("variation", list(VARIATIONS))
def test_a_variation_is_solved_as_by_a_fresh_solver(solver, variation):
    """Sizes, prices, profiles, and structures that it was not prepared for; then the first problem once more."""
    first, varied = load("house"), load("house", **VARIATIONS[variation])
    problem, other = compile_problem(first), compile_problem(varied)
    prepared = prepare(solver, problem, OPTIONS)
    before = SolvedSystem(first, problem, prepared.solve(problem))
    solved = SolvedSystem(varied, other, prepared.solve(other))
    assert broken_rules(solved) == []
    assert_equal_results(solver, solved, solve(solver, varied))
    assert_equal_results(solver, SolvedSystem(first, problem, prepared.solve(problem)), before)


@each_solver
def test_signals_that_change_places_are_noticed(solver):
    """Two systems with the same rows of signals, of which the last demand takes another one."""
    text = (
        "system_id: rows\ntime: {start: 2018-01-01, steps: 2}\ncomponents:\n"
        "  grid: {type: grid, import_price_per_kwh: 0.3}\n"
        "  a: {type: electricity_demand, profile: [1.0, 2.0]}\n"
        "  b: {type: electricity_demand, profile: [3.0, 4.0]}\n"
        "  c: {type: electricity_demand, profile: LAST}\n"
    )
    problem, other = (
        compile_problem(load_system(parse_yaml(text.replace("LAST", last), "rows.yaml")))
        for last in ("[1.0, 2.0]", "[3.0, 4.0]")
    )
    assert problem.layout == other.layout
    assert problem.signals.tolist() == other.signals.tolist()
    prepared = prepare(solver, problem, OPTIONS)
    assert prepared.solve(problem).flows[0].tolist() == pytest.approx([5, 8])
    assert prepared.solve(other).flows[0].tolist() == pytest.approx([7, 10])


@each_solver
def test_a_limit_that_changes_with_the_step_is_kept_for_every_flow(solver):
    """Also for those of storages, which no component makes yet: here the limit of charging and discharging halves."""
    system = load("short")
    problem = compile_problem(system)
    shape = np.where(np.arange(48) < 24, 1.0, 0.5)
    rows, limited = problem.limit_signal.copy(), [*problem.layout.charges, *problem.layout.discharges]
    rows[limited] = len(problem.signals)
    scale = problem.coefficients.limit.copy()
    scale[limited] = 0.4
    varied = replace(
        problem,
        signals=np.vstack([problem.signals, shape]),
        limit_signal=rows,
        coefficients=replace(problem.coefficients, limit=scale),
    )
    moved = prepare(solver, varied, OPTIONS).solve(varied).flows[limited]
    assert (moved <= 0.4 * shape + 1e-9).all()
    assert moved[:, :24].max() == pytest.approx(0.4)
    assert moved[:, 24:].max() == pytest.approx(0.2)


def test_problems_of_other_months_or_end_rules_make_no_batch():
    """They would be counted with the first one's calendar and end rule."""
    system = load("house")
    problem = compile_problem(system)
    later = compile_problem(load("house", time__start=date(2018, 3, 1)))
    for other in (compile_problem(system, EndRule.FREE), replace(problem, months=problem.months * 0), later):
        with pytest.raises(InputError, match="another batch"):
            stack([problem, other])


# Bad numbers, limits, stops


SWITCHED = ("start_cost", "curve_load", "curve_given")


@each_solver
@pytest.mark.parametrize("field", [one.name for one in fields(Coefficients)])
def test_a_coefficient_that_is_no_number_is_refused_as_data(solver, field):
    """Each one alone, at its last place; by a fresh solver and by one that has solved well before."""
    switched = {"pump__start_cost": 0.1} if field in SWITCHED else {}
    if switched and solver == "rule_based":
        pytest.skip("rule_based switches nothing")
    problem = compile_problem(load("house", grid__tariff=TARIFF, **switched))
    values = np.array(getattr(problem.coefficients, field))
    values[(-1,) * values.ndim] = np.nan
    broken = replace(problem, coefficients=replace(problem.coefficients, **{field: values}))
    prepared = prepare(solver, problem, OPTIONS)
    prepared.solve(problem)
    for attempt in (lambda: prepare(solver, broken, OPTIONS).solve(broken), lambda: prepared.solve(broken)):
        with pytest.raises(SolveError) as raised:
            attempt()
        assert raised.value.cause is FailureCause.DATA


@each_solver
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_signal_that_is_no_number_is_refused_as_data(solver, bad):
    """Every row in turn: prices, profiles, demands, COP."""
    problem = compile_problem(load("house"))
    for row in range(1, len(problem.signals)):
        signals = problem.signals.copy()
        signals[row, 7] = bad
        broken = replace(problem, signals=signals)
        with pytest.raises(SolveError) as raised:
            prepare(solver, broken, OPTIONS).solve(broken)
        assert raised.value.cause is FailureCause.DATA, row


@each_solver
@pytest.mark.parametrize("field", ["cost", "co2", "capital_per_year", "end_price", "ratio", "capacity"])
def test_a_number_without_end_is_refused_as_data(solver, field):
    """Only limits may be infinite."""
    problem = compile_problem(load("house"))
    values = np.array(getattr(problem.coefficients, field))
    values[-1] = np.inf
    broken = replace(problem, coefficients=replace(problem.coefficients, **{field: values}))
    with pytest.raises(SolveError) as raised:
        prepare(solver, broken, OPTIONS).solve(broken)
    assert raised.value.cause is FailureCause.DATA


@each_solver
def test_a_request_to_stop_ends_the_work(solver):
    """Also where the answer would be there before the first look at the clock; afterwards it works as before."""
    system = load("house")
    problem = compile_problem(system)
    prepared = prepare(solver, problem, OPTIONS)
    asked = []

    def stop():
        asked.append(1)
        return True

    with pytest.raises(KeyboardInterrupt):
        prepared.solve(problem, should_stop=stop)
    assert asked
    answer = SolvedSystem(system, problem, prepared.solve(problem, should_stop=lambda: False))
    assert_equal_results(solver, answer, solve(solver, system))
