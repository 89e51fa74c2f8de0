"""What is wrong with a system file is told before anything is solved: file, line, key, value, remedy."""

import re

import numpy as np
import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.components import component_types
from ecosystemiser.model.loading import load_system
from ecosystemiser.reader import read_yaml

HEAD = """system_id: test
time: {start: 2018-01-01, step: 1h, steps: 3}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  load: {type: electricity_demand, profile: [1, 2, 3]}
"""
LINES = HEAD.count("\n")

TYPES = f"types are {', '.join(component_types())}"
PACKAGED = (
    "packaged are pv-potsdam-south-30, bdew-h25, bdew-g25, bdew-l25, bdew-efh, bdew-mfh, smard-2018, district;"
    " a file is written {file: loads.csv, column: houses}"
)
BUSES = "electricity, heat, cooling, gas, hydrogen, water, service_water, grey_water, waste_water"
NUMBER_KEYS = ("capacity_kw", "capex_per_kw", "lifetime_years", "tilt_deg")

PYDANTIC = re.compile(
    r"pydantic|validation error|Value error|input_type|input_value|Input should|Extra inputs|Field required"
    r"|type=|function-|ClosedModel|SystemHead|NoneType|traceback",
    re.IGNORECASE,
)


@pytest.fixture
def told(findings_in, tmp_path):
    """Return a function to what is said against a text: (line, key, value, message, remedy) of each finding.

    All stand in the system file, none shows the words of the library that found it, and the text of the
    error is the findings one below the other.
    """

    def tell(text, files=None):
        findings = findings_in(text, files)
        assert not PYDANTIC.search("\n".join(map(str, findings)))
        assert {finding.file for finding in findings} == {str(tmp_path / "system.yaml")}
        assert all(finding.remedy for finding in findings)
        return [(each.line, each.key, each.value, each.message, each.remedy) for each in findings]

    return tell


def one(found):
    (finding,) = found
    return finding


def same(found, expected):
    """Return whether two rows are the same, NaN being NaN, and numbers of one type."""
    return repr(found) == repr(expected)


# Numbers


@pytest.mark.parametrize("key", NUMBER_KEYS)
@pytest.mark.parametrize(
    ("written", "value", "message", "remedy"),
    [
        (".nan", float("nan"), "is not a finite number", "give a number"),
        (".inf", float("inf"), "is not a finite number", "give a number"),
        ("-.inf", float("-inf"), "is not a finite number", "give a number"),
        ("1e400", float("inf"), "is not a finite number", "give a number"),
        ("true", True, "is a truth value where a number belongs", "write a number"),
        ("False", False, "is a truth value where a number belongs", "write a number"),
        ("'60'", "60", "is text where a number belongs", "remove the quotes"),
        ("60 kW", "60 kW", "is text where a number belongs", "write the number alone"),
        ("60,5", "60,5", "is text where a number belongs", "write a point for the comma"),
        ("sixty", "sixty", "is text where a number belongs", "write a number"),
        ("2018-01-01", "2018-01-01", "is a date where a number belongs", "write a number"),
        ("[60]", None, "is a list where a number belongs", "write a number"),
        ("{kw: 60}", None, "is a mapping where a number belongs", "write a number"),
        ("", None, "is empty where a number belongs", "give a value, or remove the line"),
        ("null", None, "is empty where a number belongs", "give a value, or remove the line"),
    ],
)
def test_what_stands_where_a_number_belongs(told, key, written, value, message, remedy):
    """Line 9 of a component written over lines, whichever field it is."""
    size = "" if key == "capacity_kw" else "    capacity_kw: 1\n"
    profile = "    profile: [0, 1, 0]\n" if key != "tilt_deg" else "    type: pv\n"
    text = (
        f"{HEAD}  roof:\n{profile}{'' if key == 'tilt_deg' else '    type: pv' + chr(10)}{size}    {key}: {written}\n"
    )
    line = text.count("\n")
    assert same(one(told(text)), (line, f"components.roof.{key}", value, message, remedy))


@pytest.mark.parametrize(
    ("component", "key", "value", "message", "remedy"),
    [
        ("type: pv, profile: [0, 1, 0], capacity_kw: -3", "capacity_kw", -3, "is negative", "give 0 or more"),
        ("type: pv, capacity_kw: 3, losses: 14", "losses", 14, "is more than 1", "give 1 or less"),
        ("type: pv, capacity_kw: 3, tilt_deg: 91", "tilt_deg", 91, "is more than 90", "give 90 or less"),
        ("type: pv, capacity_kw: 3, azimuth_deg: -1", "azimuth_deg", -1, "is negative", "give 0 or more"),
        ("type: battery, power_kw: 1, capacity_kwh: -0.5", "capacity_kwh", -0.5, "is negative", "give 0 or more"),
        ("type: battery, capacity_kwh: 1, power_kw: -1", "power_kw", -1, "is negative", "give 0 or more"),
        ("type: battery, capacity_kwh: 1, duration_h: 0", "duration_h", 0, "is not more than 0", "give more than 0"),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, efficiency: 95",
            "efficiency",
            95,
            "is more than 1",
            "give 1 or less",
        ),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, efficiency: 0",
            "efficiency",
            0,
            "is not more than 0",
            "give more than 0",
        ),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, initial_level: 1.1",
            "initial_level",
            1.1,
            "is more than 1",
            "give 1 or less",
        ),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, end_price: -1",
            "end_price",
            -1,
            "is negative",
            "give 0 or more",
        ),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, lifetime_years: 0",
            "lifetime_years",
            0,
            "is not more than 0",
            "give more than 0",
        ),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, count: 0",
            "count",
            0,
            "is less than 1",
            "give 1 or more",
        ),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, count: 1.5",
            "count",
            1.5,
            "is not a whole number",
            "round it",
        ),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, count: true",
            "count",
            True,
            "is a truth value where a whole number belongs",
            "write a whole number",
        ),
        ("type: gas_boiler, power_kw: 1, efficiency: -1", "efficiency", -1, "is not more than 0", "give more than 0"),
        ("type: heat_pump, power_kw: 1, cop: -1", "cop", -1, "is not more than 0", "give more than 0"),
        (
            "type: grid, import_price_per_kwh: .nan",
            "import_price_per_kwh",
            float("nan"),
            "is not a finite number",
            "give a number",
        ),
        (
            "type: grid, import_price_per_kwh: 0.3, co2_kg_per_kwh: -1",
            "co2_kg_per_kwh",
            -1,
            "is negative",
            "give 0 or more",
        ),
        (
            "type: electricity_demand, profile: bdew-h25, annual_kwh: -1",
            "annual_kwh",
            -1,
            "is negative",
            "give 0 or more",
        ),
    ],
)
def test_numbers_out_of_bounds(told, component, key, value, message, remedy):
    found = one(told(f"{HEAD}  it: {{{component}}}\n"))
    assert same(found, (LINES + 1, f"components.it.{key}", value, message, remedy))


@pytest.mark.parametrize(
    ("written", "findings"),
    [
        ("[1, .nan, 3]", [("[1]", float("nan"), "is not a finite number", "give a number")]),
        ("[.inf, 2, 3]", [("[0]", float("inf"), "is not a finite number", "give a number")]),
        ("[1, true, 3]", [("[1]", True, "is a truth value where a number belongs", "write a number")]),
        (
            "[1, '2', x]",
            [
                ("[1]", "2", "is text where a number belongs", "remove the quotes"),
                ("[2]", "x", "is text where a number belongs", "write a number"),
            ],
        ),
        ("[1, , 3]", None),
    ],
)
def test_values_of_a_list(told, written, findings):
    """A list entry is named by its place, counted from 0."""
    found = told(f"{HEAD}  more: {{type: electricity_demand, profile: {written}}}\n")
    if findings is None:
        assert [line for line, *_ in found] == [LINES + 1]
        return
    expected = [(LINES + 1, f"components.more.profile{at}", *rest) for at, *rest in findings]
    assert same(found, expected)


@pytest.mark.parametrize(
    ("head", "key", "value", "message", "remedy"),
    [
        ("time: {steps: 0}", "time.steps", 0, "is less than 1", "give 1 or more"),
        ("time: {steps: 24.0}", "time.steps", 24.0, "is not a whole number", "round it"),
        ("time: {steps: 2000000}", "time.steps", 2_000_000, "is more than 1000000", "give 1000000 or less"),
        ("time: {steps: '24'}", "time.steps", "24", "is text where a whole number belongs", "remove the quotes"),
        ("time: {step: 7h}", "time.step", "7h", "is no step that divides a day", 'write "1h" or "15min"'),
        ("time: {step: 0h}", "time.step", "0h", "is no step that divides a day", 'write "1h" or "15min"'),
        ("time: {step: 1}", "time.step", 1, "is a number where text belongs", 'put quotes around it: "1"'),
        (
            "time: {timezone: Europe/Potsdam}",
            "time.timezone",
            "Europe/Potsdam",
            "is no time zone",
            "write an IANA name such as Europe/Berlin or UTC",
        ),
        (
            "time: {timezone: ../Berlin}",
            "time.timezone",
            "../Berlin",
            "is no time zone",
            "write an IANA name such as Europe/Berlin or UTC",
        ),
        ("time: {start: 0001-01-01}", "time.start", "0001-01-01", "is too far away", "start in 1900 to 2200"),
        ("time: {start: 9999-12-31}", "time.start", "9999-12-31", "is too far away", "start in 1900 to 2200"),
        (
            "time: {start: 2018-10-28 02:30:00}",
            "time",
            None,
            "start 2018-10-28 02:30:00 happens twice on the clock of Europe/Berlin",
            "write it with its offset, as 2018-10-28 02:30:00+01:00",
        ),
        (
            "time: {start: 2018-03-25 02:30:00}",
            "time",
            None,
            "start 2018-03-25 02:30:00 happens never on the clock of Europe/Berlin",
            "write it with its offset, as 2018-03-25 02:30:00+01:00",
        ),
        ("site: {latitude: 91}", "site.latitude", 91, "is more than 90", "give 90 or less"),
        ("site: {longitude: .nan}", "site.longitude", float("nan"), "is not a finite number", "give a number"),
        ("economics: {discount_rate: 5}", "economics.discount_rate", 5, "is not less than 1", "give less than 1"),
        ("economics: {discount_rate: -1}", "economics.discount_rate", -1, "is negative", "give 0 or more"),
        ("economics: {project_years: 0}", "economics.project_years", 0, "is less than 1", "give 1 or more"),
        (
            "economics: [1]",
            "economics",
            None,
            "is a list where a mapping belongs",
            "write 'key: value' lines below it",
        ),
        ("description: 3", "description", 3, "is a number where text belongs", 'put quotes around it: "3"'),
        (
            "buses: {north: electrcity}",
            "buses.north",
            "electrcity",
            "is not allowed here",
            "did you mean 'electricity'? (allowed: electricity, heat, cooling, gas, hydrogen, water)",
        ),
        (
            "buses: {north: 3}",
            "buses.north",
            3,
            "is not allowed here",
            "allowed: electricity, heat, cooling, gas, hydrogen, water",
        ),
        (
            "buses: {electricity: heat}",
            "buses",
            None,
            "gives bus 'electricity' another carrier",
            "choose another name, 'electricity' carries electricity",
        ),
        ("time: {stesp: 24}", "time.stesp", None, "is not a known key", "did you mean 'step'?"),
        ("sitte: {latitude: 3}", "sitte", None, "is not a known key", "did you mean 'site'?"),
        (
            "colour: red",
            "colour",
            None,
            "is not a known key",
            "allowed: system_id, description, time, site, economics, buses, components",
        ),
    ],
)
def test_the_head_of_a_file(told, head, key, value, message, remedy):
    """It stands in line 2; the components below it are well."""
    found = one(told(f"system_id: test\n{head}\n{HEAD.partition('3}' + chr(10))[2]}"))
    assert same(found, (2, key, value, message, remedy))


@pytest.mark.parametrize("written", ["''", "../x", "a/b", "-a", ".a", '"a\\tb"', "a..b", "ä", "'a '", "a" * 129])
def test_a_system_id_that_is_no_id(told, written):
    line, key, _, message, remedy = one(told(HEAD.replace("test", written, 1)))
    assert (line, key, message) == (1, "system_id", "is no id")
    assert remedy.startswith("use 1 to 128 of letters, digits")


def test_a_system_id_that_is_missing(told):
    _, key, value, message, remedy = one(told(HEAD.replace("system_id", "description", 1)))
    assert (key, value, message, remedy) == ("system_id", None, "is missing", "add 'system_id:' and its value")


# Keys


@pytest.mark.parametrize(
    ("component", "key", "message", "remedy"),
    [
        ("type: pv, capacty_kw: 3", "capacty_kw", "is not a known key", "did you mean 'capacity_kw'?"),
        (
            "type: battery, capacity_kwh: 1, power_kw: 1, eficiency: 0.9",
            "eficiency",
            "is not a known key",
            "did you mean 'efficiency'?",
        ),
        (
            "type: grid, import_price_per_kwh: {defualt: 1}",
            "import_price_per_kwh.defualt",
            "is not a known key",
            "did you mean 'default'?",
        ),
        (
            "type: grid, import_price_per_kwh: {default: 1, periods: [{price: 1, hour: 1-2}]}",
            "import_price_per_kwh.periods[0].hour",
            "is not a known key",
            "did you mean 'hours'?",
        ),
        (
            "type: electricity_demand, profile: {file: a.csv, colum: x}",
            "profile.colum",
            "is not a known key",
            "did you mean 'column'?",
        ),
        (
            "type: electricity_demand, profile: [1, 2, 3], colour: red",
            "colour",
            "is not a known key",
            (
                "allowed: type, bus, count, lifetime_years, capex, fixed_cost_per_year, embodied_co2_kg,"
                " variable_cost_per_kwh, co2_kg_per_kwh, profile, annual_kwh, unmet_cost_per_kwh"
            ),
        ),
        ("type: pv", "capacity_kw", "is missing", "add 'capacity_kw:' and a number in kW"),
        (
            "type: grid",
            "import_price_per_kwh",
            "is missing",
            "add 'import_price_per_kwh:' and an amount per kWh",
        ),
    ],
)
def test_keys_that_are_unknown_misspelt_or_missing(told, component, key, message, remedy):
    """Of a misspelt key only the misspelling is told, not that the right one is missing."""
    found = one(told(f"{HEAD}  it: {{{component}}}\n"))
    assert found == (LINES + 1, f"components.it.{key}", None, message, remedy)


@pytest.mark.parametrize(
    ("text", "line", "key", "first"),
    [
        (f"{HEAD}  load: {{type: electricity_demand, profile: [1, 1, 1]}}\n", 6, "components.load", 5),
        (f"{HEAD}  pv: {{type: pv, capacity_kw: 1, capacity_kw: 2}}\n", 6, "components.pv.capacity_kw", 6),
        (f"{HEAD}  pv:\n    type: pv\n    capacity_kw: 1\n    capacity_kw: 1\n", 9, "components.pv.capacity_kw", 8),
        (f"{HEAD}system_id: other\n", 6, "system_id", 1),
    ],
)
def test_keys_that_stand_twice(told, text, line, key, first):
    expected = (line, key, None, f"stands here again, after line {first}", "keep one of the two")
    assert one(told(text)) == expected


# Components, buses, carriers


@pytest.mark.parametrize(
    ("component", "key", "value", "message", "remedy"),
    [
        ("{type: batery}", ".type", "batery", "is no type of component", f"did you mean 'battery'? {TYPES}"),
        ("{type: PV}", ".type", "PV", "is no type of component", f"did you mean 'pv'? {TYPES}"),
        ("{type: 3}", ".type", 3, "is no type of component", TYPES),
        ("{type: [pv]}", ".type", ["pv"], "is no type of component", TYPES),
        ("{capacity_kw: 3}", "", None, "names no type", f"write `it: {{type: ...}}`; {TYPES}"),
        ("", "", None, "names no type", f"write `it: {{type: ...}}`; {TYPES}"),
        ("pv", "", None, "names no type", f"write `it: {{type: ...}}`; {TYPES}"),
        (
            "{type: pv, bus: electrcity, capacity_kw: 1, profile: [1, 1, 1]}",
            ".bus",
            "electrcity",
            "is no bus of this system",
            f"did you mean 'electricity'? declare it under `buses:` (electrcity: electricity), or use one of {BUSES}",
        ),
        (
            "{type: converter, input: electricity, output: steam}",
            ".output",
            "steam",
            "is no bus of this system",
            f"declare it under `buses:` (steam: electricity), or use one of {BUSES}",
        ),
        (
            "{type: heat_pump, power_kw: 1, cop: 3, input: electrcity}",
            ".input",
            "electrcity",
            "is no bus of this system",
            f"did you mean 'electricity'? declare it under `buses:` (electrcity: electricity), or use one of {BUSES}",
        ),
        (
            "{type: pv, bus: heat, capacity_kw: 1, profile: [1, 1, 1]}",
            ".bus",
            "heat",
            "carries heat",
            "name a bus of electricity for a component of type pv",
        ),
        (
            "{type: heat_pump, power_kw: 1, cop: 3, input: heat, bus: heat}",
            ".input",
            "heat",
            "carries heat",
            "name a bus of electricity",
        ),
        (
            "{type: gas_boiler, power_kw: 1, input: electricity}",
            ".input",
            "electricity",
            "carries electricity",
            "name a bus of gas or hydrogen",
        ),
        (
            "{type: battery, capacity_kwh: 1}",
            "",
            None,
            "needs exactly one of power_kw and duration_h",
            "give the one you know",
        ),
        (
            "{type: battery, capacity_kwh: 1, power_kw: 1, duration_h: 1}",
            "",
            None,
            "needs exactly one of power_kw and duration_h",
            "give the one you know",
        ),
        (
            "{type: heat_pump, power_kw: 1, source: water}",
            ".source",
            "water",
            "is not allowed here",
            "allowed: air, ground, series",
        ),
        (
            "{type: storage, bus: electricity, capacity_m3: 3}",
            ".capacity_m3",
            3.0,
            "does not fit bus 'electricity', which carries electricity",
            "use capacity_kwh",
        ),
        (
            "{type: converter, input: heat, output: heat, ratio: 2}",
            "",
            None,
            "has bus 'heat' as input and as output",
            "name two buses",
        ),
    ],
)
def test_components_that_cannot_be_built(told, component, key, value, message, remedy):
    found = one(told(f"{HEAD}  it: {component}\n"))
    assert found == (LINES + 1, f"components.it{key}", value, message, remedy)


@pytest.mark.parametrize("name", ["a.b", "'a b'", "'a[0]'", "'*'", "'<b>'", "'=1+1'", "''", "'../x'"])
def test_names_that_no_component_may_bear(told, name):
    line, _, _, message, remedy = one(told(f"{HEAD}  {name}: {{type: pv, capacity_kw: 1}}\n"))
    assert (line, message) == (LINES + 1, f"{name.strip(chr(39))!r} is no name of a component")
    assert remedy == "use letters, digits, - and _ (a dot separates component and field)"


@pytest.mark.parametrize("section", ["components: {}", "components:", "components: [grid]", "components: grid"])
def test_a_file_without_components(told, section):
    remedy = "add components, as `roof_pv: {type: pv, capacity_kw: 60}`"
    assert one(told(f"system_id: test\n{section}\n")) == (2, "components", None, "holds no components", remedy)


def test_components_that_are_misspelt(told):
    findings = told(HEAD.replace("components", "componets"))
    assert (3, "componets", None, "is not a known key", "did you mean 'components'?") in findings


# Connections


def nothing_supplies(bus, examples):
    remedy = f"add what supplies {bus} (for example {examples}), or name another bus"
    return None, f"stands on bus {bus!r}, which nothing supplies", remedy


def nothing_draws(bus):
    examples = {"electricity": " (for example grid, pv)", "heat": " (for example heat_pump, gas_boiler)"}.get(bus, "")
    return (
        None,
        f"stands on bus {bus!r}, from which nothing draws",
        f"add what uses {bus}{examples}, or name another bus",
    )


def test_a_demand_that_nothing_supplies(told):
    text = "system_id: test\ntime: {steps: 3}\ncomponents:\n  heat: {type: heat_demand, profile: [1, 1, 1]}\n"
    assert told(text) == [(4, "components.heat", *nothing_supplies("heat", "heat_pump, gas_boiler"))]


def test_a_connection_that_may_not_buy_supplies_nothing(told):
    text = HEAD.replace("0.3}", "0.3, import_limit_kw: 0}")
    expected = nothing_supplies("electricity", "grid, pv")
    assert told(text) == [(4, "components.grid", *expected), (5, "components.load", *expected)]


def test_a_converter_without_fuel_and_its_heat_without_use(told):
    """The boiler is told twice: nothing supplies its gas, nothing draws its heat."""
    found = told(f"{HEAD}  boiler: {{type: gas_boiler, power_kw: 1}}\n")
    assert [row[:4] for row in found] == [
        (6, "components.boiler", *nothing_supplies("gas", "gas_supply")[:2]),
        (6, "components.boiler", *nothing_draws("heat")[:2]),
    ]


def test_a_storage_on_a_bus_of_its_own(told):
    """Nothing fills it, nothing empties it, and nothing prices its content."""
    text = f"{HEAD}  tank: {{type: storage, bus: hydrogen, capacity_kwh: 1}}\n"
    assert [row[1:4] for row in told(text)] == [
        ("components.tank", None, "stands on bus 'hydrogen', which nothing supplies"),
        ("components.tank", None, "stands on bus 'hydrogen', from which nothing draws"),
        ("components.tank.end_price", None, "needs an end_price: nothing in the system sells its carrier"),
    ]


def test_a_source_that_nobody_uses(told):
    text = f"{HEAD}  well: {{type: source, bus: water, flow_m3_per_h: 1}}\n"
    remedy = "add what uses water, or name another bus"
    message = "stands on bus 'water', from which nothing draws"
    assert told(text) == [(6, "components.well", None, message, remedy)]


def test_a_storage_whose_end_nothing_prices(told):
    """Where nothing is bought, what is missing at the end has no price."""
    text = """system_id: test
time: {steps: 3}
components:
  pv: {type: pv, capacity_kw: 9, profile: [1, 1, 1]}
  load: {type: electricity_demand, profile: [1, 1, 1]}
  battery: {type: battery, capacity_kwh: 3, power_kw: 1}
"""
    assert told(text) == [
        (
            6,
            "components.battery.end_price",
            None,
            "needs an end_price: nothing in the system sells its carrier",
            "add end_price, what a missing unit costs at the end (0 for nothing)",
        )
    ]


LIMITED = """system_id: test
time: {start: 2018-03-25, steps: 3}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 2.5}
  load: {type: electricity_demand, profile: [1, 2, 2]}
"""


def test_two_demands_that_must_be_met_above_all_supply(told):
    """At steps 0 to 2 they ask for 2, 2, 4 kW of 2.5: the worst is 4, short by 1.5, at 03:00 on the day without 02."""
    text = f"{LIMITED}  more: {{type: electricity_demand, profile: [1, 0, 2]}}\n"
    message = "asks on 2018-03-25 03:00 for 4 kW that must be met (load and more), 1.5 kW above all supply limits"
    remedy = "raise the limits of what supplies it, or give a demand unmet_cost_per_kwh"
    assert told(text) == [(6, "components.more", None, message, remedy)]


def test_rates_are_told_for_shorter_steps_too(told):
    """In quarter hours the demand is 4 kW all the same."""
    text = f"{LIMITED}  more: {{type: electricity_demand, profile: [1, 0, 2]}}\n"
    (row,) = told(text.replace("steps: 3", "step: 15min, steps: 3"))
    assert row[3].startswith("asks on 2018-03-25 00:30 for 4 kW that must be met (load and more), 1.5 kW above")


@pytest.mark.parametrize(
    "added",
    [
        "  more: {type: electricity_demand, profile: [1, 0, 2], unmet_cost_per_kwh: 1}\n",
        "  more: {type: electricity_demand, profile: [1, 0, 0.5]}\n",
        (
            "  more: {type: electricity_demand, profile: [1, 0, 2]}\n"
            "  battery: {type: battery, capacity_kwh: 10, power_kw: 1.5}\n"
        ),
        (
            "  more: {type: electricity_demand, profile: [1, 0, 2]}\n"
            "  pv: {type: pv, capacity_kw: 1.5, profile: [0, 0, 1]}\n"
        ),
        "  more: {type: electricity_demand, profile: [1, 0, 2]}\n  north: {type: grid, import_price_per_kwh: 0}\n",
    ],
)
def test_demands_that_could_be_met_are_not_told(system_from, added):
    """One that has a price, one that just fits (2.5 of 2.5), a battery, PV, a second connection."""
    assert system_from(LIMITED + added).clock.steps == 3


def test_what_a_storage_holds_is_no_more_than_its_content(told):
    """10 kW of power, but 1 kWh at 0.95: 0.95 of the 1.5 that are missing, 0.55 short."""
    text = (
        f"{LIMITED}  more: {{type: electricity_demand, profile: [1, 0, 2]}}\n"
        "  battery: {type: battery, capacity_kwh: 1, power_kw: 10}\n"
    )
    (row,) = told(text)
    assert row[3].endswith("(load and more), 0.55 kW above all supply limits")


def test_heat_is_limited_by_what_converters_can_give(told):
    """A pump of 2 kW at a COP of 3 and a boiler of 4 kW give 10 kW of heat; 11 are asked for."""
    text = f"""{HEAD}  gas: {{type: gas_supply, price_per_kwh: 0.1}}
  pump: {{type: heat_pump, power_kw: 2, cop: 3}}
  boiler: {{type: gas_boiler, power_kw: 4}}
  heat: {{type: heat_demand, profile: [10, 11, 10]}}
"""
    (row,) = told(text)
    assert row[:2] == (9, "components.heat")
    assert row[3] == "asks on 2018-01-01 01:00 for 11 kW that must be met (heat), 1 kW above all supply limits"


def test_water_is_told_in_its_own_unit(told):
    text = """system_id: test
time: {steps: 3}
components:
  well: {type: source, bus: water, flow_m3_per_h: 1}
  taps: {type: sink, bus: water, profile: [0, 1.5, 0]}
"""
    (row,) = told(text)
    assert row[3:] == (
        "asks on 2018-01-01 01:00 for 1.5 m3/h that must be met (taps), 0.5 m3/h above all supply limits",
        "raise the limits of what supplies it, or give a demand unmet_cost_per_m3",
    )


# Profiles


@pytest.mark.parametrize(
    ("fields", "value", "message", "remedy"),
    [
        ("profile: [1, 2]", None, "has 2 values", "give 3 (the run) or 8760 values (the year)"),
        ("profile: []", None, "has 0 values", "give 3 (the run) or 8760 values (the year)"),
        (
            "profile: [1, 2, 3], annual_kwh: 30",
            None,
            "has 3 values",
            "give 8760 values (the year), or rates in kW (m3/h) and no annual sum",
        ),
        (
            "profile: [1, -2, 3]",
            "list of 3 values",
            "holds negative values (-2)",
            "a demand is 0 or more in every step",
        ),
        (
            "profile: bdew-h52, annual_kwh: 3",
            "bdew-h52",
            "is no packaged profile",
            f"did you mean 'bdew-h25'? {PACKAGED}",
        ),
        (
            "profile: try2010-potsdam.ghi_w_m2, annual_kwh: 3",
            "try2010-potsdam.ghi_w_m2",
            "is no packaged profile",
            PACKAGED,
        ),
        ("profile: '3'", "3", "is no packaged profile", f"a number stands without quotes; {PACKAGED}"),
        (
            "profile: bdew-h25",
            "bdew-h25",
            "only says how a year's sum is spread",
            "add annual_kwh (annual_m3), the sum of the year",
        ),
    ],
)
def test_profiles_that_do_not_fit(told, fields, value, message, remedy):
    found = one(told(f"{HEAD}  more: {{type: electricity_demand, {fields}}}\n"))
    assert found == (LINES + 1, "components.more.profile", value, message, remedy)


@pytest.mark.parametrize("count", [8759, 8761, 8784])
def test_a_list_of_another_length_than_the_year(told, count):
    """8,759 hours are no year, nor are 8,784 in 2018."""
    values = ", ".join(["1"] * count)
    found = one(told(f"{HEAD}  more: {{type: electricity_demand, profile: [{values}], annual_kwh: 3}}\n"))
    assert found[1] == "components.more.profile"
    assert found[3] == f"has {count} values"
    assert found[4] == "give 8760 values (the year), or rates in kW (m3/h) and no annual sum"


@pytest.mark.parametrize(
    ("time", "message", "remedy"),
    [
        (
            "{start: 2019-01-01, steps: 3}",
            "is a profile of 2018 and the run starts in 2019",
            "set time.start in 2018, or give a file: {file: loads.csv, column: houses}",
        ),
        (
            "{start: 2018-12-31, steps: 25}",
            "ends before the run does",
            "start earlier or take at most 24 steps",
        ),
        (
            "{start: 2018-01-01 00:30:00, steps: 3}",
            "has no value that begins where the run starts",
            "let time.start lie a whole number of steps after New Year of standard time",
        ),
        (
            "{start: 2018-07-01, step: 24h, steps: 3}",
            "has no value that begins where the run starts",
            "let time.start lie a whole number of steps after New Year of standard time",
        ),
        ("{step: 45min, steps: 3}", "is hourly", "use a step that divides an hour, or whole hours"),
    ],
)
def test_packaged_profiles_outside_their_year(told, time, message, remedy):
    """Weekdays and holidays are those of 2018; a midnight of summer time is 23:00 of standard time."""
    line, key, _, found, advice = one(
        told(f"""system_id: test
time: {time}
components:
  grid: {{type: grid, import_price_per_kwh: 0.3}}
  load: {{type: electricity_demand, profile: bdew-h25, annual_kwh: 3}}
""")
    )
    assert (line, key, found, advice) == (5, "components.load.profile", message, remedy)


def test_packaged_weather_in_a_leap_year(told):
    """A typical year has 365 days and fits any year of 365 days."""
    text = """system_id: test
time: {start: 2020-01-01, steps: 3}
site: {weather: try2010-potsdam}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  pump: {type: heat_pump, power_kw: 9}
  heat: {type: heat_demand, profile: [1, 1, 1]}
"""
    remedy = "a year of 2020 has 8784 hours; set time.start in a year of 8760 hours, or site.leap_day: repeat"
    assert told(text) == [(6, "components.pump.source", None, "is a year of 8760 hours", remedy)]


def hours(start="2018-01-01T00:00", count=8760):
    return [str(np.datetime64(start) + np.timedelta64(hour, "h")) for hour in range(count)]


def berlin(count=8760):
    """The local clock of 2018, without an hour 2 on 25 March and with two on 28 October."""
    utc = np.datetime64("2017-12-31T23:00") + np.arange(count) * np.timedelta64(1, "h")
    summer = (utc >= np.datetime64("2018-03-25T01:00")) & (utc < np.datetime64("2018-10-28T01:00"))
    return [str(time) for time in utc + np.where(summer, 2, 1).astype("timedelta64[h]")]


@pytest.fixture
def told_of_file(findings_in, tmp_path):
    """Return a function to what is said of a load file with these times: (line, key, value, message, remedy)."""

    def tell(times, zone="", header="time,house", head="{start: 2018-01-01, steps: 3}"):
        text = f"""system_id: test
time: {head}
components:
  grid: {{type: grid, import_price_per_kwh: 0.3}}
  load: {{type: electricity_demand, profile: {{file: loads.csv, column: house{zone}}}}}
"""
        csv = "\n".join([header, *(f"{time},{row}" for row, time in enumerate(times))])
        findings = findings_in(text, {"loads.csv": csv})
        assert {finding.file for finding in findings} == {str(tmp_path / "loads.csv")}
        return [(each.line, each.key, each.value, each.message, each.remedy) for each in findings]

    return tell


TIME = "components.load.profile (time)"


def test_a_file_of_8759_hours(told_of_file):
    message = "8759 rows where a year of 3600 s steps has 8760"
    remedy = "give one row per step of the whole year; a run takes its part itself"
    assert told_of_file(hours(count=8759)) == [(8760, "components.load.profile", None, message, remedy)]


def test_a_file_with_a_gap(told_of_file):
    """The hour of row 100 is missing, row 101 of the year stands in line 102; one row too many ends it."""
    times = hours(count=8761)
    del times[100]
    message = "follows a gap: 1 rows are missing before it"
    remedy = "add the missing rows; the row before is of 2018-01-05T03:00"
    assert told_of_file(times) == [(102, TIME, "2018-01-05T05:00", message, remedy)]


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        (", timezone: Etc/GMT-1", "is a duplicate of the row before"),
        ("", "repeats an hour and no time zone is stated: daylight saving or a duplicate"),
    ],
)
def test_a_file_with_a_duplicate(told_of_file, zone, message):
    """The hour after is then missing, which is told as well."""
    times = hours()
    times[100] = times[99]
    duplicate, gap = told_of_file(times, zone)
    assert duplicate[:4] == (102, TIME, "2018-01-05T03:00", message)
    assert "remove" in duplicate[4]
    assert gap[:4] == (103, TIME, "2018-01-05T05:00", "follows a gap: 1 rows are missing before it")


def test_a_file_with_the_double_hour_of_a_clock_it_does_not_state(told_of_file):
    """25 March has a gap, 28 October repeats 02:00: nobody knows which clock that is."""
    gap, double = told_of_file(berlin())
    assert gap[:4] == (1996, TIME, "2018-03-25T03:00", "follows a gap: 1 rows are missing before it")
    assert double[:4] == (
        7204,
        TIME,
        "2018-10-28T02:00",
        "repeats an hour and no time zone is stated: daylight saving or a duplicate",
    )
    assert double[4].startswith("state the timezone, as Europe/Berlin, or write each time with its offset")


def test_a_double_hour_is_read_where_the_clock_is_stated(system_from):
    """Row i is hour i of the year: the two hours at 02:00 of 28 October are rows 7202 - 1 and 7202."""
    csv = "\n".join(["time,house", *(f"{time},{row}" for row, time in enumerate(berlin()))])
    system = system_from(
        """system_id: test
time: {start: 2018-10-28, steps: 4}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  load: {type: electricity_demand, profile: {file: loads.csv, column: house, timezone: Europe/Berlin}}
""",
        {"loads.csv": csv},
    )
    assert system.kinds[1].demand.values(4).tolist() == [7199, 7200, 7201, 7202]


@pytest.mark.parametrize(
    ("start", "zone", "shown", "year"),
    [
        ("2017-01-01T00:00", "", "2017-01-01 00:00", 2018),
        ("2019-01-01T00:00", "", "2019-01-01 00:00", 2018),
        ("2018-01-01T01:00", "", "2018-01-01 01:00", 2018),
        ("2017-12-31T23:00", "", "2017-12-31 23:00", 2018),
        ("2017-07-01T00:00", "", "2017-07-01 00:00", 2018),
        ("2018-01-01T00:00", ", timezone: UTC", "2018-01-01 01:00", 2018),
        ("2017-01-01T00:00", ", timezone: Etc/GMT-1", "2017-01-01 00:00", 2018),
    ],
)
def test_a_file_of_another_year(told_of_file, start, zone, shown, year):
    """In Berlin New Year of 2018 is 2017-12-31 23:00 UTC; a file from 00:00 UTC on starts an hour late."""
    message = f"is of the year from {shown} of standard time, the run is of {year}"
    remedy = f"give the whole year {year} from its New Year on, or set time.start in the file's year"
    assert told_of_file(hours(start), zone) == [(2, TIME, None, message, remedy)]


@pytest.mark.parametrize(
    ("times", "zone"),
    [
        (hours(), ""),
        (hours(), ", timezone: Etc/GMT-1"),
        (hours("2017-12-31T23:00"), ", timezone: UTC"),
        ([f"{time}+01:00" for time in hours()], ""),
        ([f"{time}Z" for time in hours("2017-12-31T23:00")], ""),
        (berlin(), ", timezone: Europe/Berlin"),
    ],
)
def test_files_that_start_at_new_year_however_written(system_from, times, zone):
    csv = "\n".join(["time,house", *(f"{time},{row}" for row, time in enumerate(times))])
    system = system_from(
        f"""system_id: test
time: {{start: 2018-12-31, steps: 3}}
components:
  grid: {{type: grid, import_price_per_kwh: 0.3}}
  load: {{type: electricity_demand, profile: {{file: loads.csv, column: house{zone}}}}}
""",
        {"loads.csv": csv},
    )
    assert system.kinds[1].demand.values(3).tolist() == [8736, 8737, 8738]


@pytest.mark.parametrize(
    ("zone", "start", "values"),
    [
        (", timezone: Etc/GMT-10", "2018-01-01T00:00:00+10:00", [0, 1, 2]),
        (", timezone: Etc/GMT-10", "2018-01-01T00:00:00+11:00", [8759, 0, 1]),
        (", timezone: Etc/GMT-11", "2018-01-01T00:00:00+10:00", [1, 2, 3]),
        (", timezone: Etc/GMT-11", "2018-01-01T00:00:00+11:00", [0, 1, 2]),
    ],
)
def test_in_the_south_a_file_may_start_at_new_year_of_either_clock(system_from, zone, start, values):
    """Sydney's summer time (UTC+11) has New Year an hour before its standard time (UTC+10).

    A run from the earlier one takes row 0 of a file in summer time; of a file in standard time, which lacks
    that hour, it takes the last.
    """
    csv = "\n".join(["time,house", *(f"{time},{row}" for row, time in enumerate(hours()))])
    system = system_from(
        f"""system_id: test
time: {{start: {start}, steps: 3, timezone: Australia/Sydney}}
components:
  grid: {{type: grid, import_price_per_kwh: 0.3}}
  load: {{type: electricity_demand, profile: {{file: loads.csv, column: house{zone}}}}}
""",
        {"loads.csv": csv},
    )
    assert system.kinds[1].demand.values(3).tolist() == values


def test_cells_that_are_no_numbers(findings_in, tmp_path):
    rows = ["1"] * 8760
    rows[5], rows[7] = "nan", "1;5"
    text = HEAD.replace("[1, 2, 3]", "{file: loads.csv, column: house}")
    findings = findings_in(text, {"loads.csv": "\n".join(["house", *rows])})
    key = "components.load.profile (house)"
    assert [(each.line, each.key, each.value, each.message) for each in findings] == [
        (7, key, "nan", "is not a finite number"),
        (9, key, "1;5", "is not a number"),
    ]
    assert {each.file for each in findings} == {str(tmp_path / "loads.csv")}


def test_a_file_that_does_not_exist_and_a_column_that_is_not_there(findings_in, tmp_path):
    text = HEAD.replace("[1, 2, 3]", "{file: loads.csv, column: hose}")
    (missing,) = findings_in(text)
    assert (missing.file, missing.key) == (str(tmp_path / "loads.csv"), "components.load.profile")
    assert (missing.message, missing.remedy) == ("does not exist", "name a CSV or Parquet file")
    (column,) = findings_in(text, {"loads.csv": "\n".join(["house", *["1"] * 8760])})
    assert (column.line, column.key) == (1, "components.load.profile (hose)")
    assert column.remedy == "did you mean 'house'? the file has house"


# Weather


WEATHER_COLUMNS = "ghi_w_m2,dni_w_m2,dhi_w_m2,temperature_c,wind_speed_m_s"


def weather_system(site):
    return f"""system_id: test
time: {{steps: 3}}
site: {site}
components:
  grid: {{type: grid, import_price_per_kwh: 0.3}}
  pump: {{type: heat_pump, power_kw: 9}}
  roof: {{type: pv, capacity_kw: 9}}
  heat: {{type: heat_demand, profile: [1, 1, 1]}}
"""


def test_weather_that_is_neither_packaged_nor_a_file(told):
    """Two components ask for it; it is told once, at the site."""
    remedy = (
        "did you mean 'try2010-potsdam'? packaged are try2010-potsdam; a file is named as seen from the system file"
    )
    message = "is neither a packaged weather set nor a file"
    assert told(weather_system("{weather: try2010-postdam}")) == [
        (3, "site.weather", "try2010-postdam", message, remedy)
    ]


def test_a_table_of_weather_without_a_site(told):
    """A table does not say where it was measured: latitude and longitude are the site's to give."""
    csv = "\n".join([WEATHER_COLUMNS, *["0,0,0,5,1"] * 8760])
    message = "is not known: a table of weather does not say where it was measured"
    assert told(weather_system("{weather: w.csv, latitude: 52}"), {"w.csv": csv}) == [
        (3, "site.longitude", None, message, "give the site's longitude")
    ]


def test_a_table_of_weather_on_its_site_is_read(system_from):
    """5 deg C: 127.26 / 45. The site's zone is that of the clock, UTC+1."""
    csv = "\n".join([WEATHER_COLUMNS, *["0,0,0,5,1"] * 8760])
    system = system_from(weather_system("{weather: w.csv, latitude: 52, longitude: 13}"), {"w.csv": csv})
    pump = next(kind for kind in system.kinds if kind.name == "pump")
    assert pump.outputs[0].ratio.values(3) == pytest.approx([127.26 / 45] * 3, rel=1e-12)


def test_weather_that_no_place_has_is_told_of_its_file(findings_in, tmp_path):
    csv = "\n".join([WEATHER_COLUMNS, "0,0,0,9999,1", *["0,0,0,5,1"] * 8759])
    (finding,) = findings_in(weather_system("{weather: w.csv, latitude: 52, longitude: 13}"), {"w.csv": csv})
    assert (finding.file, finding.key, finding.value) == (
        str(tmp_path / "w.csv"),
        "site.weather (temperature_c)",
        9999.0,
    )
    assert finding.message == "is outside -90 to 60 in hour 0 of the year"
    assert finding.remedy == "fill missing values and check the unit"


def test_components_that_need_weather_where_there_is_none(told):
    message = "needs the site's weather"
    remedy = "add site.weather, a packaged set (try2010-potsdam) or a weather file"
    assert told(weather_system("{}")) == [
        (6, "components.pump.source", None, message, remedy),
        (7, "components.roof.profile", None, message, remedy),
    ]


# Tariffs


def test_a_period_is_told_at_its_own_line(told):
    text = HEAD.replace(
        "  grid: {type: grid, import_price_per_kwh: 0.3}\n",
        """  grid:
    type: grid
    import_price_per_kwh:
      default: 0.3
      periods:
        - {price: 0.1, hours: 22-06}
        - {price: 0.1, hours: 22 to 06}
        - price: 0.2
          days: weekend
""",
    )
    key = "components.grid.import_price_per_kwh.periods"
    assert told(text) == [
        (
            10,
            f"{key}[1].hours",
            "22 to 06",
            "is no range of hours",
            'write a range as "22-06" or "07:30-12", in quotes',
        ),
        (
            12,
            f"{key}[2].days",
            "weekend",
            "is no range of days",
            "write it as mon-fri or sat,sun,holiday; names are mon, tue, wed, thu, fri, sat, sun",
        ),
    ]


def test_a_price_in_quotes(told):
    line, key, value, message, remedy = one(told(HEAD.replace("0.3", "'0.3'")))
    assert (line, key, value, message) == (4, "components.grid.import_price_per_kwh", "0.3", "is no packaged profile")
    assert remedy == f"a number stands without quotes; {PACKAGED}"


# Texts that could harm


def timed_refusal(told, text):
    from time import perf_counter

    before = perf_counter()
    found = one(told(text))
    assert perf_counter() - before < 5
    return found


def test_an_alias_bomb(told):
    """Nine levels of nine would be 9^9 = 387 million values; it ends at 200,000."""
    levels = "".join(
        f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join([f'*{chr(97 + level)}'] * 9)}]\n" for level in range(9)
    )
    line, key, value, message, remedy = timed_refusal(told, f"a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n{levels}{HEAD}")
    assert 2 <= line <= 10
    assert (key, value) == ("", None)
    assert message == "brings the values to more than 200000, those repeated by aliases included"
    assert remedy == "put long series in CSV files and name them here"


@pytest.mark.parametrize(
    ("deep", "line"),
    [
        ("x: " + "[" * 10_000 + "]" * 10_000, 6),
        ("x: " + "{a: " * 10_000 + "1" + "}" * 10_000, 6),
        ("x: " + "[" * 100_000, 6),
        ("\n".join(" " * level + "a:" for level in range(2_000)), 56),
        ("x:\n" + "- " * 10_000 + "1", 7),
    ],
    ids=["brackets", "braces", "never closed", "indented", "dashes"],
)
def test_thousands_of_levels(told, deep, line):
    """Told at the 51st level, without Python's own limit being reached."""
    found = timed_refusal(told, f"{HEAD}{deep}\n")
    assert (found[3], found[4]) == ("is nested deeper than 50 levels", "flatten it")
    assert found[0] == line


def test_a_file_of_a_gigabyte(system_file):
    """Its size is asked for; it is not read. The file is sparse: it takes no room on the disk."""
    path = system_file(HEAD)
    with path.open("r+b") as file:
        file.truncate(1_000_000_000)
    with pytest.raises(InputError) as raised:
        load_system(read_yaml(path))
    (finding,) = raised.value.findings
    assert (finding.file, finding.message) == (str(path), "is larger than 10 MB")
    assert finding.remedy == "put long series in CSV files and name them in it"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"- a\n- b\n", "is a list where 'key: value' lines belong"),
        (b"text\n", "is a single value where 'key: value' lines belong"),
        (b"system_id: a\x00b\n", "holds the control or invisible character U+0000"),
        (b"system_id: \xff\n", "holds the byte 0xff, which is not UTF-8"),
        (b"\xff\xfes\x00", "is UTF-16 text"),
        (b"system_id: !!python/object/apply:os.system [ls]\n", None),
        (b"system_id: a\n---\nsystem_id: b\n", "starts a second document"),
    ],
)
def test_files_that_are_no_system(tmp_path, content, message):
    path = tmp_path / "system.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load_system(read_yaml(path))
    (finding,) = raised.value.findings
    assert finding.file == str(path)
    assert finding.remedy
    assert message is None or finding.message == message


# All at once


SEVERAL = """system_id: test
time: {start: 2018-01-01, steps: 3}
components:
  grid: {type: grid, import_price_per_kwh: smard-2081}
  roof:
    type: pv
    capacity_kw: -1
    tilt: 30
  load: {type: electricity_demand, profile: [1, 2]}
  battery: {type: batery}
  pump: {type: heat_pump, power_kw: '9', cop: 3}
  boiler: {type: gas_boiler, power_kw: 5, input: gass}
"""


def test_all_faults_are_told_in_the_order_of_the_file(told):
    """What a field may hold and what a series resolves to come together, one line of text each."""
    found = told(SEVERAL)
    assert [(line, key) for line, key, *_ in found] == [
        (4, "components.grid.import_price_per_kwh"),
        (7, "components.roof.capacity_kw"),
        (8, "components.roof.tilt"),
        (9, "components.load.profile"),
        (10, "components.battery.type"),
        (11, "components.pump.power_kw"),
        (12, "components.boiler.input"),
    ]


def test_the_text_of_the_error_is_one_line_for_each(system_from, tmp_path):
    with pytest.raises(InputError) as raised:
        system_from(SEVERAL)
    lines = str(raised.value).splitlines()
    assert len(lines) == 7
    file = tmp_path / "system.yaml"
    assert lines[1] == f"{file}:7: components.roof.capacity_kw: -1 is negative; give 0 or more"
    assert lines[5] == (f"{file}:11: components.pump.power_kw: '9' is text where a number belongs; remove the quotes")


def test_faults_of_the_head_and_of_components_come_together(told):
    text = SEVERAL.replace("steps: 3", "steps: 3, zone: UTC").replace("system_id: test", "system_id: a b")
    keys = [key for _, key, *_ in told(text)]
    assert keys[:2] == ["system_id", "time.zone"]
    assert keys[2:] == [
        "components.roof.capacity_kw",
        "components.roof.tilt",
        "components.battery.type",
        "components.pump.power_kw",
    ]


@pytest.mark.parametrize("steps", [0, -1, 1_000_001])
def test_a_run_of_no_steps_or_too_many(system_from, steps):
    with pytest.raises(InputError) as raised:
        system_from(HEAD, steps=steps)
    (finding,) = raised.value.findings
    assert (finding.key, finding.value, finding.message) == ("timesteps", steps, "is no number of steps")
