"""Rain that a plan leaves beside a tank with room is collected: plans written by hand."""

import numpy as np
import pytest

from ecosystemiser.analyser.audit import audit
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import Solution, SolvedSystem, SolverReport
from ecosystemiser.solver.milp.overflow import collect

ROOF = "  roof: {{type: rainwater, bus: service_water, area_m2: 1000, runoff: 1.0, filter_efficiency: 1.0, {roof}}}\n"
HOUSE = (
    "  mains: {{type: water_grid, import_price_per_m3: {price}}}\n"
    "  topup: {{type: converter, input: water, output: service_water}}\n"
    + ROOF
    + "  tank: {{type: water_tank, bus: service_water, capacity_m3: 2, initial_level: 0{tank}}}\n"
    "  flush: {{type: water_demand, bus: service_water, profile: {flush}}}\n"
)


def text_of(rain, flush, tank="", roof="", price=2.0):
    return HOUSE.format(roof=f"profile: {rain}{roof}", flush=flush, tank=tank, price=price)


def collected(components, flows, levels, *, end="shortfall"):
    """Return a plan by hand (flows that are not named are 0) after what it leaves was collected."""
    steps = len(next(iter(flows.values())))
    text = f"system_id: rain\ntime: {{steps: {steps}}}\ncomponents:\n{components}"
    system = load_system(parse_yaml(text, "rain.yaml"))
    problem = compile_problem(system, EndRule(end))
    paths = [flow.path for flow in problem.layout.flows]
    amounts = np.zeros((len(paths), steps))
    for path, values in flows.items():
        amounts[paths.index(path)] = values
    contents = np.array([levels[name] for name in problem.layout.storage_names], dtype=float)
    collect(problem, amounts, contents)
    solved = SolvedSystem(system, problem, Solution(amounts, contents, SolverReport("by hand", "written")))
    assert audit(solved).violations == ()
    return solved


def near(value):
    return pytest.approx(value, abs=1e-12)


def test_what_was_left_fills_the_tank():
    """Rain 0.5 and 3, none used: 0.5, then 1.5 of 3 up to the 2 that fit."""
    solved = collected(
        text_of([0.5, 3.0], [0.0, 0.0]), {"roof.out": [0, 0], "tank.charge": [0, 0]}, {"tank": [0, 0, 0]}
    )
    assert solved.flow("roof.out") == near([0.5, 1.5])
    assert solved.flow("tank.charge") == near([0.5, 1.5])
    assert solved.level("tank") == near([0, 0.5, 2])
    assert solved.totals.overflow_m3 == near(1.5)


def test_later_rain_overflows_where_the_tank_is_full_earlier():
    """Rain 1 and 2, planned to keep the later 2: 1 and 1 are kept."""
    solved = collected(
        text_of([1.0, 2.0, 0.0], [0.0, 0.0, 2.0]),
        {"roof.out": [0, 2, 0], "tank.charge": [0, 2, 0], "tank.discharge": [0, 0, 2], "flush.in": [0, 0, 2]},
        {"tank": [0, 0, 2, 0]},
    )
    assert solved.flow("roof.out") == near([1, 1, 0])
    assert solved.level("tank") == near([0, 1, 2, 0])


def test_what_is_collected_evaporates_too():
    """100 mm/d x 1/24 x 240 / 1000 / 2 = 0.5: the 1 of hour 1 leaves 0.5, then 0.25; draws stay 0."""
    solved = collected(
        text_of([1.0, 0.0, 0.0], [0.0, 0.0, 0.0], ", evaporation_mm_per_day: 100, surface_m2: 240"),
        {"roof.out": [0, 0, 0]},
        {"tank": [0, 0, 0, 0]},
    )
    assert solved.level("tank") == near([0, 1, 0.5, 0.25])


def test_what_a_tank_takes_and_gives_at_once_goes_past_it():
    """Rain 1 into a tank of 2, full, that gives 1.5: the rain serves 1 of the 1.5."""
    text = text_of([1.0], [1.5], ", count: 1").replace("initial_level: 0", "initial_level: 1")
    flows = {"roof.out": [0], "tank.charge": [0], "tank.discharge": [1.5], "flush.in": [1.5]}
    solved = collected(text, flows, {"tank": [2, 0.5]})
    assert solved.flow("roof.out") == near([1])
    assert (solved.flow("tank.charge"), solved.flow("tank.discharge")) == (near([0]), near([0.5]))
    assert solved.level("tank") == near([2, 1.5])


@pytest.mark.parametrize("end", ["cyclic", "fixed"])
def test_a_given_end_stays_and_the_rest_overflows_there(end):
    """Rain 1 and 0 of which nothing is needed: level 1 after hour 1, back to 0 at the end: 1 overflows there."""
    solved = collected(text_of([1.0, 0.0], [0.0, 0.0]), {"roof.out": [0, 0]}, {"tank": [0, 0, 0]}, end=end)
    assert solved.level("tank") == near([0, 1, 0])
    assert solved.totals.overflow_m3 == near(1)


@pytest.mark.parametrize(("roof", "is_collected"), [("", True), (", variable_cost_per_m3: 0.1", False)])
def test_rain_that_costs_something_is_left_where_the_plan_leaves_it(roof, is_collected):
    """To collect it would change what the plan costs."""
    solved = collected(text_of([1.0], [0.0], roof=roof), {"roof.out": [0]}, {"tank": [0, 0]})
    assert solved.level("tank") == near([0, 1 if is_collected else 0])


def test_co2_costs_where_it_has_a_price():
    text = text_of([1.0], [0.0], roof=", co2_kg_per_m3: 0.3")
    assert collected(text, {"roof.out": [0]}, {"tank": [0, 0]}).level("tank") == near([0, 1])


def test_rain_of_another_bus_is_none_of_a_tanks():
    """Grey rain passes; service rain fills."""
    more = (
        "  field: {type: rainwater, bus: grey_water, area_m2: 1000, profile: [1.0]}\n"
        "  garden: {type: water_demand, bus: grey_water, profile: [0.0]}\n"
    )
    solved = collected(text_of([0.5], [0.0]) + more, {"roof.out": [0]}, {"tank": [0, 0]})
    assert (solved.flow("roof.out"), solved.flow("field.out")) == (near([0.5]), near([0]))


def test_two_roofs_fill_two_tanks_in_the_order_of_the_file():
    """Rain 1 and 1.5 of two roofs, tanks of 2 and 0.3: 2 into the first, 0.3 into the second, 0.2 overflow."""
    more = ROOF.replace("roof:", "shed:").format(roof="profile: [1.5]")
    more += "  butt: {type: water_tank, bus: service_water, capacity_m3: 0.3, initial_level: 0}\n"
    solved = collected(text_of([1.0], [0.0]) + more, {"roof.out": [0]}, {"tank": [0, 0], "butt": [0, 0]})
    assert (solved.flow("tank.charge"), solved.flow("butt.charge")) == (near([2]), near([0.3]))
    assert (solved.flow("roof.out"), solved.flow("shed.out")) == (near([1]), near([1.3]))


def test_a_tank_keeps_what_it_was_to_hand_over_to_a_full_one():
    """The plan leaves rain of 2 and fills 1 of the tank out of a full pond. The rain fills it; the pond stays."""
    more = "  pond: {type: water_tank, bus: service_water, capacity_m3: 2, initial_level: 1}\n"
    solved = collected(
        text_of([2.0, 0.0], [0.0, 0.0]) + more,
        {"roof.out": [0, 0], "pond.discharge": [0, 1], "tank.charge": [0, 1]},
        {"tank": [0, 0, 1], "pond": [2, 2, 1]},
    )
    assert (solved.level("tank"), solved.level("pond")) == (near([0, 2, 2]), near([2, 2, 2]))
    assert solved.flow("pond.discharge") == near([0, 0])


BOUGHT = {
    "mains.import": [0, 1.5, 0],
    "topup.in": [0, 1.5, 0],
    "topup.out": [0, 1.5, 0],
    "tank.charge": [0, 1.5, 0],
    "tank.discharge": [0, 0, 1.5],
    "flush.in": [0, 0, 1.5],
}


@pytest.mark.parametrize("price", [0.0, -1.0])
def test_what_is_bought_overflows_where_rain_filled_the_tank_before(price):
    """Hour 2 buys 1.5 for the tank of 2 although 1 of rain was left in hour 1: it falls into the tank, as rain does.

    Then 0.5 of what is bought does not fit. What is bought, drawn and paid stays as planned.
    """
    solved = collected(text_of([1.0, 0.0, 0.0], [0.0, 0.0, 1.5], price=price), BOUGHT, {"tank": [0, 0, 1.5, 0]})
    assert solved.flow("roof.out") == near([1, 0, 0])
    assert solved.flow("tank.charge") == near([1, 1.5, 0])
    assert solved.level("tank") == near([0, 1, 2, 0.5])
    assert solved.totals.overflow_m3 == near(0.5)
    assert solved.totals.purchase_cost == near(1.5 * price)


def test_rain_gives_way_to_what_is_bought_in_the_same_hour():
    """Rain 1 and 1.5 bought in hour 2: of the rain 0.5 fits beside it, 0.5 overflows; nothing that is bought does."""
    solved = collected(text_of([0.0, 1.0, 0.0], [0.0, 0.0, 1.5], price=0.0), BOUGHT, {"tank": [0, 0, 1.5, 0]})
    assert solved.flow("roof.out") == near([0, 0.5, 0])
    assert solved.level("tank") == near([0, 0, 2, 0.5])
    assert solved.totals.overflow_m3 == near(0.5)


def test_what_overflows_evaporates_no_more():
    """Half of a level is lost in an hour. 2 of rain, then 1 + 1.5 bought: 2, of which half is lost, less 1: 0.

    Overflow 0.5, evaporation 1 + 1.
    """
    text = text_of([2.0, 0.0, 0.0], [0.0, 0.0, 1.0], ", evaporation_mm_per_day: 100, surface_m2: 240", price=0.0)
    flows = {**BOUGHT, "tank.discharge": [0, 0, 0.75], "flush.in": [0, 0, 0.75]}
    solved = collected(text.replace("[0.0, 0.0, 1.0]", "[0.0, 0.0, 0.75]"), flows, {"tank": [0, 0, 1.5, 0]})
    assert solved.level("tank") == near([0, 2, 2, 0.25])
    assert (solved.totals.overflow_m3, solved.totals.evaporation_m3) == (near(0.5), near(2))


def test_a_generic_storage_is_left_alone():
    """It takes what its plan says; only tanks overflow."""
    text = text_of([1.0], [0.0]).replace("water_tank", "storage")
    assert collected(text, {"roof.out": [0]}, {"tank": [0, 0]}).level("tank") == near([0, 0])
