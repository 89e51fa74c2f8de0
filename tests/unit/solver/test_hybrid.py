"""The hybrid by hand: which way it takes, what it says of it, and that its bound holds."""

import numpy as np
import pytest
from tests.unit.solver.switched import HEATED, near, solved_by, switched

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError, SolveError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.reader import parse_yaml
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.hybrid import search
from ecosystemiser.solver.hybrid.bound import certified_bound
from ecosystemiser.solver.hybrid.circuits import circuits_of, misfit
from ecosystemiser.solver.hybrid.relaxation import Linear
from ecosystemiser.solver.milp.solver import MilpSolver

RISING = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.2, 0.2, 0.5], export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0, efficiency: 1.0}
  load: {type: electricity_demand, profile: [0.0, 0.0, 0.0, 2.0]}
"""


# ------------------------------------------------------------------------------------------ linear programs


def test_a_linear_program_is_solved_whole():
    """2 kWh bought in hour 0 at 0.1, used in hour 3: its optimum is its bound."""
    solved = solved_by("hybrid", RISING, 4)
    assert solved.report.objective == near(0.2)
    assert (solved.report.solver, solved.report.status, solved.report.gap) == ("hybrid", "optimal", 0)


def test_the_scouts_plan_stands_where_the_optimiser_gives_up(monkeypatch):
    """The rule buys when it is used, at 0.5: 1.0."""

    def give_up(self, problem, *, should_stop=None):
        raise SolveError(FailureCause.TIMEOUT, "too late")

    monkeypatch.setattr(MilpSolver, "solve", give_up)
    solved = solved_by("hybrid", RISING, 4)
    assert solved.report.objective == near(1)
    assert (solved.report.status, solved.report.bound) == ("scouted", None)
    assert solved.report.notes == ("the rule-based scout's plan: the optimiser found no plan (too late)",)


@pytest.mark.parametrize("end", ["cyclic", "fixed"])
def test_a_scout_that_drifts_is_no_plan_under_a_given_end(monkeypatch, end):
    """It would draw the 1 kWh of the start and not bring it back: the optimiser's error stands."""

    def give_up(self, problem, *, should_stop=None):
        raise SolveError(FailureCause.TIMEOUT, "too late")

    monkeypatch.setattr(MilpSolver, "solve", give_up)
    text = """
  grid: {type: grid, import_price_per_kwh: [0.5, 0.2], export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 2, power_kw: 2, efficiency: 1.0}
  load: {type: electricity_demand, profile: [1.0, 0.0]}
"""
    with pytest.raises(SolveError, match="too late"):
        solved_by("hybrid", text, 2, end=end)


def test_more_kept_than_seen_is_refused():
    with pytest.raises(InputError, match=r"solver\.commit_h: 3\.0 is longer than the look-ahead"):
        solved_by("hybrid", RISING, 4, lookahead_h=2, commit_h=3)


# ------------------------------------------------------------------------------------------ switched devices


def test_one_start_serves_three_hours():
    """Heat of 1 kWh in each of 3 hours; a boiler of 2 to 4 kW at 0.1 a kWh and 0.5 a start, and a store of 4 kWh.

    One hour at 3 kW: 0.3 + 0.5. Without the least load and the start it would cost 0.3: that is the relaxation.
    """
    solved = solved_by("hybrid", HEATED, 3)
    assert solved.report.objective == near(0.8)
    assert solved.on.tolist() == [[1, 0, 0]]
    assert solved.report.status == "committed"
    assert solved.report.notes == ("relaxation 0.30, 3 passes of commitment and polish",)
    assert 0.3 <= solved.report.bound <= 0.8


def test_the_bound_knows_of_the_start():
    """No plan does without one start: the program over cells finds 0.8 itself, up to what its cells blur."""
    problem = compile_problem(switched(HEATED, 3))
    linear = Linear(problem, SolverOptions())
    duals = linear.solve().duals
    assert certified_bound(linear, circuits_of(problem), duals) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"boiler.count": 2}, "boiler has several units"),
        ({"boiler.part_load": {"load": [0.5, 1], "efficiency": [0.9, 1]}, "boiler.minimum_load": 0.5},
         "the efficiency of boiler changes with its load"),
        ({"grid.tariff": {"tiers": [{"price_per_kwh": 0.3, "up_to_kwh": 2}, {"price_per_kwh": 0.1}]},
          "grid.import_limit_kw": 9}, "a price falls with the amount"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_planned_in_windows(change, reason):
    problem = compile_problem(switched(HEATED, 3, change))
    assert misfit(problem) == reason
    solved = solved_by("hybrid", HEATED, 3, change=change)
    assert solved.report.status == "planned in windows"
    assert solved.report.notes[0] == f"the plan of 1 windows, because {reason}"
    assert solved.report.objective == near(solved_by("milp", HEATED, 3, change=change).report.objective)


def test_what_does_not_fit_is_planned_at_once_under_a_limit_of_co2():
    """Two units, and a limit that the plan just keeps: 3 kWh at 0.5 kg."""
    text = HEATED.replace("export_limit_kw: 0", "export_limit_kw: 0, co2_kg_per_kwh: 0.5")
    document = f"system_id: co2\ntime: {{steps: 3}}\neconomics: {{co2_limit_kg: 1.5}}\ncomponents:\n{text}"
    system = load_system(with_values(parse_yaml(document, "co2.yaml"), {"boiler.count": 2}))
    solved = solved_by("hybrid", system, 3)
    assert (solved.report.status, solved.report.objective) == ("optimal", near(0.8))


def test_windows_plan_where_no_pass_finds_a_plan(monkeypatch):
    monkeypatch.setattr(search, "committed", lambda *_: np.zeros((1, 3), dtype=np.int64))  # heat, and nothing on
    solved = solved_by("hybrid", HEATED, 3)
    assert solved.report.objective == near(0.8)
    assert "because no plan was found at the prices" in solved.report.notes[0]


def test_time_that_is_left_goes_into_pieces(monkeypatch):
    """A commitment that runs the boiler in two hours costs 1.3; planned anew as a whole-number program 0.8."""
    monkeypatch.setattr(search, "committed", lambda *_: np.array([[1, 0, 1]]))
    text = HEATED.replace("capacity_kwh: 4", "capacity_kwh: 8")
    assert solved_by("hybrid", text, 3).report.objective == near(1.3 + 0.1)  # 2 kW at least in each: 4 kWh
    solved = solved_by("hybrid", text, 3, time_limit_s=20)
    assert solved.report.objective == near(0.8)
    assert solved.report.notes[-1] == "1 days planned anew, 0.60 cheaper"


@pytest.mark.parametrize("end", ["shortfall", "cyclic", "fixed", "free"])
@pytest.mark.parametrize("seed", range(5))
def test_a_plan_costs_no_less_than_the_bound_and_the_optimum_lies_between(seed, end):
    """Random prices, demands and devices of two circuits, against HiGHS on the whole-number program."""
    rng = np.random.default_rng(seed)
    hours = 18
    text = f"""
system_id: random
time: {{steps: {hours}}}
buses: {{warm: heat}}
components:
  grid: {{type: grid, import_price_per_kwh: {rng.uniform(0.1, 0.5, hours).round(3).tolist()},
         import_limit_kw: 40, export_price_per_kwh: 0.05}}
  pv: {{type: pv, capacity_kw: 5, profile: {rng.uniform(0, 1, hours).round(3).tolist()}}}
  battery: {{type: battery, capacity_kwh: 8, power_kw: 4}}
  load: {{type: electricity_demand, profile: {rng.uniform(1, 4, hours).round(3).tolist()}}}
  rooms: {{type: heat_demand, profile: {rng.uniform(2, 9, hours).round(3).tolist()}}}
  pump: {{type: heat_pump, power_kw: {rng.uniform(4, 7):.2f}, cop: 3, minimum_load: {rng.uniform(0.2, 0.6):.2f},
         start_cost: {rng.uniform(0, 0.5):.2f}, min_up_h: {rng.integers(0, 4)}, min_down_h: {rng.integers(0, 4)}}}
  buffer: {{type: heat_storage, capacity_kwh: {rng.uniform(10, 30):.1f}, initial_level: 0.5, loss_per_hour: 0.01}}
  gas: {{type: gas_supply, price_per_kwh: 0.12}}
  boiler: {{type: gas_boiler, power_kw: 8}}
  halls: {{type: heat_demand, bus: warm, profile: {rng.uniform(0, 6, hours).round(3).tolist()}}}
  rod: {{type: electric_boiler, bus: warm, power_kw: 9, minimum_load: 0.4, start_cost: 0.2}}
  tank: {{type: heat_storage, bus: warm, capacity_kwh: 12, initial_level: 0.4}}
"""
    system = load_system(parse_yaml(text, "random.yaml"))
    exact = solved_by("milp", system, hours, end=end, gap=1e-6)
    found = solved_by("hybrid", system, hours, end=end)
    assert found.report.status == "committed"
    assert found.report.bound <= exact.report.objective + 1e-6
    assert exact.report.bound <= found.report.objective + 1e-6
    assert found.report.objective <= exact.report.objective + 0.05 * abs(exact.report.objective)


def test_stopping_ends_the_search():
    system = switched(HEATED, 3)
    problem = compile_problem(system)
    with pytest.raises(KeyboardInterrupt):
        prepare("hybrid", problem, SolverOptions()).solve(problem, should_stop=lambda: True)
