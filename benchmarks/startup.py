"""How long the command line lets a person wait, beside Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Limit, Row, by_turns

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.runs import log_runs

__all__ = ["rows"]

COMMANDS = ((("--help",), 0.3), (("runs", "list"), 0.6))
"""What is called, and the most that it may take. [s]"""
RUNS = 1000
PROGRAM = Path(sys.executable).with_name("ecosystemiser")


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    with disk_folder() as folder:
        path = folder / "runs.sqlite"
        _fill(path, RUNS if effort.is_full else 50)
        environment = {**os.environ, "ECOSYSTEMISER_DB": str(path)}
        return [_measured(words, most, environment, effort) for words, most in COMMANDS]


def _measured(words: Sequence[str], most: float, environment: dict[str, str], effort: Effort) -> Row:
    what = f"startup {' '.join(words)}"
    if not PROGRAM.exists():
        return Row(what, note=f"there is no {PROGRAM.name} beside {Path(sys.executable).name}")
    tried = _call([str(PROGRAM), *words], environment)
    if tried.returncode != 0:
        said = " ".join(tried.stderr.split()) or "nothing"
        return Row(what, note=f"the command does not work yet; it ends with {tried.returncode} and says: {said[-300:]}")
    pair = by_turns(
        lambda: _call([str(PROGRAM), *words], environment),
        lambda: _call([sys.executable, "-c", "pass"], environment),
        effort.short_repeats,
    )
    return Row(what, pair.ours_s, pair.peer_s, "s", most, Limit.VALUE, spread=pair.spread, details=pair.details())


def _call(words: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def _fill(path: Path, count: int) -> None:
    now = datetime.now(UTC).isoformat()
    kpis = {name: 0.5 + at for at, name in enumerate(KPI_NAMES)}
    runs = [
        {"run_id": f"run-{at}", "system_id": "reference", "timesteps": 8760, "timestamp": now, "solver_type": "milp"}
        | {"simulation_status": "completed", **kpis}
        for at in range(count)
    ]
    with DatabaseMetadataService(path) as service, service.transaction() as connection:
        log_runs(connection, runs)
