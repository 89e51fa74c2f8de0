"""Every KPI against plans written down by hand, with values derived by hand."""

import functools

import numpy as np
import pytest

from ecosystemiser.analyser.audit import audit
from ecosystemiser.analyser.kpi_calculator import KPICalculator
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.kpis import KPI_NAMES, KPIS, kpi_value
from ecosystemiser.model.compiling import capital_recovery_factor, compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import Solution, SolvedSystem, SolverReport
from ecosystemiser.solver.door import prepare

DERIVED = {}
"""Names of the tests that derive a value of each KPI."""


def derives(**expected):
    """Hold the KPIs of the solved system that a test returns against `expected`."""

    def decorate(test):
        for name in expected:
            DERIVED.setdefault(name, []).append(test.__name__)

        @functools.wraps(test)
        def check():
            solved = test()
            found = {kpi.name: kpi_value(kpi, solved.totals) for kpi in KPIS if kpi.name in expected}
            assert found == {name: pytest.approx(value, abs=1e-9) for name, value in expected.items()}

        return check

    return decorate


def loaded(components, *, steps=1, head="", time=""):
    text = f"system_id: kpis\ntime: {{steps: {steps}{time}}}\n{head}\ncomponents:\n{components}"
    return load_system(parse_yaml(text, "kpis.yaml"))


def plan(components, flows, levels=None, *, end="shortfall", **options):
    """Return a system with a plan: flows that are not named are 0. The audit finds nothing wrong with it."""
    first = next(iter(flows.values()))
    system = loaded(components, **{"steps": len(first), **options})
    problem = compile_problem(system, EndRule(end))
    paths = [flow.path for flow in problem.layout.flows]
    amounts = np.zeros((len(paths), problem.steps))
    for path, values in flows.items():
        amounts[paths.index(path)] = values
    contents = np.array([(levels or {})[name] for name in problem.layout.storage_names], dtype=float)
    contents = contents.reshape(-1, problem.steps + 1)
    solved = SolvedSystem(system, problem, Solution(amounts, contents, SolverReport("by hand", "written")))
    assert audit(solved).violations == ()
    return solved


@derives(demand_charges=10.0, standing_charges=2.0, energy_cost=0.7, total_cost=12.7)
def test_what_a_supplier_charges_besides():
    """Two of January's 744 hours: 2 of the fixed charge, 2 a kW of the peak of 5."""
    components = """
  grid: {type: grid, import_price_per_kwh: 0.1, export_limit_kw: 0,
         tariff: {fixed_per_month: 744, demand_charges: [{price_per_kw: 744}]}}
  load: {type: electricity_demand, profile: [5.0, 2.0]}
"""
    return plan(components, {"grid.import": [5.0, 2.0], "load.in": [5.0, 2.0]})


@pytest.mark.parametrize("name", KPI_NAMES)
def test_every_kpi_has_a_case_derived_by_hand(name):
    assert DERIVED.get(name), f"derive a value of {name} by hand and name it in @derives"


# ------------------------------------------------------------------------------------------- sun, line and load

SUN = """
  grid: {type: grid, import_price_per_kwh: [0.3, 0.4], export_price_per_kwh: 0.1, export_limit_kw: 2}
  roof: {type: pv, capacity_kw: 10, profile: [0.5, 0.0]}
  load: {type: electricity_demand, profile: [2.0, 1.0]}
"""


@derives(
    self_consumption_rate=0.5,
    self_sufficiency_rate=2 / 3,
    renewable_fraction=2 / 3,
    total_generation_kwh=4,
    total_demand_kwh=3,
    net_grid_usage_kwh=-1,
    grid_import_kwh=1,
    grid_export_kwh=2,
    peak_import_kw=1,
    peak_export_kw=2,
    curtailed_kwh=1,
    unmet_kwh=0,
    energy_cost=0.4,
    export_revenue=0.2,
    total_cost=0.2,
    battery_cycles=None,
    storage_utilisation=None,
)
def test_sun_on_the_roof():
    """Of 5 kWh of sun 2 serve the load, 2 are sold, 1 is curtailed: G = 4. Hour 2 buys 1 at 0.4. D = 3, L = 2."""
    return plan(SUN, {"roof.out": [4, 0], "load.in": [2, 1], "grid.export": [2, 0], "grid.import": [0, 1]})


@derives(self_consumption_rate=None, self_sufficiency_rate=0, renewable_fraction=0, total_generation_kwh=0)
def test_without_generation_there_is_no_self_consumption():
    """L / G is 0/0; L / D is 0 / 3."""
    flows = {"load.in": [2, 1], "grid.import": [2, 1]}
    return plan(SUN, flows)


@derives(self_sufficiency_rate=None, renewable_fraction=None, self_consumption_rate=0, total_demand_kwh=0)
def test_without_demand_there_is_no_self_sufficiency():
    """All 4 kWh of sun are sold: L / D is 0/0, L / G is 0 / 4; nothing is delivered to any demand."""
    return plan(
        """
  grid: {type: grid, import_price_per_kwh: 0.3}
  roof: {type: pv, capacity_kw: 4, profile: [1.0]}
  load: {type: electricity_demand, profile: [0.0]}
""",
        {"roof.out": [4], "grid.export": [4]},
    )


@derives(self_consumption_rate=1, self_sufficiency_rate=0.5, renewable_fraction=0.5 + 0.5 * 0.4)
def test_the_grid_brings_its_renewable_share():
    """Load 4: 2 from the sun, 2 from a grid of 0.4."""
    return plan(
        """
  grid: {type: grid, import_price_per_kwh: 0.3, renewable_share: 0.4}
  roof: {type: pv, capacity_kw: 2, profile: [1.0]}
  load: {type: electricity_demand, profile: [4.0]}
""",
        {"roof.out": [2], "load.in": [4], "grid.import": [2]},
    )


@derives(self_consumption_rate=1, self_sufficiency_rate=0.5, renewable_fraction=0.5)
def test_what_is_sold_while_bought_does_not_count():
    """Sun 2, load 4, 5 bought and 3 sold at once: the sun serves the load first, what is sold is of the grid."""
    return plan(
        """
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1}
  roof: {type: pv, capacity_kw: 2, profile: [1.0]}
  load: {type: electricity_demand, profile: [4.0]}
""",
        {"roof.out": [2], "load.in": [4], "grid.import": [5], "grid.export": [3]},
    )


@derives(peak_import_kw=16, peak_export_kw=8, grid_import_kwh=7.5)
def test_the_peak_is_of_one_line_and_a_power():
    """Quarter hours: 4 kWh over line b are 16 kW; a has 12. 3 + 4 on both at once do not add up."""
    return plan(
        """
  a: {type: grid, import_price_per_kwh: 0.3}
  b: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1}
  load: {type: electricity_demand, profile: [28.0, 2.0, 0.0]}
  roof: {type: pv, capacity_kw: 8, profile: [0.0, 0.0, 1.0]}
""",
        {
            "a.import": [3, 0.5, 0],
            "b.import": [4, 0, 0],
            "load.in": [7, 0.5, 0],
            "roof.out": [0, 0, 2],
            "b.export": [0, 0, 2],
        },
        time=', step: "15min"',
    )


@derives(curtailed_kwh=2.5, total_generation_kwh=4)
def test_what_is_bought_and_not_taken_is_not_curtailed():
    """3 kWh of sun of 5.5 are taken. Of the generator's 9 kWh 1 is bought: nobody wasted the other 8."""
    return plan(
        """
  roof: {type: pv, capacity_kw: 5.5, profile: [1.0]}
  diesel: {type: source, bus: electricity, power_kw: 9, cost_per_kwh: 0.5}
  load: {type: electricity_demand, profile: [4.0]}
""",
        {"roof.out": [3], "diesel.out": [1], "load.in": [4]},
    )


# --------------------------------------------------------------------------------------------------- batteries

BATTERY = """
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1}
  roof: {type: pv, capacity_kw: 10, profile: [0.5, 0.0, 0.0, 0.05]}
  load: {type: electricity_demand, profile: [1.0, 2.0, 2.0, 1.0]}
  battery: {type: battery, capacity_kwh: 10, power_kw: 5, charge_efficiency: 0.9, discharge_efficiency: 0.8,
            loss_per_hour: 0.1, initial_level: 0}
"""


@derives(
    self_consumption_rate=(1.5 + 2.1 * 18 / 23) / 5.5,
    self_sufficiency_rate=(1.5 + 2.1 * 18 / 23) / 6,
    renewable_fraction=(1.5 + 2.1 * 18 / 23) / 6,
    battery_cycles=0.2625,
    storage_utilisation=(3.6 + 4.14 + 1.726 + 0.9284) / 40,
    end_shortfall_cost=0,
)
def test_local_energy_through_a_battery_with_losses():
    """Hour 1: sun 5, load 1; 4 charged, 3.6 arrive, all local.

    Hour 2: 3 bought, 2 used, 1 charged: 3.24 are left, 0.9 of the grid arrive: the local share is 3.24/4.14 = 18/23.
    Hour 3: 1.6 discharged (2.0 of content), 0.4 bought: 1.6 x 18/23 local of 2.
    Hour 4: sun 0.5 serves first, 0.5 discharged (0.625): 0.5 + 0.5 x 18/23 of 1.
    L = 1 + 1.6 x 18/23 + 0.5 + 0.5 x 18/23; G = 5.5, D = 6. Contents: 3.6, 4.14, 3.726 - 2, 1.5534 - 0.625 = 0.9284.
    Drawn are 2 + 0.625 of 10.
    """
    return plan(
        BATTERY,
        {
            "roof.out": [5, 0, 0, 0.5],
            "load.in": [1, 2, 2, 1],
            "battery.charge": [4, 1, 0, 0],
            "battery.discharge": [0, 0, 1.6, 0.5],
            "grid.import": [0, 3, 0.4, 0],
        },
        {"battery": [0, 3.6, 4.14, 1.726, 0.9284]},
    )


SIMPLE_BATTERY = """
  grid: {{type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1}}
  roof: {{type: pv, capacity_kw: 10, profile: {sun}}}
  load: {{type: electricity_demand, profile: {load}}}
  battery: {{type: battery, capacity_kwh: 10, power_kw: 9, efficiency: 1, initial_level: {initial}}}
"""


@derives(
    self_sufficiency_rate=0,
    self_consumption_rate=None,
    renewable_fraction=0,
    end_shortfall_cost=0.6,
    total_cost=0.6,
    energy_cost=0,
    battery_cycles=0.2,
)
def test_the_content_at_the_start_counts_as_bought():
    """2 of the first content serve the load: nothing local. Refilling them costs 2 x 0.3."""
    return plan(
        SIMPLE_BATTERY.format(sun=[0.0], load=[2.0], initial=0.5),
        {"load.in": [2], "battery.discharge": [2]},
        {"battery": [5, 3]},
    )


@derives(self_consumption_rate=3 / 6, self_sufficiency_rate=3 / 5, renewable_fraction=3 / 5, end_shortfall_cost=0)
def test_sun_mixes_with_the_content_at_the_start():
    """Hour 1: sun 6, load 1, 5 charged onto 5: share 1/2. Hour 2: 4 discharged: 2 of them local. L = 1 + 2."""
    return plan(
        SIMPLE_BATTERY.format(sun=[0.6, 0.0], load=[1.0, 4.0], initial=0.5),
        {
            "roof.out": [6, 0],
            "load.in": [1, 4],
            "battery.charge": [5, 0],
            "battery.discharge": [0, 4],
        },
        {"battery": [5, 10, 6]},
    )


@derives(self_consumption_rate=2 / 5, self_sufficiency_rate=2 / 3, grid_export_kwh=3)
def test_discharge_and_import_serve_in_proportion():
    """Hour 2: 4 discharged (all local) and 2 bought make 6, of which 3 are used and 3 sold: 3 x 4/6 local."""
    return plan(
        SIMPLE_BATTERY.format(sun=[0.5, 0.0], load=[0.0, 3.0], initial=0),
        {
            "roof.out": [5, 0],
            "load.in": [0, 3],
            "battery.charge": [5, 0],
            "battery.discharge": [0, 4],
            "grid.import": [0, 2],
            "grid.export": [0, 3],
        },
        {"battery": [0, 5, 1]},
    )


@derives(self_consumption_rate=4 / 7, self_sufficiency_rate=4 / 7, battery_cycles=0.4)
def test_what_is_drawn_beyond_the_content_is_of_the_charge_of_the_hour():
    """An empty battery takes 4 (2 of the sun, 2 of the pool) and gives 3 in the same hour; load 1, sun 3, import 2.

    The sun serves 1 and charges 2 of 4. The pool is 2 bought and 3 drawn, which are half sun, half pool:
    p = 3/5 x (1/2 + p/2), p = 3/7. The load is all sun, 1. What stays, 1, has 1/2 + 3/14 = 5/7.
    The pool's 5 charge 2 and 3 are sold (9/7 of them local). Hour 2: 1 drawn, 5/7 local, and 1 bought serve 2.
    L = 1 + 5/7, G = 3, D = 3. Drawn are 3 + 1 of 10.
    """
    return plan(
        SIMPLE_BATTERY.format(sun=[0.3, 0.0], load=[1.0, 2.0], initial=0),
        {
            "roof.out": [3, 0],
            "load.in": [1, 2],
            "battery.charge": [4, 0],
            "battery.discharge": [3, 1],
            "grid.import": [2, 1],
            "grid.export": [3, 0],
        },
        {"battery": [0, 1, 0]},
    )


@derives(self_sufficiency_rate=0, self_consumption_rate=None, renewable_fraction=0)
def test_a_battery_that_is_charged_by_itself_alone_has_no_origin():
    """Hour 1: an empty battery charges 1 from its own discharge of 1, which nothing feeds. Hour 2: 1 bought."""
    return plan(
        SIMPLE_BATTERY.format(sun=[0.0, 0.0], load=[0.0, 1.0], initial=0),
        {"battery.charge": [1, 0], "battery.discharge": [1, 0], "load.in": [0, 1], "grid.import": [0, 1]},
        {"battery": [0, 0, 0]},
    )


@derives(total_generation_kwh=10, self_consumption_rate=0.95, self_sufficiency_rate=1, grid_import_kwh=0)
def test_electricity_buses_count_as_one_and_losses_between_them_are_not_used():
    """10 kWh of sun on a direct-current bus give 9.5 behind the inverter: G = 10, D = 9.5 and L = 9.5."""
    return plan(
        """
  roof: {type: pv, bus: dc, capacity_kw: 10, profile: [1.0]}
  inverter: {type: converter, input: dc, output: electricity, ratio: 0.95}
  load: {type: electricity_demand, profile: [9.5]}
""",
        {"roof.out": [10], "inverter.in": [10], "inverter.out": [9.5], "load.in": [9.5]},
        head="buses: {dc: electricity}",
    )


@derives(total_demand_kwh=9, storage_utilisation=(3 / 10 + 1 / 10) / 2, battery_cycles=None)
def test_a_heat_store_is_used_but_is_no_battery():
    """Contents of 6 and 2 of 20. Demands of heat: 4 and 5."""
    return plan(
        """
  gas: {type: gas_supply, price_per_kwh: 0.1}
  boiler: {type: gas_boiler, power_kw: 20, efficiency: 1}
  heat: {type: heat_demand, profile: [4.0, 5.0]}
  store: {type: heat_storage, capacity_kwh: 20, loss_per_hour: 0, initial_level: 0}
""",
        {
            "gas.import": [10, 1],
            "boiler.in": [10, 1],
            "boiler.out": [10, 1],
            "store.charge": [6, 0],
            "store.discharge": [0, 4],
            "heat.in": [4, 5],
        },
        {"store": [0, 6, 2]},
    )


# ------------------------------------------------------------------------------------------- heat, gas, hydrogen

PUMP = """
  grid: {{type: grid, import_price_per_kwh: 0.3, renewable_share: {share}}}
  roof: {{type: pv, capacity_kw: 2, profile: [1.0, 0.0]}}
  load: {{type: electricity_demand, profile: [1.0, 0.0]}}
  pump: {{type: heat_pump, power_kw: 2, cop: 3}}
  heat: {{type: heat_demand, profile: [4.0, 4.0]}}
  store: {{type: heat_storage, capacity_kwh: 10, loss_per_hour: 0, initial_level: 0}}
"""
PUMPED = (
    {
        "roof.out": [2, 0],
        "load.in": [1, 0],
        "grid.import": [1, 2 / 3],
        "pump.in": [2, 2 / 3],
        "pump.out": [6, 2],
        "heat.in": [4, 4],
        "store.charge": [2, 0],
        "store.discharge": [0, 2],
    },
    {"store": [0, 2, 0]},
)


@derives(
    self_consumption_rate=1,
    self_sufficiency_rate=6 / 11,
    renewable_fraction=14 / 27,
    total_demand_kwh=9,
    total_generation_kwh=2,
)
def test_a_heat_pump_uses_electricity_and_hands_on_its_origin():
    """Hour 1: load 1 and pump 2 are D = 3, sun G = 2: share 2/3 of all that is used, so of the heat made: 6.

    Hour 2: the pump draws 2/3 from the grid: its heat 2 has 0, the store's 2 have 2/3: mixed 1/3.
    D = 3 + 2/3, L = 2. Renewable: 2/3 of load 1 and heat 4, 1/3 of heat 4: 10/3 + 4/3 of 9. The ambient heat of the
    pump is not metered.
    """
    return plan(PUMP.format(share=0), *PUMPED)


@derives(self_sufficiency_rate=6 / 11, renewable_fraction=6.4 / 9)
def test_a_heat_pump_hands_on_the_share_of_the_grid():
    """Grid of 0.4. Hour 1: 2/3 + 1/3 x 0.4 = 0.8; hour 2: pumped 0.4, stored 0.8, mixed 0.6: 5 x 0.8 + 4 x 0.6."""
    return plan(PUMP.format(share=0.4), *PUMPED)


@derives(
    renewable_fraction=0.3,
    self_sufficiency_rate=None,
    co2_operational_kg=2.4,
    co2_cost=0.24,
    energy_cost=0.5,
    operating_cost=0.16,
    total_cost=0.9,
    total_co2=2.4,
)
def test_a_boiler_burns_gas_that_is_part_renewable():
    """10 kWh of gas x 0.2 kg, 8 kWh of heat x 0.05 kg: 2.4 kg at 0.1. Gas 10 x 0.05, wear 8 x 0.02."""
    return plan(
        """
  gas: {type: gas_supply, price_per_kwh: 0.05, renewable_share: 0.3, co2_kg_per_kwh: 0.2}
  boiler: {type: gas_boiler, power_kw: 20, efficiency: 0.8, co2_kg_per_kwh: 0.05, variable_cost_per_kwh: 0.02}
  heat: {type: heat_demand, profile: [8.0]}
""",
        {"gas.import": [10], "boiler.in": [10], "boiler.out": [8], "heat.in": [8]},
        head="economics: {co2_price_per_kg: 0.1}",
    )


@derives(renewable_fraction=(6 * 0.5 + 4 * 1.0 + 2 * 0.3) / 12)
def test_heat_mixes_by_what_flows_in():
    """Boiler 6 (gas half renewable), sun collectors 4, waste heat 2 of 0.3 serve demands of 9 and 3 alike."""
    return plan(
        """
  gas: {type: gas_supply, price_per_kwh: 0.05, renewable_share: 0.5}
  boiler: {type: gas_boiler, power_kw: 20, efficiency: 1}
  collectors: {type: source, bus: heat, power_kw: 4, renewable_share: 1}
  waste: {type: source, bus: heat, power_kw: 2, renewable_share: 0.3}
  houses: {type: heat_demand, profile: [9.0]}
  pool: {type: heat_demand, profile: [3.0]}
""",
        {
            "gas.import": [6],
            "boiler.in": [6],
            "boiler.out": [6],
            "collectors.out": [4],
            "waste.out": [2],
            "houses.in": [9],
            "pool.in": [3],
        },
    )


@derives(
    total_generation_kwh=4,
    self_consumption_rate=0.75,
    self_sufficiency_rate=1,
    renewable_fraction=0.25,
    grid_export_kwh=1,
)
def test_an_engine_generates_here_whatever_it_burns():
    """10 kWh of gas, a quarter renewable, give 4 of electricity: local. 3 are used, 1 is sold."""
    return plan(
        """
  gas: {type: gas_supply, price_per_kwh: 0.05, renewable_share: 0.25}
  engine: {type: converter, input: gas, output: electricity, ratio: 0.4}
  grid: {type: grid, import_price_per_kwh: 0.3}
  load: {type: electricity_demand, profile: [3.0]}
""",
        {"gas.import": [10], "engine.in": [10], "engine.out": [4], "load.in": [3], "grid.export": [1]},
    )


@derives(
    total_generation_kwh=5.2,
    self_consumption_rate=1,
    self_sufficiency_rate=5.2 / 6.2,
    renewable_fraction=0.8,
    total_demand_kwh=2.2,
)
def test_a_circle_through_hydrogen_within_a_step():
    """Sun 4, bought 1; 4 into the electrolyser give 2 of hydrogen, the cell gives 1.2 of them; load 2.2.

    G = 4 + 1.2, D = 2.2 + 4, the sun and the cell serve 5.2 of 6.2. The share u of what is used is that of the hydrogen
    and of the cell: u = (4 + 1.2 u) / 6.2, so u = 4/5.
    """
    return plan(
        """
  grid: {type: grid, import_price_per_kwh: 0.3}
  roof: {type: pv, capacity_kw: 4, profile: [1.0]}
  load: {type: electricity_demand, profile: [2.2]}
  electrolyser: {type: converter, input: electricity, output: hydrogen, ratio: 0.5}
  cell: {type: converter, input: hydrogen, output: electricity, ratio: 0.6}
""",
        {
            "grid.import": [1],
            "roof.out": [4],
            "load.in": [2.2],
            "electrolyser.in": [4],
            "electrolyser.out": [2],
            "cell.in": [2],
            "cell.out": [1.2],
        },
    )


@derives(renewable_fraction=0.5, self_sufficiency_rate=0.5, self_consumption_rate=0.5)
def test_the_sun_serves_the_load_before_the_battery_but_all_uses_alike():
    """Sun 2, load 3 and rod 1: half of each is sun. The rod's heat is half renewable: 2 of 4 delivered.

    The other 2 kWh of sun, in hour 2, are sold: L = 2 of G = 4. D = 4.
    """
    return plan(
        """
  grid: {type: grid, import_price_per_kwh: 0.3}
  roof: {type: pv, capacity_kw: 2, profile: [1.0, 1.0]}
  load: {type: electricity_demand, profile: [3.0, 0.0]}
  rod: {type: converter, input: electricity, output: heat}
  heat: {type: heat_demand, profile: [1.0, 0.0]}
""",
        {
            "grid.import": [2, 0],
            "grid.export": [0, 2],
            "roof.out": [2, 2],
            "load.in": [3, 0],
            "rod.in": [1, 0],
            "rod.out": [1, 0],
            "heat.in": [1, 0],
        },
    )


# ------------------------------------------------------------------------------------------------ money and CO2

OWNED = """
  grid: {{type: grid, import_price_per_kwh: 0.3}}
  roof: {{type: pv, capacity_kw: 10, profile: {sun}, capex_per_kw: 1000, capex: 500, fixed_cost_per_kw_year: 15,
         fixed_cost_per_year: 50, lifetime_years: 25, embodied_co2_kg_per_kw: 1200, embodied_co2_kg: 300}}
  battery: {{type: battery, capacity_kwh: 20, duration_h: 2, count: 2, capex_per_kwh: 400, lifetime_years: 10,
            embodied_co2_kg_per_kwh: 75, initial_level: 0}}
  load: {{type: electricity_demand, profile: {load}}}
"""


def owned(steps, *, rate=0.05, time=""):
    """Return a system that only stands there for `steps` hours."""
    zeros = [0.0] * steps
    return plan(
        OWNED.format(sun=zeros, load=zeros),
        {"load.in": zeros},
        {"battery": [0.0] * (steps + 1)},
        head=f"economics: {{discount_rate: {rate}}}",
        time=time,
    )


@derives(
    capital_cost=24 / 8760 * (10_500 * 0.05 / (1 - 1.05**-25) + 16_000 * 0.05 / (1 - 1.05**-10)),
    operating_cost=24 / 8760 * 200,
    co2_embodied_kg=24 / 8760 * (12_300 / 25 + 3000 / 10),
    total_co2=24 / 8760 * (12_300 / 25 + 3000 / 10),
    total_cost=24 / 8760 * (10_500 * 0.05 / (1 - 1.05**-25) + 16_000 * 0.05 / (1 - 1.05**-10) + 200),
)
def test_a_day_bears_its_share_of_the_year():
    """PV: 10 x 1000 + 500 over 25 years, 10 x 15 + 50 a year, 10 x 1200 + 300 kg. Two batteries: 2 x 20 x 400, x 75."""
    return owned(24)


@derives(capital_cost=24 / 8760 * (10_500 / 25 + 16_000 / 10))
def test_without_interest_capital_is_spread_evenly():
    """CRF = 1/n at r = 0."""
    return owned(24, rate=0)


@derives(operating_cost=24 / 8784 * 200, co2_embodied_kg=24 / 8784 * 792)
def test_a_leap_year_has_more_hours():
    return owned(24, time=", start: 2020-03-01")


@derives(operating_cost=(12 / 8760 + 12 / 8784) * 200)
def test_a_run_over_new_year_bears_shares_of_both_years():
    """From noon of 31 December 2019: twelve hours of a common year, twelve of a leap year."""
    return owned(24, time=", start: 2019-12-31T12:00:00")


@derives(operating_cost=0.5 / 8760 * 200)
def test_quarter_hours_are_shorter():
    return owned(2, time=', step: "15min"')


@derives(
    unmet_kwh=1.5,
    unmet_cost=1 * 0.8,
    total_demand_kwh=4.5,
    renewable_fraction=0,
    energy_cost=0.9,
    total_cost=1.7,
    self_sufficiency_rate=0,
)
def test_unmet_demand_has_its_price():
    """3 asked, 2 received, 1 missing at 0.8; 1.5 asked, 1 received, 0.5 missing for nothing. 3 bought at 0.3.

    What demands ask for counts as demand; what they receive counts as delivered and as use.
    """
    return plan(
        """
  grid: {type: grid, import_price_per_kwh: 0.3}
  shop: {type: electricity_demand, profile: [3.0], unmet_cost_per_kwh: 0.8}
  sign: {type: electricity_demand, profile: [1.5], unmet_cost_per_kwh: 0}
""",
        {"grid.import": [3], "shop.in": [2], "sign.in": [1]},
    )


def test_a_missing_part_at_the_rounding_of_a_demand_is_not_missing():
    components = """
  grid: {type: grid, import_price_per_kwh: 0.3}
  shop: {type: electricity_demand, profile: [3.0], unmet_cost_per_kwh: 0.8}
"""
    almost = 3 * (1 - 5e-10)
    assert plan(components, {"grid.import": [almost], "shop.in": [almost]}).totals.unmet_kwh == 0
    short = 3 * (1 - 2e-9)
    assert plan(components, {"grid.import": [short], "shop.in": [short]}).totals.unmet_kwh == pytest.approx(6e-9)


@derives(
    energy_cost=2 * 0.3 + 3 * 0.4,
    export_revenue=1 * 0.1 + 2 * 0.15,
    operating_cost=5 * 0.01 + 4 * 0.02 + 3 * 0.03 + 1 * 0.04,
    co2_operational_kg=5 * 0.5 + 4 * 0.05,
    co2_cost=2.7 * 0.2,
    total_cost=1.8 - 0.4 + 0.26 + 0.54,
)
def test_prices_by_hour_and_costs_by_amount():
    """Bought 2 and 3 (0.01 and 0.5 kg more each), sold 1 and 2, sun 4 (0.02, 0.05 kg), used 3 (0.03), discharged 1.

    Discharging wears 0.04. The content is refilled within the run; exports earn no CO2.
    """
    return plan(
        """
  grid: {type: grid, import_price_per_kwh: [0.3, 0.4], export_price_per_kwh: [0.1, 0.15],
         variable_cost_per_kwh: 0.01, co2_kg_per_kwh: 0.5}
  roof: {type: pv, capacity_kw: 4, profile: [1.0, 0.0], variable_cost_per_kwh: 0.02, co2_kg_per_kwh: 0.05}
  battery: {type: battery, capacity_kwh: 10, power_kw: 5, efficiency: 1, variable_cost_per_kwh: 0.04}
  load: {type: electricity_demand, profile: [1.0, 2.0], variable_cost_per_kwh: 0.03}
""",
        {
            "grid.import": [2, 3],
            "grid.export": [1, 2],
            "roof.out": [4, 0],
            "battery.charge": [4, 0],
            "battery.discharge": [0, 1],
            "load.in": [1, 2],
        },
        {"battery": [5, 9, 8]},
        head="economics: {co2_price_per_kg: 0.2}",
    )


def ending_low(end, end_price=""):
    """Return a plan that draws 2 of the first content of 5."""
    battery = f"capacity_kwh: 10, power_kw: 9, efficiency: 1{end_price}"
    components = f"""
  grid: {{type: grid, import_price_per_kwh: [0.3, 0.2]}}
  load: {{type: electricity_demand, profile: [2.0, 0.0]}}
  battery: {{type: battery, {battery}}}
"""
    flows = {"load.in": [2, 0], "battery.discharge": [2, 0]}
    return plan(components, flows, {"battery": [5, 3, 3]}, end=end)


@derives(end_shortfall_cost=0.6, total_cost=0.6)
def test_a_storage_that_ends_low_is_refilled_at_the_highest_price():
    """2 x 0.3, the higher of the two purchase prices."""
    return ending_low("shortfall")


@derives(end_shortfall_cost=0.1, total_cost=0.1)
def test_a_storage_that_ends_low_is_refilled_at_its_own_price():
    """2 x 0.05."""
    return ending_low("shortfall", ", end_price: 0.05")


@derives(end_shortfall_cost=0, total_cost=0)
def test_under_a_free_end_nothing_is_refilled():
    return ending_low("free")


@derives(unmet_m3=0.5, unmet_cost=0.5 * 4, energy_cost=1 * 2, co2_operational_kg=0.3, total_cost=4)
def test_water_that_is_missing():
    """1 m3 of mains at 2 and 0.3 kg, 0.5 m3 missing at 4; rain would have cost nothing."""
    return plan(
        """
  mains: {type: source, bus: water, flow_m3_per_h: 1, cost_per_m3: 2, co2_kg: 0.3}
  taps: {type: sink, bus: water, profile: [1.5], unmet_cost_per_m3: 4}
""",
        {"mains.out": [1], "taps.in": [1]},
    )


RAIN = """
  mains: {{type: water_grid, import_price_per_m3: 2}}
  taps: {{type: water_demand, profile: {taps}}}
  topup: {{type: converter, input: water, output: service_water}}
  roof: {{type: rainwater, bus: service_water, area_m2: 1000, runoff: 1, filter_efficiency: 1, profile: {rain}}}
  tank: {{type: water_tank, bus: service_water, {tank}}}
  flushing: {{type: water_demand, bus: service_water, profile: {flushing}}}
"""


@derives(
    rain_harvested_m3=3,
    water_self_sufficiency=3 / 7,
    total_water_demand_m3=7,
    mains_water_m3=3.5,
    overflow_m3=2.5,
    evaporation_m3=0,
    mean_water_level=8.5 / 12,
    unmet_m3=0,
    energy_cost=7,
    total_cost=7,
)
def test_rain_through_a_tank():
    """A mm of rain is 1 m3. The tank of 4 starts with 1, which counts as mains. Taps take 1 of mains each hour.

    Hour 1: rain 3, 1 flushed, 2 kept: 3, of which 2/3 rain. Hour 2: flushed 2, 1.5 from the tank (1.0 of it rain)
    and 0.5 of mains. Hour 3: rain 6, 1 flushed, 2.5 fill the tank, 2.5 overflow.
    Rain delivered: 1 + 1 + 1 of 4 + 3. Levels 3, 1.5, 4. 3.5 of mains at 2.
    """
    return plan(
        RAIN.format(
            taps=[1.0, 1.0, 1.0],
            rain=[3.0, 0.0, 6.0],
            flushing=[1.0, 2.0, 1.0],
            tank="capacity_m3: 4, initial_level: 0.25",
        ),
        {
            "mains.import": [1, 1.5, 1],
            "taps.in": [1, 1, 1],
            "topup.in": [0, 0.5, 0],
            "topup.out": [0, 0.5, 0],
            "roof.out": [3, 0, 3.5],
            "tank.charge": [2, 0, 2.5],
            "tank.discharge": [0, 1.5, 0],
            "flushing.in": [1, 2, 1],
        },
        {"tank": [1, 3, 1.5, 4]},
    )


@derives(
    evaporation_m3=0.6,
    mean_water_level=0.39,
    water_self_sufficiency=0,
    rain_harvested_m3=0,
    end_shortfall_cost=8.4,
    overflow_m3=0,
)
def test_an_open_tank_evaporates():
    """24 mm a day from 500 m2 are 0.5 m3 an hour of a full tank of 10: 0.05. 8 x 0.05 = 0.4 are lost, 3.6 drawn: 4.

    Then 0.2 are lost: 3.8, which is 4.2 below the start, at 2 each. What is flushed is of the first content: mains.
    """
    return plan(
        RAIN.format(
            taps=[0.0, 0.0],
            rain=[0.0, 0.0],
            flushing=[3.6, 0.0],
            tank="capacity_m3: 10, initial_level: 0.8, evaporation_mm_per_day: 24, surface_m2: 500",
        ),
        {"tank.discharge": [3.6, 0], "flushing.in": [3.6, 0]},
        {"tank": [8, 4, 3.8]},
    )


@derives(overflow_m3=5, rain_harvested_m3=1, mains_water_m3=0)
def test_what_is_above_the_end_level_overflows_at_the_end():
    """The tank of 4 must end with its 1. Rain 6: 1 flushed, 3 fill the tank, 2 overflow, 3 more at the very end."""
    return plan(
        RAIN.format(taps=[0.0], rain=[6.0], flushing=[1.0], tank="capacity_m3: 4, initial_level: 0.25"),
        {"roof.out": [4], "tank.charge": [3], "flushing.in": [1]},
        {"tank": [1, 1]},
        end="fixed",
    )


@derives(water_self_sufficiency=None, mean_water_level=None, total_water_demand_m3=0)
def test_without_demand_for_water_there_is_no_self_sufficiency_in_water():
    """0/0; and without a tank there is no level."""
    return plan(
        """
  mains: {type: water_grid, import_price_per_m3: 2}
  taps: {type: water_demand, profile: [0.0]}
""",
        {"taps.in": [0]},
    )


@pytest.mark.parametrize(("rate", "years"), [(0.0, 20.0), (0.05, 20.0), (0.08, 7.5), (0.5, 1.0), (1e-9, 30.0)])
def test_an_annuity_repays_its_capital(rate, years):
    """The payments of whole years, discounted, are worth 1; 1/n without interest and near it."""
    payment = capital_recovery_factor(rate, years)
    if years.is_integer():
        worth = sum(payment / (1 + rate) ** year for year in range(1, int(years) + 1))
        assert worth == pytest.approx(1, rel=1e-6)
    assert payment >= 1 / years * (1 - 1e-6)


# ------------------------------------------------------------------------------------- sums, types, the optimum

EVERYTHING = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.4, 0.2, 0.5], import_limit_kw: 6, export_price_per_kwh: 0.05,
         co2_kg_per_kwh: 0.4, variable_cost_per_kwh: 0.01, renewable_share: 0.5, capex: 50}
  roof: {type: pv, capacity_kw: 8, profile: [0.0, 0.6, 0.9, 0.0], capex_per_kw: 900, embodied_co2_kg_per_kw: 1200}
  battery: {type: battery, capacity_kwh: 6, power_kw: 3, capex_per_kwh: 400, variable_cost_per_kwh: 0.02}
  load: {type: electricity_demand, profile: [3.0, 4.0, 2.0, 14.0], unmet_cost_per_kwh: 0.7}
  pump: {type: heat_pump, power_kw: 2, cop: [2.5, 3.0, 3.5, 2.0], fixed_cost_per_kw_year: 20}
  heat: {type: heat_demand, profile: [6.0, 5.0, 4.0, 8.0]}
  store: {type: heat_storage, capacity_kwh: 9, loss_per_hour: 0.05}
  gas: {type: gas_supply, price_per_kwh: 0.09, co2_kg_per_kwh: 0.2}
  boiler: {type: gas_boiler, power_kw: 5, variable_cost_per_kwh: 0.005}
"""


@pytest.mark.parametrize("end", list(EndRule))
@pytest.mark.parametrize("co2_price", [0, 0.1])
def test_total_cost_is_the_sum_of_its_lines_and_the_objective(end, co2_price):
    system = loaded(EVERYTHING, steps=4, head=f"economics: {{co2_price_per_kg: {co2_price}}}")
    problem = compile_problem(system, end)
    solution = prepare("milp", problem, SolverOptions(end=end.value)).solve(problem)
    solved = SolvedSystem(system, problem, solution)
    assert audit(solved).violations == ()
    kpis = KPICalculator().calculate_from_system(solved)
    lines = ("capital_cost", "operating_cost", "energy_cost", "unmet_cost", "end_shortfall_cost", "co2_cost")
    assert kpis["total_cost"] == pytest.approx(sum(kpis[line] for line in lines) - kpis["export_revenue"], abs=1e-12)
    assert kpis["total_cost"] == pytest.approx(solution.report.objective, abs=1e-9)
    assert kpis["co2_cost"] == pytest.approx(co2_price * kpis["co2_operational_kg"], abs=1e-12)
    assert kpis["total_co2"] == pytest.approx(kpis["co2_operational_kg"] + kpis["co2_embodied_kg"], abs=1e-12)
    assert kpis["net_grid_usage_kwh"] == pytest.approx(kpis["grid_import_kwh"] - kpis["grid_export_kwh"], abs=1e-12)
    assert kpis["unmet_kwh"] > 0
    assert 0 < kpis["self_sufficiency_rate"] < 1
    assert 0.5 * 0.5 < kpis["renewable_fraction"] < 1


WATER_ONLY = """
  mains: {type: source, bus: water, cost_per_m3: 2}
  taps: {type: sink, bus: water, profile: [1.0]}
"""
ENERGY_ONLY = """
  grid: {type: grid, import_price_per_kwh: 0.3}
  load: {type: electricity_demand, profile: [1.0]}
"""


@pytest.mark.parametrize(
    ("components", "flows", "kind", "domains"),
    [
        (ENERGY_ONLY, {"grid.import": [1], "load.in": [1]}, "energy", {"any", "energy"}),
        (WATER_ONLY, {"mains.out": [1], "taps.in": [1]}, "water", {"any", "water"}),
        (
            ENERGY_ONLY + WATER_ONLY,
            {"grid.import": [1], "load.in": [1], "mains.out": [1], "taps.in": [1]},
            "mixed",
            {"any", "energy", "water"},
        ),
    ],
)
def test_a_system_has_the_kpis_of_what_its_buses_carry(components, flows, kind, domains):
    solved = plan(components, flows)
    calculator = KPICalculator()
    assert calculator.system_type(solved) == kind
    kpis = calculator.calculate_from_system(solved)
    assert list(kpis) == [kpi.name for kpi in KPIS if kpi.domain in domains]  # in the order of the tables
    assert all(value is None or isinstance(value, float) for value in kpis.values())


def test_a_bus_of_its_own_name_counts_by_its_carrier():
    solved = plan(
        """
  well: {type: source, bus: brine, cost_per_m3: 1}
  works: {type: sink, bus: brine, profile: [1.0]}
""",
        {"well.out": [1], "works.in": [1]},
        head="buses: {brine: water}",
    )
    assert KPICalculator().system_type(solved) == "water"


def test_names_are_unique_and_every_kpi_says_what_it_is():
    assert len(set(KPI_NAMES)) == len(KPI_NAMES)
    for kpi in KPIS:
        assert kpi.meaning.endswith(".")
        assert kpi.unit in ("kWh", "kW", "m3", "kg", "currency", "share", "1")


def test_shares_of_the_year_add_up():
    """5000 hours end on 28 July at 8:00 of standard time, which is 9:00 of summer time; 3760 are left of 2018."""
    parts = [(5000, ""), (3760, ", start: 2018-07-28T09:00:00")]
    components = """
  grid: {type: grid, import_price_per_kwh: 0.3}
  load: {type: electricity_demand, profile: bdew-h25, annual_kwh: 1000}
"""
    parts = [(5000, ""), (3760, ", start: 2018-07-28T09:00:00")]
    clocks = [loaded(components, steps=steps, time=time).clock for steps, time in parts]
    assert sum(clock.year_share for clock in clocks) == pytest.approx(1, abs=1e-12)
