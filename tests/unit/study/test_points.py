"""Points of a study: which there are, in which order they are solved, in which pieces."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from ecosystemiser.study import points as points_module
from ecosystemiser.study.parametric import Parametric
from ecosystemiser.study.points import CHUNKS, LARGEST_CHUNK, Point, chunks_of, grid_points, near_neighbour_order
from ecosystemiser.study.points import zipped_points as zipped


def numbers(points: list[Point]) -> list[int]:
    return [point.number for point in points]


def test_a_grid_holds_every_combination_the_last_field_changing_fastest() -> None:
    points = grid_points({"a": [1, 2], "b": ["x", "y", "z"]})
    assert [tuple(point.values.values()) for point in points] == [
        (1, "x"),
        (1, "y"),
        (1, "z"),
        (2, "x"),
        (2, "y"),
        (2, "z"),
    ]
    assert numbers(points) == list(range(6))
    assert list(points[0].values) == ["a", "b"]


def test_zipped_values_go_side_by_side() -> None:
    points = zipped({"a": [1, 2], "b": ["x", "y"]})
    assert [dict(point.values) for point in points] == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    with pytest.raises(ValueError, match="shorter"):
        zipped({"a": [1, 2], "b": [1]})


@pytest.mark.parametrize("make", [grid_points, zipped])
def test_without_fields_there_is_one_point(make: object) -> None:
    assert make({}) == [Point(0, {})]  # type: ignore[operator]


def test_each_point_follows_its_nearest() -> None:
    """By hand: a 3 x 3 grid is walked like a snake; every step is half a range."""
    order = near_neighbour_order(grid_points({"a": [0, 1, 2], "b": [0, 10, 20]}))
    # From (0,0) the neighbours (0,10) = 1 and (1,0) = 3 are as near; the lower number wins: 1, 2, 5, 4, 3, 6, 7, 8.
    assert numbers(order) == [0, 1, 2, 5, 4, 3, 6, 7, 8]


def test_distances_are_shares_of_a_fields_range() -> None:
    """By hand: places 0, 1, 0.1, 0.5, whatever the unit; from 0 to 0.1, 0.5, 1."""
    for unit in (1, 1e-6, 1e9):
        order = near_neighbour_order(grid_points({"a": [value * unit for value in (0.0, 10.0, 1.0, 5.0)]}))
        assert numbers(order) == [0, 2, 3, 1]


def test_a_field_of_one_value_and_choices_have_places_too() -> None:
    """Choices stand in the order in which they were given; truth values are choices."""
    order = near_neighbour_order(grid_points({"one": [7], "choice": ["b", "a", "c"], "flag": [True, False]}))
    # b, a, c stand at 0, 0.5, 1: a step to the next choice is half as far as one to the other truth value.
    assert numbers(order) == [0, 2, 4, 5, 3, 1]
    assert numbers(near_neighbour_order(grid_points({"a": [[1, 2], {"x": 1}]}))) == [0, 1]


def test_of_values_that_all_differ_none_is_near_another() -> None:
    """As of price series: the order follows the other fields."""
    order = near_neighbour_order(zipped({"series": [[1, 2], [3, 4], {"x": 1}], "size": [0, 9, 1]}))
    assert numbers(order) == [0, 2, 1]


def test_the_order_is_fixed_by_the_points_alone() -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    points = grid_points({"a": [chance.random() for _ in range(8)], "b": [chance.random() for _ in range(8)]})
    order = near_neighbour_order(points)
    assert order == near_neighbour_order(points)
    assert sorted(numbers(order)) == list(range(64))
    assert order[0] is points[0]


def test_an_order_of_neighbours_is_much_shorter_than_the_listed_one() -> None:
    """What it is for; and a negative control of the tests above."""
    chance = random.Random(2)  # noqa: S311 - no secret
    points = zipped({"a": [chance.random() for _ in range(200)], "b": [chance.random() for _ in range(200)]})

    def length(walk: list[Point]) -> float:
        places = [tuple(point.values.values()) for point in walk]
        return sum(math.dist(one, other) for one, other in pairwise(places))

    assert length(near_neighbour_order(points)) < 0.3 * length(points)


def test_very_many_points_are_sorted_by_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    points = zipped({"a": [3, 1, 2, 1], "b": [0, 1, 0, 0]})
    monkeypatch.setattr(points_module, "MOST_ORDERED", 3)
    assert numbers(near_neighbour_order(points)) == [3, 1, 2, 0]


def test_no_points_have_an_order() -> None:
    assert near_neighbour_order([]) == []


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [1]),
        (8, [1] * 8),
        (9, [2, 2, 2, 2, 1]),
        (80, [10] * 8),
        (2000, [250] * 8),
        (2001, [250] * 8 + [1]),
    ],
)
def test_pieces_are_fixed_by_the_number_of_points(count: int, sizes: list[int]) -> None:
    pieces = chunks_of(range(count))
    assert [len(piece) for piece in pieces] == sizes
    assert [item for piece in pieces for item in piece] == list(range(count))


def test_no_piece_is_too_large() -> None:
    assert max(len(piece) for piece in chunks_of(range(LARGEST_CHUNK * CHUNKS * 10))) == LARGEST_CHUNK


def test_a_parametric_study_asks_for_all_at_once() -> None:
    strategy = Parametric({"a": [0, 9, 1]})
    assert strategy.size == 3
    (asked,) = strategy.ask()
    assert numbers(asked) == [0, 2, 1]
    strategy.tell(asked[0], None)
    assert Parametric({"a": [1, 2], "b": [3, 4]}, is_zipped=True).size == 2
