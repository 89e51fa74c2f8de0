"""Systems of three hours as arrays, every number worked out by hand.

The run is 3 of the 8760 hours of 2018: f = 3 / 8760. An annuity factor at 5 % over 20 years is 0.0802426.
"""

from math import inf

import numpy as np
import pytest

from ecosystemiser.model.compiling import capital_recovery_factor, compile_problem
from ecosystemiser.model.kinds import Role
from ecosystemiser.model.problem import Bus, CostCategory, EndRule
from ecosystemiser.units import Carrier

F = 3 / 8760
CRF_20 = 0.05 / (1 - 1.05**-20)

SYSTEM = """system_id: test
time: {start: 2018-01-01, steps: 3}
economics: {discount_rate: 0.05, co2_price_per_kg: 0.1}
components:
  grid:
    type: grid
    import_limit_kw: 20
    import_price_per_kwh: [0.1, 0.2, 0.3]
    export_price_per_kwh: 0.05
    variable_cost_per_kwh: 0.01
    co2_kg_per_kwh: 0.4
    renewable_share: 0.5
    fixed_cost_per_year: 87.6
  roof: {type: pv, capacity_kw: 4, profile: [0, 0.5, 1], variable_cost_per_kwh: 0.002, capex_per_kw: 1000,
    lifetime_years: 20, embodied_co2_kg_per_kw: 1200}
  battery: {type: battery, capacity_kwh: 10, power_kw: 5, efficiency: 0.9, loss_per_hour: 0.01, initial_level: 0.3,
    variable_cost_per_kwh: 0.03, capex_per_kwh: 100, lifetime_years: 10}
  load: {type: electricity_demand, profile: [1, 2, 3]}
  gas: {type: gas_supply, price_per_kwh: 0.06, limit_kw: 50, co2_kg_per_kwh: 0.2}
  boiler: {type: gas_boiler, power_kw: 9, efficiency: 0.9, variable_cost_per_kwh: 0.004}
  pump: {type: heat_pump, power_kw: 2, cop: [2, 3, 4]}
  heat: {type: heat_demand, profile: [1, 2, 3], count: 2, unmet_cost_per_kwh: 5}
"""

FLOWS = [
    ("grid.import", "electricity", +1, Role.BOUGHT),
    ("grid.export", "electricity", -1, Role.SOLD),
    ("roof.out", "electricity", +1, Role.SUN),
    ("battery.charge", "electricity", -1, Role.STORED),
    ("battery.discharge", "electricity", +1, Role.STORED),
    ("load.in", "electricity", -1, Role.USED),
    ("gas.import", "gas", +1, Role.BOUGHT),
    ("gas.export", "gas", -1, Role.SOLD),
    ("boiler.in", "gas", -1, Role.CONVERTED),
    ("boiler.out", "heat", +1, Role.CONVERTED),
    ("pump.in", "electricity", -1, Role.CONVERTED),
    ("pump.out", "heat", +1, Role.CONVERTED),
    ("heat.in", "heat", -1, Role.USED),
]
PATHS = [path for path, *_ in FLOWS]


@pytest.fixture
def compiled(system_from):
    """Return a function from a system's text to its Problem."""
    return lambda text=SYSTEM, **options: compile_problem(system_from(text), **options)


def flow(path):
    return PATHS.index(path)


@pytest.mark.parametrize(
    ("rate", "years", "factor"),
    [
        (0.05, 20, 0.0802426),
        (0.05, 1, 1.05),
        (0.07, 10, 0.1423775),
        (0.0, 20, 0.05),
        (0.0, 12.5, 0.08),
        (0.03, 25, 0.0574279),
    ],
)
def test_capital_recovery_factor(rate, years, factor):
    """r / (1 - (1 + r)^-n): 1.05^20 = 2.6532977, 1 / 2.6532977 = 0.3768895, 0.05 / 0.6231105 = 0.0802426.

    One year repays 1 + r. 1.07^10 = 1.9671514: 0.07 / 0.4916507 = 0.1423775. 1.03^25 = 2.0937779:
    0.03 / 0.5223944 = 0.0574279. At r = 0 the price is spread evenly: 1 / n.
    """
    assert capital_recovery_factor(rate, years) == pytest.approx(factor, abs=5e-8)


def test_a_small_rate_is_near_no_rate():
    """The formula tends to 1 / n: at r = 1e-6 and n = 20, 0.05 x (1 + 21e-6 / 2)."""
    assert capital_recovery_factor(1e-6, 20) == pytest.approx(0.05 * (1 + 10.5e-6), rel=1e-9)


def test_the_factor_repays_what_was_lent():
    """What is owed grows by r and falls by the payment; after n years nothing is left."""
    owed, payment = 1.0, capital_recovery_factor(0.05, 20)
    for _ in range(20):
        owed = owed * 1.05 - payment
    assert owed == pytest.approx(0, abs=1e-14)


def test_flows_stand_in_the_order_of_the_file(compiled):
    layout = compiled().layout
    found = [(each.path, layout.buses[each.bus].name, each.sign, each.role) for each in layout.flows]
    assert found == FLOWS
    assert layout.components == ("grid", "roof", "battery", "load", "gas", "boiler", "pump", "heat")
    assert layout.buses == (
        Bus("electricity", Carrier.ELECTRICITY),
        Bus("gas", Carrier.GAS),
        Bus("heat", Carrier.HEAT),
    )
    assert layout.steps == 3


def test_groups_of_flows_by_kind(compiled):
    layout = compiled().layout
    assert [PATHS[at] for at in layout.sources] == ["roof.out"]
    assert layout.bought_sources == (False,)
    assert [PATHS[at] for at in layout.imports] == ["grid.import", "gas.import"]
    assert [PATHS[at] for at in layout.exports] == ["grid.export", "gas.export"]
    assert [PATHS[at] for at in layout.sinks] == ["load.in", "heat.in"]
    assert layout.must_meet == (True, False)
    assert [PATHS[at] for at in layout.charges] == ["battery.charge"]
    assert [PATHS[at] for at in layout.discharges] == ["battery.discharge"]
    assert layout.storage_names == ("battery",)
    assert [PATHS[at] for at in layout.inputs] == ["boiler.in", "pump.in"]
    assert [PATHS[at] for at in layout.outputs] == ["boiler.out", "pump.out"]
    assert layout.output_converter == (0, 1)
    assert layout.outputs_of(1) == [flow("pump.out")]
    assert not layout.is_internal(1)


def test_signs_and_buses_as_arrays(compiled):
    """The sum of sign x flow over the flows of a bus is its balance."""
    layout = compiled().layout
    assert layout.flow_sign.tolist() == [sign for _, _, sign, _ in FLOWS]
    names = [layout.buses[bus].name for bus in layout.flow_bus]
    assert names == [bus for _, bus, _, _ in FLOWS]


@pytest.mark.parametrize(
    ("path", "limits"),
    [
        ("grid.import", [20, 20, 20]),
        ("grid.export", [inf, inf, inf]),
        ("roof.out", [0, 2, 4]),
        ("battery.charge", [5, 5, 5]),
        ("battery.discharge", [5, 5, 5]),
        ("load.in", [1, 2, 3]),
        ("gas.import", [50, 50, 50]),
        ("gas.export", [0, 0, 0]),
        ("boiler.in", [10, 10, 10]),
        ("boiler.out", [inf, inf, inf]),
        ("pump.in", [2, 2, 2]),
        ("pump.out", [inf, inf, inf]),
        ("heat.in", [2, 4, 6]),
    ],
)
def test_limits(compiled, path, limits):
    """4 kW of PV at 0, 0.5, 1; 9 kW of heat at 0.9 are 10 kWh of gas; two heat demands of 1, 2, 3."""
    assert compiled().limits(flow(path)) == pytest.approx(limits, rel=1e-14)


def test_limits_in_quarter_hours(compiled):
    """A quarter of each."""
    problem = compiled(SYSTEM.replace("steps: 3", "step: 15min, steps: 3"))
    assert problem.limits(flow("grid.import")).tolist() == [5, 5, 5]
    assert problem.limits(flow("roof.out")).tolist() == [0, 0.5, 1]
    assert problem.limits(flow("heat.in")).tolist() == [0.5, 1, 1.5]
    assert (problem.step_h, problem.year_share) == (0.25, pytest.approx(0.75 / 8760, rel=1e-12))


def test_ratios(compiled):
    problem = compiled()
    assert problem.ratios(0).tolist() == [0.9, 0.9, 0.9]
    assert problem.ratios(1).tolist() == [2, 3, 4]


def test_equal_shapes_are_kept_once(compiled):
    """Ones, then prices 0.1.., yields, the demands' 1, 2, 3 (both), the COPs: five rows."""
    problem = compiled()
    assert problem.signals.tolist() == [[1, 1, 1], [0.1, 0.2, 0.3], [0, 0.5, 1], [1, 2, 3], [2, 3, 4]]
    assert problem.limit_signal[flow("load.in")] == problem.limit_signal[flow("heat.in")] == 3
    assert problem.coefficients.limit[[flow("load.in"), flow("heat.in")]].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("path", "costs"),
    [
        ("grid.import", [0.15, 0.25, 0.35]),
        ("grid.export", [-0.05, -0.05, -0.05]),
        ("roof.out", [0.002, 0.002, 0.002]),
        ("battery.charge", [0, 0, 0]),
        ("battery.discharge", [0.03, 0.03, 0.03]),
        ("load.in", [0, 0, 0]),
        ("gas.import", [0.08, 0.08, 0.08]),
        ("gas.export", [0, 0, 0]),
        ("boiler.in", [0, 0, 0]),
        ("boiler.out", [0.004, 0.004, 0.004]),
        ("pump.in", [0, 0, 0]),
        ("pump.out", [0, 0, 0]),
        ("heat.in", [-5, -5, -5]),
    ],
)
def test_unit_costs(compiled, path, costs):
    """Bought: price + 0.01 of operation + 0.1 x 0.4 of CO2; sold: less 0.05; gas: 0.06 + 0.1 x 0.2.

    Meeting a kWh of heat saves the 5 that it costs unmet (all of it stands in the fixed costs).
    """
    assert compiled().unit_costs()[flow(path)] == pytest.approx(costs, rel=1e-12, abs=1e-15)


def test_costs_by_category(compiled):
    terms = compiled().layout.costs
    found = {(PATHS[at], category) for at, category in zip(terms.flow, terms.category, strict=True)}
    assert {("grid.import", CostCategory.PURCHASE), ("grid.import", CostCategory.VARIABLE)} <= found
    assert ("grid.export", CostCategory.REVENUE) in found
    assert ("roof.out", CostCategory.VARIABLE) in found
    assert ("roof.out", CostCategory.PURCHASE) not in found


def test_fixed_costs(compiled):
    """f x (4000 x CRF(20) + 1000 x CRF(10) + 87.6) + 5 x (2 + 4 + 6).

    CRF(5 %, 10) = 0.05 / (1 - 0.6139133) = 0.1295046: 320.9703 + 129.5046 + 87.6 = 538.0749; x 3 / 8760 is
    0.1842722; and 60 for the heat, were none of it met.
    """
    by_formula = F * (4000 * CRF_20 + 1000 * 0.05 / (1 - 1.05**-10) + 87.6) + 60
    assert compiled().fixed_costs() == pytest.approx(by_formula, rel=1e-14)
    assert compiled().fixed_costs() == pytest.approx(60.1842722, abs=1e-7)


def test_fixed_costs_without_interest(compiled):
    """At r = 0: f x (4000 / 20 + 1000 / 10 + 87.6) + 60 = f x 387.6 + 60."""
    problem = compiled(SYSTEM.replace("discount_rate: 0.05", "discount_rate: 0"))
    assert problem.fixed_costs() == pytest.approx(F * 387.6 + 60, rel=1e-14)


def test_what_is_held_per_component(compiled):
    """Annuities in the order of the components; 4 x 1200 kg over 20 years are 240 kg a year."""
    held = compiled().coefficients
    annuities = [0, 4000 * CRF_20, 1000 * 0.05 / (1 - 1.05**-10), 0, 0, 0, 0, 0]
    assert held.capital_per_year == pytest.approx(annuities, rel=1e-14)
    assert held.fixed_per_year.tolist() == [87.6, 0, 0, 0, 0, 0, 0, 0]
    assert held.embodied_per_year.tolist() == [0, 240, 0, 0, 0, 0, 0, 0]


def test_storages(compiled):
    """0.3 of 10 kWh at the start; 0.99 of it is left after an hour; missing kWh cost the highest price, 0.3."""
    storages = compiled().coefficients
    assert storages.capacity.tolist() == [10]
    assert storages.initial_level.tolist() == [3]
    assert storages.keep == pytest.approx([0.99], rel=1e-14)
    assert (storages.charge_efficiency.tolist(), storages.discharge_efficiency.tolist()) == ([0.9], [0.9])
    assert storages.end_price.tolist() == [0.3]


@pytest.mark.parametrize(("given", "price"), [("", 0.3), (", end_price: 0", 0), (", end_price: 0.12", 0.12)])
def test_end_prices(compiled, given, price):
    text = SYSTEM.replace("initial_level: 0.3", f"initial_level: 0.3{given}")
    assert compiled(text).coefficients.end_price.tolist() == [price]


def test_the_end_price_of_heat_is_the_highest_of_electricity_and_fuel(compiled):
    """0.3 of electricity against 0.06 of gas; with gas at 0.5, 0.5."""
    text = f"{SYSTEM}  buffer: {{type: heat_storage, capacity_kwh: 5}}\n"
    assert compiled(text).coefficients.end_price.tolist() == [0.3, 0.3]
    dear = text.replace("price_per_kwh: 0.06", "price_per_kwh: 0.5")
    assert compiled(dear).coefficients.end_price.tolist() == [0.3, 0.5]


def test_an_end_price_is_never_below_zero(compiled):
    """Where all prices are negative a missing kWh costs nothing."""
    text = SYSTEM.replace("[0.1, 0.2, 0.3]", "[-0.1, -0.2, -0.3]")
    assert compiled(text).coefficients.end_price.tolist() == [0]


def test_shares_of_renewable_origin(compiled):
    found = dict(zip(PATHS, compiled().coefficients.renewable.tolist(), strict=True))
    assert {path: share for path, share in found.items() if share} == {"grid.import": 0.5, "roof.out": 1.0}


def test_carbon_is_of_what_is_bought(compiled):
    problem = compiled()
    emitted = {
        PATHS[at]: scale
        for at, scale in zip(problem.layout.co2.flow, problem.coefficients.co2.tolist(), strict=True)
        if scale
    }
    assert emitted == {"grid.import": 0.4, "gas.import": 0.2}
    assert float(problem.coefficients.co2_price) == 0.1


def test_the_run(compiled):
    problem = compiled()
    assert problem.year_share == pytest.approx(F, rel=1e-14)
    assert (problem.step_h, problem.is_full_year, problem.end) == (1, False, EndRule.SHORTFALL)
    assert problem.months.tolist() == [0, 0, 0]
    assert compiled(end=EndRule.CYCLIC).end is EndRule.CYCLIC


@pytest.mark.parametrize(
    ("found", "other"),
    [
        ("capacity_kw: 4", "capacity_kw: 7"),
        ("capacity_kwh: 10, power_kw: 5", "capacity_kwh: 90, duration_h: 2"),
        ("[0.1, 0.2, 0.3]", "0.25"),
        ("export_price_per_kwh: 0.05", "export_price_per_kwh: [1, 2, 3]"),
        ("import_limit_kw: 20", "import_limit_kw: 30"),
        ("efficiency: 0.9,", "efficiency: 0.8,"),
        ("cop: [2, 3, 4]", "cop: 3"),
        ("discount_rate: 0.05", "discount_rate: 0.01"),
        ("unmet_cost_per_kwh: 5", "unmet_cost_per_kwh: 7"),
        ("loss_per_hour: 0.01, ", ""),
        ("start: 2018-01-01", "start: 2018-08-01"),
    ],
)
def test_equal_structure_gives_equal_layout(compiled, found, other):
    """One prepared solver serves all sizes, prices and efficiencies."""
    assert SYSTEM.count(found) >= 1
    assert compiled(SYSTEM.replace(found, other)).layout == compiled().layout


@pytest.mark.parametrize(
    ("found", "other"),
    [
        ("capacity_kw: 4", "capacity_kw: 0"),
        (", unmet_cost_per_kwh: 5", ""),
        ("steps: 3", "steps: 3, step: 1h}\nbuses: {north: electricity"),
        ("  roof:", "  roof_2:"),
    ],
)
def test_another_structure_gives_another_layout(compiled, found, other):
    """Nothing of a component of size 0 is left; a bus that nobody stands on changes nothing."""
    problem = compiled(SYSTEM.replace(found, other))
    assert (problem.layout == compiled().layout) is ("buses" in other)


def test_a_size_of_zero_leaves_no_flow_and_no_cost(compiled):
    """Without roof: f x (1000 x CRF(10) + 87.6) + 60."""
    problem = compiled(SYSTEM.replace("capacity_kw: 4", "capacity_kw: 0"))
    assert "roof" not in problem.layout.components
    assert not any(each.component == "roof" for each in problem.layout.flows)
    expected = F * (1000 * 0.05 / (1 - 1.05**-10) + 87.6) + 60
    assert problem.fixed_costs() == pytest.approx(expected, rel=1e-14)


def test_an_unmet_cost_of_zero_may_be_missed_for_nothing(compiled):
    problem = compiled(SYSTEM.replace("unmet_cost_per_kwh: 5", "unmet_cost_per_kwh: 0"))
    assert problem.layout.must_meet == (True, False)
    assert problem.fixed_costs() == pytest.approx(0.1842722, abs=1e-7)
    assert problem.unit_costs()[flow("heat.in")].tolist() == [0, 0, 0]


def test_a_full_year_bears_its_annuities_once(compiled):
    """8760 hours: f = 1; 1000 x 0.0802426 = 80.24 and 5 a year."""
    problem = compiled("""system_id: test
components:
  grid: {type: grid, import_price_per_kwh: 0.3, fixed_cost_per_year: 5}
  roof: {type: pv, capacity_kw: 1, profile: pv-potsdam-south-30, capex_per_kw: 1000, lifetime_years: 20}
  load: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
""")
    assert problem.is_full_year
    assert problem.fixed_costs() == pytest.approx(85.2425872, abs=1e-6)
    assert problem.limits(3).sum() == pytest.approx(4000, rel=1e-12)
    assert len(np.unique(problem.months)) == 12


def test_a_converter_between_electricity_buses_is_internal(compiled):
    layout = compiled("""system_id: test
time: {steps: 3}
buses: {north: electricity}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  line: {type: converter, input: electricity, output: north, ratio: 0.95}
  load: {type: electricity_demand, bus: north, profile: [1, 2, 3]}
""").layout
    assert layout.is_internal(0)
    assert [bus.name for bus in layout.buses] == ["electricity", "north"]
