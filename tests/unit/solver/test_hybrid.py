"""The hybrid by hand: when windows improve the scout's plan, and when the scout's is the answer."""

import pytest

from ecosystemiser.analyser.audit import audit
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError, SolveError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import SolvedSystem
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.milp.solver import MilpSolver


def solve(components, steps, *, solver="hybrid", lookahead=1.0, commit=1.0, end="shortfall"):
    text = f"system_id: hybrid\ntime: {{steps: {steps}}}\ncomponents:\n{components}"
    system = load_system(parse_yaml(text, "hybrid.yaml"))
    problem = compile_problem(system, EndRule(end))
    options = SolverOptions(lookahead_h=lookahead, commit_h=commit, end=end)
    solved = SolvedSystem(system, problem, prepare(solver, problem, options).solve(problem))
    assert audit(solved).violations == ()
    return solved


def near(value):
    return pytest.approx(value, abs=1e-8)


RISING = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.2, 0.2, 0.5], export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0, efficiency: 1.0}
  load: {type: electricity_demand, profile: [0.0, 0.0, 0.0, 2.0]}
"""
SUNNY = """
  grid: {{type: grid, import_price_per_kwh: 0.5, export_price_per_kwh: 0.05, import_limit_kw: {limit}}}
  pv: {{type: pv, capacity_kw: 2, profile: [1.0, 0.0]}}
  battery: {{type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0, efficiency: 1.0, end_price: {price}}}
  load: {{type: electricity_demand, profile: [0.0, 2.0]}}
"""


def test_windows_improve_what_the_scout_found():
    """The scout buys 2 kWh at 0.5 when they are used; windows of two hours the hour before at 0.2: 0.6 less."""
    solved = solve(RISING, 4, lookahead=2)
    assert solved.report.objective == near(0.4)
    assert (solved.report.solver, solved.report.status) == ("hybrid", "improved")
    assert solved.report.notes == ("the plan of 3 windows, 0.60 cheaper than the scout",)
    assert solved.report.bound <= 0.2 + 1e-9


def test_the_scout_knows_what_windows_do_not_see():
    """2 kWh of sun are used an hour later. A window of one hour would sell them at 0.05 and buy at 0.5: 0.9.

    The scout stores them, and a window that leaves less behind pays 0.5 a kWh.
    """
    text = SUNNY.format(limit=9, price=0.5)
    assert solve(text, 2, solver="rolling_horizon").report.objective == near(0.9)
    solved = solve(text, 2)
    assert solved.report.objective == near(0)
    assert solved.level("battery") == near([0, 2, 0])


def test_the_scouts_plan_stands_where_it_is_cheaper():
    """With an end price of 0 the windows sell what they should keep: 0.9 against the scout's 0."""
    solved = solve(SUNNY.format(limit=9, price=0), 2)
    assert solved.report.objective == near(0)
    assert solved.report.status == "scouted"
    assert solved.report.notes == ("the scout's plan: 0.90 cheaper than that of 2 windows",)
    assert solved.level("battery") == near([0, 2, 0])
    assert solved.report.bound <= 1e-9


def test_the_scouts_plan_stands_where_a_window_has_none():
    """What was sold cannot be bought back: the grid gives 1 of 2 kWh. The scout kept them; the result says so."""
    solved = solve(SUNNY.format(limit=1, price=0), 2)
    assert solved.report.objective == near(0)
    assert (solved.report.status, solved.report.bound, solved.report.gap) == ("scouted", None, None)
    (note,) = solved.report.notes
    assert note.startswith("a window has no plan (steps 1 to 1: no plan meets every demand")
    assert note.endswith("; this is the scout's")
    assert solved.level("battery") == near([0, 2, 0])


def test_the_scouts_plan_stands_where_the_optimiser_gives_up(monkeypatch):
    def give_up(self, problem, *, should_stop=None):
        raise SolveError(FailureCause.TIMEOUT, "too late")

    monkeypatch.setattr(MilpSolver, "solve", give_up)
    solved = solve(RISING, 4, lookahead=2)
    assert solved.report.objective == near(1)
    assert solved.report.notes == ("a window has no plan (steps 0 to 1: too late); this is the scout's",)


def test_windows_may_meet_what_the_scout_leaves_short():
    """2 kWh in hour 2, a grid of 1: the scout stores nothing bought and is no plan; two hours ahead 1 is stored."""
    text = """
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}
  battery: {type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0, efficiency: 1.0}
  load: {type: electricity_demand, profile: [0.0, 2.0]}
"""
    solved = solve(text, 2, lookahead=2)
    assert solved.report.objective == near(0.6)
    assert (solved.report.status, solved.report.notes) == ("improved", ("the plan of 1 windows",))
    with pytest.raises(SolveError, match=r"^steps 1 to 1:") as raised:
        solve(text, 2, lookahead=1)
    assert raised.value.cause is FailureCause.UNMET


@pytest.mark.parametrize("end", ["cyclic", "fixed"])
def test_a_scout_that_drifts_is_no_plan_under_a_given_end(end):
    """It would draw the 1 kWh of the start; the windows buy at 0.5 or bring it back at 0.2: 0.2, over two hours."""
    text = """
  grid: {type: grid, import_price_per_kwh: [0.5, 0.2], export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 2, power_kw: 2, efficiency: 1.0}
  load: {type: electricity_demand, profile: [1.0, 0.0]}
"""
    solved = solve(text, 2, lookahead=2, end=end)
    assert solved.report.objective == near(0.2)
    assert solved.report.notes == ("the plan of 1 windows",)
    assert solved.level("battery") == near([1, 0, 1])


@pytest.mark.parametrize("end", ["cyclic", "fixed"])
def test_a_scout_that_ends_as_it_began_is_a_plan_under_any_end(end):
    """Sun stored in hour 1 and used in hour 2: up 2, down 2. Windows that pay nothing for what is missing sell it."""
    solved = solve(SUNNY.format(limit=9, price=0), 2, end=end)
    assert solved.report.objective == near(0)
    assert solved.report.status == "scouted"


def test_more_kept_than_seen_is_refused():
    with pytest.raises(InputError, match=r"solver\.commit_h: 3\.0 is longer than the look-ahead"):
        solve(RISING, 4, lookahead=2, commit=3)
