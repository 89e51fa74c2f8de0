"""The mains, worked out by hand."""

from math import inf

import pytest

from ecosystemiser.errors import InputError
from ecosystemiser.model.kinds import Exchange


def test_they_sell_and_never_buy(kind_of, site_of):
    """2 pipes of 3 m3/h, a quarter of an hour: 1.5 m3."""
    text = "{type: water_grid, import_price_per_m3: 2.1, import_limit_m3_per_h: 3, count: 2"
    mains = kind_of(text + ", variable_cost_per_m3: 0.1, co2_kg_per_m3: 0.3}", site_of("time: {step: 15min, steps: 2}"))
    assert isinstance(mains, Exchange)
    assert mains.bus == "water"
    assert mains.import_limit.values(2).tolist() == [1.5, 1.5]
    assert (mains.import_price.scale, mains.variable_cost.scale, mains.co2_kg.scale) == (2.1, 0.1, 0.3)
    assert (mains.export_limit.highest(), mains.renewable_share) == (0, 0)


def test_without_a_limit_they_give_all(kind_of):
    assert kind_of("{type: water_grid, import_price_per_m3: 2}").import_limit.highest() == inf


def test_the_price_may_follow_the_clock(kind_of):
    mains = kind_of("{type: water_grid, import_price_per_m3: {default: 2, periods: [{price: 1, hours: 1-2}]}}")
    assert mains.import_price.values(3).tolist() == [2, 1, 2]


def test_a_limit_of_zero_gives_nothing(kind_of):
    assert kind_of("{type: water_grid, import_price_per_m3: 2, import_limit_m3_per_h: 0}").import_limit.highest() == 0


def test_a_price_list_of_the_wrong_length_is_refused(kind_of):
    with pytest.raises(InputError, match="import_price_per_m3: has 2 values"):
        kind_of("{type: water_grid, import_price_per_m3: [1.0, 2.0]}")
