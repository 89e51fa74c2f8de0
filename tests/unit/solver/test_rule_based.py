"""The rule-based dispatch: small cases worked out by hand, and the plain Python twin on any system."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from tests.property.strategies import systems
from tests.reference.plain_dispatch import Hours, plain_dispatch, plain_origin

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError, SolveError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import SolvedSystem
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.rule_based.nodes import has_circle
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack


def system_of(components, steps, head=""):
    """Return the System of `components`, a block of YAML lines."""
    text = f"system_id: case\ntime: {{start: 2018-01-01, steps: {steps}}}\n{head}\ncomponents:\n"
    lines = [f"  {line.strip()}" for line in components.strip().splitlines()]
    return load_system(parse_yaml(text + "\n".join(lines), "case.yaml"))


def dispatched(system, end=EndRule.SHORTFALL):
    problem = compile_problem(system, end)
    return SolvedSystem(system, problem, prepare("rule_based", problem).solve(problem))


def check(system, expected):
    """Hold dispatch and twin against expected hours: flows by path, levels (starts and the end) by `name.level`."""
    solved, twin = dispatched(system), plain_dispatch(system)
    for path, hours in expected.items():
        name, _, flow = path.partition(".")
        is_level = flow == "level"
        found = solved.level(name) if is_level else solved.flow(path)
        assert found.tolist() == pytest.approx(hours, abs=1e-12), path
        assert (twin.levels[name] if is_level else twin.flows[path]) == pytest.approx(hours, abs=1e-12), path
    return solved


# The lines of the rule


def test_local_generation_serves_demand_first_then_the_battery_then_sale():
    """PV 5, demand 2, battery 2 of 4 kWh at efficiency 0.5, 1 kW, grid sells at 0.05.

    Hour 0: 2 to demand; of the 3 left 1 charges (limit), 2 are sold; level 2 + 0.5 = 2.5.
    Hour 1: PV 2 = demand; nothing moves otherwise.
    Hour 2: no PV: the battery gives its limit of 1 (level 2.5 - 1 / 0.5 = 0.5), the grid 1.
    Hour 3: of 0.5 kWh 0.25 come out, the grid gives 1.75.
    """
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.05}
        pv: {type: pv, capacity_kw: 5, profile: [1.0, 0.4, 0.0, 0.0]}
        battery: {type: battery, capacity_kwh: 4, power_kw: 1, efficiency: 0.5, initial_level: 0.5}
        house: {type: electricity_demand, profile: [2.0, 2.0, 2.0, 2.0]}
        """,
        4,
    )
    solved = check(
        system,
        {
            "pv.out": [5, 2, 0, 0],
            "battery.charge": [1, 0, 0, 0],
            "battery.discharge": [0, 0, 1, 0.25],
            "battery.level": [2, 2.5, 2.5, 0.5, 0],
            "grid.import": [0, 0, 1, 1.75],
            "grid.export": [2, 0, 0, 0],
        },
    )
    # Content at the start counts as bought: of 2.5 kWh 0.5 (a fifth) are local. L = 2 + 2 + 1 x 0.2 + 0.25 x 0.2.
    assert float(solved.totals.local_use_kwh) == pytest.approx(4.25)
    assert float(solved.totals.generation_kwh) == pytest.approx(7)
    # 2 missing of the level at the start at the highest price of the run, 2.75 bought, 2 sold.
    assert float(solved.totals.end_shortfall_cost) == pytest.approx(0.6)
    assert float(solved.totals.purchase_cost - solved.totals.export_revenue) == pytest.approx(0.725)


def test_a_battery_is_never_charged_from_the_grid_and_never_sells():
    """Bought energy is cheap in hour 0 and sold dear in hour 1; the rule does not trade: 1 is bought in each hour."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: [0.01, 0.5], export_price_per_kwh: [0.0, 0.4]}
        battery: {type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0}
        house: {type: electricity_demand, profile: [1.0, 1.0]}
        """,
        2,
    )
    check(system, {"grid.import": [1, 1], "battery.charge": [0, 0], "grid.export": [0, 0], "battery.level": [0, 0, 0]})


def test_stored_energy_serves_demand_before_anything_is_bought():
    """3 of 4 kWh at efficiency 1: 2 to the first hour, 1 to the second, which buys 1; nothing of it is sold."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.2}
        battery: {type: battery, capacity_kwh: 4, power_kw: 3, efficiency: 1.0, initial_level: 0.75}
        house: {type: electricity_demand, profile: [2.0, 2.0]}
        """,
        2,
    )
    check(system, {"battery.discharge": [2, 1], "battery.level": [3, 1, 0], "grid.import": [0, 1]})


def test_bought_sources_neither_fill_storages_nor_are_sold():
    """A `source` is bought, however cheap: the dearer grid stays behind it, storage and sale see none of it."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.2}
        neighbour: {type: source, bus: electricity, power_kw: 3, cost_per_kwh: 0.1}
        battery: {type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0}
        house: {type: electricity_demand, profile: [2.0, 5.0]}
        """,
        2,
    )
    check(system, {"neighbour.out": [2, 3], "grid.import": [0, 2], "battery.charge": [0, 0], "grid.export": [0, 0]})


def test_two_supplies_at_one_price_are_drawn_on_in_the_order_of_the_file():
    """Both cost 0.3; the grid stands first and gives its 1 kW, the neighbour the other 0.5."""
    lines = [
        "grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}",
        "neighbour: {type: source, bus: electricity, power_kw: 1, cost_per_kwh: 0.3}",
        "house: {type: electricity_demand, profile: [1.5, 0.5]}",
    ]
    check(system_of("\n".join(lines), 2), {"grid.import": [1, 0.5], "neighbour.out": [0.5, 0]})
    lines[:2] = lines[1::-1]
    check(system_of("\n".join(lines), 2), {"grid.import": [0.5, 0], "neighbour.out": [1, 0.5]})


# Efficiencies, losses, limits


def test_a_level_loses_its_share_before_it_is_drawn_on():
    """4 kWh lose a quarter an hour: 3 are there, 1 is drawn (2); 1.5 are there, 1 is drawn (0.5); 0.375, all drawn."""
    system = system_of(
        """
        gas: {type: gas_supply, price_per_kwh: 0.1}
        boiler: {type: gas_boiler, power_kw: 5, efficiency: 0.8}
        buffer: {type: heat_storage, capacity_kwh: 8, loss_per_hour: 0.25, initial_level: 0.5}
        rooms: {type: heat_demand, profile: [1.0, 1.0, 1.0]}
        """,
        3,
    )
    # 0.625 of the last hour are made of 0.625 / 0.8 = 0.78125 kWh of gas.
    check(
        system,
        {
            "buffer.level": [4, 2, 0.5, 0],
            "buffer.discharge": [1, 1, 0.375],
            "boiler.out": [0, 0, 0.625],
            "gas.import": [0, 0, 0.78125],
        },
    )


def test_losses_of_short_steps_compound_to_those_of_an_hour():
    """0.19 an hour is 1 - sqrt(0.81) = 0.1 a half-hour: 10 kWh become 9, then 8.1."""
    text = """
    system_id: case
    time: {start: 2018-01-01, step: 30min, steps: 2}
    components:
      grid: {type: grid, import_price_per_kwh: 0.3}
      battery: {type: battery, capacity_kwh: 10, power_kw: 2, initial_level: 1.0, loss_per_hour: 0.19}
      house: {type: electricity_demand, profile: [0.0, 0.0]}
    """
    check(load_system(parse_yaml(text, "case.yaml")), {"battery.level": [10, 9, 8.1]})


def test_a_full_battery_takes_only_what_its_loss_made_room_for():
    """Full at 2 kWh, a tenth is lost: room 0.2, at a charge efficiency of 0.5 that is 0.4 of 3; 2.6 are curtailed."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3, export_limit_kw: 0}
        pv: {type: pv, capacity_kw: 3, profile: [1.0, 1.0]}
        house: {type: electricity_demand, profile: [0.0, 0.0]}
        battery: {type: battery, capacity_kwh: 2, power_kw: 2, charge_efficiency: 0.5, loss_per_hour: 0.1, \
initial_level: 1.0}
        """,
        2,
    )
    solved = check(system, {"battery.charge": [0.4, 0.4], "pv.out": [0.4, 0.4], "battery.level": [2, 2, 2]})
    assert float(solved.totals.curtailed_kwh) == pytest.approx(5.2)


def test_what_export_limit_and_storages_leave_is_curtailed():
    """PV 4, demand 1, sale at most 2: 1 is curtailed; count 2 doubles the limit and nothing is."""
    parts = """
        grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, export_limit_kw: 2COUNT}
        pv: {type: pv, capacity_kw: 4, profile: [1.0, 0.5]}
        house: {type: electricity_demand, profile: [1.0, 1.0]}
        """
    solved = check(system_of(parts.replace("COUNT", ""), 2), {"pv.out": [3, 2], "grid.export": [2, 1]})
    assert float(solved.totals.curtailed_kwh) == pytest.approx(1)
    check(system_of(parts.replace("COUNT", ", count: 2"), 2), {"pv.out": [4, 2], "grid.export": [3, 1]})


def test_what_is_short_stays_short_and_is_counted():
    """1 kW of grid against 3 and 1: two kWh are missing and cost 2 x 1.5."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}
        house: {type: electricity_demand, profile: [3.0, 1.0], unmet_cost_per_kwh: 1.5}
        """,
        2,
    )
    solved = check(system, {"house.in": [1, 1], "grid.import": [1, 1]})
    assert float(solved.totals.unmet_kwh) == 2
    assert float(solved.totals.unmet_cost) == 3
    assert float(solved.totals.final_demand_kwh) == 4


# Converters


def test_a_heat_pump_turns_local_surplus_into_heat_before_anything_is_bought():
    """COP 3, then 2; 1 kW. Hour 0: PV 4 = 2 for the house, 1 through the pump (3 of 4 heat), 1 sold; boiler 1.

    Hour 1: PV 0.5 all to the house; the rest of it (1.5) is bought at 0.2. Heat 4: through the pump 0.2 / 2 = 0.1 a
    kWh, by the boiler 0.1 / 0.8 = 0.125: the pump takes its 1 kW (2 heat), the boiler 2.
    """
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.2}
        pv: {type: pv, capacity_kw: 4, profile: [1.0, 0.125]}
        house: {type: electricity_demand, profile: [2.0, 2.0]}
        pump: {type: heat_pump, power_kw: 1, cop: [3.0, 2.0]}
        gas: {type: gas_supply, price_per_kwh: 0.1}
        boiler: {type: gas_boiler, power_kw: 10, efficiency: 0.8}
        rooms: {type: heat_demand, profile: [4.0, 4.0]}
        """,
        2,
    )
    check(
        system,
        {
            "pump.in": [1, 1],
            "pump.out": [3, 2],
            "boiler.out": [1, 2],
            "gas.import": [1.25, 2.5],
            "grid.import": [0, 2.5],
            "grid.export": [1, 0],
        },
    )


@pytest.mark.parametrize(
    ("gas_price", "co2_price", "pump", "boiler"),
    [
        pytest.param(0.12, 0.0, [2, 2], [0, 1], id="gas dearer: 0.12 / 0.9 = 0.133 > 0.3 / 3 = 0.1"),
        pytest.param(0.06, 0.0, [0, 0], [2, 3], id="gas cheaper: 0.06 / 0.9 = 0.067 < 0.1"),
        pytest.param(0.06, 0.2, [2, 2], [0, 1], id="its CO2 makes it dearer: (0.06 + 0.2 x 0.2) / 0.9 = 0.111 > 0.1"),
    ],
)
def test_boiler_and_heat_pump_take_turns_by_the_price_of_delivered_heat(gas_price, co2_price, pump, boiler):
    """Electricity at 0.3 through a COP of 3 makes heat at 0.1; the pump's 2 kW of heat serve 2, then 2 of 3."""
    system = system_of(
        f"""
        gas: {{type: gas_supply, price_per_kwh: {gas_price}, co2_kg_per_kwh: 0.2}}
        boiler: {{type: gas_boiler, power_kw: 10, efficiency: 0.9}}
        grid: {{type: grid, import_price_per_kwh: 0.3}}
        pump: {{type: heat_pump, power_kw: 0.6666666666666666, cop: 3.0}}
        rooms: {{type: heat_demand, profile: [2.0, 3.0]}}
        """,
        2,
        f"economics: {{co2_price_per_kg: {co2_price}}}",
    )
    check(system, {"pump.out": pump, "boiler.out": boiler})


def test_the_mean_price_of_the_run_decides_for_all_its_hours():
    """Electricity costs 0.1 and 0.7, 0.4 on average, 0.133 as heat; gas 0.12: the boiler runs in the cheap hour too."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: [0.1, 0.7]}
        pump: {type: heat_pump, power_kw: 5, cop: 3.0}
        gas: {type: gas_supply, price_per_kwh: 0.12}
        boiler: {type: gas_boiler, power_kw: 1, efficiency: 1.0}
        rooms: {type: heat_demand, profile: [1.0, 1.5]}
        """,
        2,
    )
    check(system, {"boiler.out": [1, 1], "pump.out": [0, 0.5]})


def test_variable_costs_of_the_way_count_towards_its_price():
    """Both draw on one grid; the better COP wears at 0.1 per kWh of heat: 0.3 / 3 + 0.1 = 0.2 > 0.3 / 2 = 0.15."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3}
        fine: {type: heat_pump, power_kw: 5, cop: 3.0, variable_cost_per_kwh: 0.1}
        plain: {type: heat_pump, power_kw: 0.5, cop: 2.0}
        rooms: {type: heat_demand, profile: [1.0, 4.0]}
        """,
        2,
    )
    check(system, {"plain.out": [1, 1], "fine.out": [0, 3]})


def test_of_two_converters_local_energy_takes_the_better_one_first():
    """PV 2 against COP 2 (first in the file) and COP 4 of 1 kW: 4 heat by the better, 2 by the other."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3}
        plain: {type: heat_pump, power_kw: 5, cop: 2.0}
        fine: {type: heat_pump, power_kw: 1, cop: 4.0}
        pv: {type: pv, capacity_kw: 2, profile: [1.0, 0.5]}
        rooms: {type: heat_demand, profile: [6.0, 6.0]}
        """,
        2,
    )
    # Hour 1: PV 1 through the better one; the 2 missing are bought, 1 kWh through the other.
    check(system, {"fine.in": [1, 1], "plain.in": [1, 1], "grid.import": [0, 1], "pv.out": [2, 1]})


def test_energy_passes_a_chain_of_converters_limited_by_its_narrowest():
    """Electricity -> hydrogen (0.5) -> gas (0.8) -> heat (boiler 1.0): 0.4 of what is drawn arrives.

    Hour 0: PV 5 would make 2; the boiler's 1 kW asks for 1 of gas, 1.25 hydrogen, 2.5 electricity; 2.5 are sold.
    Hour 1: PV 1 makes 0.4, the grid's 0.5 makes 0.2; 0.4 stay unmet.
    """
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 0.5}
        pv: {type: pv, capacity_kw: 5, profile: [1.0, 0.2]}
        electrolysis: {type: converter, input: electricity, output: hydrogen, ratio: 0.5}
        methanation: {type: converter, input: hydrogen, output: gas, ratio: 0.8}
        boiler: {type: gas_boiler, power_kw: 1, efficiency: 1.0}
        rooms: {type: heat_demand, profile: [2.0, 1.0], unmet_cost_per_kwh: 1.0}
        """,
        2,
    )
    solved = check(
        system,
        {
            "electrolysis.in": [2.5, 1.5],
            "methanation.in": [1.25, 0.75],
            "boiler.in": [1, 0.6],
            "rooms.in": [1, 0.6],
            "grid.import": [0, 0.5],
            "grid.export": [2.5, 0],
        },
    )
    # All local surplus is renewable: 1 in hour 0; 0.6 x 1 / 1.5 in hour 1.
    assert float(solved.totals.renewable_delivered_kwh) == pytest.approx(1.4)


def test_a_chain_of_four_converters_is_no_way():
    """The rule passes at most three converters: what stands four away stays unmet."""
    steps = [("electricity", "hydrogen"), ("hydrogen", "gas"), ("gas", "heat"), ("heat", "cooling")]
    chain = "\n".join(f"c{at}: {{type: converter, input: {a}, output: {b}}}" for at, (a, b) in enumerate(steps))
    ends = """
        grid: {type: grid, import_price_per_kwh: 0.3}
        rooms: {type: sink, bus: heat, profile: [1.0, 1.0]}
        cellar: {type: sink, bus: cooling, profile: [1.0, 1.0], unmet_cost_per_kwh: 9}
        """
    check(system_of(chain + ends, 2), {"rooms.in": [1, 1], "cellar.in": [0, 0], "c2.out": [1, 1], "c3.in": [0, 0]})


def test_local_surplus_fills_the_near_storage_before_the_one_behind_a_converter():
    """PV 3: 1 into the battery (1 kW), 1 through the pump into the tank (COP 2), 1 sold."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3}
        pump: {type: heat_pump, power_kw: 1, cop: 2.0}
        tank: {type: heat_storage, capacity_kwh: 10, loss_per_hour: 0, initial_level: 0}
        battery: {type: battery, capacity_kwh: 10, power_kw: 1, efficiency: 1.0, initial_level: 0}
        pv: {type: pv, capacity_kw: 3, profile: [1.0, 0.0]}
        rooms: {type: heat_demand, profile: [0.0, 1.0]}
        """,
        2,
    )
    check(
        system,
        {
            "battery.level": [0, 1, 1],
            "tank.level": [0, 2, 1],
            "grid.export": [1, 0],
            "battery.discharge": [0, 0],
            "pump.in": [1, 0],
        },
    )


def test_a_battery_heats_through_the_pump_when_no_tank_is_there():
    """Hour 1: the battery's 1 kWh makes 3 of 4 heat; the grid's third of a kWh the last one."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3}
        battery: {type: battery, capacity_kwh: 1, power_kw: 1, efficiency: 1.0, initial_level: 1.0}
        pump: {type: heat_pump, power_kw: 2, cop: 3.0}
        rooms: {type: heat_demand, profile: [0.0, 4.0]}
        """,
        2,
    )
    check(system, {"battery.discharge": [0, 1], "pump.in": [0, 4 / 3], "grid.import": [0, 1 / 3]})


# Sale


@pytest.mark.parametrize(
    ("grid", "pv", "sold"),
    [
        pytest.param("export_price_per_kwh: 0.05", "", [1, 3], id="pays"),
        pytest.param("export_price_per_kwh: [-0.3, 0.4]", "", [1, 3], id="pays on average, so also where it does not"),
        pytest.param("export_price_per_kwh: 0.0", "", [1, 3], id="earns nothing and costs nothing"),
        pytest.param("export_price_per_kwh: [-0.4, 0.3]", "", [0, 0], id="costs on average"),
        pytest.param("export_price_per_kwh: 0.05", ", variable_cost_per_kwh: 0.06", [0, 0], id="earns less than wear"),
    ],
)
def test_local_surplus_is_sold_unless_selling_costs_on_average(grid, pv, sold):
    """PV 2 and 4 against a demand of 1: 1 and 3 are left, sold or curtailed."""
    system = system_of(
        f"""
        grid: {{type: grid, import_price_per_kwh: 0.5, {grid}}}
        pv: {{type: pv, capacity_kw: 4, profile: [0.5, 1.0]{pv}}}
        house: {{type: electricity_demand, profile: [1.0, 1.0]}}
        """,
        2,
    )
    check(system, {"grid.export": sold, "pv.out": [1 + amount for amount in sold], "grid.import": [0, 0]})


def test_selling_through_a_cable_counts_its_costs():
    """Garage PV sells at 0.05 through a cable of ratio 0.5 that costs 0.06 a kWh: never; by a free one: 2 x 0.5."""
    parts = """
        grid: {type: grid, import_price_per_kwh: 0.5, export_price_per_kwh: 0.05}
        pv: {type: pv, bus: cellar, capacity_kw: 3, profile: [1.0, 1.0]}
        cable: {type: converter, input: cellar, output: electricity, ratio: 0.5, variable_cost: COST}
        house: {type: electricity_demand, profile: [0.5, 0.5]}
        """
    head = "buses: {cellar: electricity}"
    check(system_of(parts.replace("COST", "0.06"), 2, head), {"grid.export": [0, 0], "pv.out": [1, 1]})
    check(system_of(parts.replace("COST", "0.0"), 2, head), {"grid.export": [1, 1], "pv.out": [3, 3]})


# What it cannot do


@pytest.mark.parametrize("end", [EndRule.CYCLIC, EndRule.FIXED])
def test_an_end_that_needs_looking_ahead_is_refused_with_what_to_do(end):
    """By the door, and by a solver that was prepared for another end."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3}
        house: {type: electricity_demand, profile: [1.0, 1.0]}
        """,
        2,
    )
    problem = compile_problem(system)
    other = replace(problem, end=end)
    for attempt in (lambda: prepare("rule_based", other), lambda: prepare("rule_based", problem).solve(other)):
        with pytest.raises(InputError) as raised:
            attempt()
        (finding,) = raised.value.findings
        assert (finding.key, finding.value) == ("end", str(end))
        assert "shortfall or free" in finding.remedy
        assert "milp" in finding.remedy


def test_the_end_rule_free_changes_no_hour_and_costs_nothing():
    """1 kWh is missing at the end: 0.3 under shortfall, nothing under free."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3}
        battery: {type: battery, capacity_kwh: 2, power_kw: 2, efficiency: 1.0}
        house: {type: electricity_demand, profile: [1.0, 1.0]}
        """,
        2,
    )
    shortfall, free = dispatched(system), dispatched(system, EndRule.FREE)
    assert shortfall.solution.flows.tobytes() == free.solution.flows.tobytes()
    assert float(shortfall.totals.end_shortfall_cost) == pytest.approx(0.3)
    assert float(free.totals.end_shortfall_cost) == 0


def test_a_batch_with_a_circle_is_refused_with_what_to_do():
    """Heat makes electricity, electricity heat: the hours can be traced, a batch cannot."""
    system = system_of(
        """
        grid: {type: grid, import_price_per_kwh: 0.3}
        pump: {type: heat_pump, power_kw: 1, cop: 3.0}
        engine: {type: converter, input: heat, output: electricity, ratio: 0.1, power_kw: 1}
        rooms: {type: heat_demand, profile: [1.0, 1.0]}
        """,
        2,
    )
    solved = dispatched(system)
    assert has_circle(solved.problem.layout)
    with pytest.raises(InputError, match="one by one"):
        RuleBasedSolver(solved.problem, SolverOptions()).solve_batch(stack([solved.problem]))


# The twin


@settings(deadline=None, max_examples=60)
@given(system=systems())
def test_the_kernel_does_what_the_plain_twin_does(system):
    solved, twin = dispatched(system), plain_dispatch(system)
    scale = max(1.0, float(np.abs(solved.solution.flows).max()), float(solved.solution.levels.max(initial=0.0)))
    for path, hours in twin.flows.items():
        assert solved.flow(path).tolist() == pytest.approx(hours, rel=1e-12, abs=1e-12 * scale), path
    for name, levels in twin.levels.items():
        assert solved.level(name).tolist() == pytest.approx(levels, rel=1e-12, abs=1e-12 * scale), name


@pytest.mark.parametrize("solver", ["rule_based", "milp"])
@settings(deadline=None, max_examples=40)
@given(system=systems(circles=False))
def test_origins_are_those_that_the_plain_twin_follows(solver, system):
    """On the same plan; the optimiser's may discharge beyond what was there at the step's start."""
    problem = compile_problem(system)
    try:
        solved = SolvedSystem(system, problem, prepare(solver, problem).solve(problem))
    except SolveError as error:
        assume(error.cause is not FailureCause.INFEASIBLE)
        raise
    flows = {flow.path: solved.solution.flows[at].tolist() for at, flow in enumerate(problem.layout.flows)}
    levels = {name: solved.level(name).tolist() for name in problem.layout.storage_names}
    origin = plain_origin(system, Hours(flows, levels))
    scale = 1e-9 * max(1.0, float(solved.solution.flows.sum()))
    assert float(solved.totals.local_use_kwh) == pytest.approx(origin.local_use, abs=scale)
    assert float(solved.totals.renewable_delivered_kwh) == pytest.approx(origin.renewable_delivered, abs=scale)
