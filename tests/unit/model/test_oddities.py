"""What can be solved and is seldom meant, told with its place and a remedy."""

import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.oddities import oddities_in, oddities_of
from ecosystemiser.model.typical import TYPICAL
from ecosystemiser.reader import parse_yaml
from ecosystemiser.services.checking import oddities_of_config
from ecosystemiser.services.simulation_service import packaged_systems

HOUSE = {
    "grid": "{type: grid, import_price_per_kwh: 0.3}",
    "house": "{type: electricity_demand, profile: [LOAD]}",
}


def system_of(head="", steps=24, **parts):
    components = "\n".join(f"  {name}: {text}" for name, text in {**HOUSE, **parts}.items())
    text = f"system_id: house\ntime: {{start: 2018-06-01, steps: {steps}}}\n{head}\ncomponents:\n{components}\n"
    document = parse_yaml(text.replace("LOAD", ", ".join(["1.0"] * steps)), "house.yaml")
    return document, load_system(document)


def told(head="", **parts):
    return {found.key.removeprefix("components."): found for found in oddities_of(system_of(head, **parts)[1])}


@pytest.mark.parametrize("name", packaged_systems())
def test_packaged_systems_have_nothing_odd(name):
    assert oddities_of_config(SimulationConfig(system=name)) == ()


def test_an_ordinary_house_has_nothing_odd():
    assert told(battery="{type: battery, capacity_kwh: 10, power_kw: 5, capex_per_kwh: 500}") == {}


@pytest.mark.parametrize(
    ("parts", "key", "message", "remedy"),
    [
        ({"grid": "{type: grid, import_price_per_kwh: 30}"}, "grid.import_price_per_kwh", "above", "would be 0.3"),
        ({"grid": "{type: grid, import_price_per_kwh: 250}"}, "grid.import_price_per_kwh", "above", "per MWh"),
        ({"grid": "{type: grid, import_price_per_kwh: [PRICE]}"}, "grid.import_price_per_kwh", "is 28,", "in cents"),
        (
            {"grid": "{type: grid, import_price_per_kwh: 0.3, co2_kg_per_kwh: 381}"},
            "grid.co2_kg_per_kwh",
            "above",
            "in grams: that would be 0.381",
        ),
        (
            {"battery": "{type: battery, capacity_kwh: 10, power_kw: 5, capex_per_kwh: 0.5}"},
            "battery.capex_per_kwh",
            "below",
            "a thousand times too small",
        ),
        (
            {"battery": "{type: battery, capacity_kwh: 10, power_kw: 500}"},
            "battery.power_kw",
            "is 50, above",
            "if it is meant",
        ),
        (
            {"battery": "{type: battery, capacity_kwh: 10, power_kw: 5, efficiency: 0.3}"},
            "battery.efficiency",
            "below",
            "if it is meant",
        ),
    ],
)
def test_what_is_not_usual_is_told_with_the_source_and_what_was_perhaps_meant(parts, key, message, remedy):
    parts = {name: text.replace("PRICE", ", ".join(["28.0"] * 24)) for name, text in parts.items()}
    found = told(**parts)
    assert list(found) == [key]
    assert message in found[key].message
    assert remedy in found[key].remedy
    assert any(typical.source in found[key].message for typical in TYPICAL.values())


def test_prices_in_a_currency_of_which_nothing_is_known_are_left_alone():
    assert told("economics: {currency: JPY}", grid="{type: grid, import_price_per_kwh: 30}") == {}


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (
            "import_price_per_kwh: 0.2, export_price_per_kwh: 0.25",
            "in 24 steps, first on 2018-06-01 00:00, by up to 0.05",
        ),
        ("import_price_per_kwh: 0.2, export_price_per_kwh: 0.25", "finds no end"),
        ("import_price_per_kwh: 0.2, export_price_per_kwh: 0.25, import_limit_kw: 5", "will do it"),
        (
            'import_price_per_kwh: {default: 0.3, periods: [{price: 0.05, hours: "2-4"}]}, export_price_per_kwh: 0.08',
            "in 2 steps, first on 2018-06-01 02:00, by up to 0.03",
        ),
    ],
)
def test_circles_that_pay(grid, message):
    found = told(grid=f"{{type: grid, {grid}}}")
    assert list(found) == ["grid.export_price_per_kwh"]
    assert message in found["grid.export_price_per_kwh"].message


@pytest.mark.parametrize(
    "grid",
    [
        "import_price_per_kwh: 0.2, export_price_per_kwh: 0.2",
        "import_price_per_kwh: 0.2, export_price_per_kwh: 0.25, export_limit_kw: 0",
        "import_price_per_kwh: 0.2, variable_cost_per_kwh: 0.06, export_price_per_kwh: 0.25",
        "import_price_per_kwh: 0.2, tariff: {net_metering: {}}",
    ],
)
def test_circles_that_do_not_pay(grid):
    assert told(grid=f"{{type: grid, {grid}}}") == {}


def test_sun_at_night():
    """Noon at 2 o'clock in the morning: a series of another continent."""
    noon_at_two = [max(0.0, 1 - abs(((hour - 2 + 12) % 24) - 12) / 6) for hour in range(24)]
    found = told(roof=f"{{type: pv, capacity_kw: 2, profile: {noon_at_two}}}")
    assert "between 22 and 4 o'clock" in found["roof"].message
    noon = [max(0.0, 1 - abs(hour - 13) / 6) for hour in range(24)]
    assert told(roof=f"{{type: pv, capacity_kw: 2, profile: {noon}}}") == {}


def test_far_more_than_needed():
    noon = [max(0.0, 1 - abs(hour - 13) / 6) for hour in range(24)]
    found = told(roof=f"{{type: pv, capacity_kw: 100, profile: {noon}}}")
    assert "25 times" in found["roof"].message  # 6 h of full sun x 100 kW over 24 kWh


def test_what_can_do_nothing():
    found = told(
        heat_store="{type: heat_storage, capacity_kwh: 5, loss_per_hour: 0.9}",
        room="{type: heat_demand, profile: [ZERO]}".replace("ZERO", ", ".join(["0.0"] * 24)),
        rod="{type: electric_boiler, power_kw: 1}",
        dead="{type: grid, import_price_per_kwh: 0.3, import_limit_kw: 0, export_limit_kw: 0}",
    )
    assert set(found) == {"heat_store.loss_per_hour", "heat_store", "room.profile", "dead"}
    assert "neither buy nor sell" in found["dead"].message


def test_each_has_its_line_in_the_file():
    (found,) = oddities_in(*system_of(grid="{type: grid, import_price_per_kwh: 30}"))
    assert (found.file, found.line, found.value) == ("house.yaml", 5, 30.0)
