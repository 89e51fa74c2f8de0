"""A run of two days that can be checked by head."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from ecosystemiser.charts.curves import Curve, Level, Price, RunCurves
from ecosystemiser.model.clock import Clock
from ecosystemiser.model.kinds import Role
from ecosystemiser.results import BillLine, CostKind
from ecosystemiser.units import Carrier

STEPS = 48


def flow(component: str, name: str, role: Role, sign: int, amounts: Any, bus: str = "electricity") -> Curve:
    values = np.broadcast_to(np.asarray(amounts, dtype=np.float64), STEPS)
    carrier = Carrier.WATER if "water" in bus else Carrier(bus)
    return Curve(component, name, bus, carrier, role, sign, values)


@pytest.fixture
def run() -> RunCurves:
    return make_run()


def make_run(title: str = "base", start: datetime = datetime(2018, 6, 1, tzinfo=UTC), **amounts: Any) -> RunCurves:
    """Two PVs of 2 and 1 kWh an hour, a demand of 5, a battery that gives 1 in odd hours and takes 1 in even ones."""
    is_odd = np.arange(STEPS) % 2
    bought = amounts.get("bought", 3.0 - 2.0 * is_odd + 1.0)
    curves = (
        flow("grid", "import", Role.BOUGHT, 1, bought),
        flow("grid", "export", Role.SOLD, -1, 0.0),
        flow("south", "out", Role.SUN, 1, 2.0),
        flow("south", "curtailed", Role.LOST, 0, 0.5),
        flow("west", "out", Role.SUN, 1, 1.0),
        flow("battery", "charge", Role.STORED, -1, 1 - is_odd),
        flow("battery", "discharge", Role.STORED, 1, is_odd),
        flow("house", "in", Role.USED, -1, 5.0),
        flow("house", "unmet", Role.UNMET, 0, amounts.get("unmet", 0.0)),
        flow("pump", "in", Role.CONVERTED, -1, 1.0),
        flow("pump", "out", Role.CONVERTED, 1, 3.0, "heat"),
        flow("home", "in", Role.USED, -1, 3.0, "heat"),
        flow("roof", "out", Role.SKY, 1, 0.25, "service_water"),
        flow("flush", "in", Role.USED, -1, 0.25, "service_water"),
    )
    levels = (Level("battery", "electricity", Carrier.ELECTRICITY, 2.0 - is_odd, 2.0),)
    prices = (Price("price, grid bought", "electricity", Carrier.ELECTRICITY, np.full(STEPS, 0.3)),)
    bill = (
        BillLine("grid", CostKind.PURCHASE, 100.0),
        BillLine("grid", CostKind.REVENUE, -10.0),
        BillLine("south", CostKind.CAPITAL, 50.0),
    )
    clock = Clock(start, 3600, STEPS, "Europe/Berlin")
    return RunCurves(title, clock, "EUR", curves, levels, prices, bill)


@pytest.fixture
def another_run() -> Callable[..., RunCurves]:
    """Return a function that makes variations of the run."""
    return make_run
