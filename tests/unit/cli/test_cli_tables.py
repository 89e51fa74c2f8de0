"""Tables that fit, CSV that is no program, JSON that parses."""

from __future__ import annotations

import csv
import io
import json

import pytest

from ecosystemiser.cli.run_list import short_ids
from ecosystemiser.cli.tables import Column, as_csv, as_json, as_pairs, as_table


def test_a_table_that_fits_is_left_alone() -> None:
    columns = [Column("name", ["a", "bcd"]), Column("cost", ["1", "22,000"], is_number=True)]
    assert as_table(columns, 80).splitlines() == ["name    cost", "a          1", "bcd   22,000"]


def test_a_narrow_terminal_first_cuts_then_leaves_out() -> None:
    columns = [
        Column("name", ["a very long name"], least=6),
        Column("less", ["important"], drop=1),
        Column("even", ["less so"], drop=2),
    ]
    assert as_table(columns, 32).splitlines()[1] == "a very long…  important  less so"
    assert as_table(columns, 20).splitlines()[1] == "a very l…  important"
    assert as_table(columns, 12).splitlines()[1] == "a very long…"


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    columns = [Column("name", ["x" * 50], least=5), Column("more", ["y" * 30], drop=1), Column("n", ["1"])]
    assert max(len(line) for line in as_table(columns, width).splitlines()) <= width


def test_letters_of_the_far_east_take_two_places() -> None:
    lines = as_table([Column("name", ["電池", "pv"]), Column("size", ["1", "2"])], 80).splitlines()
    assert lines == ["name  size", "電池  1", "pv    2"]


def test_cells_cannot_steer_a_terminal() -> None:
    assert "\x1b" not in as_table([Column("a", ["\x1b[31mred"])], 80)
    assert "\x1b" not in as_pairs([("error", "\x1b[31mred")], width=80)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_gets_a_quote(start: str) -> None:
    text = f"{start}cmd|' /C calc'!A0"
    rows = list(csv.reader(io.StringIO(as_csv([{"name": text}], ["name"]), newline="")))
    assert rows == [["name"], [f"'{text}".replace("\r", "\n")]]


def test_numbers_stay_numbers_in_csv() -> None:
    rows = [{"a": -1.5, "b": "-3", "c": None, "d": 0.1 + 0.2}]
    assert as_csv(rows, ["a", "b", "c", "d"]).splitlines()[1] == "-1.5,-3,,0.30000000000000004"


def test_json_holds_what_was_given() -> None:
    assert json.loads(as_json({"ü": [1, None]})) == {"ü": [1, None]}


def test_long_sentences_go_on_below_and_paths_stay_whole() -> None:
    text = as_pairs([("path", "/" + "a" * 90), ("error", "word " * 30)], width=40)
    assert "/" + "a" * 90 in text
    assert "\n         word" in text


def test_short_ids_are_unambiguous_among_those_shown() -> None:
    ids = ["01a20690-73d6-78e7-8f50-caaa62630945", "01a20690-73d6-78e8-8f50-caaa62630945", "01a20691-0000-7000-8000-0"]
    assert short_ids(ids) == ["01a20690-73d6-78e7", "01a20690-73d6-78e8", "01a20691-0000"]
    assert short_ids(["base", "base-2"]) == ["base", "base-2"]
