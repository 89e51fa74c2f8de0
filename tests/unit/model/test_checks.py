"""What is wrong with a system as a whole: the quality of water, and prices at the end of tanks."""

import pytest

WATER = """
system_id: quality
time: {steps: 2}
components:
  mains: {type: water_grid, import_price_per_m3: 2}
  taps: {type: water_demand, profile: [1.0, 1.0]}
  roof: {type: rainwater, bus: service_water, area_m2: 100, profile: [1.0, 0.0]}
  flush: {type: water_demand, bus: service_water, profile: [1.0, 1.0], unmet_cost_per_m3: 1}
"""
CONVERTER = "  pipe: {{type: converter, input: {source}, output: {goal}}}\n"
ENDS = """
  grey_in: {type: source, bus: grey_water, flow_m3_per_h: 1}
  grey_out: {type: sink, bus: grey_water, profile: [1.0, 1.0], unmet_cost_per_m3: 0}
  waste_in: {type: source, bus: waste_water, flow_m3_per_h: 1}
  waste_out: {type: sink, bus: waste_water, profile: [1.0, 1.0], unmet_cost_per_m3: 0}
"""
QUALITY = ["water", "service_water", "grey_water", "waste_water"]
PAIRS = [(source, goal) for source in QUALITY for goal in QUALITY if source != goal]


@pytest.mark.parametrize(
    ("source", "goal"), [pair for pair in PAIRS if QUALITY.index(pair[0]) < QUALITY.index(pair[1])]
)
def test_water_flows_down(system_from, source, goal):
    system = system_from(WATER + ENDS.lstrip("\n") + CONVERTER.format(source=source, goal=goal))
    assert "pipe" in system.components


@pytest.mark.parametrize(
    ("source", "goal"), [pair for pair in PAIRS if QUALITY.index(pair[0]) > QUALITY.index(pair[1])]
)
def test_water_does_not_flow_up(findings_in, source, goal):
    (finding,) = findings_in(WATER + ENDS.lstrip("\n") + CONVERTER.format(source=source, goal=goal))
    assert (finding.key, finding.value) == ("components.pipe.output", goal)
    assert finding.message == f"makes {goal} of {source}, which is of lower quality"
    assert "exchange input and output" in finding.remedy


def test_a_water_bus_of_ones_own_counts_as_potable(findings_in, system_from):
    """So nothing flows into it from service water, and it may feed everything."""
    text = (
        WATER.replace("time:", "buses: {well: water}\ntime:") + "  fountain: {type: water_demand, bus: well, profile:"
    )
    text += " [1.0, 1.0], unmet_cost_per_m3: 1}\n"
    (finding,) = findings_in(text + CONVERTER.format(source="service_water", goal="well"))
    assert finding.key == "components.pipe.output"
    assert "pipe" in system_from(text + CONVERTER.format(source="water", goal="well")).components


def test_a_tank_takes_the_price_of_mains_for_what_is_missing(system_from):
    tank = "  tank: {type: water_tank, bus: service_water, capacity_m3: 1}\n"
    dearest = WATER.replace("import_price_per_m3: 2", "import_price_per_m3: [1.0, 3.0]")
    assert system_from(dearest + tank).end_price("service_water") == 3


def test_without_mains_a_tank_needs_an_end_price(findings_in, system_from):
    text = "\n".join(line for line in WATER.splitlines() if "mains" not in line and "taps" not in line) + "\n"
    tank = "  tank: {{type: water_tank, bus: service_water, capacity_m3: 1{}}}\n"
    (finding,) = findings_in(text + tank.format(""))
    assert finding.key == "components.tank.end_price"
    assert finding.message == "needs an end_price: nothing in the system sells its carrier"
    assert "tank" in system_from(text + tank.format(", end_price: 0")).components


def test_water_that_must_be_met_beyond_all_supply_is_told(findings_in):
    """Taps ask for 1 m3/h, the mains give 0.4: 0.6 above."""
    limited = WATER.replace("import_price_per_m3: 2", "import_price_per_m3: 2, import_limit_m3_per_h: 0.4")
    (finding,) = findings_in(limited)
    assert finding.key == "components.taps"
    assert "asks on 2018-01-01 00:00 for 1 m3/h that must be met (taps), 0.6 m3/h above all supply" in finding.message
    assert finding.remedy.endswith("give a demand unmet_cost_per_m3")
