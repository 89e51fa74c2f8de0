"""The page that says what can be asked for."""

from tests.unit.store.filtering.cases import FIELDS, WORDS

from ecosystemiser.store.filtering.fields import Field
from ecosystemiser.store.filtering.help import help_text
from ecosystemiser.store.filtering.parsing import parse

LONG = Field("a_name_that_is_longer_than_most", "number", "currency/kWh", "a meaning " * 20)


def test_every_field_stands_there_with_unit_and_meaning():
    text = " ".join(help_text([*FIELDS, LONG]).split())
    for field in FIELDS:
        if field.alias_of is None:
            assert field.name in text
            assert field.meaning in text
    assert "total_cost currency what the run costs; short: cost" in text
    assert f"one of {', '.join(WORDS)}" in text
    assert "currency/kWh a meaning a meaning" in text


def test_a_meaning_that_ends_with_a_full_stop_goes_on_without_it():
    fields = [
        Field("total_cost", "number", "", "What it costs."),
        Field("cost", "number", "", "What it costs.", alias_of="total_cost"),
    ]
    assert "What it costs; short: cost" in help_text(fields)


def test_no_line_is_wider_than_a_terminal():
    lines = help_text([*FIELDS, LONG]).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(line.endswith(" ") for line in lines)


def test_the_example_is_a_filter():
    example = next(line for line in help_text(FIELDS).splitlines() if line.startswith("A filter: "))
    assert parse(example.removeprefix("A filter: "), FIELDS)


def test_without_fields_the_grammar_stands_alone():
    assert help_text([]).startswith("name  unit  meaning\n")
