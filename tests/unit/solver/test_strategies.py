"""The named strategies of the rule: dispatch derived by hand, a batch equal to single runs, what is refused."""

from dataclasses import fields

import numpy as np
import pytest
from tests.unit.solver.switched import near, switched

from ecosystemiser.analyser.audit import audit
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import InputError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.results import SolvedSystem, Tally
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack
from ecosystemiser.solver.rule_based.strategies import WORDS

HOME = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.4, 0.4], export_price_per_kwh: 0.05, import_limit_kw: 9}
  battery: {type: battery, capacity_kwh: 4, power_kw: 3, efficiency: 1.0, initial_level: 0, end_price: 0}
  load: {type: electricity_demand, profile: [1.0, 2.0, 2.0]}
"""


def dispatched(components, steps, **options):
    system = switched(components, steps)
    problem = compile_problem(system)
    solution = prepare("rule_based", problem, SolverOptions(**options)).solve(problem)
    solved = SolvedSystem(system, problem, solution)
    assert audit(solved).violations == ()
    return solved


# ---------------------------------------------------------------------------------------------- time_of_use


def test_a_battery_charges_in_cheap_hours_and_serves_in_dear_ones():
    """0.1 is below 80 % of 0.4: hour 0 buys 1 for the demand and 3 (its power) for the battery; it serves 2 and 1."""
    solved = dispatched(HOME, 3, strategy="time_of_use")
    assert solved.flow("grid.import") == near([4, 0, 1])
    assert solved.flow("battery.charge") == near([3, 0, 0])
    assert solved.flow("battery.discharge") == near([0, 2, 1])
    assert solved.report.notes == ("strategy time_of_use",)


def test_a_battery_does_not_serve_in_cheap_hours():
    """Full at the start: hour 0 is bought all the same, the 4 kWh serve hours 1 and 2."""
    solved = dispatched(HOME.replace("initial_level: 0,", "initial_level: 1.0,"), 3, strategy="time_of_use")
    assert solved.flow("battery.discharge") == near([0, 2, 2])


def test_it_serves_in_cheap_hours_what_the_grid_cannot():
    text = HOME.replace("initial_level: 0,", "initial_level: 1.0,").replace("kw: 9", "kw: 0.4")
    solved = dispatched(text.replace("[1.0, 2.0, 2.0]", "[1.0, 0.4, 0.4]"), 3, strategy="time_of_use")
    assert solved.flow("battery.discharge") == near([0.6, 0.4, 0.4])


def test_a_flat_day_has_no_cheap_hours():
    """0.35 is above 80 % of 0.4: as self_consumption, which buys when it is used."""
    text = HOME.replace("[0.1, 0.4, 0.4]", "[0.35, 0.4, 0.4]")
    plans = [dispatched(text, 3, strategy=strategy) for strategy in ("time_of_use", "self_consumption")]
    assert plans[0].solution.flows.tolist() == plans[1].solution.flows.tolist()


def test_days_are_judged_one_by_one():
    """A cheap day as a whole has no cheap hours within it; the dear one has."""
    prices = [0.1] * 24 + [0.3] * 12 + [0.6] * 12
    text = f"""
  grid: {{type: grid, import_price_per_kwh: {prices}, import_limit_kw: 9}}
  battery: {{type: battery, capacity_kwh: 4, power_kw: 3, efficiency: 1.0, initial_level: 0, end_price: 0}}
  load: {{type: electricity_demand, profile: {[1.0] * 48}}}
"""
    charge = dispatched(text, 48, strategy="time_of_use").flow("battery.charge")
    assert charge[:24].sum() == near(0)
    assert charge[24:26] == near([3, 1])
    assert charge.sum() == near(4)


def test_heat_is_stored_in_cheap_hours_too():
    """The pump of 2 kW, COP 3, makes 6 in hour 0: 1 is used, 4 fill the store; it serves hours 1 and 2."""
    text = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.4, 0.4]}
  pump: {type: heat_pump, power_kw: 2, cop: 3}
  store: {type: heat_storage, capacity_kwh: 4, initial_level: 0, loss_per_hour: 0, end_price: 0}
  rooms: {type: heat_demand, profile: [1.0, 2.0, 3.0]}
"""
    solved = dispatched(text, 3, strategy="time_of_use")
    assert solved.level("store") == near([0, 4, 2, 0])
    assert solved.flow("pump.in") == near([5 / 3, 0, 1 / 3])


# --------------------------------------------------------------------------------------------- peak_shaving

PEAKY = """
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 9}
  battery: {type: battery, capacity_kwh: 4, power_kw: 3, efficiency: 1.0, initial_level: 0, end_price: 0}
  load: {type: electricity_demand, profile: [1.0, 1.0, 5.0, 2.0]}
"""


def test_a_peak_is_shaved_by_what_was_charged_below_it():
    """At most 3 kW: 2 of them charge in hours 0 and 1 (full at 4), which give 2 in hour 2; hour 3 charges 1 again."""
    solved = dispatched(PEAKY, 4, strategy="peak_shaving", peak_kw=3.0)
    assert solved.flow("grid.import") == near([3, 3, 3, 3])
    assert solved.level("battery") == near([0, 2, 4, 2, 3])


def test_a_peak_that_cannot_be_shaved_is_bought():
    """At most 1 kW: nothing is left for the battery, and 4 kW more are bought in hour 2 all the same."""
    solved = dispatched(PEAKY, 4, strategy="peak_shaving", peak_kw=1.0)
    assert solved.flow("grid.import") == near([1, 1, 5, 2])


def test_a_battery_rests_below_the_peak():
    """Full at the start, demands of 1 below a peak of 3: the grid serves them."""
    text = PEAKY.replace("initial_level: 0,", "initial_level: 1.0,")
    solved = dispatched(text, 4, strategy="peak_shaving", peak_kw=3.0)
    assert solved.flow("battery.discharge") == near([0, 0, 2, 0])


def test_a_grid_without_a_limit_is_held_below_the_peak_too():
    solved = dispatched(PEAKY.replace(", import_limit_kw: 9", ""), 4, strategy="peak_shaving", peak_kw=3.0)
    assert solved.flow("grid.import") == near([3, 3, 3, 3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "peak_shaving"}, "solver.peak_kw: is needed by peak_shaving"),
        ({"strategy": "time_of_use", "peak_kw": 3.0}, "solver.peak_kw: 3.0 means nothing to this strategy"),
    ],
)
def test_a_power_belongs_to_peak_shaving(options, message):
    with pytest.raises(InputError, match=message):
        dispatched(PEAKY, 4, **options)


# ------------------------------------------------------------------------------- load_following, cycle_charging

ISLAND = """
  gas: {type: gas_supply, price_per_kwh: 0.1}
  engine: {type: converter, input: gas, output: electricity, ratio: 0.5, power_kw: 8}
  pv: {type: pv, capacity_kw: 2, profile: [0.0, 1.0, 0.0, 0.0]}
  battery: {type: battery, capacity_kwh: 5, power_kw: 9, efficiency: 1.0, initial_level: 0, end_price: 0}
  load: {type: electricity_demand, profile: [1.0, 1.0, 3.0, 1.0]}
"""


def test_load_following_gives_what_is_missing_and_charges_nothing():
    """Hour 0: 1 of the engine; hour 1: 1 of 2 of the sun is stored; hour 2: 1 stored and 2 made; hour 3: 1 made."""
    solved = dispatched(ISLAND, 4, strategy="load_following")
    assert solved.flow("engine.out") == near([1, 0, 2, 1])
    assert solved.flow("battery.charge") == near([0, 1, 0, 0])


def test_cycle_charging_runs_at_full_power_and_charges_to_the_setpoint():
    """Full power is 4. Hour 0: 1 used, 3 stored. Hour 1: the sun's surplus makes it 4. Hour 2 takes 3, hour 3 the last.

    With a setpoint of 40 % (2 kWh) the engine stores 2 in hour 0 and runs at 3.
    """
    solved = dispatched(ISLAND, 4, strategy="cycle_charging", charge_setpoint=1.0)
    assert solved.flow("engine.out") == near([4, 0, 0, 0])
    assert solved.level("battery") == near([0, 3, 4, 1, 0])
    solved = dispatched(ISLAND, 4, strategy="cycle_charging", charge_setpoint=0.4)
    assert solved.flow("engine.out")[0] == near(3)
    assert solved.level("battery")[1] == near(2)


def test_a_unit_that_need_not_run_does_not_run_to_charge():
    text = ISLAND.replace("[0.0, 1.0, 0.0, 0.0]", "[1.0, 1.0, 1.0, 1.0]").replace("capacity_kw: 2", "capacity_kw: 9")
    assert dispatched(text, 4, strategy="cycle_charging").flow("engine.out") == near([0, 0, 0, 0])


# --------------------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("strategy", list(WORDS))
def test_a_batch_is_what_its_variations_are_one_by_one(strategy):
    """Bit by bit, with sizes and prices of other shapes side by side."""
    options = SolverOptions(strategy=strategy, peak_kw=2.0 if strategy == "peak_shaving" else None)
    rng = np.random.default_rng(1)
    steps = 72
    text = f"""
  grid: {{type: grid, import_price_per_kwh: {rng.uniform(0.1, 0.5, steps).round(3).tolist()}, import_limit_kw: 9,
         export_price_per_kwh: 0.05}}
  gas: {{type: gas_supply, price_per_kwh: 0.1}}
  engine: {{type: converter, input: gas, output: electricity, ratio: 0.4, power_kw: 5}}
  pv: {{type: pv, capacity_kw: 4, profile: {rng.uniform(0, 1, steps).round(3).tolist()}}}
  battery: {{type: battery, capacity_kwh: CAP, power_kw: 3, loss_per_hour: 0.01}}
  load: {{type: electricity_demand, profile: {rng.uniform(0, 6, steps).round(3).tolist()}}}
  pump: {{type: heat_pump, power_kw: 2, cop: 3}}
  store: {{type: heat_storage, capacity_kwh: 9}}
  rooms: {{type: heat_demand, profile: {rng.uniform(0, 4, steps).round(3).tolist()}}}
"""
    problems = [compile_problem(switched(text.replace("CAP", str(cap)), steps)) for cap in (2.0, 5.0, 11.0)]
    solver = RuleBasedSolver(problems[0], options)
    together = solver.solve_batch(stack(problems))
    for at, cap in enumerate((2.0, 5.0, 11.0)):
        single = dispatched(text.replace("CAP", str(cap)), steps, **options.model_dump(exclude_none=True))
        for one in fields(Tally):
            batch = np.asarray(getattr(together.tally, one.name))[..., at]
            assert batch == pytest.approx(np.asarray(getattr(single.tally, one.name)), abs=1e-9), one.name


@pytest.mark.parametrize("solver", ["milp", "hybrid", "rolling_horizon"])
def test_an_optimiser_takes_no_strategy(solver):
    problem = compile_problem(switched(HOME, 3))
    with pytest.raises(InputError, match=f"solver.strategy: 'time_of_use' means nothing to {solver}"):
        prepare(solver, problem, SolverOptions(strategy="time_of_use"))
