"""Series: what they are worth, and what their multiples share."""

from math import inf

import numpy as np
import pytest

from ecosystemiser.model.kinds import Series

SHAPE = np.array([0.5, -1.0, 2.0])


@pytest.mark.parametrize(
    ("series", "lowest", "highest"),
    [
        (Series(3.0), 3, 3),
        (Series(-3.0), -3, -3),
        (Series(inf), inf, inf),
        (Series(2.0, SHAPE), -2, 4),
        (Series(-2.0, SHAPE), -4, 2),
        (Series(0.0, SHAPE), 0, 0),
        (Series(2.0, SHAPE).times(0.5), -1, 2),
        (Series(2.0, SHAPE).times(-1), -4, 2),
        (Series(2.0).times(-1.5), -3, -3),
    ],
)
def test_ends(series, lowest, highest):
    assert (series.lowest(), series.highest()) == (lowest, highest)


def test_a_multiple_stands_on_the_same_shape():
    """So variations of a size can be told by identity to share it."""
    series = Series(2.0, SHAPE)
    assert series.times(3).shape is SHAPE
    assert series.times(3).values(3).tolist() == [3, -6, 12]
    assert Series(2.0).times(3).values(2).tolist() == [6, 6]
