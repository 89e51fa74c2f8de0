"""deaf_holder DB RUN RELEASE HOW: a broken owner, which reports a late result and does not hear that it is refused."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.programs.words import say

from ecosystemiser import DatabaseMetadataService, StoreError


def main() -> None:
    db, run_id, release = sys.argv[1:4]
    with DatabaseMetadataService(db) as log:
        log.log_simulation_run({"run_id": run_id})
        say("held")
        while not Path(release).exists():
            time.sleep(0.01)
        with suppress(StoreError):
            log.log_simulation_run({"run_id": run_id, "simulation_status": "completed", "total_cost": 1.0})
        say("completed")


if __name__ == "__main__":
    main()
