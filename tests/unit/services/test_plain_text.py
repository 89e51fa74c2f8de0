"""Data as text and back, and hashes that mean what the data mean."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecosystemiser.services.plain_text import as_text, digest, from_text, mapping_in

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])),
)
keys = st.one_of(st.text(), st.sampled_from(["!date", "!datetime", "!float", "!mapping"]))
documents = st.recursive(scalars, lambda each: st.lists(each) | st.dictionaries(keys, each), max_leaves=20)


@given(documents)
def test_text_gives_the_data_back(value: Any) -> None:
    """Also infinite numbers, dates, and mappings whose only key looks like a tag of ours."""
    assert from_text(as_text(value)) == value
    assert type(from_text(as_text(value))) is type(value)


def test_not_a_number_comes_back() -> None:
    assert math.isnan(from_text(as_text({"a": [math.nan]}))["a"][0])


def test_text_is_json_with_keys_in_their_order() -> None:
    text = as_text({"b": 1, "a": {"when": date(2018, 1, 1)}})
    assert text == '{"b":1,"a":{"when":{"!date":"2018-01-01"}}}'
    assert list(json.loads(text)) == ["b", "a"]


def test_a_time_keeps_whether_it_has_a_zone() -> None:
    for moment in (datetime(2018, 1, 1, 12), datetime(2018, 1, 1, 12, tzinfo=UTC)):  # noqa: DTZ001
        assert from_text(as_text(moment)) == moment


@given(st.dictionaries(st.text(), scalars | st.dictionaries(keys, scalars, max_size=3), max_size=6))
def test_the_order_of_keys_makes_no_difference(value: dict[str, Any]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(40, 40.0), (0, -0.0), ([1, 2.0], [1.0, 2]), ({"a": {"b": 7.0}}, {"a": {"b": 7}}), ((1, 2), [1, 2])],
)
def test_what_means_the_same_has_one_hash(one: object, other: object) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (40, 40.000000000000007),
        (1, True),
        (0, False),
        (1, "1"),
        (None, 0),
        (None, "null"),
        ([1, 2], [2, 1]),
        ([[1], 2], [[1, 2]]),
        ({"a": 1}, {"a": 1, "b": None}),
        (date(2018, 1, 1), "2018-01-01"),
        (date(2018, 1, 1), datetime(2018, 1, 1)),  # noqa: DTZ001
        (2**53 + 1, float(2**53)),
        (math.inf, "inf"),
        ({"!date": "2018-01-01"}, date(2018, 1, 1)),
    ],
)
def test_what_differs_has_two_hashes(one: object, other: object) -> None:
    assert digest(one) != digest(other)


def test_the_hash_is_this_one() -> None:
    """SHA-256 of `{"a":40,"b":[true]}`; written down so that no version of the program changes it unseen."""
    assert digest({"b": [True], "a": 40.0}) == "e62a674a6f1f50416c3beb697305cb4ba0fbf6f2a46fe6204891843d0a438629"


def test_other_things_than_data_are_refused() -> None:
    with pytest.raises(TypeError, match="set is nothing that a document holds"):
        as_text({"a": {1, 2}})


@pytest.mark.parametrize("text", [None, "", "[1]", "{", "7", 3, '{"!date": "soon"}'])
def test_what_is_no_mapping_is_read_as_an_empty_one(text: object) -> None:
    assert mapping_in(text) == {}


def test_a_mapping_is_read() -> None:
    assert mapping_in('{"time.start": {"!date": "2018-06-01"}}') == {"time.start": date(2018, 6, 1)}
