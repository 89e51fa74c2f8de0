"""The bound from any prices, by hand; with the optimum's own prices it is the optimum."""

import numpy as np
import pytest

from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.milp.bound import lower_bound


def problem_of(components, steps, end="shortfall"):
    text = f"system_id: bound\ntime: {{steps: {steps}}}\ncomponents:\n{components}"
    return compile_problem(load_system(parse_yaml(text, "bound.yaml")), EndRule(end))


def near(value):
    return pytest.approx(value, abs=1e-9)


SHOP = """
  grid: {{type: grid, import_price_per_kwh: 0.3, export_limit_kw: 0{limit}}}
  load: {{type: electricity_demand, profile: [2.0]}}
"""


@pytest.mark.parametrize(
    ("limit", "price", "bound"),
    [
        ("", 0.3, 0.6),
        ("", 0.2, 0.4),
        ("", 0.0, 0.0),
        ("", 0.4, None),
        (", import_limit_kw: 5", 0.4, 0.3),
        (", import_limit_kw: 2", 0.4, 0.6),
    ],
)
def test_any_price_gives_a_bound(limit, price, bound):
    """2 kWh at 0.3 cost 0.6. At a price p they are worth 2 p, less what imports earn at most: (p - 0.3) x limit.

    0.4 with a limit of 5: 0.8 - 0.5; of 2: 0.8 - 0.2; without one they could earn without end, which proves nothing.
    """
    problem = problem_of(SHOP.format(limit=limit), 1)
    found = lower_bound(problem, np.array([[price]]), np.zeros((0, 1)))
    assert found == (None if bound is None else near(bound))


BATTERY = """
  grid: {type: grid, import_price_per_kwh: [0.1, 0.5], import_limit_kw: 9, export_limit_kw: 0}
  battery: {type: battery, capacity_kwh: 4, power_kw: 3, initial_level: 0.25, efficiency: 1.0, end_price: 0.2}
  load: {type: electricity_demand, profile: [0.0, 2.0]}
"""


@pytest.mark.parametrize(
    ("bus", "stored", "bound"),
    [
        ([0.1, 0.1], [-0.1, -0.1], 0.2),
        ([0.1, 0.2], [-0.1, -0.2], 0.1),
        ([0.1, 0.5], [-0.1, -0.2], -0.2),
        ([0.1, 0.1], [-0.1, -0.3], -1.1),
    ],
)
def test_prices_of_storages_join_the_hours(bus, stored, bound):
    """Optimum: 2 kWh bought at 0.1 and drawn in hour 2 leave 1 of 1: 0.2. A kWh stored during each hour is worth v.

    Bound = 2 p2 - 1 v1 (what is there at the start) + 1 e (what must be there at the end), e = v2 kept within 0.2, less
    what could be earned: level v1 -> v2: 4 (v2 - v1), end level 4 (e - v2), charge 3 (v - p), discharge 3 (p - v).

    1. 0.2 - 0.1 + 0.1 = 0.2, and nothing to earn: the optimum.
    2. 0.4 - 0.1 + 0.2 - 4 x 0.1 = 0.1.
    3. 1.0 - 0.1 + 0.2 - 4 x 0.1 - 3 x 0.3 = -0.2.
    4. 0.2 - 0.1 + 0.2 - 4 x 0.2 - 3 x 0.2 = -1.1.
    """
    found = lower_bound(problem_of(BATTERY, 2), np.array([bus]), np.array([stored]))
    assert found <= 0.2 + 1e-12
    assert found == near(bound)


HOUSE = """
  grid: {type: grid, import_price_per_kwh: [0.3, 0.1, 0.5, 0.4], export_price_per_kwh: 0.05, export_limit_kw: 2}
  pv: {type: pv, capacity_kw: 3, profile: [0.0, 1.0, 0.3, 0.0], capex_per_kw: 900, variable_cost_per_kwh: 0.01}
  battery: {type: battery, capacity_kwh: 2, power_kw: 1, efficiency: 0.9, loss_per_hour: 0.01}
  houses: {type: electricity_demand, profile: [1.0, 2.0, 1.5, 1.0], variable_cost_per_kwh: 0.02}
  pump: {type: heat_pump, power_kw: 1, cop: 3.0}
  rooms: {type: heat_demand, profile: [1.0, 2.0, 1.0, 3.0], unmet_cost_per_kwh: 0.12}
  buffer: {type: heat_storage, capacity_kwh: 3, initial_level: 0.8}
  mains: {type: water_grid, import_price_per_m3: [2.0, 1.0, 3.0, 2.0]}
  topup: {type: converter, input: water, output: service_water}
  roof: {type: rainwater, bus: service_water, area_m2: 900, profile: [0.0, 2.0, 0.0, 1.0]}
  tank: {type: water_tank, bus: service_water, capacity_m3: 1, evaporation_mm_per_day: 50, surface_m2: 20}
  flush: {type: water_demand, bus: service_water, profile: [0.2, 1.0, 0.8, 1.0]}
"""


@pytest.mark.parametrize("end", list(EndRule))
def test_the_optimums_prices_prove_the_optimum(end):
    problem = problem_of(HOUSE, 4, end)
    solution = prepare("milp", problem).solve(problem)
    bound = lower_bound(problem, solution.bus_prices, solution.storage_prices)
    assert bound == pytest.approx(solution.report.objective, rel=1e-9)


LIMITS = {
    "type: grid, ": "type: grid, import_limit_kw: 9, ",
    "capacity_kwh: 3, ": "capacity_kwh: 3, power_kw: 2, ",
    "water_grid, ": "water_grid, import_limit_m3_per_h: 3, ",
    "input: water, ": "input: water, flow_m3_per_h: 3, ",
    "type: water_tank, ": "type: storage, flow_m3_per_h: 1, ",
    "evaporation_mm_per_day: 50, surface_m2: 20": "loss_per_hour: 0.04",
}


@pytest.mark.parametrize("end", list(EndRule))
def test_no_prices_prove_more_than_the_optimum(end):
    """Prices drawn at random around the optimum's: never above it. All flows are limited, so all prove something."""
    text = HOUSE
    for old, new in LIMITS.items():
        assert old in text
        text = text.replace(old, new)
    problem = problem_of(text, 4, end)
    solution = prepare("milp", problem).solve(problem)
    dice = np.random.default_rng(7)
    found = []
    for width in np.geomspace(1e-4, 1, 40):
        bus = solution.bus_prices + dice.uniform(-width, width, solution.bus_prices.shape)
        stored = solution.storage_prices + dice.uniform(-width, width, solution.storage_prices.shape)
        found.append(lower_bound(problem, bus, stored))
    assert max(found) <= solution.report.objective + 1e-9
    assert found[0] >= solution.report.objective - 0.1
