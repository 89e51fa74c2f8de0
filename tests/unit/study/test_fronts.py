"""Fronts by hand: who is beaten, how crowded it is, how much is dominated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosystemiser.study.fronts import crowding_distances, hypervolume, non_dominated


def test_what_no_other_beats_in_every_objective_is_the_front() -> None:
    amounts = np.array([[1.0, 5.0], [2.0, 3.0], [2.0, 4.0], [4.0, 1.0], [5.0, 1.0], [2.0, 3.0]])
    assert non_dominated(amounts) == [0, 1, 3]  # of the two equal ones the first
    assert non_dominated(amounts[:, :1]) == [0]
    assert non_dominated(np.zeros((0, 2))) == []


@given(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_a_front_is_what_the_definition_says(rows: list[tuple[int, int, int]]) -> None:
    amounts = np.array(rows, dtype=float)
    beaten = [any(all(a <= b for a, b in zip(x, y, strict=True)) and x != y for x in rows) for y in rows]
    first = [row not in rows[:at] for at, row in enumerate(rows)]
    expected = [at for at in range(len(rows)) if not beaten[at] and first[at]]
    assert non_dominated(amounts) == expected


def test_crowding_is_how_far_the_neighbours_are_apart() -> None:
    """By hand: of the second of four points, neighbours lie 3 of 4 and 6 of 8 apart: the mean of 0.75 and 0.75."""
    front = np.array([[0.0, 8.0], [1.0, 5.0], [3.0, 2.0], [4.0, 0.0]])
    assert crowding_distances(front) == [None, pytest.approx(0.75), pytest.approx((0.75 + 0.625) / 2), None]
    assert crowding_distances(front[:2]) == [None, None]
    assert crowding_distances(front[:0]) == []


def test_the_hypervolume_is_the_area_below_the_reference() -> None:
    """By hand: 1 x 1, beside it 2 x 1 and 2 x 2 more; a point beyond the reference adds nothing."""
    reference = np.array([4.0, 4.0])
    assert hypervolume(np.array([[3.0, 3.0]]), reference) == 1.0
    assert hypervolume(np.array([[1.0, 3.0], [2.0, 1.0]]), reference) == 7.0
    assert hypervolume(np.array([[1.0, 3.0], [2.0, 1.0], [0.0, 5.0], [4.0, 0.0]]), reference) == 7.0
    assert hypervolume(np.array([[3.0], [1.0]]), np.array([4.0])) == 3.0
    assert hypervolume(np.zeros((0, 2)), reference) == 0.0
