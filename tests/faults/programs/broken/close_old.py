"""close_old DB NAME TIMES: a broken writer, which takes a run for dead when its row was not touched for an hour."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from ecosystemiser import DatabaseMetadataService


def main() -> None:
    with DatabaseMetadataService(sys.argv[1]) as log:
        for row in log.query_simulation_runs(status="running"):
            if datetime.now(UTC) - datetime.fromisoformat(row["updated_at"]) > timedelta(hours=1):
                log.log_simulation_run({"run_id": row["run_id"], "simulation_status": "interrupted"})


if __name__ == "__main__":
    main()
