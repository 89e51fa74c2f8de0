"""early_ack DB SYSTEM OUTPUT: a broken writer, which says that a run is recorded and commits it a moment later."""

from __future__ import annotations

import itertools
import os
import sys
import time

from tests.faults.programs.words import say

from ecosystemiser import DatabaseMetadataService


def main() -> None:
    with DatabaseMetadataService(sys.argv[1]) as log:
        say("begin")
        for number in itertools.count():
            run_id = f"p{os.getpid()}-{number}"
            log.log_simulation_run({"run_id": run_id})
            say(f"returned {run_id}")
            time.sleep(0.1)
            log.log_simulation_run({"run_id": run_id, "simulation_status": "completed", "total_cost": 1.0})


if __name__ == "__main__":
    main()
