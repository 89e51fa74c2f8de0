"""The audit finds every kind of mistake, names its place and its step, and passes what is right."""

from dataclasses import replace

import numpy as np
import pytest

from ecosystemiser.analyser.audit import Violation, audit
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import Solution, SolvedSystem, SolverReport
from ecosystemiser.solver.door import prepare

HEAD = "system_id: audited\ntime: {start: 2018-01-01, steps: 6}\neconomics: {co2_price_per_kg: 0.1}\ncomponents:\n"
HOUSE = """
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 8, export_price_per_kwh: 0.05, co2_kg_per_kwh: 0.4}
  pv: {type: pv, capacity_kw: 6, profile: [0, 1.0, 0.9, 0.5, 0, 0], variable_cost_per_kwh: 0.01, capex_per_kw: 900}
  battery: {type: battery, capacity_kwh: 4, power_kw: 3, efficiency: 0.9, loss_per_hour: 0.01}
  houses: {type: electricity_demand, profile: [1.0, 1.5, 2.0, 1.0, 2.0, 2.5]}
  pump: {type: heat_pump, power_kw: 0.5, cop: [3.0, 3.1, 3.2, 3.3, 3.4, 3.5]}
  tank: {type: heat_storage, capacity_kwh: 5}
  gas: {type: gas_supply, price_per_kwh: 0.1}
  boiler: {type: gas_boiler, power_kw: 5, variable_cost_per_kwh: 0.01}
  rooms: {type: heat_demand, profile: [3.0, 3.0, 2.0, 2.0, 4.0, 5.0], unmet_cost_per_kwh: 2.0}
"""
SOLVERS = ["rule_based", "milp"]
each_solver = pytest.mark.parametrize("solver", SOLVERS)


def load(text=HOUSE):
    return load_system(parse_yaml(HEAD + text, "audited.yaml"))


def solve(system, solver="rule_based", end=EndRule.SHORTFALL):
    problem = compile_problem(system, end)
    return SolvedSystem(system, problem, prepare(solver, problem).solve(problem))


def with_flow(solved, path, change):
    """Return the plan with one flow changed by a function of its hours."""
    flows = solved.solution.flows.copy()
    at = [flow.path for flow in solved.problem.layout.flows].index(path)
    flows[at] = change(flows[at].copy())
    return replace(solved, solution=replace(solved.solution, flows=flows))


def with_level(solved, name, step, level):
    """Return the plan with one level changed: that at the end of `step`; -1 is the run's start."""
    levels = solved.solution.levels.copy()
    levels[solved.problem.layout.storage_names.index(name), step + 1] = level
    return replace(solved, solution=replace(solved.solution, levels=levels))


def more_in(step, amount):
    def change(hours):
        hours[step] += amount
        return hours

    return change


def found_in(solved):
    """Return what the audit found as (where, what, step), in order."""
    found = audit(solved)
    assert found.has_passed == (not found.violations)
    return [(violation.where, violation.what, violation.step) for violation in found.violations]


@each_solver
@pytest.mark.parametrize("end", list(EndRule))
def test_a_right_plan_passes(solver, end):
    if (solver, end) in {("rule_based", EndRule.CYCLIC), ("rule_based", EndRule.FIXED)}:
        pytest.skip("rule_based refuses it")
    found = audit(solve(load(), solver, end))
    assert found.violations == ()
    assert found.has_passed
    assert not found.is_short_only
    assert found.balance_residual < 1e-9


@each_solver
@pytest.mark.parametrize("other", ["efficiency: 0.95", "efficiency: 0.9, discharge_efficiency: 0.85"])
def test_a_wrong_efficiency_is_found_in_the_level(solver, other):
    """The plan was made for another battery than the system has."""
    solved = solve(load(), solver)
    wrong = replace(solved, system=load(HOUSE.replace("efficiency: 0.9", other)))
    assert ("battery", "level does not follow") in {(where, what) for where, what, _ in found_in(wrong)}


def test_a_wrong_loss_is_found_in_the_level():
    wrong = replace(solve(load()), system=load(HOUSE.replace("loss_per_hour: 0.01", "loss_per_hour: 0.02")))
    assert [(where, what) for where, what, _ in found_in(wrong)] == [("battery", "level does not follow")]


def test_a_wrong_ratio_is_found_at_the_converter():
    """The boiler's 0.92 was taken for 0.9, and another input than belongs to its output."""
    solved = solve(load())
    other = load(HOUSE.replace("power_kw: 5, var", "power_kw: 5, efficiency: 0.9, var"))
    assert {(where, what) for where, what, _ in found_in(replace(solved, system=other))} == {
        ("boiler.out", "does not follow its ratio")
    }
    assert found_in(with_flow(solved, "boiler.in", more_in(5, 0.01))) == [
        ("bus gas", "does not balance", 5),
        ("boiler.out", "does not follow its ratio", 5),
    ]


@pytest.mark.parametrize(
    ("path", "where", "what"),
    [
        ("pv.out", "pv.out", "is above its limit"),
        ("battery.charge", "battery", "level does not follow"),
        ("pump.out", "pump.out", "does not follow its ratio"),
        ("houses.in", "houses", "is left short"),
        ("grid.import", "bus electricity", "does not balance"),
    ],
)
def test_a_shifted_hour_is_found(path, where, what):
    """A flow an hour late breaks its balance and what it belongs to."""
    places = found_in(with_flow(solve(load()), path, lambda hours: np.roll(hours, 1)))
    buses = {"pump.out": "bus heat"}
    assert buses.get(path, "bus electricity") in [place[0] for place in places]
    assert (where, what) in {(place, said) for place, said, _ in places}


@pytest.mark.parametrize("step", range(6))
def test_a_lost_kwh_is_found_in_its_hour(step):
    """A thousandth of a kWh less of sale, bought gas or stored heat."""
    solved = solve(load())
    for path, places in {
        "grid.import": [("bus electricity", "does not balance", step)],
        "gas.import": [("bus gas", "does not balance", step)],
        "tank.charge": [("bus heat", "does not balance", step), ("tank", "level does not follow", step)],
    }.items():
        assert found_in(with_flow(solved, path, more_in(step, 0.001))) == places


def test_what_is_within_the_tolerance_passes():
    """A millionth of the bus's largest flow is rounding; two millionths are not."""
    solved = solve(load())
    largest = float(max(solved.flow("gas.import").max(), solved.flow("boiler.in").max()))
    assert found_in(with_flow(solved, "gas.import", more_in(0, 0.9e-6 * largest))) == []
    assert found_in(with_flow(solved, "gas.import", more_in(0, 2e-6 * largest))) != []


def test_rounding_on_a_bus_that_nothing_flows_on_passes():
    """A plan of 1e-9 kWh that is 1e-14 out of balance is one of nothing."""
    solved = solve(
        load(
            "  grid: {type: grid, import_price_per_kwh: 0.3}\n"
            "  houses: {type: electricity_demand, profile: [0, 0, 0, 0, 0, 1.0e-9]}\n"
        )
    )
    found = audit(with_flow(solved, "grid.import", more_in(5, 1e-14)))
    assert found.has_passed
    assert found.balance_residual <= 1e-6
    assert not audit(with_flow(solved, "grid.import", more_in(5, 2e-7))).has_passed


@pytest.mark.parametrize(
    ("path", "step", "amount", "where"),
    [
        ("grid.import", 4, 9.0, "grid.import"),
        ("pv.out", 2, 0.1, "pv.out"),
        ("battery.discharge", 5, 3.1, "battery.discharge"),
        ("battery.charge", 1, 3.1, "battery.charge"),
        ("pump.in", 3, 1.1, "pump.in"),
        ("houses.in", 3, 0.1, "houses.in"),
    ],
)
def test_a_flow_above_its_limit_is_found(path, step, amount, where):
    assert (where, "is above its limit", step) in found_in(with_flow(solve(load()), path, more_in(step, amount)))


@pytest.mark.parametrize(
    "path", ["grid.import", "grid.export", "pv.out", "battery.charge", "houses.in", "pump.in", "gas.import"]
)
def test_a_flow_below_zero_is_found(path):
    assert (path, "is below 0", 2) in found_in(with_flow(solve(load()), path, more_in(2, -50.0)))


@pytest.mark.parametrize("step", [0, 3, 5])
def test_a_level_out_of_bounds_is_found_in_the_step_at_whose_end_it_stands(step):
    solved = solve(load())
    assert ("battery", "level is above its capacity", step) in found_in(with_level(solved, "battery", step, 4.1))
    assert ("tank", "level is below 0", step) in found_in(with_level(solved, "tank", step, -0.1))
    assert ("battery", "level does not follow", step) in found_in(with_level(solved, "battery", step, 4.1))


def test_a_wrong_begin_is_found():
    """A content that nobody brought there."""
    wrong = with_level(solve(load()), "battery", -1, 3.0)
    assert ("battery", "does not begin at its initial level", 0) in found_in(wrong)


@pytest.mark.parametrize(
    ("end", "what"),
    [(EndRule.CYCLIC, "does not end as it began"), (EndRule.FIXED, "does not end at its initial level")],
)
def test_a_violated_end_rule_is_found_in_the_last_step(end, what):
    """The plan of another rule, which leaves the storages empty, under this one."""
    solved = solve(load(), "milp", EndRule.FREE)
    assert solved.level("battery")[-1] < 0.1
    wrong = replace(solved, problem=replace(solved.problem, end=end))
    assert {place for place in found_in(wrong) if place[0] != "objective"} == {("battery", what, 5), ("tank", what, 5)}


def test_an_end_shortfall_that_was_not_paid_is_found_in_the_objective():
    solved = solve(load(), "milp", EndRule.FREE)
    wrong = replace(solved, problem=replace(solved.problem, end=EndRule.SHORTFALL))
    assert found_in(wrong) == [("objective", "differs from what the plan costs", 0)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("path", ["grid.import", "pv.out", "battery.charge", "houses.in", "pump.out", "rooms.in"])
def test_a_flow_that_is_no_number_is_found(path, value):
    """On its bus, in its hour; and it is never taken for a mere shortage."""

    def change(hours):
        hours[3] = value
        return hours

    found = audit(with_flow(solve(load()), path, change))
    bus = "bus heat" if path in ("pump.out", "rooms.in") else "bus electricity"
    assert ("does not balance", bus, 3) in [(one.what, one.where, one.step) for one in found.violations]
    assert not found.has_passed
    assert not found.is_short_only
    assert not found.balance_residual <= 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_level_that_is_no_number_is_found(value):
    places = found_in(with_level(solve(load()), "tank", 2, value))
    assert ("tank", "level does not follow", 2) in places


def test_a_residual_that_is_no_number_stays_the_worst():
    """Whichever bus it is on: those that balance do not cover it up."""
    solved = solve(load())
    for bus, path in {"electricity": "pv.out", "heat": "rooms.in", "gas": "gas.import"}.items():
        assert bus in solved.system.buses
        broken = audit(with_flow(solved, path, lambda hours: hours * np.nan))
        assert np.isnan(broken.balance_residual), bus


@pytest.mark.parametrize("factor", [1 + 3e-6, 1 - 3e-6, np.nan, np.inf, -1])
def test_an_objective_that_differs_from_the_cost_is_found(factor):
    """Capital, purchases, sales, wear, CO2, unmet demand and end shortfall are counted anew from the kinds."""
    solved = solve(load(), "milp")
    report = replace(solved.report, objective=solved.report.objective * factor)
    wrong = replace(solved, solution=replace(solved.solution, report=report))
    assert found_in(wrong) == [("objective", "differs from what the plan costs", 0)]


@pytest.mark.parametrize(
    "change",
    [
        ("import_price_per_kwh: 0.3", "import_price_per_kwh: 0.31"),
        ("export_price_per_kwh: 0.05", "export_price_per_kwh: 0.06"),
        ("co2_kg_per_kwh: 0.4", "co2_kg_per_kwh: 0.5"),
        ("variable_cost_per_kwh: 0.01, capex", "variable_cost_per_kwh: 0.02, capex"),
        ("capex_per_kw: 900", "capex_per_kw: 1000"),
        ("price_per_kwh: 0.1}", "price_per_kwh: 0.2}"),
    ],
)
def test_an_objective_of_other_prices_is_found(change):
    """The solver counted with one price, the system has another."""
    solved = solve(load(), "milp")
    assert min(float(solved.flow(path).sum()) for path in ("grid.import", "grid.export", "gas.import")) > 0.1
    wrong = replace(solved, system=load(HOUSE.replace(*change)))
    assert found_in(wrong) == [("objective", "differs from what the plan costs", 0)]


# Shortages


def short_house():
    """2 kW of grid against 3 in hours 1 and 4; nothing else is wrong."""
    return load(
        "  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 2}\n"
        "  battery: {type: battery, capacity_kwh: 9, power_kw: 1, initial_level: 0}\n"
        "  houses: {type: electricity_demand, profile: [1.0, 2.5, 1.0, 1.0, 3.0, 1.0]}\n"
    )


def test_a_shortage_alone_is_told_apart():
    """Short of 0.5 in hour 1 and of 1 in hour 4: the worst is named."""
    found = audit(solve(short_house()))
    assert found.violations == (Violation("is left short", "houses", 4, 1.0, is_shortage=True),)
    assert found.is_short_only
    assert not found.has_passed
    assert str(found.violations[0]) == "houses: is left short by 1 at step 4"


def test_a_shortage_beside_another_mistake_is_not_short_only():
    found = audit(with_flow(solve(short_house()), "grid.import", more_in(0, 0.01)))
    assert [violation.is_shortage for violation in found.violations] == [False, True]
    assert not found.is_short_only


def test_a_priced_demand_left_short_is_no_violation():
    text = HOUSE.replace("power_kw: 5,", "power_kw: 1,")
    solved = solve(load(text), "milp")
    assert float(solved.totals.unmet_kwh) > 0.1
    assert audit(solved).has_passed


# Both ways at once


def test_hours_in_which_things_flow_both_ways_are_counted():
    """One more kWh bought and sold in two hours, one charged and discharged in one: balanced, not wrong, but told."""
    solved = solve(load())
    assert audit(solved).simultaneous_hours == {}
    for path in ("grid.import", "grid.export"):
        solved = with_flow(with_flow(solved, path, more_in(0, 1.0)), path, more_in(1, 1.0))
    assert audit(solved).simultaneous_hours == {"grid": 2}
    assert audit(solved).has_passed
    for path in ("tank.charge", "tank.discharge"):
        solved = with_flow(solved, path, more_in(4, 1.0))
    found = audit(solved)
    assert found.simultaneous_hours == {"grid": 2, "tank": 1}
    assert found.has_passed


def test_rounding_both_ways_is_not_counted():
    solved = with_flow(solve(load()), "grid.import", more_in(1, 1e-9))
    assert audit(solved).simultaneous_hours == {}


def test_a_plan_without_an_objective_is_not_judged_by_it():
    solved = solve(load(), "milp")
    report = SolverReport("by hand", "written")
    assert audit(replace(solved, solution=Solution(solved.solution.flows, solved.solution.levels, report))).has_passed


RAIN = """
  mains: {type: water_grid, import_price_per_m3: 0, bus: service_water}
  roof: {type: rainwater, bus: service_water, area_m2: 1000, runoff: 1.0, filter_efficiency: 1.0,
    profile: [2.0, 0, 0, 3.0, 0, 0]}
  tank: {type: water_tank, bus: service_water, capacity_m3: 4, initial_level: 0.25}
  flush: {type: water_demand, bus: service_water, profile: [0, 0, 1.0, 0, 2.0, 1.0]}
"""
BOUGHT = {
    "mains.import": [0, 2, 0, 0, 0, 0],
    "roof.out": [2, 0, 0, 1, 0, 0],
    "tank.charge": [2, 2, 0, 1, 0, 0],
    "tank.discharge": [0, 0, 1, 0, 2, 1],
    "flush.in": [0, 0, 1, 0, 2, 1],
}
LEVELS = [1, 3, 4, 3, 4, 2, 1]
"""2 bought in hour 2 for the 1 that rain has left: 1 overflows. Of the rain of hour 4, 1 of 3 fits."""


def rained(levels=LEVELS, end=EndRule.SHORTFALL, **flows):
    system = load(RAIN)
    problem = compile_problem(system, end)
    planned = {**BOUGHT, **{path.replace("__", "."): hours for path, hours in flows.items()}}
    amounts = np.array([planned.get(flow.path, [0] * 6) for flow in problem.layout.flows], dtype=float)
    return SolvedSystem(system, problem, Solution(amounts, np.array([levels], dtype=float), SolverReport("hand", "")))


def test_a_full_tank_overflows_whatever_comes():
    assert found_in(rained()) == []


@pytest.mark.parametrize(
    ("levels", "flows", "step"),
    [
        ([1, 3, 3.5, 2.5, 3.5, 1.5, 0.5], {}, 1),  # 1.5 lost of a tank that could hold 0.5 of it
        ([1, 3, 4, 3, 4, 2, 0.5], {}, 5),  # lost while it has room
        ([1, 3, 4, 3, 4, 2.5, 1.5], {}, 4),  # more than before
        ([1, 3, 4, 4, 4, 2, 1], {}, 2),  # full, and yet more than it had
    ],
)
def test_a_tank_loses_and_gains_nothing_otherwise(levels, flows, step):
    assert ("tank", "level does not follow", step) in found_in(rained(levels, **flows))


def test_rain_beside_a_tank_with_room_is_told_whatever_is_bought_later():
    """That room may not be kept for what is bought, and overflows: rain falls into a tank by itself."""
    wrong = rained([1, 2, 4, 3, 4, 2, 1], roof__out=[1, 0, 0, 1, 0, 0], tank__charge=[1, 2, 0, 1, 0, 0])
    assert found_in(wrong) == [("tank", "overflows before it is full", 0)]
