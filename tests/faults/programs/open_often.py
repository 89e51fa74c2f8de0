"""open_often DB NAME TIMES: open the database, log a run and close it, so many times."""

from __future__ import annotations

import sys

from ecosystemiser import DatabaseMetadataService


def main() -> None:
    db, name, times = sys.argv[1:]
    for number in range(int(times)):
        with DatabaseMetadataService(db) as log:
            row = {"run_id": f"{name}-{number}", "simulation_status": "completed", "total_cost": 1.0}
            log.log_simulation_run(row)


if __name__ == "__main__":
    main()
