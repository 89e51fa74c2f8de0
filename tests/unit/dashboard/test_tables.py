"""Columns of the explorer's tables: heads and units."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecosystemiser.dashboard.tables import runs_columns


def row(**values: Any) -> dict[str, Any]:
    known = {"run_id": "r1", "simulation_status": "completed", "total_cost": 1.0, "currency": "CHF"}
    return {**known, "parameters_json": json.dumps(values)}


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("battery.capacity_kwh", "battery.capacity [kWh]"),
        ("grid.import_price_per_kwh", "grid.import_price [CHF/kWh]"),
        ("roof_pv.tilt_deg", "roof_pv.tilt_deg [deg]"),
        ("economics.discount_rate", "economics.discount_rate"),
    ],
)
def test_a_varied_field_has_its_unit_in_the_head(path: str, head: str) -> None:
    (column,) = runs_columns([row(**{path: 1.0}), row(**{path: 2.0})], [f"params.{path}"])
    assert column.head == head
    assert list(column.values) == [1.0, 2.0]
