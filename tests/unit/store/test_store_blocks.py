"""Many rows checked at once: the same as one by one."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosystemiser.errors import InputError
from ecosystemiser.store.blocks import grouped
from ecosystemiser.store.clock import is_utc_text, utc_text
from ecosystemiser.store.runs import ALL_COLUMNS
from ecosystemiser.store.states import RunStatus
from ecosystemiser.store.values import SET_BY_STORE, RowChecker

CHECKER = RowChecker(ALL_COLUMNS, "simulation_runs", "log_simulation_run")
NAMES = [column.name for column in ALL_COLUMNS if column.name not in SET_BY_STORE]

right = st.sampled_from(
    ["r1", "completed", RunStatus.FAILED, "unmet", "{}", '{"a": [1, 2.5]}', "2026-01-01T00:00:00.000000Z", 1, 0, 2.5]
)
odd = st.sampled_from(
    [
        None, True, -1, 2**63, 10**400, math.nan, math.inf, -math.inf, 1e308, np.float64(2.5), np.int64(3),
        np.float32(1), np.array([1.0, 2.0]), "a\0b", "\ud800", "ä", "", "a..b", "NaN", "{",
        "2026-02-30T00:00:00.000000Z", "2026-01-01T24:00:00.000000Z", "2026-W01-1T00:00:00.000000Z",
        "2026-07-01T12:00:00+02:00", Path("a/b"),
        {"a": 1.0}, {"a": math.nan}, b"x", object(), [1],
    ]
)  # fmt: skip


@st.composite
def many_rows(draw):
    """A few kinds of rows, each several times: mostly with right values."""
    names_of = st.lists(st.sampled_from([*NAMES, "colour"]), max_size=5, unique=True)
    kinds = draw(st.lists(names_of, min_size=1, max_size=3))
    values = right if draw(st.booleans()) else right | odd
    names = draw(st.lists(st.sampled_from(kinds), max_size=8))
    return [{name: draw(values) for name in own} for own in names]


def one_by_one(rows):
    """What the rows become, or all that is wrong with the first of them that is refused."""
    try:
        return [CHECKER.checked(row) for row in rows], None
    except InputError as error:
        return None, str(error)


def at_once(rows):
    try:
        blocks = CHECKER.checked_blocks(rows)
    except InputError as error:
        return None, str(error)
    taken = [None] * len(rows)
    for block in blocks:
        for at, place in enumerate(block.places):
            taken[place] = {name: values[at] for name, values in block.columns.items()}
    return taken, None


@given(many_rows())
def test_rows_are_taken_or_refused_as_one_by_one(rows):
    (taken, said), (wanted, wanted_said) = at_once(rows), one_by_one(rows)
    assert (taken, said) == (wanted, wanted_said)
    if taken is not None:
        kinds, wanted_kinds = ([[type(value) for value in row.values()] for row in each] for each in (taken, wanted))
        assert kinds == wanted_kinds


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, True, "1", 10**400])
@pytest.mark.parametrize("place", [0, 1, 249])
def test_one_bad_number_among_many_is_found(bad, place):
    rows = [{"total_cost": 1e300 * (-1) ** at} for at in range(250)]
    rows[place] = {"total_cost": bad}
    with pytest.raises(InputError, match="total_cost"):
        CHECKER.checked_blocks(rows)


def test_numbers_whose_sum_overflows_are_taken():
    rows = [{"total_cost": 1.7e308}, {"total_cost": 1.7e308}]
    (block,) = CHECKER.checked_blocks(rows)
    assert list(block.columns["total_cost"]) == [1.7e308, 1.7e308]


def test_half_a_character_in_each_of_two_texts_is_refused():
    with pytest.raises(InputError, match="no Unicode"):
        CHECKER.checked_blocks([{"note": "\ud83d"}, {"note": "\ude00"}])


def test_the_first_bad_row_is_told_of_whatever_its_columns():
    rows = [{"total_cost": 1.0}, {"note": 5, "seed": -1}, {"total_cost": "x"}]
    with pytest.raises(InputError) as caught:
        CHECKER.checked_blocks(rows)
    assert [finding.key for finding in caught.value.findings] == ["note", "seed"]


def test_rows_of_the_same_columns_stand_together():
    first, second = grouped([{"a": 1, "b": 2}, {"b": 3}, {"a": 4, "b": 5}])
    assert (list(first.places), list(second.places)) == ([0, 2], [1])
    assert {name: list(values) for name, values in first.columns.items()} == {"a": [1, 4], "b": [2, 5]}
    assert list(second.column("a", "none")) == ["none"]
    chosen = first.chosen([False, True])
    assert (list(chosen.places), list(chosen.columns["a"]), len(chosen)) == ([2], [4], 1)


@given(st.datetimes() | st.text(max_size=30))
def test_a_time_as_the_log_writes_it_is_known(value):
    if isinstance(value, str):
        assert not is_utc_text(value) or utc_text(value) == value
    else:
        assert is_utc_text(utc_text(value.isoformat() + "+00:00"))
        assert not is_utc_text(value.isoformat())
