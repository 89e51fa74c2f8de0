"""The generic storage on energy and on water buses, worked out by hand."""

from math import inf

import pytest
from pydantic import ValidationError

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Investment, Storage


def test_energy(kind_of, site_of):
    """2 x 50 kWh, 2 x 8 kW over a quarter of an hour: 4 kWh; 19 % an hour lost: 1 - 0.81^0.25 in a step."""
    storage = kind_of(
        "{type: storage, bus: hydrogen, capacity_kwh: 50, power_kw: 8, count: 2, charge_efficiency: 0.7,"
        " discharge_efficiency: 0.6, loss_per_hour: 0.19, initial_level: 0.1, end_price: 0.05}",
        site_of("time: {step: 15min, steps: 2}"),
    )
    assert isinstance(storage, Storage)
    assert (storage.bus, storage.capacity) == ("hydrogen", 100)
    assert (storage.charge_limit.scale, storage.discharge_limit.scale) == (4, 4)
    assert (storage.charge_efficiency, storage.discharge_efficiency) == (0.7, 0.6)
    assert storage.loss == pytest.approx(1 - 0.81**0.25, rel=1e-14)
    assert (storage.initial_level, storage.end_price) == (0.1, 0.05)


def test_water(kind_of):
    """3 x 5 m3, each filled at 2 m3/h at most."""
    storage = kind_of("{type: storage, bus: service_water, capacity_m3: 5, flow_m3_per_h: 2, count: 3}")
    assert (storage.capacity, storage.charge_limit.scale, storage.discharge_limit.scale) == (15, 6, 6)


def test_without_power_it_has_no_limit_and_no_loss(kind_of):
    storage = kind_of("{type: storage, bus: heat, capacity_kwh: 5}")
    assert (storage.charge_limit.scale, storage.loss, storage.initial_level) == (inf, 0, 0.5)
    assert (storage.charge_efficiency, storage.discharge_efficiency) == (1, 1)


@pytest.mark.parametrize(
    ("text", "capital"),
    [
        ("bus: heat, capacity_kwh: 50, capex_per_kwh: 20", 2 * (10 + 50 * 20)),
        ("bus: water, capacity_m3: 5, capex_per_m3: 300", 2 * (10 + 5 * 300)),
    ],
)
def test_investment(component_from, text, capital):
    """Two units, each 10 and so much per kWh or m3: 2 x (10 + 1000) = 2020; 2 x (10 + 1500) = 3020."""
    storage = component_from(f"{{type: storage, {text}, count: 2, capex: 10, lifetime_years: 30}}")
    assert storage.investment() == Investment(capital, 0, 0, 30)


@pytest.mark.parametrize("size", ["capacity_kwh: 0", "capacity_m3: 0"])
def test_a_capacity_of_zero_removes_it(component_from, size):
    assert component_from(f"{{type: storage, bus: heat, {size}, capex: 5}}").is_absent


@pytest.mark.parametrize("sizes", ["", ", capacity_kwh: 1, capacity_m3: 1"])
def test_it_needs_one_size(component_from, sizes):
    with pytest.raises(ValidationError, match="needs exactly one of capacity_kwh and capacity_m3"):
        component_from(f"{{type: storage, bus: heat{sizes}}}")


@pytest.mark.parametrize(
    ("fields", "key", "fitting"),
    [
        ("bus: water, capacity_kwh: 3", "capacity_kwh", "capacity_m3"),
        ("bus: heat, capacity_m3: 3", "capacity_m3", "capacity_kwh"),
        ("bus: water, capacity_m3: 1, power_kw: 3", "power_kw", "flow_m3_per_h"),
        ("bus: water, capacity_m3: 1, capex_per_kwh: 3", "capex_per_kwh", "capex_per_m3"),
    ],
)
def test_fields_of_the_other_unit_are_refused(kind_of, fields, key, fitting):
    with pytest.raises(InputError) as raised:
        kind_of(f"{{type: storage, {fields}}}")
    (finding,) = raised.value.findings
    assert (finding.key, finding.value, finding.remedy) == (key, 3.0, f"use {fitting}")
