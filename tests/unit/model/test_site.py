"""What a site remembers: equal asks share one series, others do not, and not more than a study needs is kept."""

import numpy as np
import pytest

from ecosystemiser.model import site as site_module
from ecosystemiser.model.fields import TimeOfUse

TARIFF = {"default": 0.3, "periods": [{"price": 0.2, "hours": "0-1"}]}


def test_equal_asks_share_one_series(site_of, kind_of):
    site = site_of("time: {steps: 3}", temperatures_c=[0, 10])
    tariffs = [TimeOfUse.model_validate(TARIFF) for _ in range(2)]
    assert site.price(tariffs[0], "a").shape is site.price(tariffs[1], "b").shape
    assert site.numbers([1.0, 2.0, 3.0], "a").shape is site.numbers([1.0, 2.0, 3.0], "b").shape
    pumps = [kind_of(f"{{type: heat_pump, power_kw: {power}}}", site) for power in (1, 2)]
    assert pumps[0].outputs[0].ratio.shape is pumps[1].outputs[0].ratio.shape
    turbines = [kind_of(f"{{type: wind_turbine, capacity_kw: {size}}}", site) for size in (1, 2)]
    assert turbines[0].available.shape is turbines[1].available.shape


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sink_temperature_c: 45", "sink_temperature_c: 46"),
        ("cop_quality: 0.4", "cop_quality: 0.41"),
        ("cop_approach_k: 5", "cop_approach_k: 6"),
        ("cop_min: 1.5", "cop_min: 3"),
        ("cop_max: 5", "cop_max: 3"),
        ("source: air", "source: ground"),
        ("source: ground, source_temperature_c: 9", "source: ground, source_temperature_c: 8"),
        (
            "sink_temperature_c: {outdoor_c: [-10, 10], supply_c: [50, 30]}",
            "sink_temperature_c: {outdoor_c: [-10, 10], supply_c: [50, 31]}",
        ),
        ("cop: {source_c: [0, 10], cop: [2, 3]}", "cop: {source_c: [0, 10], cop: [2, 4]}"),
        ("cop: {source_c: [0, 10], cop: [2, 3]}", "cop: {source_c: [0, 10], cop: [2, 3]}, source: ground"),
    ],
)
def test_other_asks_have_their_own_series(site_of, kind_of, one, other):
    """Whichever comes first: what the site remembers of one machine is not taken for another one's."""
    pump = "{{type: heat_pump, power_kw: 1, {}}}"
    site = site_of("time: {steps: 3}", temperatures_c=[0, 10, 4])
    for text in (one, other, one):
        alone = kind_of(pump.format(text), site_of("time: {steps: 3}", temperatures_c=[0, 10, 4]))
        remembered = kind_of(pump.format(text), site)
        np.testing.assert_array_equal(remembered.outputs[0].ratio.values(3), alone.outputs[0].ratio.values(3))
    assert kind_of(pump.format(one), site).outputs[0].ratio.values(3).tolist() != (
        kind_of(pump.format(other), site).outputs[0].ratio.values(3).tolist()
    )


def test_what_is_asked_for_last_is_remembered(site_of):
    """Ten thousand tariffs of a study leave the memory as it was."""
    site = site_of()
    first = site.price(TimeOfUse(default=-1.0), "price")
    asked = [site.price(TimeOfUse(default=float(at)), "price") for at in range(2 * site_module.MOST_KNOWN)]
    assert site.price(TimeOfUse(default=-1.0), "price") is not first
    assert site.price(TimeOfUse(default=float(len(asked) - 1)), "price") is asked[-1]
    assert len(site._known) == site_module.MOST_KNOWN
    assert len(site._names) <= site_module.MOST_KNOWN
