"""Lanes pass for one number where all go the same way, and never where they do not."""

import math
import operator

import numpy as np
import pytest

from ecosystemiser.model.lanes import DividedError, Lanes, largest, smallest

VALUES = [0.1, 0.7, 3.0, 1e-3]
LANES = Lanes(np.array(VALUES))


def each(function, *numbers):
    """Return what Python makes of each lane's numbers."""
    columns = [number.values.tolist() if isinstance(number, Lanes) else [number] * len(VALUES) for number in numbers]
    return [function(*row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("function", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
@pytest.mark.parametrize("other", [3, 0.3, 7.0, Lanes(np.array([2.0, 0.5, 0.25, 1.1]))], ids=repr)
def test_arithmetic_is_pythons_bit_by_bit(function, other):
    for numbers in ((LANES, other), (other, LANES)):
        assert function(*numbers).values.tolist() == each(function, *numbers)


def test_a_negative():
    assert (-LANES).values.tolist() == [-value for value in VALUES]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (lambda: LANES > 0, True),
        (lambda: LANES >= 1e-3, True),
        (lambda: LANES < 0, False),
        (lambda: LANES <= 3, True),
        (lambda: LANES == 0, False),
        (lambda: LANES != 0, True),
        (lambda: operator.gt(5, LANES), True),
        (lambda: operator.ge(math.inf, LANES), True),
        (lambda: bool(LANES), True),
        (lambda: bool(Lanes(np.zeros(2))), False),
        (lambda: (LANES or 7.0) is LANES, True),
        (lambda: isinstance(LANES, float), True),
        (lambda: max(0.0, LANES) is LANES, True),
    ],
)
def test_what_has_one_answer_is_answered(question, answer):
    assert question() is answer


@pytest.mark.parametrize(
    "question",
    [
        lambda: LANES > 0.5,
        lambda: LANES == 0.1,
        lambda: LANES != 0.1,
        lambda: bool(Lanes(np.array([0.0, 1.0]))),
        lambda: LANES if LANES < 1 else 0.0,
        lambda: min(LANES, 0.5),
        lambda: float(LANES),
        lambda: int(LANES),
        lambda: round(LANES, 2),
        lambda: math.floor(LANES),
        lambda: abs(LANES),
        lambda: LANES % 2,
        lambda: LANES // 2,
        lambda: hash(LANES),
        lambda: {LANES: 1},
        lambda: str(LANES),
        lambda: f"{LANES:.3g}",
        LANES.is_integer,
        lambda: LANES * True,
        lambda: LANES + None,
        lambda: LANES == "0.1",
        lambda: LANES * np.ones(4),
        lambda: np.ones(4) * LANES,
        lambda: np.float64(2) * LANES,
        lambda: np.maximum(LANES, 0.0),
        lambda: np.full(3, LANES),
        lambda: np.clip(np.ones(3), 0.0, LANES),
        lambda: 1 / (LANES - 0.7),
        lambda: LANES / 0,
        lambda: Lanes(np.array([-1.0, 1.0])) ** 0.5,
    ],
)
def test_what_has_no_one_answer_is_refused(question):
    with pytest.raises(TypeError):
        question()
    assert issubclass(DividedError, TypeError)


def test_compiled_code_finds_no_number():
    """The one way past the refusals: it leads to NaN, which shows."""
    assert math.isnan(math.sqrt(LANES))


def test_largest_and_smallest_go_by_lanes():
    assert largest(0.5, LANES, 0.2).values.tolist() == each(max, 0.5, LANES, 0.2)
    assert smallest(LANES, 0.5).values.tolist() == each(min, LANES, 0.5)
    assert (largest(1.0, 2.0), smallest(1.0, 2.0)) == (2.0, 1.0)
