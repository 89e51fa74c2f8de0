"""close_all DB NAME TIMES: a broken writer, which takes every run that it finds running for one whose owner died."""

from __future__ import annotations

import sys

from ecosystemiser import DatabaseMetadataService


def main() -> None:
    with DatabaseMetadataService(sys.argv[1]) as log:
        for row in log.query_simulation_runs(status="running"):
            log.log_simulation_run({"run_id": row["run_id"], "simulation_status": "interrupted"})


if __name__ == "__main__":
    main()
