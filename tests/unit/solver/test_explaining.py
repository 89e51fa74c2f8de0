"""Why a system has no plan, or one without end: derived by hand, in the words that a person reads."""

import pytest
from tests.unit.solver.switched import near, switched

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.problem import EndRule
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.failure_words import explained
from ecosystemiser.services.simulation_service import SimulationService
from ecosystemiser.solver.explaining import endless_gains, shortages_of, told_endless, told_shortages


def problem_of(components, steps, *, end="shortfall"):
    return compile_problem(switched(components, steps), EndRule(end))


def told(components, steps, *, end="shortfall", is_brief=False):
    problem = problem_of(components, steps, end=end)
    return told_shortages(problem, shortages_of(problem, is_brief=is_brief), lambda step: f"hour {step}")


BATTERY = """
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 8}
  battery: {type: battery, capacity_kwh: 2, power_kw: 5, efficiency: 1.0, initial_level: 0.5}
  load: {type: electricity_demand, profile: [9.0, 9.0]}
"""


def test_a_grid_at_its_limit_and_an_empty_battery():
    """9 kW twice, 8 from the grid, 1 kWh in the battery: 1 is short. 8.5 a step would do, or half a kW more."""
    (words,) = told(BATTERY, 2)
    assert words == (
        "electricity: short of 1 kW on hour 1; grid is at its import limit of 8 kW and battery is empty. "
        "It would do with grid of 8.5 kW or a further 0.5 kW of supply"
    )


def test_brief_words_look_for_no_change():
    (words,) = told(BATTERY, 2, is_brief=True)
    assert "It would do" not in words
    assert "grid is at its import limit of 8 kW" in words


def test_what_is_short_in_many_steps_is_summed():
    """10 asked, 8 brought, 3 steps: 6 kWh. The grid would need 10 kW."""
    text = """
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 8}
  spare: {type: battery, capacity_kwh: 1, power_kw: 5, efficiency: 1.0, initial_level: 0}
  load: {type: electricity_demand, profile: [9.0, 9.0, 9.0]}
"""
    (words,) = told(text, 3)
    assert "In all 3 kWh are short in 3 steps. It would do with grid of 9 kW or a further 1 kW of supply" in words


HEAT = """
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 9}
  pump: {type: heat_pump, power_kw: 2, cop: 3}
  buffer: {type: heat_storage, capacity_kwh: 2, initial_level: 0, loss_per_hour: 0}
  rooms: {type: heat_demand, profile: [5.0, 8.0]}
"""


def test_a_heat_pump_at_its_limit_and_an_empty_buffer():
    """6 kWh of heat an hour, 1 of which may be kept: 7 in hour 1, of 8. 13 over two hours are 6.5 each: 2.167 kW."""
    (words,) = told(HEAT, 2)
    assert words == (
        "heat: short of 1 kW on hour 1; pump is at its input limit of 2 kW and buffer is empty. "
        "It would do with pump of 2.167 kW or a further 0.5 kW of supply"
    )


def test_what_a_converter_lacks_is_looked_for_where_it_draws_from():
    """The pump could draw 2 kW, but the grid brings 1: that is named."""
    (words,) = told(HEAT.replace("limit_kw: 9", "limit_kw: 1.5"), 2)
    assert "grid is at its import limit of 1.5 kW" in words
    assert "pump is at" not in words


def test_water_is_told_in_cubic_metres():
    text = """
  mains: {type: water_grid, import_price_per_m3: 2, import_limit_m3_per_h: 1}
  cistern: {type: storage, bus: water, capacity_m3: 1, flow_m3_per_h: 5, initial_level: 0.5, end_price: 0}
  taps: {type: water_demand, profile: [1.0, 2.0]}
"""
    (words,) = told(text, 2)
    assert words.startswith("water: short of 0.5 m3/h on hour 1; mains is at its import limit of 1 m3/h")
    assert words.endswith("It would do with mains of 1.25 m3/h or a further 0.25 m3/h of supply")


def test_a_source_that_has_nothing_is_said_so():
    text = """
  pv: {type: pv, capacity_kw: 4, profile: [1.0, 0.0]}
  battery: {type: battery, capacity_kwh: 9, power_kw: 1, efficiency: 1.0, initial_level: 0, end_price: 0}
  load: {type: electricity_demand, profile: [1.0, 2.0]}
"""
    problem = problem_of(text.replace("power_kw: 1,", "power_kw: 9,"), 2)
    assert shortages_of(problem).shortages == ()
    text = text.replace("[1.0, 2.0]", "[3.5, 0.8]")
    (words,) = told(text, 2)
    assert "pv has nothing" in words or "pv is at its limit of 4 kW" in words


def test_a_storage_that_cannot_come_back_is_named():
    """Under `end: fixed` a store that loses half of its 5 kWh is to be filled again by 1 kW: 1.5 kWh are missing."""
    text = """
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}
  store: {type: battery, capacity_kwh: 10, power_kw: 9, efficiency: 1.0, loss_per_hour: 0.5}
  load: {type: electricity_demand, profile: [0.0]}
"""
    problem = problem_of(text, 1, end="fixed")
    found = shortages_of(problem)
    assert sum(one.total for one in found.shortages) + sum(one.amount for one in found.missed) == near(1.5)
    assert found.missed or found.shortages


def test_nothing_is_short_where_only_a_least_load_stands_in_the_way():
    text = """
  grid: {type: grid, import_price_per_kwh: 0.1}
  boiler: {type: electric_boiler, power_kw: 4, efficiency: 1.0, minimum_load: 0.5}
  rooms: {type: heat_demand, profile: [1.0]}
"""
    system = switched(text, 1)
    problem = compile_problem(system)
    assert shortages_of(problem).shortages == ()
    words = explained(SolveError(FailureCause.INFEASIBLE, "no plan"), system, problem)
    assert words == (
        "no plan. At any load there would be a plan: minimum_load, min_up_h or min_down_h stand in its way (boiler)"
    )


def test_a_limit_of_co2_that_is_too_low_is_told_with_the_lowest_there_is():
    text = """
  grid: {type: grid, import_price_per_kwh: 0.1, co2_kg_per_kwh: 0.5}
  load: {type: electricity_demand, profile: [2.0]}
"""
    from ecosystemiser.model.loading import load_system
    from ecosystemiser.reader import parse_yaml

    head = "system_id: co2\ntime: {steps: 1}\neconomics: {co2_limit_kg: 0.9}\ncomponents:"
    system = load_system(parse_yaml(f"{head}{text}", "co2.yaml"))
    words = explained(SolveError(FailureCause.INFEASIBLE, "no plan"), system, compile_problem(system))
    assert words == "no plan. co2_limit_kg is 0.9, and no plan emits less than 1 kg"


def test_buying_to_sell_without_end():
    text = """
  grid: {type: grid, import_price_per_kwh: [0.3, 0.1], export_price_per_kwh: 0.2}
  load: {type: electricity_demand, profile: [1.0, 1.0]}
"""
    problem = problem_of(text, 2)
    found = endless_gains(problem)
    assert found.step == 1
    assert told_endless(problem, found, lambda step: f"hour {step}") == (
        "money is made without end on hour 1: grid buys at 0.1, grid sells at 0.2; "
        "set grid.import_limit_kw or grid.export_limit_kw, or mend the price"
    )


def test_making_money_by_a_conversion():
    """Gas at 0.05 makes electricity at 0.5 times that is sold for 0.2."""
    text = """
  gas: {type: gas_supply, price_per_kwh: 0.05}
  engine: {type: converter, input: gas, output: electricity, ratio: 0.5}
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.2}
  load: {type: electricity_demand, profile: [1.0]}
"""
    problem = problem_of(text, 1)
    words = told_endless(problem, endless_gains(problem), lambda step: f"hour {step}")
    assert "engine runs" in words
    assert "grid sells at 0.2" in words
    assert "grid.export_limit_kw" in words


def test_a_bounded_system_earns_no_money_without_end():
    text = "\n  grid: {type: grid, import_price_per_kwh: 0.3}\n  load: {type: electricity_demand, profile: [1.0]}\n"
    assert endless_gains(problem_of(text, 1)) is None


@pytest.mark.parametrize("solver", ["milp", "hybrid", "rolling_horizon", "rule_based"])
def test_every_solvers_failure_names_the_limits(solver, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.yaml").write_text(f"system_id: short\ntime: {{steps: 2}}\ncomponents:\n{HEAT}")
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as log:
        config = SimulationConfig(system="short.yaml", solver_type=solver, output_directory=tmp_path / "results")
        result = SimulationService(log).run_simulation(config)
    assert result.cause in (FailureCause.INFEASIBLE, FailureCause.UNMET)
    assert "pump is at its input limit of 2 kW and buffer is empty" in result.error
    assert "2018-01-01 01:00" in result.error
