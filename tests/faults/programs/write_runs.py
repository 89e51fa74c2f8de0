"""write_runs DB NAME TIMES GATE: log runs, each as running and then as completed, as soon as the file GATE is there."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.faults.programs.words import say

import ecosystemiser.store.queries  # noqa: F401 - what a write loads is there before the gate opens
from ecosystemiser import DatabaseMetadataService


def main() -> None:
    db, name, times, gate = sys.argv[1:]
    with DatabaseMetadataService(db) as log:
        say("ready")
        while not Path(gate).exists():
            time.sleep(0.0005)
        for number in range(int(times)):
            run_id = f"{name}-{number}"
            log.log_simulation_run({"run_id": run_id})
            log.log_simulation_run({"run_id": run_id, "simulation_status": "completed", "total_cost": number})
            say(f"returned {run_id}")


if __name__ == "__main__":
    main()
