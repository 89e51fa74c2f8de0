"""The bill adds up to total_cost; a component's row says what it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ecosystemiser.analyser.kpi_calculator import KPICalculator
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.kinds import Role
from ecosystemiser.results import CostKind, SolvedSystem, bill_of, inventory_of
from ecosystemiser.solver.door import prepare

HOUSE = """\
system_id: house
time: {start: 2018-01-01, steps: 4}
economics: {currency: EUR, discount_rate: 0, co2_price_per_kg: 0.1}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, co2_kg_per_kwh: 0.5, import_limit_kw: 2}
  pv: {type: pv, capacity_kw: 3, profile: [0, 1, 1, 0], capex_per_kw: 1000, lifetime_years: 20}
  load: {type: electricity_demand, profile: [1, 1, 1, 4], unmet_cost_per_kwh: 5}
  boiler: {type: electric_boiler, power_kw: 2, efficiency: 0.5, count: 2}
  warmth: {type: heat_demand, profile: [0.5, 0, 0, 0]}
"""


@pytest.fixture
def solved(system_from: Callable[..., Any]) -> SolvedSystem:
    system = system_from(HOUSE)
    problem = compile_problem(system)
    return SolvedSystem(system, problem, prepare("rule_based", problem, SolverOptions()).solve(problem))


def test_the_bill_is_that_which_was_worked_out_by_hand(solved: SolvedSystem) -> None:
    found = {(line.component, line.kind): line.amount for line in bill_of(solved)}
    bought = 2.0 + 2.0  # hour 1: the load's 1 and the boiler's 1; hour 4: the limit
    assert found["grid", CostKind.PURCHASE] == pytest.approx(0.3 * bought)
    assert found["grid", CostKind.CO2] == pytest.approx(0.1 * 0.5 * bought)
    assert found["grid", CostKind.REVENUE] == pytest.approx(-0.1 * 4.0)  # hours 2 and 3: 3 less 1 each
    assert found["load", CostKind.UNMET] == pytest.approx(5 * 2.0)
    assert found["pv", CostKind.CAPITAL] == pytest.approx(3000 / 20 * 4 / 8760)
    assert set(found) == {
        ("grid", CostKind.PURCHASE),
        ("grid", CostKind.CO2),
        ("grid", CostKind.REVENUE),
        ("load", CostKind.UNMET),
        ("pv", CostKind.CAPITAL),
    }


def test_the_bill_adds_up_to_the_cost_of_the_run(solved: SolvedSystem) -> None:
    total = sum(line.amount for line in bill_of(solved))
    assert total == pytest.approx(KPICalculator().calculate_from_system(solved)["total_cost"])


def test_a_row_of_the_inventory_says_what_a_component_did(solved: SolvedSystem) -> None:
    rows = {row.name: row for row in inventory_of(solved, bill_of(solved))}
    assert list(rows) == ["grid", "pv", "load", "boiler", "warmth"]
    grid, pv, boiler = rows["grid"], rows["pv"], rows["boiler"]
    assert (grid.given, grid.taken, grid.size, grid.size_unit) == (4.0, 4.0, 2.0, "kW")
    assert (pv.given, pv.full_load_hours, pv.role) == (6.0, 2.0, Role.SUN)
    assert (boiler.size, boiler.size_unit) == (4.0, "kW")  # two of them
    assert boiler.full_load_hours == pytest.approx(0.125)  # half a kWh of heat at 4 kW of heat
    assert rows["load"].full_load_hours is None
    assert rows["pv"].cost == pytest.approx(3000 / 20 * 4 / 8760)
    assert rows["boiler"].cost == 0.0
