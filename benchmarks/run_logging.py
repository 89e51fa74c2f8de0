"""One run in the log: the row `running`, then the row with all KPIs, each on the disk; beside sqlite3 alone, MLflow
and Optuna."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from benchmarks.bare_log import BareLog, Values, bare
from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Pair, Row, by_turns
from benchmarks.trackers import TRACKERS

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["Values", "bare", "rows"]

MOST = 4.0
AS_FAST_AS_TRACKERS = 1 / 20
IN_A_ROW = 10
"""Runs logged between two of a tracker: ours would otherwise find the caches as the tracker left them."""
PARAMETERS = {"battery.capacity_kwh": 80.0, "roof_pv.capacity_kw": 60.0, "grid.export_price_per_kwh": 0.08}
Log = Callable[[], None]


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    with disk_folder() as folder, DatabaseMetadataService(folder / "ours.sqlite") as service:
        numbers = count()

        def ours() -> None:
            start, end = run(f"run-{next(numbers)}")
            service.log_simulation_run(start)
            service.log_simulation_run(end)

        ours()
        with bare(folder / "ours.sqlite", folder / "bare.sqlite") as connection:
            log = BareLog(connection)

            def peer() -> None:
                start, end = run(f"run-{next(numbers)}")
                log.begin([start], [PARAMETERS])
                log.end([end])

            pair = by_turns(ours, peer, effort.many_repeats, warm_ups=5, tidy=False)
        note = "each of the two commits waits for the disk (WAL, synchronous FULL), in both"
        made = [
            Row("logging", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, note=note, details=pair.details())
        ]
        return made + _beside_trackers(ours, folder, effort)


def _in_a_row(log: Log) -> Log:
    """Return what logs as many runs, one after the other, as a study does."""

    def some() -> None:
        for _ in range(IN_A_ROW):
            log()

    return some


def _beside_trackers(ours: Log, folder: Path, effort: Effort) -> list[Row]:
    kpis = {name: 0.5 + at for at, name in enumerate(KPI_NAMES)}
    made = []
    for tracker in TRACKERS:
        what = f"logging, {tracker.name}"
        if not effort.is_full or find_spec(tracker.package) is None:
            made.append(Row(what, note=f"{tracker.package}, which `make bench` installs, in a full measurement only"))
            continue
        with tracker.logging(folder, PARAMETERS, kpis) as log:
            pair = by_turns(_in_a_row(ours), _in_a_row(log), effort.long_repeats, warm_ups=1, tidy=False)
        pair = Pair(*(tuple(each / IN_A_ROW for each in side) for side in (pair.ours, pair.peer)))
        limit = AS_FAST_AS_TRACKERS if tracker.is_limit else None
        row = Row(what, pair.ours_s, pair.peer_s, "s", limit, spread=pair.spread, note=tracker.how)
        made.append(replace(row, details=pair.details()))
    return made


def run(run_id: str, study_id: str = "bench") -> tuple[Values, Values]:
    """Return what is logged of a run at its start and at its end."""
    now = datetime.now(UTC).isoformat()
    start: Values = {
        "run_id": run_id,
        "study_id": study_id,
        "system_id": "reference",
        "timesteps": 8760,
        "timestamp": now,
        "solver_type": "milp",
        "currency": "EUR",
        "simulation_status": "running",
        "results_path": f"results/{run_id}",
        "parameters_json": json.dumps(PARAMETERS),
        "config_hash": "0" * 64,
    }
    end: Values = {
        "run_id": run_id,
        "simulation_status": "completed",
        **{name: 0.5 + at for at, name in enumerate(KPI_NAMES)},
        "flows_path": f"results/{run_id}/hourly.parquet",
        "hourly_sha256": "0" * 64,
        "components_path": f"results/{run_id}/components.json",
        "solver_status": "optimal",
        "objective": 16000.0,
        "bound": 16000.0,
        "mip_gap": 0.0,
        "solve_seconds": 1.5,
        "balance_residual": 1e-12,
        "wall_seconds": 2.0,
    }
    return start, end
