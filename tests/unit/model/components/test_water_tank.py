"""The tank: what evaporates and what it costs, worked out by hand."""

from math import inf

import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Investment, Storage


def test_it_keeps_all_that_fits(kind_of):
    """2 of 5 m3, without limits, losses or inefficiency; it collects what rain its bus leaves."""
    tank = kind_of(
        "{type: water_tank, bus: service_water, capacity_m3: 5, count: 2, initial_level: 0.3, end_price: 1.5,"
        " variable_cost_per_m3: 0.05, co2_kg_per_m3: 0.1}"
    )
    assert isinstance(tank, Storage)
    assert (tank.bus, tank.capacity, tank.initial_level, tank.end_price) == ("service_water", 10, 0.3, 1.5)
    assert (tank.charge_limit.scale, tank.discharge_limit.scale) == (inf, inf)
    assert (tank.charge_efficiency, tank.discharge_efficiency, tank.loss, tank.overflows) == (1, 1, 0, True)
    assert (tank.cost.scale, tank.co2_kg.scale) == (0.05, 0.1)


@pytest.mark.parametrize(
    ("step", "share"),
    [("1h", 6 / 24 * 20 / 1000 / 10), ("15min", 6 / 96 * 20 / 1000 / 10), ("12h", 6 / 2 * 20 / 1000 / 10)],
)
@pytest.mark.parametrize("count", [1, 3])
def test_an_open_one_loses_a_share_each_step(kind_of, site_of, step, share, count):
    """6 mm a day over 20 m2 are 0.12 m3 a day of 10 full ones: 0.012 a day, 0.0005 an hour; of each unit the same."""
    text = f"{{type: water_tank, capacity_m3: 10, surface_m2: 20, evaporation_mm_per_day: 6, count: {count}}}"
    tank = kind_of(text, site_of(f"time: {{step: {step}, steps: 2}}"))
    assert tank.loss == pytest.approx(share, rel=1e-14)
    if step == "1h":
        assert tank.loss == pytest.approx(0.0005, rel=1e-14)


@pytest.mark.parametrize("closed", ["surface_m2: 20", "evaporation_mm_per_day: 6"])
def test_without_surface_or_evaporation_it_loses_nothing(kind_of, closed):
    assert kind_of(f"{{type: water_tank, capacity_m3: 10, {closed}}}").loss == 0


@pytest.mark.parametrize(("surface", "found"), [(10, "1 of"), (20, "2 of")])
def test_it_cannot_lose_more_than_it_holds(kind_of, site_of, surface, found):
    """In steps of a day, 100 mm/d x 1 d x 10 m2 / 1000 / 1 m3 = 1: refused from there on."""
    with pytest.raises(InputError) as raised:
        kind_of(
            f"{{type: water_tank, capacity_m3: 1, surface_m2: {surface}, evaporation_mm_per_day: 100}}",
            site_of("time: {step: 24h, steps: 2}"),
        )
    (finding,) = raised.value.findings
    assert (finding.key, finding.value) == ("surface_m2", surface)
    assert finding.message == f"evaporates {found} the capacity a step"
    assert finding.remedy == "make surface_m2 or evaporation_mm_per_day smaller, or the tank larger"


def test_it_may_lose_almost_all(kind_of):
    """100 x 1/24 x 239 / 1000 = 0.99583."""
    text = "{type: water_tank, capacity_m3: 1, surface_m2: 239, evaporation_mm_per_day: 100}"
    assert kind_of(text).loss == pytest.approx(239 / 240, rel=1e-14)


def test_investment_is_per_m3(component_from):
    """2 x (100 + 5 x 300) = 3200; 2 x (5 x 6) = 60 a year; 2 x 5 x 40 = 400 kg."""
    tank = component_from(
        "{type: water_tank, capacity_m3: 5, count: 2, capex: 100, capex_per_m3: 300, fixed_cost_per_m3_year: 6,"
        " embodied_co2_kg_per_m3: 40, lifetime_years: 30}"
    )
    assert tank.investment() == Investment(3200, 60, 400, 30)
    assert component_from("{type: water_tank, capacity_m3: 0, capex: 100}").is_absent
