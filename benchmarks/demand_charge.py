"""The community's full-year optimum with a monthly demand charge, beside the one without."""

from __future__ import annotations

from benchmarks.measure import Effort, Row, by_turns
from benchmarks.optimum import audited, cyclic
from benchmarks.systems import reference

__all__ = ["rows"]

MOST = 2.0
CHARGE = {"demand_charges": [{"price_per_kw": 8.0}]}


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    plain = reference(effort.steps)
    charged = reference(effort.steps, grid__tariff=CHARGE)
    problem, other = cyclic(plain), cyclic(charged)
    pair = by_turns(lambda: audited(charged, other), lambda: audited(plain, problem), effort.long_repeats)
    return [Row("demand_charge", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, details=pair.details())]
