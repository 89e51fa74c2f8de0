"""The case of a solved year, by hand: a house with and without PV and battery."""

import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.results import SolvedSystem, bill_of
from ecosystemiser.results.investment import case_of, return_over
from ecosystemiser.results.levelised import levelised_costs
from ecosystemiser.solver.door import prepare
from ecosystemiser.units import Carrier

YEAR = 365
HOUSE = """
system_id: house
time: {start: 2018-01-01, step: 24h, steps: STEPS}
economics: {discount_rate: 0.05, project_years: 20, ECONOMICS}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, tariff: {fixed_per_month: 10}}
  house: {type: electricity_demand, profile: [LOAD]}
PARTS
"""
PARTS = """
  roof: {type: source, bus: electricity, profile: [SUN], power_kw: 1, capex: 8000, lifetime_years: 25,
         fixed_cost_per_year: 50, renewable_share: 1}
  battery: {type: battery, capacity_kwh: 10, power_kw: 10, efficiency: 1, initial_level: 0, capex_per_kwh: 300,
            lifetime_years: 15LIFE}
"""


@pytest.fixture
def solved(system_from):
    """Return a function that solves the house by rule: 24 kWh a day, of which the sun gives 12 and the grid 12."""

    def solve(economics="", parts=PARTS, steps=YEAR, life=""):
        text = HOUSE.replace("PARTS", parts).replace("LIFE", life).replace("STEPS", str(steps))
        text = text.replace("ECONOMICS", economics).replace("LOAD", ", ".join(["1.0"] * steps))
        system = system_from(text.replace("SUN", ", ".join(["0.5"] * steps)))
        problem = compile_problem(system)
        return SolvedSystem(system, problem, prepare("rule_based", problem).solve(problem))

    return solve


def column(case, name):
    return [getattr(year, name) for year in case.years]


def test_a_cash_flow_by_hand(solved):
    """12 kWh a day are bought: 1,314 a year; 120 of fixed charges; 50 of operation. The battery is replaced in year 15;
    5 of the roof's 25 years are left at the end, 10 of the second battery's 15."""
    case = case_of(solved())
    assert column(case, "capital") == [-11_000.0, *[0.0] * 20]
    assert column(case, "purchases")[1:] == pytest.approx([-(12 * 365 * 0.3 + 120)] * 20)
    assert column(case, "operation")[1:] == pytest.approx([-50.0] * 20)
    assert column(case, "replacement") == [-3000.0 if year == 15 else 0.0 for year in range(21)]
    assert column(case, "salvage") == pytest.approx([0.0] * 20 + [8000 * 5 / 25 + 3000 * 10 / 15])
    assert column(case, "sales") == [0.0] * 21
    annuity = (1 - 1.05**-20) / 0.05
    by_hand = 11_000 + (1314 + 120 + 50) * annuity + 3000 / 1.05**15 - 3600 / 1.05**20
    assert case.net_present_cost == pytest.approx(by_hand)


def test_prices_rise_from_the_second_year_on(solved):
    case = case_of(solved("price_escalation_per_year: 0.02"))
    assert column(case, "purchases")[1:4] == pytest.approx([-1434, -1434 * 1.02, -1434 * 1.02**2])
    assert column(case, "operation")[1:4] == pytest.approx([-50.0] * 3)


def test_subsidy_and_loan(solved):
    """A quarter of 11,000 is given; of the 8,250 left 4,125 are lent, repaid with 4 % in 10 years."""
    case = case_of(solved("subsidy_share: 0.25, loan_share: 0.5, loan_rate: 0.04, loan_years: 10"))
    payment = 4125 * 0.04 / (1 - 1.04**-10)
    assert case.years[0].total == pytest.approx(-11_000 + 2750 + 4125)
    assert column(case, "loan") == pytest.approx([4125.0, *[-payment] * 10, *[0.0] * 10])


def test_a_loan_that_outlasts_the_project_is_repaid_at_its_end(solved):
    case = case_of(solved("loan_share: 1, loan_rate: 0, loan_years: 40"))
    assert column(case, "loan") == pytest.approx([11_000.0, *[-275.0] * 19, -(275.0 + 5500)])


def test_a_battery_is_worn_out_by_what_it_gives(solved):
    """It gives nothing here, so it lasts; one that gives 5 kWh a day is worn out after 18,250 / 1,825 years."""
    idle = case_of(solved(life=", throughput_lifetime_kwh: 1000"))
    assert column(idle, "replacement")[15] == -3000.0
    plan = solved(life=", throughput_lifetime_kwh: 18250")
    layout = plan.problem.layout
    flows = plan.solution.flows.copy()
    flows[layout.discharges[0]] = flows[layout.charges[0]] = 5.0
    worn = SolvedSystem(plan.system, plan.problem, type(plan.solution)(flows, plan.solution.levels, plan.report))
    assert [year for year, cost in enumerate(column(case_of(worn), "replacement")) if cost] == [10]


def test_the_gain_over_a_house_without(solved):
    """24 kWh a day from the grid cost 2,628 + 120 a year."""
    case, other = case_of(solved()), case_of(solved(parts=""))
    gain = return_over(case, other)
    assert gain.cash[0] == -11_000
    assert gain.cash[1] == pytest.approx(1314 - 50)
    assert gain.net_present_value == pytest.approx(other.net_present_cost - case.net_present_cost)
    assert gain.simple_payback_years == pytest.approx(11_000 / 1264)


def test_what_cannot_be_compared_is_refused(solved):
    case = case_of(solved())
    with pytest.raises(InputError, match="counts otherwise"):
        return_over(case, case_of(solved("currency: CHF")))


@pytest.mark.parametrize("steps", [364, 31, 730])
def test_a_case_needs_one_whole_year(solved, steps):
    with pytest.raises(InputError, match="no calendar year"):
        case_of(solved(steps=steps, parts=""))


# Levelised costs.


def test_levelised_costs_of_one_carrier_by_hand(solved):
    """All of total_cost over 8,760 kWh; the roof's annuity and operation over its 4,380 kWh."""
    plan = solved()
    (electricity,) = levelised_costs(plan)
    total = sum(line.amount for line in bill_of(plan))
    roof = 8000 * 0.05 / (1 - 1.05**-25) + 50
    assert (electricity.carrier, electricity.unit) == (Carrier.ELECTRICITY, "kWh")
    assert electricity.per_delivered == pytest.approx(total / 8760)
    assert electricity.per_produced == pytest.approx(roof / 4380)


def test_heat_pays_for_its_electricity_and_all_demands_for_all_costs(system_from):
    """A pump of COP 3 makes 3 kWh of heat of 1 kWh at 0.3; its annuity at 0 % is 10 a day. Water costs 2 a m3."""
    system = system_from(
        """
system_id: farm
time: {start: 2018-01-01, step: 24h, steps: 2}
economics: {discount_rate: 0}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  barn: {type: electricity_demand, profile: [1, 1]}
  room: {type: heat_demand, profile: [3, 3]}
  pump: {type: heat_pump, power_kw: 9, cop: 3, capex: 36500, lifetime_years: 10}
  mains: {type: water_grid, import_price_per_m3: 2}
  taps: {type: water_demand, profile: [0.5, 0.5]}
"""
    )
    problem = compile_problem(system)
    plan = SolvedSystem(system, problem, prepare("rule_based", problem).solve(problem))
    found = {one.carrier: one for one in levelised_costs(plan)}
    assert found[Carrier.ELECTRICITY].per_delivered == pytest.approx(0.3)
    assert found[Carrier.ELECTRICITY].per_produced is None
    assert found[Carrier.HEAT].per_delivered == pytest.approx((20 + 48 * 0.3) / 144)
    assert found[Carrier.HEAT].per_produced == pytest.approx((20 + 48 * 0.3) / 144)
    assert found[Carrier.WATER].per_delivered == pytest.approx(2.0)
    delivered = {Carrier.ELECTRICITY: 48, Carrier.HEAT: 144, Carrier.WATER: 24}
    paid = sum(found[carrier].per_delivered * amount for carrier, amount in delivered.items())
    assert paid == pytest.approx(sum(line.amount for line in bill_of(plan)))
    assert np.isfinite(paid)
