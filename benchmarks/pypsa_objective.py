"""The same system in PyPSA, built as its documentation shows: same optimum? how long from the series to the optimum?"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Effort, Limit, Row, by_turns
from benchmarks.optimum import audited, cyclic, running_cost
from benchmarks.systems import Given, given, reference

if TYPE_CHECKING:
    import pypsa

__all__ = ["network", "optimum", "quieten", "rows"]

AMPLE_KW = 1e4
"""A limit where PyPSA wants a number and the system has none."""


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    if find_spec("pypsa") is None:
        return [Row("pypsa_objective", note="PyPSA is not installed; `make bench` installs it")]
    import pypsa

    system = reference(effort.steps)
    series = given(system)
    quieten()
    timed = by_turns(lambda: audited(system, cyclic(system)), lambda: optimum(series), effort.long_repeats)
    direct = by_turns(lambda: audited(system, cyclic(system)), lambda: optimum(series, io_api="direct"), 2)
    ours, theirs = running_cost(audited(system, cyclic(system))), optimum(series)
    return [
        Row("pypsa_objective", ours, theirs, "EUR", 1e-6, Limit.DIFFERENCE, details={"pypsa": pypsa.__version__}),
        Row(
            "pypsa_objective time",
            timed.ours_s,
            timed.peer_s,
            spread=timed.spread,
            details=timed.details(),
            note="system to audited optimum; PyPSA: series to optimum, optimize() as documented",
        ),
        Row(
            "pypsa_objective, direct",
            direct.ours_s,
            direct.peer_s,
            details=direct.details(),
            note="time with PyPSA's fastest way to HiGHS, io_api='direct'",
        ),
    ]


def network(series: Given) -> pypsa.Network:
    """Return the reference system in PyPSA."""
    import pandas as pd
    import pypsa

    hours = pd.RangeIndex(len(series.load_kwh))
    n = pypsa.Network()
    n.set_snapshots(hours)

    def by_hour(values: Any) -> pd.Series:
        return pd.Series(values, index=hours)

    n.add("Carrier", ["electricity", "heat"])
    n.add("Bus", "electricity", carrier="electricity")
    n.add("Bus", "heat", carrier="heat")
    n.add("Load", "houses", bus="electricity", p_set=by_hour(series.load_kwh))
    n.add("Load", "heat", bus="heat", p_set=by_hour(series.heat_kwh))
    n.add(
        "Generator",
        "import",
        bus="electricity",
        p_nom=series.import_limit_kw,
        marginal_cost=by_hour(series.import_price),
    )
    n.add("Generator", "export", bus="electricity", p_nom=AMPLE_KW, sign=-1, marginal_cost=-series.export_price)
    n.add("Generator", "pv", bus="electricity", p_nom=1.0, p_max_pu=by_hour(series.pv_kwh))
    n.add(
        "Link",
        "heat pump",
        bus0="electricity",
        bus1="heat",
        p_nom=series.heat_pump_kw,
        efficiency=by_hour(series.cop),
    )
    n.add(
        "StorageUnit",
        "battery",
        bus="electricity",
        p_nom=series.battery_kw,
        max_hours=series.battery_kwh / series.battery_kw,
        efficiency_store=series.battery_efficiency,
        efficiency_dispatch=series.battery_efficiency,
        cyclic_state_of_charge=True,
    )
    n.add("Store", "buffer", bus="heat", e_nom=series.store_kwh, standing_loss=series.store_loss, e_cyclic=True)
    return n


def optimum(series: Given, **how: Any) -> float:
    """Return the least running cost that PyPSA finds. Raises RuntimeError where it finds none."""
    with _silent(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notices of coming versions
        n = network(series)
        status, condition = n.optimize(
            solver_name="highs",
            solver_options={"threads": 1, "log_to_console": False, "output_flag": False},
            include_objective_constant=False,
            progress=False,
            **how,
        )
    if status != "ok" or n.objective is None:
        raise RuntimeError(f"PyPSA ends with {status}, {condition}")
    return float(n.objective)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep HiGHS' banner, which it prints before it reads its options, out of our table."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def quieten() -> None:
    for name in ("pypsa", "linopy"):
        logging.getLogger(name).setLevel(logging.ERROR)
