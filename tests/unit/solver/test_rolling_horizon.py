"""Rolling horizon by hand: what a look-ahead saves, and how it fails."""

import numpy as np
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


def load(components, steps, step="1h"):
    text = f'system_id: rolling\ntime: {{steps: {steps}, step: "{step}"}}\ncomponents:\n{components}'
    return load_system(parse_yaml(text, "rolling.yaml"))


def solve(components, steps, *, lookahead, commit=1, end="shortfall", step="1h"):
    system = load(components, steps, step)
    problem = compile_problem(system, EndRule(end))
    options = SolverOptions(lookahead_h=lookahead, commit_h=commit, end=end)
    solved = SolvedSystem(system, problem, prepare("rolling_horizon", problem, options).solve(problem))
    assert audit(solved).violations == ()
    return solved


def near(value):
    return pytest.approx(value, abs=1e-8)


RISING = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.2, 0.2, 0.5], export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0, efficiency: 1.0}
  load: {type: electricity_demand, profile: [0.0, 0.0, 0.0, 2.0]}
"""


@pytest.mark.parametrize(
    ("lookahead", "commit", "cost", "bought"),
    [
        (1, 1, 1.0, [0, 0, 0, 2]),
        (2, 1, 0.4, [0, 0, 2, 0]),
        (2, 2, 0.4, [0, 0, 2, 0]),
        (3, 1, 0.4, None),
        (4, 1, 0.2, [2, 0, 0, 0]),
        (48, 24, 0.2, [2, 0, 0, 0]),
    ],
)
def test_a_saving_is_made_once_it_is_seen(lookahead, commit, cost, bought):
    """2 kWh are used in hour 4. Seen one hour ahead they are bought at 0.5; two or three, at 0.2; four, at 0.1.

    A window that does not see hour 4 has no reason to buy: it leaves the battery as it found it, empty.
    """
    solved = solve(RISING, 4, lookahead=lookahead, commit=commit)
    assert solved.report.objective == near(cost)
    if bought is not None:
        assert solved.flow("grid.import") == near(bought)
    assert solved.report.bound <= 0.2 + 1e-9
    assert solved.report.gap == near((cost - solved.report.bound) / cost)


def test_a_horizon_in_one_window_is_the_optimum_and_knows_it():
    solved = solve(RISING, 4, lookahead=4)
    assert (solved.report.objective, solved.report.bound) == (near(0.2), near(0.2))
    assert solved.report.notes == ("1 windows of 4.0 h, 1.0 h kept",)
    assert (solved.report.solver, solved.report.status) == ("rolling_horizon", "rolled")


def test_each_window_sees_its_steps_and_starts_where_the_last_was_cut(monkeypatch):
    """Half hours: 1.5 h seen and 1 h kept are 3 and 2 steps: steps 0 to 2, 2 to 4, 4 to 5; loads of 1 to 6 kW."""
    seen = []
    original = MilpSolver.solve

    def watch(self, problem, *, should_stop=None):
        seen.append((problem.limits(problem.layout.sinks[0]).tolist(), problem.coefficients.initial_level.tolist()))
        return original(self, problem, should_stop=should_stop)

    monkeypatch.setattr(MilpSolver, "solve", watch)
    text = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.5, 0.1, 0.5, 0.1, 0.5], export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 9, power_kw: 9, initial_level: 0, efficiency: 1.0}
  load: {type: electricity_demand, profile: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
"""
    solved = solve(text, 6, lookahead=1.5, commit=1, step="30min")
    assert [loads for loads, _ in seen] == [[0.5, 1, 1.5], [1.5, 2, 2.5], [2.5, 3]]
    assert [level for _, (level,) in seen] == solved.level("battery")[[0, 2, 4]].tolist()
    assert solved.flow("grid.import") == near([1.5, 0, 3.5, 0, 5.5, 0])
    assert solved.report.objective == near(1.05)


def test_nothing_is_emptied_for_less_than_the_end_price():
    """1 of 2 kWh stored, 0.3 each if missing at the end: at 0.2 it is not drawn, at 0.5 it is, wherever a window ends.

    Hour 1 buys at 0.2, hour 2 draws 1 (0.3 at the end): 0.5 in all. Hours 3 and 4 use nothing.
    """
    text = """
  grid: {type: grid, import_price_per_kwh: [0.2, 0.5, 0.4, 0.4], export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 2, power_kw: 2, efficiency: 1.0, end_price: 0.3}
  load: {type: electricity_demand, profile: [1.0, 1.0, 0.0, 0.0]}
"""
    solved = solve(text, 4, lookahead=1)
    assert solved.flow("battery.discharge") == near([0, 1, 0, 0])
    assert solved.report.objective == near(0.5)


@pytest.mark.parametrize("end", ["cyclic", "fixed"])
def test_the_last_window_brings_the_storage_back(end):
    """Hour 2 draws the 1 kWh of the start: it is worth 0.5 there, 0.45 at the end. Hour 3 puts it back for 0.1."""
    text = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.5, 0.1, 0.4], export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 2, power_kw: 2, efficiency: 1.0, end_price: 0.45}
  load: {type: electricity_demand, profile: [0.0, 1.0, 0.0, 0.0]}
"""
    solved = solve(text, 4, lookahead=1, end=end)
    assert solved.level("battery")[[0, -1]] == near([1, 1])
    assert solved.report.objective == near(0.1)
    assert solved.flow("grid.import") == near([0, 0, 1, 0])


LATE = """
  grid: {{type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}}
  battery: {{type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0, efficiency: 1.0}}
  load: {{type: electricity_demand, profile: {load}}}
"""


def test_a_window_without_a_plan_is_no_proof():
    """2 kWh in hour 2 need 1 stored in hour 1, which does not see them: unmet, with what to do; two hours ahead do."""
    with pytest.raises(SolveError, match=r"^steps 1 to 1: no plan meets .* raise lookahead_h, or use milp$") as raised:
        solve(LATE.format(load=[0.0, 2.0]), 2, lookahead=1)
    assert raised.value.cause is FailureCause.UNMET
    assert solve(LATE.format(load=[0.0, 2.0]), 2, lookahead=2).report.objective == near(0.6)


def test_a_first_window_without_a_plan_proves_that_there_is_none():
    """2 kWh at once of 1: nothing went before that could have been planned otherwise."""
    with pytest.raises(SolveError, match=r"^steps 0 to 0: no plan meets") as raised:
        solve(LATE.format(load=[2.0, 0.0]), 2, lookahead=1)
    assert raised.value.cause is FailureCause.INFEASIBLE


def test_a_start_that_may_be_chosen_is_no_proof():
    """Under `cyclic` the battery may start full enough; the windows start it empty."""
    with pytest.raises(SolveError) as raised:
        solve(LATE.format(load=[2.0, 0.0]), 2, lookahead=1, end="cyclic")
    assert raised.value.cause is FailureCause.UNMET
    problem = compile_problem(load(LATE.format(load=[2.0, 0.0]), 2), EndRule.CYCLIC)
    assert prepare("milp", problem).solve(problem).report.objective == near(0.6)


def test_other_causes_stay(monkeypatch):
    def give_up(self, problem, *, should_stop=None):
        raise SolveError(FailureCause.TIMEOUT, "too late")

    monkeypatch.setattr(MilpSolver, "solve", give_up)
    with pytest.raises(SolveError, match=r"^steps 0 to 1: too late$") as raised:
        solve(RISING, 4, lookahead=2)
    assert raised.value.cause is FailureCause.TIMEOUT


def test_the_answer_does_not_depend_on_what_was_solved_before():
    """Windows with several optima, of which each leads to others: warm from the last window they end 0.15 apart."""
    text = """
  grid: {type: grid, import_price_per_kwh: [0.2, 0.3, 0.2, 0.3, 0.3, 0.3, 0.2, 0.2], export_price_per_kwh: 0.2,
         import_limit_kw: 4, export_limit_kw: 3}
  pv: {type: pv, capacity_kw: 3, profile: [0.0, 0.5, 0.5, 0.0, 0.0, 1.0, 0.5, 1.0]}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2, efficiency: 1.0, end_price: 0.2}
  cell: {type: battery, capacity_kwh: 3, power_kw: 2, efficiency: 1.0, end_price: 0.2}
  load: {type: electricity_demand, profile: [0.0, 1.0, 0.0, 0.0, 2.0, 2.0, 1.0, 0.0]}
"""
    problem = compile_problem(load(text, 8))
    prepared = prepare("rolling_horizon", problem, SolverOptions(lookahead_h=2, commit_h=1))
    one, two = prepared.solve(problem), prepared.solve(problem)
    assert np.array_equal(one.flows, two.flows)
    assert np.array_equal(one.levels, two.levels)


def test_more_kept_than_seen_is_refused():
    problem = compile_problem(load(RISING, 4))
    with pytest.raises(InputError) as raised:
        prepare("rolling_horizon", problem, SolverOptions(lookahead_h=2, commit_h=3))
    (finding,) = raised.value.findings
    assert (finding.key, finding.value) == ("solver.commit_h", 3.0)
    assert finding.remedy == "take commit_h of at most lookahead_h (2.0)"
