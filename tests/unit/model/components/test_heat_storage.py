"""The buffer store: a storage of heat, its numbers worked out by hand."""

from math import inf

import pytest

from ecosystemiser.model.kinds import Investment, Storage


def test_amounts_are_those_of_all_units(kind_of):
    """2 x 150 = 300 kWh, taken and given at 2 x 20 kW."""
    buffer = kind_of("{type: heat_storage, capacity_kwh: 150, power_kw: 20, count: 2, initial_level: 0.25}")
    assert isinstance(buffer, Storage)
    assert (buffer.bus, buffer.capacity, buffer.initial_level) == ("heat", 300, 0.25)
    assert (buffer.charge_limit.scale, buffer.discharge_limit.scale) == (40, 40)


def test_without_power_it_has_no_limit(kind_of):
    buffer = kind_of("{type: heat_storage, capacity_kwh: 150}")
    assert (buffer.charge_limit.scale, buffer.discharge_limit.scale) == (inf, inf)
    assert (buffer.charge_efficiency, buffer.discharge_efficiency) == (1, 1)


def test_efficiency_is_one_way(kind_of):
    """0.9 in and 0.9 out."""
    buffer = kind_of("{type: heat_storage, capacity_kwh: 150, efficiency: 0.9}")
    assert (buffer.charge_efficiency, buffer.discharge_efficiency) == (0.9, 0.9)


@pytest.mark.parametrize(
    ("step", "kept"),
    [("15min", 0.995**0.25), ("1h", 0.995), ("2h", 0.990025), ("24h", 0.995**24)],
)
def test_loss_over_steps_of_any_length(kind_of, site_of, step, kept):
    """0.5 % an hour: four quarters of 1 - 0.995^0.25 = 0.0012523 keep the 0.995 of the hour, two hours 0.990025."""
    buffer = kind_of("{type: heat_storage, capacity_kwh: 1}", site_of(f"time: {{step: {step}, steps: 4}}"))
    assert 1 - buffer.loss == pytest.approx(kept, rel=1e-14)


def test_the_quarter_hour_in_digits(kind_of, site_of):
    """ln 0.995 = -0.0050125418; a quarter of it is -0.0012531355; e^-0.0012531355 = 1 - 0.0012523506."""
    buffer = kind_of("{type: heat_storage, capacity_kwh: 1}", site_of("time: {step: 15min, steps: 4}"))
    assert buffer.loss == pytest.approx(0.0012523506, rel=1e-7)


@pytest.mark.parametrize(("rate", "loss"), [(0, 0), (1, 1)])
def test_no_loss_and_total_loss(kind_of, site_of, rate, loss):
    text = f"{{type: heat_storage, capacity_kwh: 1, loss_per_hour: {rate}}}"
    assert kind_of(text, site_of("time: {step: 15min, steps: 4}")).loss == loss


def test_investment(component_from):
    """150 x 25 = 3750, and 60 for the unit; 150 x 0.1 = 15 a year; 150 x 3 = 450 kg."""
    buffer = component_from(
        "{type: heat_storage, capacity_kwh: 150, capex: 60, capex_per_kwh: 25, fixed_cost_per_kwh_year: 0.1,"
        " embodied_co2_kg_per_kwh: 3}"
    )
    assert buffer.investment() == Investment(3810, 15, 450, 20)


def test_a_capacity_of_zero_removes_it(component_from):
    assert component_from("{type: heat_storage, capacity_kwh: 0, capex: 60}").is_absent
