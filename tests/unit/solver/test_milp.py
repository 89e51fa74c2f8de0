"""The optimiser against plans derived by hand, and every way in which it can fail."""

from dataclasses import replace

import highspy
import numpy as np
import pytest

from ecosystemiser.analyser.audit import audit
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError, SolveError
from ecosystemiser.kpis import KPIS, kpi_value
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import SolvedSystem
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.milp import highs
from ecosystemiser.solver.milp.formulation import Program
from ecosystemiser.solver.milp.highs import HighsSession

TOTAL_COST = next(kpi for kpi in KPIS if kpi.name == "total_cost")


def system_of(components, *, steps=2, head="", step="1h"):
    text = f'system_id: by-hand\ntime: {{steps: {steps}, step: "{step}"}}\n{head}\ncomponents:\n{components}'
    return load_system(parse_yaml(text, "by_hand.yaml"))


def problem_of(components, *, end="shortfall", **time):
    return compile_problem(system_of(components, **time), EndRule(end))


def optimum(components, *, end="shortfall", **time):
    """Return the solved system, after the audit and after total_cost was found equal to the objective."""
    system = system_of(components, **time)
    problem = compile_problem(system, EndRule(end))
    solution = prepare("milp", problem, SolverOptions(end=end)).solve(problem)
    solved = SolvedSystem(system, problem, solution)
    assert audit(solved).violations == ()
    assert kpi_value(TOTAL_COST, solved.totals) == near(solution.report.objective)
    assert solution.report.bound == solution.report.objective
    assert solution.report.start == "cold"
    return solved


def near(value):
    return pytest.approx(value, abs=1e-8)


def failure(problem, **options):
    """Return the error that solving `problem` ends with."""
    with pytest.raises(SolveError) as raised:
        prepare("milp", problem, SolverOptions(**options)).solve(problem)
    return raised.value


# ---------------------------------------------------------------------------------------------- electricity

ARBITRAGE = """
  grid: {{type: grid, import_price_per_kwh: [{first}, 0.30], export_limit_kw: 0}}
  load: {{type: electricity_demand, profile: [0.0, 4.0]}}
  battery: {{type: battery, capacity_kwh: 10, power_kw: {power}, efficiency: 0.9, initial_level: 0,
            variable_cost_per_kwh: {wear}}}
"""


def test_arbitrage_is_taken_where_the_spread_pays_for_the_losses():
    """4 kWh in hour 2 need 4 / 0.9 of content and 4 / 0.81 = 4.938 kWh charged at 0.10: 0.4 / 0.81 < 4 x 0.30."""
    solved = optimum(ARBITRAGE.format(first=0.10, power=5, wear=0))
    assert solved.report.objective == near(0.4 / 0.81)
    assert solved.flow("battery.charge") == near([4 / 0.81, 0])
    assert solved.flow("battery.discharge") == near([0, 4])
    assert solved.level("battery") == near([0, 4 / 0.9, 0])


def test_arbitrage_is_left_where_it_does_not():
    """A kWh through the battery costs 0.25 / 0.81 = 0.3086 > 0.30: 4 x 0.30 = 1.2 at once."""
    solved = optimum(ARBITRAGE.format(first=0.25, power=5, wear=0))
    assert solved.report.objective == near(1.2)
    assert solved.flow("battery.charge") == near([0, 0])


def test_arbitrage_ends_at_the_power_of_the_battery():
    """3 kWh charged (0.30) give 2.43; 4 - 2.43 = 1.57 are bought at 0.30: 0.30 + 0.471."""
    solved = optimum(ARBITRAGE.format(first=0.10, power=3, wear=0))
    assert solved.report.objective == near(0.771)
    assert solved.flow("battery.charge") == near([3, 0])


@pytest.mark.parametrize(("wear", "cost"), [(0.17, 0.4 / 0.81 + 4 * 0.17), (0.18, 1.2)])
def test_wear_is_part_of_the_price_of_arbitrage(wear, cost):
    """0.10 / 0.81 = 0.12346 and wear of 0.17 a kWh delivered stay below 0.30; with 0.18 it is 0.30346."""
    assert optimum(ARBITRAGE.format(first=0.10, power=5, wear=wear)).report.objective == near(cost)


SURPLUS = """
  grid: {{type: grid, import_price_per_kwh: 0.30, export_price_per_kwh: {sold}, export_limit_kw: {limit}}}
  roof: {{type: pv, capacity_kw: 10, profile: [0.6, 0.0]}}
  load: {{type: electricity_demand, profile: [2.0, 3.0]}}
  battery: {{type: battery, capacity_kwh: 5, power_kw: 5, efficiency: 0.9, initial_level: 0}}
"""


def test_a_surplus_worth_more_later_is_stored():
    """A kWh stored saves 0.81 x 0.30 = 0.243 > 0.10: 3 / 0.81 of the surplus of 4 are stored, the rest is sold."""
    solved = optimum(SURPLUS.format(sold=0.10, limit=9))
    assert solved.report.objective == near(-0.10 * (4 - 3 / 0.81))
    assert solved.flow("grid.export") == near([4 - 3 / 0.81, 0])
    assert solved.flow("battery.discharge") == near([0, 3])


def test_a_surplus_worth_more_now_is_sold():
    """0.25 > 0.243: 4 kWh earn 1.0, 3 kWh are bought for 0.9."""
    solved = optimum(SURPLUS.format(sold=0.25, limit=9))
    assert solved.report.objective == near(-0.1)
    assert solved.flow("battery.charge") == near([0, 0])


def test_a_full_line_sends_the_surplus_into_the_battery():
    """1 kWh is sold for 0.25; 3 are stored and give 2.43; 0.57 are bought for 0.171: -0.25 + 0.171."""
    assert optimum(SURPLUS.format(sold=0.25, limit=1)).report.objective == near(-0.079)


def test_what_nobody_takes_is_curtailed():
    """Without a line out, the battery takes 3 / 0.81 for hour 2 and the rest of 4 stays on the roof: cost 0."""
    solved = optimum(SURPLUS.format(sold=0.25, limit=0))
    assert solved.report.objective == near(0)
    assert solved.flow("grid.import") == near([0, 0])
    assert solved.flow("roof.out")[0] < 6 + 1e-9


def test_a_negative_price_is_earned_and_the_sun_waits():
    """At -0.10 all of the load of 2 is bought, which earns 0.2, though 3 kWh of sun are there for nothing."""
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: -0.10, export_limit_kw: 0}
  roof: {type: pv, capacity_kw: 3, profile: [1.0]}
  load: {type: electricity_demand, profile: [2.0]}
""",
        steps=1,
    )
    assert solved.report.objective == near(-0.2)
    assert solved.flow("roof.out") == near([0])


LIMITED = """
  grid: {{type: grid, import_price_per_kwh: 0.20, import_limit_kw: 2, export_limit_kw: 0}}
  load: {{type: electricity_demand, profile: {load}, unmet_cost_per_kwh: 1.0}}
  battery: {{type: battery, capacity_kwh: 4, power_kw: 4, efficiency: 1, initial_level: 0}}
"""


def test_a_full_line_in_is_helped_by_the_battery():
    """Hour 2 asks 3 of a line of 2: 1 kWh is charged in hour 1 (1 + 1 = 2). 4 kWh at 0.20."""
    solved = optimum(LIMITED.format(load=[1.0, 3.0]))
    assert solved.report.objective == near(0.8)
    assert solved.flow("grid.import") == near([2, 2])


def test_a_full_line_in_leaves_a_priced_demand_short():
    """Hour 1 asks 3 of a line of 2 and nothing is stored: 2 x 0.20 + 1 x 1.0 + 1 x 0.20."""
    solved = optimum(LIMITED.format(load=[3.0, 1.0]))
    assert solved.report.objective == near(1.6)
    assert solved.flow("load.in") == near([2, 1])


def test_demand_goes_unmet_where_that_is_cheaper_than_supply():
    """Hour 1: 3 x 0.40 unmet < 3 x 0.50; hour 2: 3 x 0.20 bought: 1.2 + 0.6."""
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: [0.50, 0.20]}
  load: {type: electricity_demand, profile: [3.0, 3.0], unmet_cost_per_kwh: 0.40}
"""
    )
    assert solved.report.objective == near(1.8)
    assert solved.flow("load.in") == near([0, 3])


def test_a_demand_that_may_go_unmet_for_nothing_is_not_served():
    """unmet_cost 0 is a price, not a duty: nothing is bought at 0.20."""
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: 0.20}
  load: {type: electricity_demand, profile: [3.0, 3.0], unmet_cost_per_kwh: 0}
"""
    )
    assert solved.report.objective == near(0)
    assert solved.flow("load.in") == near([0, 0])


def test_costs_of_a_demand_that_must_be_met_are_counted_though_no_plan_changes_them():
    """2 kWh at 0.20 + 0.03 for using each + 0.10 x 0.5 kg for each: 0.4 + 0.06 + 0.1."""
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: 0.20}
  load: {type: electricity_demand, profile: [2.0], variable_cost_per_kwh: 0.03, co2_kg_per_kwh: 0.5}
""",
        steps=1,
        head="economics: {co2_price_per_kg: 0.10}",
    )
    assert solved.report.objective == near(0.56)


def test_shorter_steps_carry_less():
    """In quarter hours 4 kW buy 1 kWh and the battery's 2 kW move 0.5: loads 0.5 and 1.5 kWh need all of it.

    Bought are 1 + 1 kWh at 0.20.
    """
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: 0.20, import_limit_kw: 4}
  load: {type: electricity_demand, profile: [2.0, 6.0]}
  battery: {type: battery, capacity_kwh: 2, power_kw: 2, efficiency: 1, initial_level: 0}
""",
        step="15min",
    )
    assert solved.report.objective == near(0.4)
    assert solved.flow("grid.import") == near([1, 1])
    assert solved.flow("battery.charge") == near([0.5, 0])


def test_units_add_up_and_so_do_their_costs():
    """Three boilers of 2 kW give 6 of 8 kWh at 0.10, the rod gives 2 at 0.50: 1.6.

    Each boiler costs 100 over 20 years without interest and 4 a year: 3 x 9 a year, one hour of 8760.
    """
    solved = optimum(
        """
  gas: {type: gas_supply, price_per_kwh: 0.10}
  boiler: {type: gas_boiler, power_kw: 2, efficiency: 1, count: 3, capex: 100, fixed_cost_per_year: 4}
  grid: {type: grid, import_price_per_kwh: 0.50}
  rod: {type: converter, input: electricity, output: heat}
  heat: {type: heat_demand, profile: [8.0]}
""",
        steps=1,
        head="economics: {discount_rate: 0}",
    )
    assert solved.report.objective == near(1.6 + 27 / 8760)
    assert solved.flow("boiler.out") == near([6])


# ------------------------------------------------------------------------------------------------- heat, gas

TWO_HEATERS = """
  grid: {{type: grid, import_price_per_kwh: {electricity}}}
  gas: {{type: gas_supply, price_per_kwh: 0.10}}
  pump: {{type: heat_pump, power_kw: {power}, cop: {cop}}}
  boiler: {{type: gas_boiler, power_kw: 20, efficiency: 0.8}}
  heat: {{type: heat_demand, profile: [6.0, 6.0]}}
"""


@pytest.mark.parametrize(
    ("electricity", "cop", "power", "cost", "pumped"),
    [
        ([0.24, 0.36], 3, 9, 6 * 0.08 + 6 * 0.12, [6, 6]),
        ([0.30, 0.45], 3, 9, 6 * 0.10 + 6 * 0.125, [6, 0]),
        ([0.30, 0.45], 3, 1.5, 4.5 * 0.10 + 1.5 * 0.125 + 6 * 0.125, [4.5, 0]),
        (0.30, [2.0, 4.0], 9, 6 * 0.125 + 6 * 0.075, [0, 6]),
    ],
)
def test_the_cheaper_heat_is_made(electricity, cop, power, cost, pumped):
    """Heat costs 0.10 / 0.8 = 0.125 from gas and price / COP from the pump, whose power is electric input."""
    solved = optimum(TWO_HEATERS.format(electricity=electricity, cop=cop, power=power))
    assert solved.report.objective == near(cost)
    assert solved.flow("pump.out") == near(pumped)


@pytest.mark.parametrize(
    ("co2_price", "cost", "pumped"),
    [(0.0, 9 * 0.06 / 0.9, 0), (0.1, 9 * (0.25 + 0.1 * 0.1) / 3, 9)],
)
def test_a_co2_price_changes_the_fuel(co2_price, cost, pumped):
    """Gas heat: (0.06 + p x 0.2) / 0.9 = 0.0667, at p = 0.1 0.0889; pumped: (0.25 + p x 0.1) / 3 = 0.0833, 0.0867."""
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: 0.25, co2_kg_per_kwh: 0.1}
  gas: {type: gas_supply, price_per_kwh: 0.06, co2_kg_per_kwh: 0.2}
  pump: {type: heat_pump, power_kw: 20, cop: 3}
  boiler: {type: gas_boiler, power_kw: 20, efficiency: 0.9}
  heat: {type: heat_demand, profile: [9.0]}
""",
        steps=1,
        head=f"economics: {{co2_price_per_kg: {co2_price}}}",
    )
    assert solved.report.objective == near(cost)
    assert solved.flow("pump.out") == near([pumped])


def test_a_burner_pays_for_the_co2_and_wear_of_its_heat():
    """5 kWh of heat: 5 / 0.5 gas x 0.04 + 5 x (0.02 wear + 0.1 x 0.3 kg) = 0.4 + 0.25."""
    solved = optimum(
        """
  gas: {type: gas_supply, price_per_kwh: 0.04}
  boiler: {type: gas_boiler, power_kw: 9, efficiency: 0.5, variable_cost_per_kwh: 0.02, co2_kg_per_kwh: 0.3}
  heat: {type: heat_demand, profile: [5.0]}
""",
        steps=1,
        head="economics: {co2_price_per_kg: 0.1}",
    )
    assert solved.report.objective == near(0.65)


HEAT_STORE = """
  grid: {{type: grid, import_price_per_kwh: [0.1, 0.2, 0.4]}}
  rod: {{type: converter, input: electricity, output: heat}}
  heat: {{type: heat_demand, profile: [0.0, 0.0, 9.0]}}
  store: {{type: heat_storage, capacity_kwh: {capacity}, loss_per_hour: {loss}, initial_level: 0}}
"""


def test_a_heat_store_is_filled_for_what_its_losses_leave():
    """Charged in hour 1, 0.9 x 0.9 = 0.81 reach hour 3: 9 / 0.81 at 0.1 = 1.111, below 9 / 0.9 x 0.2 and 9 x 0.4."""
    solved = optimum(HEAT_STORE.format(capacity=20, loss=0.1), steps=3)
    assert solved.report.objective == near(0.9 / 0.81)
    assert solved.level("store") == near([0, 9 / 0.81, 10, 0])


def test_a_small_heat_store_is_topped_up():
    """5 at 0.1; 4.5 are left, 0.5 are added at 0.2; 4.5 are left for hour 3, 4.5 are made at 0.4: 0.5 + 0.1 + 1.8."""
    solved = optimum(HEAT_STORE.format(capacity=5, loss=0.1), steps=3)
    assert solved.report.objective == near(2.4)
    assert solved.level("store") == near([0, 5, 5, 0])


def test_losses_are_of_an_hour_whatever_the_step():
    """0.36 an hour keep 0.64, half an hour keeps 0.8: demand 4.5 kWh in step 3 needs 4.5 / 0.64 at 0.1."""
    solved = optimum(HEAT_STORE.format(capacity=20, loss=0.36), steps=3, step="30min")
    assert solved.report.objective == near(0.45 / 0.64)


@pytest.mark.parametrize(("end_price", "cost", "made"), [("", 0.5, 5), (", end_price: 0.02", 0.1, 0)])
def test_heat_missing_at_the_end_costs_the_dearest_carrier_or_what_it_says(end_price, cost, made):
    """Heat costs 0.09 / 0.9 = 0.10 to make. A missing kWh costs 0.30 (electricity) by default: 5 x 0.10 made.

    At an end price of 0.02 the content of 5 is used: 5 x 0.02.
    """
    solved = optimum(
        f"""
  grid: {{type: grid, import_price_per_kwh: 0.30}}
  pump: {{type: heat_pump, power_kw: 1, cop: 2}}
  gas: {{type: gas_supply, price_per_kwh: 0.09}}
  boiler: {{type: gas_boiler, power_kw: 9, efficiency: 0.9}}
  heat: {{type: heat_demand, profile: [5.0]}}
  store: {{type: heat_storage, capacity_kwh: 10, loss_per_hour: 0{end_price}}}
""",
        steps=1,
    )
    assert solved.report.objective == near(cost)
    assert solved.flow("boiler.out") == near([made])


def test_a_chain_of_converters_is_priced_through():
    """Gas 0.04 / 0.8 / 0.5 = 0.10 a kWh of electricity below 0.15; the cell takes 6 of hydrogen and gives 3 of 4.

    6 / 0.8 of gas at 0.04 = 0.3, 1 kWh at 0.15.
    """
    solved = optimum(
        """
  gas: {type: gas_supply, price_per_kwh: 0.04}
  reformer: {type: converter, input: gas, output: hydrogen, ratio: 0.8}
  cell: {type: converter, input: hydrogen, output: electricity, ratio: 0.5, power_kw: 6}
  grid: {type: grid, import_price_per_kwh: 0.15}
  load: {type: electricity_demand, profile: [4.0]}
""",
        steps=1,
    )
    assert solved.report.objective == near(0.45)
    assert solved.flow("reformer.in") == near([7.5])


# ---------------------------------------------------------------------------------------------------- end rules

LEAKY = """
  grid: {{type: grid, import_price_per_kwh: [0.1, 0.3], export_limit_kw: 0}}
  load: {{type: electricity_demand, profile: [2.0, 2.0]}}
  store: {{type: storage, bus: electricity, capacity_kwh: 8, loss_per_hour: 0.5, initial_level: 0.5{end_price}}}
"""


@pytest.mark.parametrize(
    ("end", "end_price", "cost", "levels"),
    [
        ("fixed", "", 1.4, [4, 8, 4]),
        ("cyclic", "", 0.6, [0, 4, 0]),
        ("free", "", 0.4, [4, 4, 0]),
        ("shortfall", "", 1.4, None),
        ("shortfall", ", end_price: 0.15", 1.0, [4, 4, 0]),
        ("shortfall", ", end_price: 0", 0.4, [4, 4, 0]),
    ],
)
def test_end_rules(end, end_price, cost, levels):
    """Half the content is lost each hour; x1, x2 are what is put in (taken out). L1 = L0/2 + x1, L2 = L1/2 + x2.

    Cost = 0.1 (2 + x1) + 0.3 (2 + x2), x2 >= -2, L1 <= 8.
    fixed: L0 = L2 = 4, so x2 = 3 - x1/2 and the cost is 1.7 - 0.05 x1; x1 = 6 fills the store: 1.4.
    cyclic: x2 = 0.75 L0 - x1/2, the cost is 0.8 + 0.225 L0 - 0.05 x1 with x1 <= 4 + 1.5 L0: least at L0 = 0: 0.6.
    free: L0 = 4; x1 = 2 makes L1 = 4, of which 2 are left to serve hour 2: 0.4.
    shortfall at the highest price 0.3: while short, 1.7 - 0.05 x1, x1 = 6: 1.4, wherever x2 ends.
    shortfall at 0.15: while short, 1.25 + 0.025 x1 + 0.15 x2 with x1 >= 2 for x2 = -2: 0.4 and 4 x 0.15.
    """
    solved = optimum(LEAKY.format(end_price=end_price), end=end)
    assert solved.report.objective == near(cost)
    if levels:
        assert solved.level("store") == near(levels)


def test_ending_higher_earns_nothing():
    """The sun fills the store beyond its start; the end price of 9 rewards nothing: cost 0."""
    solved = optimum(
        """
  roof: {type: pv, capacity_kw: 4, profile: [1.0, 1.0]}
  load: {type: electricity_demand, profile: [1.0, 1.0]}
  store: {type: storage, bus: electricity, capacity_kwh: 8, end_price: 9}
"""
    )
    assert solved.report.objective == near(0)


@pytest.mark.parametrize(("end", "cost"), [("shortfall", 0.0), ("cyclic", 0.5), ("fixed", 0.5), ("free", 0.0)])
def test_one_step_may_end_by_any_rule(end, cost):
    """Load 1, store of 4 half full, nothing lost, end price 0: its content serves, unless it must end as it began."""
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: 0.5, export_limit_kw: 0}
  load: {type: electricity_demand, profile: [1.0]}
  store: {type: storage, bus: electricity, capacity_kwh: 4, end_price: 0}
""",
        steps=1,
        end=end,
    )
    assert solved.report.objective == near(cost)


def test_one_cyclic_step_refills_what_it_loses():
    """A level that ends as it began after losing half: c = L/2; the store must hold nothing to lose nothing: 0.5."""
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: 0.5, export_limit_kw: 0}
  load: {type: electricity_demand, profile: [1.0]}
  store: {type: storage, bus: electricity, capacity_kwh: 4, loss_per_hour: 0.5}
""",
        steps=1,
        end="cyclic",
    )
    assert solved.report.objective == near(0.5)
    assert solved.level("store") == near([0, 0])


# -------------------------------------------------------------------------------------------- generic, and water

WATER = """
  well: {{type: source, bus: water, flow_m3_per_h: 2, profile: [1.0, 0.5]}}
  sieve: {{type: converter, input: water, output: service_water, ratio: 0.5, variable_cost: 0.1}}
  mains: {{type: source, bus: service_water, cost_per_m3: 2.0}}
  tank: {{type: storage, bus: service_water, capacity_m3: 1, initial_level: {initial}}}
  toilets: {{type: sink, bus: service_water, profile: [0.4, 1.5]}}
"""


def test_generic_components_of_water():
    """Sieved 1.0 and 0.5 m3 at 0.1; 0.4 are used, 0.6 kept for hour 2, which buys 1.5 - 0.5 - 0.6 = 0.4 at 2.0."""
    solved = optimum(WATER.format(initial=0))
    assert solved.report.objective == near(1.5 * 0.1 + 0.8)
    assert solved.flow("tank.charge") == near([0.6, 0])
    assert solved.flow("mains.out") == near([0, 0.4])


def test_water_missing_at_the_end_costs_mains():
    """The tank starts with 0.5 and has room for 0.5. Whether it ends empty or not, a m3 costs 2.0 now or then.

    Hour 1: 0.5 of the surplus of 0.6 fits (0.9 m3 sieved, 0.1 each). Hour 2 and the refill need 1.5 - 0.5 sieved
    - 1.0 from the tank = 0 and 0.5 to be level again, at 2.0.
    """
    solved = optimum(WATER.format(initial=0.5))
    assert solved.report.objective == near(1.4 * 0.1 + 0.5 * 2.0)


def test_generic_components_of_energy_with_series():
    """Cooling: 3 kWh for 0.2 from the lake while 0.5 x 4 = 2 are there, the other 1 from a chiller at 0.6 / 2 = 0.3."""
    solved = optimum(
        """
  lake: {type: source, bus: cooling, power_kw: 4, profile: [0.5, 1.0], cost_per_kwh: 0.2}
  grid: {type: grid, import_price_per_kwh: 0.6}
  chiller: {type: converter, input: electricity, output: cooling, ratio: [2.0, 4.0]}
  rooms: {type: sink, bus: cooling, profile: [3.0, 3.0]}
"""
    )
    assert solved.flow("lake.out") == near([2, 0])
    assert solved.report.objective == near(2 * 0.2 + 1 * 0.3 + 3 * 0.15)


def test_a_storage_loses_on_both_ways():
    """1 kWh delivered takes 1 / 0.5 of content, 2 / 0.8 = 2.5 charged at 0.1: 0.25 < 0.3."""
    solved = optimum(
        """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.3], export_limit_kw: 0}
  load: {type: sink, bus: electricity, profile: [0.0, 1.0]}
  store: {type: storage, bus: electricity, capacity_kwh: 8, charge_efficiency: 0.8, discharge_efficiency: 0.5,
          initial_level: 0}
"""
    )
    assert solved.report.objective == near(0.25)
    assert solved.level("store") == near([0, 2, 0])


# ------------------------------------------------------------------------------------------------------ failures


def test_infeasible():
    """4 kWh are asked of a line of 1 kWh an hour and an empty battery."""
    problem = problem_of(
        """
  grid: {type: grid, import_price_per_kwh: 0.2, import_limit_kw: 1}
  load: {type: electricity_demand, profile: [2.0, 2.0]}
  battery: {type: battery, capacity_kwh: 9, power_kw: 9, initial_level: 0}
"""
    )
    error = failure(problem)
    assert error.cause is FailureCause.INFEASIBLE
    assert str(error) == "no plan meets every demand and limit (HiGHS: infeasible)"


def test_infeasible_where_the_dual_simplex_loses_its_way():
    """A cell that loses 3/4 of its content in 2 hours ends at 1.3 of 2.6 kWh by no cable that brings 1 kWh a step.

    What is kept of a cycle is 2^-32: HiGHS 1.15 ends with `unknown`, and by its primal simplex with `infeasible`.
    """
    never = [0.0] * 16
    problem = problem_of(
        f"""
  cable: {{type: converter, input: electricity, output: cellar, ratio: 0.5, power_kw: 1}}
  cell: {{type: battery, capacity_kwh: 2.6, duration_h: 1, loss_per_hour: 0.5, bus: cellar}}
  engine: {{type: converter, input: gas, output: electricity, ratio: 0.2, power_kw: 1}}
  gas: {{type: gas_supply, price_per_kwh: 0.06}}
  grid: {{type: grid, import_price_per_kwh: 0.06}}
  houses: {{type: electricity_demand, profile: {never}}}
  pump: {{type: electricity_demand, bus: cellar, profile: {never}, unmet_cost_per_kwh: 0}}
  pv: {{type: pv, capacity_kw: 1, profile: {never}}}
  tank: {{type: storage, bus: gas, capacity_kwh: 1, end_price: 0}}
""",
        end="fixed",
        step="2h",
        steps=16,
        head="buses: {cellar: electricity}",
    )
    assert failure(problem).cause is FailureCause.INFEASIBLE


def test_unbounded():
    """Bought at 0.3 and sold at 0.4 without a limit."""
    problem = problem_of(
        """
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.4}
  load: {type: electricity_demand, profile: [2.0, 2.0]}
"""
    )
    error = failure(problem)
    assert error.cause is FailureCause.UNBOUNDED
    assert "set import_limit_kw or export_limit_kw, or mend the price" in str(error)


def program(cost, row_lower, row_upper, values=(1.0, 1.0)):
    """Return min cost x over two columns >= 0 with one row: values x within its bounds."""
    return Program(
        cost=np.array(cost, dtype=float),
        lower=np.zeros(2),
        upper=np.full(2, np.inf),
        row_lower=np.array([row_lower], dtype=float),
        row_upper=np.array([row_upper], dtype=float),
        starts=np.array([0, 1, 2], dtype=np.int32),
        rows=np.array([0, 0], dtype=np.int32),
        values=np.array(values, dtype=float),
        offset=0.0,
    )


@pytest.mark.parametrize(
    ("which", "cause"),
    [
        (program([-1, -1], 1, np.inf), FailureCause.UNBOUNDED),
        (program([-1, -1], -2, -1), FailureCause.INFEASIBLE),
    ],
)
def test_unbounded_and_infeasible_are_told_apart(which, cause):
    """x + y >= 1 has plans and -x - y falls without end; x + y <= -1 has none. HiGHS may call both by one word."""
    session = HighsSession(SolverOptions())
    session.load(which)
    assert session._failure(highspy.HighsModelStatus.kUnboundedOrInfeasible).cause is cause
    assert not session.is_warm  # the costs were taken out to find that out: the next program is loaded whole


def test_a_time_limit_while_they_are_told_apart_proves_nothing(monkeypatch):
    session = HighsSession(SolverOptions())
    session.load(program([-1, -1], 1, np.inf))
    monkeypatch.setattr(session._highs, "run", lambda: None)
    monkeypatch.setattr(session._highs, "getModelStatus", lambda: highspy.HighsModelStatus.kTimeLimit)
    error = session._failure(highspy.HighsModelStatus.kUnboundedOrInfeasible)
    assert error.cause is FailureCause.TIMEOUT


CAUSES = {
    "kNotset": "solver",
    "kLoadError": "data",
    "kModelError": "data",
    "kPresolveError": "solver",
    "kSolveError": "solver",
    "kPostsolveError": "solver",
    "kModelEmpty": "data",
    "kInfeasible": "infeasible",
    "kUnboundedOrInfeasible": "unbounded",  # of the program below, which has plans
    "kUnbounded": "unbounded",
    "kObjectiveBound": "solver",
    "kObjectiveTarget": "solver",
    "kTimeLimit": "timeout",
    "kIterationLimit": "timeout",
    "kUnknown": "solver",
    "kSolutionLimit": "solver",
    "kInterrupt": "solver",
    "kMemoryLimit": "memory",
    "kHighsInterrupt": "solver",
}


def test_the_table_of_statuses_knows_all_of_highs():
    assert set(CAUSES) == set(highspy.HighsModelStatus.__members__) - {"kOptimal"}


@pytest.mark.parametrize("name", CAUSES)
def test_every_status_but_optimal_is_a_failure_with_its_cause(name, monkeypatch):
    session = HighsSession(SolverOptions())
    session.load(program([-1, -1], 1, np.inf))
    status = highspy.HighsModelStatus.__members__[name]
    real = session._highs.getModelStatus
    reported = iter([status] * (2 if name == "kUnknown" else 1))  # what is not known is tried once more
    monkeypatch.setattr(session._highs, "getModelStatus", lambda: next(reported, None) or real())
    with pytest.raises(SolveError) as raised:
        session.run()
    assert raised.value.cause == CAUSES[name]
    assert "HiGHS: " in str(raised.value)


def larger(steps=2000):
    rng = np.random.default_rng(7)
    load, price = rng.uniform(0, 9, steps).tolist(), rng.uniform(0.05, 0.5, steps).tolist()
    return problem_of(
        f"""
  grid: {{type: grid, import_price_per_kwh: {price}, import_limit_kw: 30}}
  load: {{type: electricity_demand, profile: {load}}}
  battery: {{type: battery, capacity_kwh: 20, power_kw: 7}}
""",
        steps=steps,
    )


def test_a_time_limit_fails_and_returns_nothing():
    """HiGHS hands out zeros when its time ends before a plan; they must not pass for one."""
    error = failure(larger(), time_limit_s=1e-6)
    assert error.cause is FailureCause.TIMEOUT
    assert "raise time_limit_s" in str(error)


def test_a_time_limit_is_of_each_solve_not_of_all_together():
    """The clock of HiGHS runs on from solve to solve; the limit that it is given must run with it."""
    problem = larger(200)
    solver = prepare("milp", problem, SolverOptions(time_limit_s=50.0))
    for capacity in (20.0, 10.0, 30.0):
        numbers = replace(problem.coefficients, capacity=np.array([capacity]))
        before = solver._session._highs.getRunTime()
        solver.solve(replace(problem, coefficients=numbers))
        assert solver._session._highs.getOptionValue("time_limit")[1] == pytest.approx(before + 50.0, abs=1e-9)
    assert before > 0


def test_a_solve_that_is_stopped_ends_and_the_next_one_is_right(monkeypatch):
    monkeypatch.setattr(highs, "POLL_S", 1e-4)
    problem = larger()
    solver = prepare("milp", problem)
    with pytest.raises(KeyboardInterrupt):
        solver.solve(problem, should_stop=lambda: True)
    expected = prepare("milp", problem).solve(problem).report.objective
    assert solver.solve(problem).report.objective == pytest.approx(expected, rel=1e-9)


SIMPLE = """
  grid: {type: grid, import_price_per_kwh: 0.2, import_limit_kw: 9, capex: 100}
  load: {type: electricity_demand, profile: [1.0, 1.0]}
  rod: {type: converter, input: electricity, output: heat, ratio: 0.9}
  heat: {type: heat_demand, profile: [1.0, 1.0]}
  battery: {type: battery, capacity_kwh: 10, power_kw: 5}
"""
NAN = float("nan")


@pytest.mark.parametrize("is_warm", [False, True])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("cost", NAN, "a price is not a number"),
        ("cost", 1e16, "a price is beyond 1e+15"),
        ("end_price", NAN, "a price is not a number"),
        ("limit", NAN, "is not a number"),
        ("limit", 1e21, "a demand is beyond 1e+15"),
        ("capacity", NAN, "a limit is not a number"),
        ("initial_level", NAN, "a demand is not a number"),
        ("charge_efficiency", NAN, "an efficiency or ratio is not a number"),
        ("charge_efficiency", 1e-9, "an efficiency or ratio is not within 1e-09 and 1e+15"),
        ("charge_efficiency", 1e-12, "an efficiency or ratio is not within 1e-09 and 1e+15"),
        ("discharge_efficiency", 1e-16, "an efficiency or ratio is not within 1e-09 and 1e+15"),
        ("discharge_efficiency", NAN, "an efficiency or ratio is not a number"),
        ("ratio", 1e-10, "an efficiency or ratio is not within 1e-09 and 1e+15"),
        ("ratio", NAN, "is not a number"),
        ("keep", NAN, "is not a number"),
        ("keep", 1e-10, "an efficiency or ratio is not within 1e-09 and 1e+15"),
        ("capital_per_year", NAN, "a fixed cost is not a number"),
        ("capital_per_year", np.inf, "a fixed cost is beyond 1e+15"),
    ],
)
def test_numbers_that_highs_would_take_silently_are_refused_as_data(field, value, message, is_warm):
    """NaN makes "optimal" without a value or drops a row; an entry not above 1e-9 is dropped; 1e20 is infinite."""
    problem = problem_of(SIMPLE)
    solver = prepare("milp", problem)
    if is_warm:
        solver.solve(problem)
    spoilt = replace(problem.coefficients, **{field: np.full_like(getattr(problem.coefficients, field), value)})
    with pytest.raises(SolveError, match="is") as raised:
        solver.solve(replace(problem, coefficients=spoilt))
    assert raised.value.cause is FailureCause.DATA
    assert message in str(raised.value)
    assert solver.solve(problem).report.objective == pytest.approx(
        prepare("milp", problem).solve(problem).report.objective, rel=1e-9
    )


def test_the_smallest_entry_that_is_taken_is_not_dropped():
    """Delivering 1 kWh takes 1e8 of content at a discharge efficiency of 1e-8; 2e-9 charged of each kWh: too dear."""
    problem = problem_of(SIMPLE)
    small = replace(problem.coefficients, charge_efficiency=np.array([2e-9]), discharge_efficiency=np.array([1e-8]))
    dear = problem.fixed_costs() + (1 + 1 / 0.9) * 2 * 0.2
    assert prepare("milp", problem).solve(replace(problem, coefficients=small)).report.objective == near(dear)


def test_an_answer_that_is_not_finite_is_a_failure_of_the_solver(monkeypatch):
    monkeypatch.setattr(highs, "_check_numbers", lambda program: None)
    problem = problem_of(SIMPLE)
    spoilt = replace(problem.coefficients, cost=np.full_like(problem.coefficients.cost, NAN))
    error = failure(replace(problem, coefficients=spoilt))
    assert error.cause is FailureCause.SOLVER


# ------------------------------------------------------------------------------------------------ CO2 limit

EMITTING = """
  grid: {{type: grid, import_price_per_kwh: 0.1, export_limit_kw: 0, co2_kg_per_kwh: 0.5}}
  green: {{type: source, bus: electricity, cost_per_kwh: 0.3, power_kw: 9, embodied_co2_kg: {embodied}}}
  load: {{type: electricity_demand, profile: [2.0, 2.0], co2_kg_per_kwh: 0.01}}
"""


@pytest.mark.parametrize("solver", ["milp", "hybrid"])
@pytest.mark.parametrize(("embodied", "green"), [(0, 2.0), (20 * 8760 * 0.1, 2.4)])
def test_a_limit_of_co2_is_kept(solver, embodied, green):
    """4 kWh, of which the grid emits 0.5 kg each, the demand 0.01: within 1.04 kg 2 of them come from the grid.

    What a source of 20 years embodies counts 2 h of a year: 0.2 kg more, so 0.4 kWh fewer come from the grid.
    """
    text = EMITTING.format(embodied=embodied)
    system = system_of(text, head="economics: {co2_limit_kg: 1.04}")
    problem = compile_problem(system)
    solved = SolvedSystem(system, problem, prepare(solver, problem).solve(problem))
    assert audit(solved).violations == ()
    assert solved.flow("green.out").sum() == near(green)
    assert solved.report.objective == near(0.1 * (4 - green) + 0.3 * green)
    total = solved.totals.co2_operational_kg + solved.totals.co2_embodied_kg
    assert float(total) == near(1.04)


def test_a_limit_of_co2_that_cannot_be_kept_is_infeasible():
    """The demand alone emits 0.04 kg."""
    problem = compile_problem(system_of(EMITTING.format(embodied=0), head="economics: {co2_limit_kg: 0.03}"))
    assert failure(problem).cause is FailureCause.INFEASIBLE


@pytest.mark.parametrize("solver", ["rule_based", "rolling_horizon"])
def test_a_solver_that_sees_a_part_only_refuses_a_limit_of_co2(solver):
    problem = compile_problem(system_of(EMITTING.format(embodied=0), head="economics: {co2_limit_kg: 1}"))
    with pytest.raises(InputError, match=f"economics.co2_limit_kg: cannot be promised by {solver}"):
        prepare(solver, problem)


def test_a_limit_of_co2_is_a_variation_of_another():
    """The program of the first is changed in place: one number."""
    problems = [
        compile_problem(system_of(EMITTING.format(embodied=0), head=f"economics: {{co2_limit_kg: {limit}}}"))
        for limit in (1.04, 0.54)
    ]
    prepared = prepare("milp", problems[0])
    first, second = (prepared.solve(problem) for problem in problems)
    assert (first.report.start, second.report.start) == ("cold", "warm")
    assert second.report.objective == near(0.1 * 1 + 0.3 * 3)


def test_the_audit_finds_more_co2_than_the_limit():
    system = system_of(EMITTING.format(embodied=0), head="economics: {co2_limit_kg: 1.04}")
    free = system_of(EMITTING.format(embodied=0))
    problem = compile_problem(free)
    plan = prepare("milp", problem).solve(problem)
    found = audit(SolvedSystem(system, compile_problem(system), plan))
    assert [violation.what for violation in found.violations] == ["is above co2_limit_kg"]
