"""in_place DB SYSTEM OUTPUT: a broken writer, which completes the row, then writes the hourly file piece by piece."""

from __future__ import annotations

import itertools
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from tests.faults.programs.words import say

from ecosystemiser import DatabaseMetadataService
from ecosystemiser.store.hourly import write_hourly


def main() -> None:
    folder = Path(sys.argv[3]) / f"whole-{os.getpid()}"
    whole = write_hourly(folder, {"house": np.ones(6)}, datetime(2018, 1, 1, tzinfo=UTC), 3600)
    content = whole.path.read_bytes()
    with DatabaseMetadataService(sys.argv[1]) as log:
        say("begin")
        for number in itertools.count():
            run_id = f"p{os.getpid()}-{number}"
            path = folder / f"{number}.parquet"
            row = {"run_id": run_id, "simulation_status": "completed", "total_cost": 1.0}
            log.log_simulation_run({**row, "flows_path": path, "hourly_sha256": whole.sha256})
            with path.open("wb", buffering=0) as file:
                for first in range(0, len(content), 512):
                    file.write(content[first : first + 512])
                    time.sleep(0.02)
            say(f"returned {run_id}")


if __name__ == "__main__":
    main()
