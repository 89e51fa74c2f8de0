"""The space of a study: which values its fields take, how far designs are apart."""

from __future__ import annotations

import numpy as np
import pytest

from ecosystemiser.config import ValueRange
from ecosystemiser.study.space import Choice, Continuous, Space, Stepped, design_key


def test_what_a_field_is_follows_from_how_it_is_written() -> None:
    space = Space.of(
        {
            "a": ValueRange(first=0, to=10),
            "b": ValueRange(first=1, to=4, integer=True),
            "c": ValueRange(first=1, to=0, count=3),
            "d": [0, 5, 20],
            "e": [5, 0],
            "f": ["x", "y"],
            "g": [True, False],
        }
    )
    assert space.dimensions == (
        Continuous("a", 0.0, 10.0),
        Stepped("b", range(1, 5)),
        Stepped("c", [0.0, 0.5, 1.0]),
        Stepped("d", [0, 5, 20]),
        Choice("e", [5, 0]),
        Choice("f", ["x", "y"]),
        Choice("g", [True, False]),
    )
    assert space.size is None


def test_designs_stand_at_shares_of_the_unit_cube() -> None:
    """By hand: each of n values takes an nth of 0 to 1; both ends belong to it."""
    space = Space.of({"a": ValueRange(first=10, to=30), "n": ValueRange(first=1, to=4, integer=True), "c": ["x", "y"]})
    shares = np.array([[0.0, 0.0, 0.0], [0.25, 0.24, 0.49], [0.5, 0.25, 0.5], [1.0, 1.0, 1.0]])
    assert space.designs_at(shares) == [
        {"a": 10.0, "n": 1, "c": "x"},
        {"a": 15.0, "n": 1, "c": "x"},
        {"a": 20.0, "n": 2, "c": "y"},
        {"a": 30.0, "n": 4, "c": "y"},
    ]


def test_the_size_of_a_space_of_listed_values_is_their_product() -> None:
    assert Space.of({"n": ValueRange(first=1, to=1_000, integer=True), "c": ["x", "y"]}).size == 2_000


def test_distances_are_root_mean_squares_of_shares() -> None:
    """By hand: half the range apart and another choice: sqrt((0.25 + 1) / 2); half the range alone: sqrt(0.125)."""
    space = Space.of({"a": ValueRange(first=10, to=30), "c": ["x", "y", "z"]})
    apart = space.distances([{"a": 10.0, "c": "x"}, {"a": 20.0, "c": "z"}, {"a": 20.0, "c": "x"}])
    assert apart[0] == pytest.approx([0.0, 0.625**0.5, 0.125**0.5])
    assert apart == pytest.approx(apart.T)
    steps = Space.of({"n": [0, 1, 100]}).distances([{"n": 0}, {"n": 1}])
    assert steps[0, 1] == 0.5  # places in the list, as the search sees them


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ({"a": 1, "b": "x"}, {"b": "x", "a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": {"price": 1}}, {"a": {"price": 2}}, False),
        ({"a": 0.1 + 0.2}, {"a": 0.3}, False),
    ],
)
def test_equal_designs_have_equal_keys(one: dict[str, object], other: dict[str, object], is_same: bool) -> None:
    assert (design_key(one) == design_key(other)) is is_same
